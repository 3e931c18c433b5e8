#!/usr/bin/env python3
"""record_source makes the same rows from a JSON body as json_to_recordset, for every type.

Random bodies go through both functions into tables, which are compared as text. jsonb is also compared as stored bytes, and numeric by
its stored size. BAD has inputs that both functions must refuse with the same SQLSTATE and message. REFUSED has what only record_source
refuses.

    record_source_equals_json_to_recordset.py [--rounds N] [--seed N] [--library /path/libpg_restful.so]

The PG* environment variables name the server. Without --library, the server needs the extension. With it, the test creates the
schema restful in a scratch database and loads the function from that file, which needs an absolute path and must be world-readable.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
failures = []


def psql(sql, database, check=True):
    """Runs a script in one session. Returns (exit code, standard output, standard error)."""
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=" + ("1" if check else "0"), "-v", "VERBOSITY=verbose",
               "-d", database, "-f", "-"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True)
    if check and done.returncode != 0:
        sys.exit("psql failed:\n" + done.stderr[-3000:])
    return done.returncode, done.stdout, done.stderr


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def dump(value):
    """JSON text of a value with random white space and escapes. The text of a Raw stays as it is."""
    pad = random.choice(["", "", "", " ", "\n"])
    if isinstance(value, Raw):
        return pad + value.text
    if isinstance(value, dict):
        return pad + "{" + ",".join(dump(k) + ":" + dump(v) for k, v in value.items()) + pad + "}"
    if isinstance(value, list):
        return pad + "[" + ",".join(dump(v) for v in value) + "]" + pad
    return pad + json.dumps(value, ensure_ascii=random.random() < 0.5)


class Raw:
    def __init__(self, text):
        self.text = text


LETTERS = "abcXYZ  059_-'\"\\/\n\t\r\b\f\x01\x1f\x7féßñ€漢字😀{}[],:"


def text(longest=30):
    return "".join(random.choice(LETTERS) for _ in range(random.randint(0, longest)))


def number():
    whole = random.choice(["0", "7", "42", str(random.getrandbits(random.randint(1, 70)))])
    fraction = random.choice(["", "", ".0", ".5", ".%d" % random.getrandbits(20), ".000" + str(random.getrandbits(30)), "." + "0" * 66 + "1"])
    exponent = random.choice(["", "", "", "e3", "E-5", "e+12", "e-70", "e200"])
    return Raw(random.choice(["", "-"]) + whole + fraction + exponent)


def document(depth=0):
    kind = random.randint(0, 6 if depth < 5 else 4)
    if kind == 0:
        return random.choice([None, True, False])
    if kind in (1, 2):
        return number()
    if kind in (3, 4):
        return text(12)
    if kind == 5:
        return [document(depth + 1) for _ in range(random.choice([0, 1, 3, 40 if depth < 2 else 2]))]
    return Repeated([(text(4), document(depth + 1)) for _ in range(random.choice([0, 1, 4, 40 if depth < 2 else 3]))])


class Repeated(dict):
    """An object that may repeat a key."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = pairs

    def items(self):
        return self.pairs


def date():
    return "%04d-%02d-%02d" % (random.randint(1, 9999), random.randint(1, 12), random.randint(1, 28))


def clock():
    fraction = random.choice(["", ".5", ".123456", ".1234567", ".999999", "." + str(random.getrandbits(19))])
    return "%02d:%02d:%02d%s" % (random.randint(0, 23), random.randint(0, 59), random.randint(0, 59), fraction)


def stamp():
    if random.random() < 0.1:
        return random.choice(["infinity", "-infinity", "epoch", "Jan 5 2024 10:00 PM", "2024-05-06", "20240506T070809", "1/2/2003",
                              "2024-02-29T23:59:60Z", "2024-01-01 24:00:00", "0044-03-15 BC", "2024-06-01 12:00 Europe/Paris",
                              "J2451187", "12024-01-01 00:00:00Z"])
    zone = random.choice(["", "Z", "+00:00", "-08", "+05:30", "-0330", "+15:59", " America/New_York", "+01:02:03", "z"])
    return date() + random.choice(["T", " "]) + clock() + zone


def uuid():
    digits = "%032x" % random.getrandbits(128)
    plain = "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
    return random.choice([plain, plain, plain.upper(), digits, "{" + plain + "}"])


def integer(bits):
    return random.choice([0, 1, -1, 2 ** (bits - 1) - 1, -2 ** (bits - 1), random.randint(-2 ** (bits - 1), 2 ** (bits - 1) - 1)])


def maybe_quoted(value):
    return str(value) if random.random() < 0.2 else value


def array(element, dimensions=1):
    if dimensions == 1:
        return [random.choice([None, element(), element()]) for _ in range(random.randint(0, 4))]
    width = random.randint(1, 3)
    return [[element() for _ in range(width)] for _ in range(random.randint(1, 3))]


def composite(depth=0):
    value = {"n": random.choice([None, integer(32)]), "t": text(5), "d": random.choice([date(), None]), "l": array(lambda: integer(32))}
    if depth == 0:
        value["o"] = random.choice([None, {"a": text(4), "b": [True, False, None]}])
    return {k: v for k, v in value.items() if random.random() < 0.9}


def anything():
    return random.choice([text(), True, False, number(), document(), [1, "a", {}], {"k": [1, None]}])


def element():
    """Anything except an array, which would be another dimension within an array."""
    return random.choice([text(), True, number(), {"k": [1, document()]}])


def double():
    return random.choice([0, Raw("-0"), Raw("-0.0"), 1.5, random.random(), random.uniform(-1e300, 1e300), Raw("1e-300"), Raw("0.0000000000000005e-308"),
                          Raw("0.025e-308"), Raw("0e308"), "NaN", "Infinity", "1e5", Raw("123456789012345678901234567890"), Raw("0.1e-2")])


def single():
    return random.choice([0, Raw("-0"), 1.5, random.random(), Raw("1e38"), Raw("1e-40"), Raw("16777217"), "NaN", "-inf", Raw("0.1")])


COLUMNS = {
    "c_bool": ("bool", lambda: random.choice([True, False, "t", "off", "yes", 1, 0])),
    "c_int2": ("int2", lambda: maybe_quoted(integer(16))),
    "c_int4": ("int4", lambda: random.choice([maybe_quoted(integer(32)), " 12 ", "007", Raw("-0")])),
    "c_int8": ("int8", lambda: maybe_quoted(integer(64))),
    "c_float4": ("float4", single),
    "c_float8": ("float8", double),
    "c_numeric": ("numeric", lambda: random.choice([number(), number(), "NaN", " 1.50 ", "1e3", "-0.00"])),
    "c_numeric_p": ("numeric(14,3)", lambda: random.choice([Raw("12.5"), Raw("0"), Raw("-0.0005"), Raw("99999999999.9994"), 7, "3.14159", Raw("1e10"), Raw("1.5e-2")])),
    "c_text": ("text", anything),
    "c_varchar": ("varchar", anything),
    "c_varchar_n": ("varchar(8)", lambda: random.choice(["", "abc", "漢字漢字漢字漢字", "12345678", "1234567       ", "é\n", 12.5, True])),
    "c_bpchar": ("bpchar", lambda: text()),
    "c_char_n": ("char(9)", lambda: random.choice(["", "abc", "漢字", "123456789", "12345678       ", "é\n", 12, None])),
    "c_char_wide": ("char(200)", lambda: "x" * random.randint(0, 200)),
    "c_char": ('"char"', lambda: random.choice(["a", "", "xyz"])),
    "c_name": ("name", lambda: random.choice(["a name", "n" * 70])),
    "c_uuid": ("uuid", uuid),
    "c_date": ("date", lambda: random.choice([date(), date(), "infinity", stamp()]) ),
    "c_timestamp": ("timestamp", stamp),
    "c_timestamptz": ("timestamptz", stamp),
    "c_timestamp_p": ("timestamp(2)", stamp),
    "c_timestamptz_p": ("timestamptz(0)", stamp),
    "c_time": ("time", clock),
    "c_timetz": ("timetz", lambda: clock() + random.choice(["Z", "+02", "-05:30"])),
    "c_interval": ("interval", lambda: random.choice(["1 day", "P1Y2M3DT4H5M6S", "-3:04:05", "2 weeks"])),
    "c_interval_p": ("interval day to second(1)", lambda: "1 day 02:03:04.56789"),
    "c_json": ("json", document),
    "c_jsonb": ("jsonb", document),
    "c_bytea": ("bytea", lambda: random.choice(["\\xdeadBEEF", "abc\\\\d\\001", ""])),
    "c_bit": ("bit(3)", lambda: random.choice(["101", "000"])),
    "c_varbit": ("varbit", lambda: random.choice(["10110", "x1F", ""])),
    "c_money": ("money", lambda: random.choice(["$12.34", 5, Raw("7.5")])),
    "c_inet": ("inet", lambda: random.choice(["10.0.0.1/8", "::1"])),
    "c_cidr": ("cidr", lambda: "10.0.0.0/8"),
    "c_macaddr": ("macaddr", lambda: "08:00:2b:01:02:03"),
    "c_point": ("point", lambda: "(1,2.5)"),
    "c_box": ("box", lambda: "(1,2),(3,4)"),
    "c_tsvector": ("tsvector", lambda: "a fat cat:3"),
    "c_tsquery": ("tsquery", lambda: "fat & cat"),
    "c_xid": ("xid", lambda: random.getrandbits(31)),
    "c_oid": ("oid", lambda: random.getrandbits(32)),
    "c_regtype": ("regtype", lambda: "int4"),
    "c_int4range": ("int4range", lambda: random.choice(["[1,5)", "empty", "(,7]"])),
    "c_tstzrange": ("tstzrange", lambda: "[2024-01-01,2024-02-01)"),
    "c_multirange": ("int4multirange", lambda: "{[1,2),[5,9)}"),
    "c_enum": ("mood", lambda: random.choice(["sad", "ok", "a b"])),
    "c_domain_int": ("positive", lambda: random.choice([1, "7", 2 ** 31 - 1])),
    "c_domain_text": ("short_text", lambda: random.choice(["abc", "", "é"])),
    "c_domain_numeric": ("price", lambda: random.choice([Raw("1.005"), 7, "3.5"])),
    "c_domain_nested": ("small_positive", lambda: random.randint(1, 9)),
    "c_domain_array": ("pair", lambda: [1, 2]),
    "c_domain_composite": ("named_thing", lambda: dict(composite(), t="x")),
    "c_domain_jsonb": ("json_object", lambda: {"a": document()}),
    "c_int_array": ("int4[]", lambda: random.choice([array(lambda: integer(32)), "{1,NULL,3}", "[2:3]={7,8}"])),
    "c_text_array": ("text[]", lambda: array(element)),
    "c_array_2": ("int4[]", lambda: array(lambda: integer(32), 2)),
    "c_varchar_array": ("varchar(3)[]", lambda: array(lambda: text(3))),
    "c_jsonb_array": ("jsonb[]", lambda: array(element)),
    "c_domain_elements": ("positive[]", lambda: [1, 2, 3]),
    "c_composite": ("thing", lambda: random.choice([composite(), '(1,x,2024-01-01,"{1,2}",)'])),
    "c_composite_array": ("thing[]", lambda: array(composite)),
    "c_hstore_like": ("int2vector", lambda: "1 2 3"),
    "Ünusual \"key\"": ("text", lambda: text()),
}

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'a b');
CREATE DOMAIN positive AS int4 CHECK (VALUE > 0);
CREATE DOMAIN small_positive AS positive CHECK (VALUE < 10);
CREATE DOMAIN short_text AS varchar(5) CHECK (VALUE <> 'bad');
CREATE DOMAIN price AS numeric(9,2) CHECK (VALUE >= 0);
CREATE DOMAIN needed AS text NOT NULL;
CREATE DOMAIN pair AS int4[] CHECK (cardinality(VALUE) = 2);
CREATE DOMAIN json_object AS jsonb CHECK (jsonb_typeof(VALUE) = 'object');
CREATE TYPE inner_thing AS (a text, b bool[]);
CREATE TYPE thing AS (n int4, t text, d date, l int4[], o inner_thing);
CREATE DOMAIN named_thing AS thing CHECK ((VALUE).t IS DISTINCT FROM 'bad');
CREATE FUNCTION bytes(jsonb) RETURNS text LANGUAGE sql AS $$ SELECT encode(jsonb_send($1), 'hex') || pg_column_size($1) $$;
"""

SESSIONS = ["", "SET timezone = 'Europe/Paris';", "SET datestyle = 'SQL, DMY'; SET timezone = 'America/St_Johns';",
            "SET datestyle = 'German'; SET intervalstyle = 'iso_8601';"]


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def source(columns, body, mode=0, presence=""):
    """A call of record_source. `columns` are (key, type) pairs, and `presence` has numbers of columns."""
    keys = "ARRAY[" + ",".join(literal(key) for key, _ in columns) + "]::text[]"
    names = [quote(key[:40]) + " " + kind for key, kind in columns] + ["p%s bool" % p for p in presence.split(",") if p]
    return "restful.record_source(convert_to(%s, 'UTF8'), %s, %d, '{%s}') AS r(%s)" % (literal(body), keys, mode, presence, ", ".join(names))


def recordset(columns, body):
    return "json_to_recordset(%s) AS r(%s)" % (literal(body), ", ".join(quote(key) + " " + kind for key, kind in columns))


def compare_rows(database, rounds):
    for at in range(rounds):
        names = random.sample(list(COLUMNS), random.randint(1, 12)) if at % 3 else list(COLUMNS)
        columns = [(name, COLUMNS[name][0]) for name in names]
        rows = []
        for _ in range(random.choice([1, 3, 40])):
            order = names[:]
            if random.random() < 0.5:
                random.shuffle(order)
            row = {}
            for name in order:
                if random.random() < 0.85:
                    row[name] = None if random.random() < 0.1 else COLUMNS[name][1]()
            if random.random() < 0.3:
                row["unknown"] = document()
            rows.append(row)
        body = dump(rows)
        if "\\u0000" in body:
            continue
        cells = ", ".join(("bytes(%s)" if kind == "jsonb" else "%s::text") % quote(name) for name, kind in columns)
        sizes = "".join(", pg_column_size(%s)" % quote(name) for name, kind in columns if kind.startswith("numeric"))
        select = "SELECT place, %s%s FROM %%s" % (cells, sizes)
        ours, theirs = select % "ours", select % "theirs"
        script = """%s
            CREATE TEMP TABLE ours AS SELECT row_number() OVER () AS place, * FROM %s;
            CREATE TEMP TABLE theirs AS SELECT row_number() OVER () AS place, * FROM %s;
            SELECT count(*) FROM ours;
            SELECT 'ours only', x FROM (%s EXCEPT ALL %s) x LIMIT 3;
            SELECT 'theirs only', x FROM (%s EXCEPT ALL %s) x LIMIT 3;
        """ % (random.choice(SESSIONS), source(columns, body), recordset(columns, body), ours, theirs, theirs, ours)
        code, out, errors = psql(script, database, check=False)
        if out.strip() == str(len(rows)) and not errors:
            continue
        failures.append("round %d of %s: %s" % (at, names, (errors or out)[:1500]))


# Type, cell and SQLSTATE. Both functions must fail with this SQLSTATE and with the same message. If it is None, both must succeed.
BAD = [
    ("int4", '"abc"', "22P02"), ("int4", "1.5", "22P02"), ("int4", "2147483648", "22003"), ("int4", "true", "22P02"),
    ("int4", '""', "22P02"), ("int4", "[1]", "22P02"), ("int2", "40000", "22003"), ("int8", "9223372036854775808", "22003"),
    ("int8", "-99999999999999999999", "22003"), ("int4", "1e2", "22P02"), ("bool", "2", "22P02"), ("bool", '"maybe"', "22P02"),
    ("float8", "99e308", "22003"), ("float8", "0.0001e-308", None), ("float4", "1e39", "22003"), ("float4", "1e-60", "22003"),
    ("float8", '"x"', "22P02"), ("float8", '"1e400"', "22003"),
    ("numeric", '"x"', "22P02"), ("numeric(4,2)", "100", "22003"), ("numeric(4,2)", "99.995", "22003"), ("numeric", "true", "22P02"),
    ("varchar(3)", '"abcd"', "22001"), ("char(3)", '"abcd"', "22001"), ("varchar(3)", "12345", "22001"), ("varchar(3)", '"漢字漢字"', "22001"),
    ("uuid", '"nope"', "22P02"), ("uuid", "12", "22P02"), ("date", '"2024-02-30"', "22008"), ("date", '"2024-13-01"', "22008"),
    ("date", '"x"', "22007"), ("timestamptz", '"2024-01-01T25:00:00Z"', "22008"), ("timestamptz", '"2024-01-01T00:00:00+16:00"', "22009"),
    ("timestamptz", '"tomorrowish"', "22007"), ("timestamp", '"2023-02-29 00:00:00"', "22008"), ("timestamp", "5", "22007"),
    ("timestamp", '"2024-01-01 00:00:00+17"', "22009"),
    ("mood", '"happy"', "22P02"), ("inet", '"x"', "22P02"), ("bytea", '"\\\\xZZ"', "22023"), ("int4range", '"[5,1]"', "22000"),
    ("positive", "0", "23514"), ("positive", '"x"', "22P02"), ("needed", "null", "23502"), ("short_text", '"bad"', "23514"),
    ("short_text", '"toolong"', "22001"), ("small_positive", "11", "23514"), ("small_positive", "-1", "23514"),
    ("pair", "[1]", "23514"), ("pair", '"{1}"', "23514"), ("json_object", "[]", "23514"), ("named_thing", '{"t":"bad"}', "23514"),
    ("int4[]", "5", "22P02"), ("int4[]", '{"a":1}', "22P02"), ("int4[]", '["x"]', "22P02"), ("int4[]", "[[1,2],[3]]", "22P02"),
    ("int4[]", "[1,[2]]", "22P02"), ("int4[]", "[[1],2]", "22P02"), ("int4[]", '"{1"', "22P02"), ("positive[]", "[0]", "23514"),
    ("thing", "5", "22023"), ("thing", '{"n":"x"}', "22P02"), ("thing", "[1]", "22023"), ("thing", '"(1)"', "22P02"), ("thing[]", '[{"l":3}]', "22P02"),
]


def failure(sql, database):
    _, _, errors = psql(sql, database, check=False)
    found = re.search(r"ERROR:  (\w{5}): (.*)", errors)
    rest = sorted(line for line in errors.splitlines() if line.startswith(("DETAIL", "HINT", "SCHEMA", "DATATYPE", "CONSTRAINT")))
    return (found.group(1), found.group(2), rest) if found else None


def compare_errors(database):
    for kind, cell, state in BAD:
        body = '[{"key": %s}]' % cell
        columns = [("key", kind)]
        ours = failure("SELECT * FROM %s;" % source(columns, body), database)
        theirs = failure("SELECT * FROM %s;" % recordset(columns, body), database)
        if ours != theirs or (ours and ours[0]) != state:
            failures.append("%s of %s: ours %s, theirs %s, expected %s" % (cell, kind, ours, theirs, state))


# Body, mode, and a part of the details. All are refused with SQLSTATE PGRST and code PGRST102.
REFUSED = [
    ("", 0, "expected a value at byte 0"), ("[", 0, "'{' to begin"), ('[{"key":1}', 0, "',' or ']'"), ('[{"key":1},]', 0, "'{' to begin"),
    ("[1]", 0, "'{' to begin an object at byte 1"), ('"x"', 0, "array of objects"), ("null", 0, "array of objects"),
    ('[{"key":1,"key":2}]', 0, "remove the key"), ('[{"key":1,"\\u006bey":2}]', 0, "remove the key"),
    ('[{"x":1,"x":2}]', 0, "remove the key"), ('[{"key":1}] x', 0, "end of the text"), ('\ufeff[{"key":1}]', 0, "byte order mark"),
    ('[{"key":"\\u0000"}]', 0, "\\u0000"), ('[{"key":"\\ud800"}]', 0, "surrogate"), ('[{"key":1e309}]', 0, "exponent"),
    ('[{"key":' + "9" * 401 + "}]", 0, "digits"), ('[{"x":' + "[" * 100000, 0, "64 levels"), ('[{"key":nul}]', 0, "null"),
    ('[{"key":01}]', 0, "leading zero"), ('[{"key":"a\tb"}]', 0, "\\u0009"), ('[{"x":[}]}]', 0, "a value"),
    ('[{"key":1},{}]', 1, None), ('[{"key":1},{"key":2,"x":3}]', 1, None), ('{"x":3}', 1, None),
]


def check_refusals(database):
    for body, mode, details in REFUSED:
        for kind in ("text", "jsonb"):
            error = failure("SELECT * FROM %s;" % source([("key", kind)], body, mode), database)
            try:
                message = json.loads(error[1])
                good = error[0] == "PGRST" and message["code"] == "PGRST102"
                good = good and error[2] == ['DETAIL:  {"status":400,"headers":{}}']
                if details is None:
                    # The details name the object and the key, and the hint says what to write instead.
                    good = good and message["message"] == "All object keys must match" and "columns=" in message["hint"]
                    good = good and re.fullmatch(r"Object \d+ (has|does not have) the key '\w+', .*", message["details"]) is not None
                else:
                    good = good and message["hint"] is None and details in message["details"]
            except (TypeError, ValueError):
                good = False
            if not good:
                failures.append("refusal of %.80s as %s: %s" % (body, kind, error))


def expect(database, sql, wanted):
    _, out, errors = psql(sql, database, check=False)
    if (out.strip("\n") or errors.strip()) != wanted.strip("\n") and not (errors and re.search(wanted, errors)):
        failures.append("%s\n  gives %s%s\n  wanted %s" % (sql[:300], out, errors, wanted))


def check_calls(database):
    call = "SELECT r::text FROM restful.record_source(%s, %s, %d, %s) AS r(%s);"
    two = "a int4, b needed"
    expect(database, call % (r"'{\"a\":1, \"b\":\"x\"}'".replace("\\", ""), "'{a,b}'", 1, "'{}'", two), "(1,x)")
    expect(database, call % ("'[]'", "'{a,b}'", 1, "'{}'", two), "")
    expect(database, call % ("""'[{"a":null},{"b":"y"}]'""", "'{a,b}'", 0, "'{1,2}'", two + ", p1 bool, p2 bool"), "(,,t,f)\n(,y,f,t)")
    expect(database, call % ("""'[{"b":null}]'""", "'{a,b}'", 0, "'{2}'", two + ", p2 bool"), "23502")
    expect(database, call % ("""'[{"a":1}]'""", "'{a,b}'", 0, "NULL", two), "23502")
    expect(database, call % ("NULL", "'{a,b}'", 0, "NULL", two), "PGRST102")
    expect(database, call % ("'[]'", "'{a}'", 0, "NULL", two), "22023: .* do not add up to the 2 columns")
    expect(database, call % ("'[]'", "'{a,a}'", 0, "NULL", two), "22023: .* listed twice")
    expect(database, call % ("'[]'", "'{a,NULL}'", 0, "NULL", two), "22023: .* NULL")
    expect(database, call % ("'[]'", "'{a}'", 0, "'{1}'", two), "22023: .* must be boolean")
    expect(database, call % ("'[]'", "'{a}'", 0, "'{2}'", "a int4, p bool"), "22023: .* from 1")
    expect(database, "SELECT restful.record_source('[]', '{a}', 0, NULL);", "0A000")
    # The bodies are toasted and compressed, and the result does not fit in work_mem.
    expect(database, """SET work_mem = '64kB';
        CREATE TEMP TABLE bodies AS SELECT convert_to(json_agg(json_build_object('a', i, 'b', repeat('x', 100)))::text, 'UTF8') AS body
            FROM generate_series(1, 20000) i;
        SELECT count(*), sum(a), sum(length(b)), pg_column_size(body) < octet_length(body) AS compressed
            FROM bodies, restful.record_source(body, '{a,b}', 1, NULL) AS r(a int4, b text) GROUP BY body;""", "20000|200010000|2000000|t")
    expect(database, """SELECT count(*), max(length(big)) FROM restful.record_source(
        convert_to('[{"big":"' || repeat('é', 3000000) || '"},{"big":"\\u00e9"}]', 'UTF8'), '{big}', 0, NULL) AS r(big text);""", "2|3000000")
    # The keys come in an order that cannot be guessed, and there are more unknown keys than are compared one by one.
    names = ["k%d" % i for i in range(200)]
    body = json.dumps([{name: i for i, name in enumerate(reversed(names))}, {"u%d" % i: i for i in range(500)}])
    expect(database, "SELECT r.k0, r.k199 FROM %s;" % source([(name, "int4") for name in names], body), "199|0\n|")


def check_mutations(database):
    """No body causes an internal error, however broken it is. Most of these fail, each in a subtransaction."""
    columns = [(name, kind) for name, (kind, _) in COLUMNS.items()]
    rows = [{name: make() for name, (_, make) in COLUMNS.items()} for _ in range(2)]
    call = source(columns, "BODY").replace("convert_to('BODY', 'UTF8')", "$1")
    script = """
        DO $$ BEGIN PERFORM setseed(0.5); END $$;
        DO $do$
        DECLARE body bytea := convert_to(%s, 'UTF8'); broken bytea; refused int := 0;
        BEGIN
          FOR i IN 1..3000 LOOP
            broken := body;
            FOR j IN 0..i %% 3 LOOP
              broken := set_byte(broken, floor(random() * length(broken))::int, (ARRAY[34, 92, 44, 91, 93, 123, 125, 48, 45, 101, 0, 31, 128, 195])[ceil(random() * 14)]);
            END LOOP;
            IF i %% 10 = 0 THEN broken := substr(broken, 1, floor(random() * length(broken))::int); END IF;
            BEGIN
              EXECUTE $call$ SELECT count(*), max(r::text) FROM %s $call$ USING broken;
            EXCEPTION WHEN OTHERS THEN
              refused := refused + 1;
              IF SQLSTATE LIKE 'XX%%' THEN RAISE; END IF;
            END;
          END LOOP;
          IF refused < 1000 THEN RAISE 'only %% refused', refused; END IF;
        END $do$;
        SELECT 'survived';
    """ % (literal(dump(rows)), call)
    expect(database, script, "survived")


def check_other_encoding(environment_database):
    """In a LATIN1 database the same characters arrive, and those that it lacks are refused."""
    database = environment_database + "_latin1"
    psql("DROP DATABASE IF EXISTS %s;" % database, "postgres")
    psql("CREATE DATABASE %s ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;" % database, "postgres")
    try:
        install(database)
        body = r"""convert_to('[{"k\u00e9y":"caf\u00e9","b":"\u00fc","j":{"\u00e9":"' || chr(233) || '"},"a":["\u00e9"],"t":"' || chr(233) || '"}]', 'UTF8')"""
        columns = "a text, b varchar(1), j jsonb, l text[], t json"
        call = "restful.record_source(%s, ARRAY['k' || chr(233) || 'y', 'b', 'j', 'a', 't'], 0, NULL) AS r(%s)" % (body, columns)
        expect(database, "SELECT a = 'caf' || chr(233), b = chr(252), j = jsonb_build_object(chr(233), chr(233)), l[1] = chr(233), "
               "t::text = '\"' || chr(233) || '\"' FROM %s;" % call, "t|t|t|t|t")
        for kind in ("text", "jsonb", "json", "text[]", "char(5)"):
            cell = '["\u20ac"]' if kind == "text[]" else '"\u20ac"'
            body = "decode('%s', 'hex')" % ('[{"a":%s}]' % cell).encode().hex()
            expect(database, "SELECT * FROM restful.record_source(%s, '{a}', 0, NULL) AS r(a %s);" % (body, kind), "22P05")
    finally:
        psql("DROP DATABASE %s;" % database, "postgres")


library = None


def install(database):
    if library is None:
        psql("CREATE EXTENSION IF NOT EXISTS pg_restful;", database)
        return
    with open(os.path.join(HERE, "../../sql/request/record_source.sql"), encoding="utf-8") as file:
        psql("CREATE SCHEMA restful; " + file.read().replace("MODULE_PATHNAME", library), database)


def main():
    global library
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--library")
    arguments = parser.parse_args()
    library = arguments.library
    random.seed(arguments.seed)
    database = "record_source_property"
    psql("DROP DATABASE IF EXISTS %s;" % database, "postgres")
    psql("CREATE DATABASE %s ENCODING 'UTF8' TEMPLATE template0;" % database, "postgres")
    install(database)
    psql(SETUP, database)
    compare_errors(database)
    check_refusals(database)
    check_calls(database)
    check_mutations(database)
    compare_rows(database, arguments.rounds)
    check_other_encoding(database)
    psql("DROP DATABASE %s;" % database, "postgres")
    for failed in failures:
        print("FAILED", failed)
    print("%d failures, %d rounds, seed %d" % (len(failures), arguments.rounds, arguments.seed))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
