#!/usr/bin/env python3
"""Bodies written by the row sink equal PostgreSQL's own JSON text, byte for byte.

Random tables over all kinds of types, under random session settings, are turned into JSON twice: by row_to_json and by
the sink. The same with requests that embed these tables in others, in every way that there is: what such a request means is
written here in plain SQL. The server compares the two, so that nothing is lost on the way.

Needs psql, a connection in the PG* variables (a superuser, database in UTF8), and a library built with the feature
pg_test that the server can read:

    bodies_equal_row_to_json.py --library /path/libpg_restful.so [--seed N] [--tables M] [--rows N]

Leaves nothing behind: everything is made in the schemas restful_property and ways, which are dropped before and after. Exits with 1 if a
body differs.
"""
import argparse
import json
import random
import string
import sys
import urllib.parse

import _ways
from _sql import identifier, quote

ODD_TEXT = ["", " ", '"', "\\", "\\\\\"", "a\nb\tc\rd", "\b\f\x01\x1f\x7f", "é", "日本語", "😀", "null", "'", "</script>",
            "x" * 15, "x" * 16, "x" * 17, "\u2028", "{}", "a,b", "%", "\\u0041"]


class Values:
    """Random values as SQL expressions."""

    def __init__(self, rng):
        self.rng = rng

    def pick(self, *choices):
        return self.rng.choice(choices)

    def text(self, limit=60):
        rng = self.rng
        kind = rng.random()
        if kind < 0.3:
            return rng.choice(ODD_TEXT)
        if kind < 0.5:
            return "".join(rng.choice(ODD_TEXT) for _ in range(rng.randrange(8)))
        if kind < 0.53:
            return rng.choice("ab\"\\\né") * rng.randrange(20000)  # compressed
        if kind < 0.56:
            return "".join(rng.choices(string.printable, k=rng.randrange(9000)))  # out of line
        letters = string.ascii_letters + " \"\\\n\t\x02éß"
        return "".join(rng.choices(letters, k=rng.randrange(limit)))

    def number(self):
        rng = self.rng
        digits = lambda most: "".join(rng.choices("0123456789", k=rng.randrange(1, most)))
        return rng.choice([
            lambda: self.pick("0", "-0", "0.0", "0.00000", "1", "-1", "10000", "9999", "99990000", "0.0001", "0.00010",
                              "1e100", "-1e-100", "1e-1000", "1e130000", "12345678901234567890.000"),
            lambda: self.pick("", "-") + digits(6),
            lambda: self.pick("", "-") + digits(12) + "." + digits(12),
            lambda: self.pick("", "-") + "0." + "0" * rng.randrange(30) + digits(10) + "0" * rng.randrange(6),
            lambda: self.pick("", "-") + digits(900) + "." + digits(900),
            lambda: f"{digits(30)}e{rng.randrange(-60, 300)}",
        ])()

    def numeric(self):
        if self.rng.random() < 0.12:
            return self.pick("NaN", "Infinity", "-Infinity")
        return self.number()

    def float(self, exponent):
        rng = self.rng
        return rng.choice([
            lambda: self.pick("0", "-0", "1", "-1", "0.1", "NaN", "Infinity", "-Infinity", "1e15", "1e16", "123456.789",
                              "1e-5", "0.0001", "100000", "1000000", "999999.5"),
            lambda: repr(rng.uniform(-1e6, 1e6)),
            lambda: f"{rng.uniform(-10, 10)!r}e{rng.randrange(-exponent, exponent)}",
            lambda: str(rng.randrange(-10**9, 10**9)),
        ])()

    def date(self, with_infinity=True):
        rng = self.rng
        if with_infinity and rng.random() < 0.06:
            return self.pick("infinity", "-infinity")
        if rng.random() < 0.15:
            return self.pick("0001-01-01", "0001-12-31 BC", "4713-01-01 BC", "0044-03-15 BC", "9999-12-31", "10000-01-01",
                             "20000-02-29", "5874897-12-31", "2000-02-29", "1900-02-28", "1900-03-01", "1999-12-31",
                             "2000-01-01", "1970-01-01", "0004-02-29", "0100-03-01")
        year = rng.choice([rng.randrange(1, 10000), rng.randrange(1880, 2060), rng.randrange(1970, 2040)])
        return f"{year:04}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"

    def time(self):
        rng = self.rng
        clock = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
        fraction = rng.choice(["", "", ".000001", ".1", ".123456", ".120000", ".999999", f".{rng.randrange(10**6):06}"])
        return rng.choice(["00:00:00", "23:59:59.999999", clock + fraction, clock + fraction])

    def timestamp(self):
        rng = self.rng
        date = self.date()
        if "infinity" in date:
            return date
        if date.startswith("5874897"):
            date = "294276-12-31"
        # Changes to and from daylight saving time, to the second, and where the tables of such changes end.
        if rng.random() < 0.15:
            day = self.pick("2024-03-31", "2024-10-27", "2024-03-10", "2024-11-03", "2037-10-25", "2038-03-28",
                            "2200-03-30", "1916-06-14", "1911-03-10", "1945-09-02", "2011-12-29", "2011-12-31")
            date, clock = day, self.pick("00:59:59.999999", "01:00:00", "01:00:00.000001", "02:00:00", "06:59:59", "07:00:00",
                                         "10:00:00", "06:00:00", "05:59:59.9")
        else:
            clock = self.time()
        if date.endswith(" BC"):
            return f"{date[:-3]} {clock} BC"
        return f"{date} {clock}"

    def interval(self):
        rng = self.rng
        return rng.choice(["0", "1 day", "-1 day +2:03:04.5", "1 year 2 mons -3 days", "-00:00:00.000001", "178000000 years",
                           f"{rng.randrange(-99, 99)} mons {rng.randrange(-99, 99)} days {rng.randrange(-10**6, 10**6)} secs"])

    def document(self, depth=0):
        rng = self.rng
        kind = rng.random()
        if depth > 3 or kind < 0.5:
            return rng.choice([None, True, False, rng.randrange(-10**6, 10**6), rng.uniform(-1e3, 1e3), 0, "", "null",
                               1e300, 1e-30, 123456789012345678901234567890, self.text(30), self.text(30), self.text(30)])
        if kind < 0.75:
            return [self.document(depth + 1) for _ in range(rng.choice([0, 1, 2, 3, 40 if depth == 0 else 4]))]
        return {self.text(20): self.document(depth + 1) for _ in range(rng.choice([0, 1, 2, 3, 40 if depth == 0 else 4]))}

    def json_text(self):
        spacing = self.pick((", ", ": "), (",", ":"), (" ,\n", "\t:  "))
        text = json.dumps(self.document(), separators=spacing, ensure_ascii=self.rng.random() < 0.5)
        return self.pick("", " ", "\n") + text + self.pick("", " ")

    def uuid(self):
        return f"{self.rng.getrandbits(128):032x}"

    def bits(self):
        return "".join(self.rng.choices("01", k=self.rng.randrange(1, 40)))

    def address(self):
        rng = self.rng
        if rng.random() < 0.4:
            return self.pick("::1", "fe80::1/64", "2001:db8::/32", "::ffff:1.2.3.4")
        return ".".join(str(rng.randrange(256)) for _ in range(4)) + self.pick("", "/32")

    def range(self, bound):
        if self.rng.random() < 0.15:
            return "empty"
        first, last = bound(), bound()
        return self.pick("[", "(") + self.pick(first, "") + "," + self.pick(last, "") + self.pick("]", ")")


def scalar_types(v):
    """Type name → text form of a random value. A text that the type refuses becomes null."""
    rng = v.rng
    integer = lambda bits: lambda: str(rng.choice([0, 1, -1, -(1 << bits - 1), (1 << bits - 1) - 1,
                                                   rng.randrange(-(1 << bits - 1), 1 << bits - 1), rng.randrange(-999, 999)]))
    point = lambda: f"({v.float(30)},{v.float(30)})"
    plain_date = lambda: v.date(False)
    return {
        "bool": lambda: v.pick("t", "f"),
        "int2": integer(16), "int4": integer(32), "int8": integer(64),
        "oid": lambda: str(rng.randrange(1 << 32)), "regclass": lambda: v.pick("pg_class", "pg_type"),
        "regtype": lambda: v.pick("int4", "text[]", '"char"'), "xid": lambda: str(rng.randrange(1 << 31)),
        "float4": lambda: v.float(37), "float8": lambda: v.float(300),
        "numeric": v.numeric, "numeric(20,5)": lambda: v.float(3), "money": lambda: f"{rng.uniform(-1e6, 1e6):.2f}",
        "text": v.text, "varchar": v.text, "varchar(20)": lambda: v.text(20)[:20], "char(7)": lambda: v.text(7)[:7],
        "name": lambda: v.text(30)[:20], '"char"': lambda: v.pick("a", '"', "\\", "", "\x05"),
        "uuid": v.uuid, "json": v.json_text, "jsonb": v.json_text, "jsonpath": lambda: v.pick("$.a", '$."x y" ? (@ > 1)'),
        "date": v.date, "timestamp": v.timestamp, "timestamptz": v.timestamp, "timestamptz(0)": v.timestamp,
        "timestamp(3)": v.timestamp, "time": v.time, "timetz": lambda: v.time() + v.pick("+00", "-03:30", "+05:45"),
        "interval": v.interval,
        "bytea": lambda: "\\x" + rng.randbytes(rng.choice([0, 1, 5, 40, 40, 3000])).hex(),
        "bit varying": v.bits, "bit(5)": lambda: "".join(rng.choices("01", k=5)),
        "inet": v.address, "cidr": lambda: v.pick("10.0.0.0/8", "2001:db8::/32"),
        "macaddr": lambda: rng.randbytes(6).hex(":"), "macaddr8": lambda: rng.randbytes(8).hex(":"),
        "point": point, "lseg": lambda: f"[{point()},{point()}]", "box": lambda: f"{point()},{point()}",
        "path": lambda: f"[{point()},{point()},{point()}]", "polygon": lambda: f"({point()},{point()},{point()})",
        "circle": lambda: f"<{point()},{abs(rng.uniform(0, 9))}>", "line": lambda: "{1,-2,3.5}",
        "tsvector": lambda: "a:1 b:2A 'c d' 'q\"r'", "tsquery": lambda: "a & (b | !c)",
        "int2vector": lambda: v.pick("", "1", "1 2 3"), "oidvector": lambda: v.pick("", "5", "6 7"),
        "tid": lambda: f"({rng.randrange(99)},{rng.randrange(99)})", "pg_lsn": lambda: "16/B374D848",
        "xml": lambda: v.pick("<a/>", "<a b=\"c\">é</a>", "text"), "aclitem": lambda: "postgres=r/postgres",
        "int4range": lambda: v.range(integer(8)), "int8range": lambda: v.range(integer(40)),
        "numrange": lambda: v.range(lambda: str(rng.randrange(-99, 99))), "daterange": lambda: v.range(plain_date),
        "tsrange": lambda: v.range(lambda: f'"{plain_date()} {v.time()}"'),
        "tstzrange": lambda: v.range(lambda: f'"{plain_date()} {v.time()}+00"'),
        "int4multirange": lambda: "{" + v.pick("", v.range(integer(8)), "[1,3),[7,9)") + "}",
        "tstzmultirange": lambda: v.pick("{}", "{[2000-01-01,2000-02-01)}"),
        # SET_UP creates these.
        "odd_enum": lambda: v.pick('say "hi"', "back\\slash", "naïve", "plain"),
        "json_enum": lambda: v.pick("red", "green"), "json_base": lambda: v.pick("{}", "[1, 2 ]", '{"a":null}'),
        "textrange": lambda: v.range(lambda: v.pick("a", "b", '"c d"', '"""q"""')),
        "d_int": integer(16), "d_text": v.text, "d_numeric": lambda: v.float(3), "d_jsonb": v.json_text, "d_bytea": lambda: "\\x0041",
        "d_timestamptz": v.timestamp, "d_d_int": integer(8), "d_enum": lambda: v.pick("plain", 'say "hi"'),
        "d_json_enum": lambda: v.pick("red", "green"), "d_uuid": v.uuid,
        "d_array": lambda: v.pick("{}", "{1,2,NULL}", "{{1,2},{3,4}}", "[5:6]={7,8}"),
        "pair": lambda: v.pick('(1,"a ""b""")', "(,)", '(7,"\\\\")'),
        "nested": lambda: v.pick('(1,"(2,x)","{""(3,y)"",""(,)""}")', "(,,)", '(4,,{})', '(,"(,)","{NULL}")'),
        "d_pair": lambda: v.pick('(1,z)', "(,)"),
        "widened": lambda: v.pick("(1,x,t)", "(,,)"), "all_kinds": None,
    }


SET_UP = """
drop schema if exists restful_property cascade;
create schema restful_property;
set search_path to restful_property, public;
create type odd_enum as enum ('say "hi"', 'back\\slash', 'naïve', 'plain');
create type json_enum as enum ('red', 'green');
create function to_json_text(json_enum) returns json language sql immutable
  as $$ select json_build_object('colour', $1::text, 'none', null) $$;
create cast (json_enum as json) with function to_json_text(json_enum);
create type json_base;
create function json_base_in(cstring) returns json_base language internal immutable strict as 'textin';
create function json_base_out(json_base) returns cstring language internal immutable strict as 'textout';
create type json_base (input = json_base_in, output = json_base_out, like = text);
create function json_base_json(json_base) returns json language sql immutable as $$ select $1::text::json $$;
create cast (json_base as text) without function;
create cast (json_base as json) with function json_base_json(json_base);
create type textrange as range (subtype = text);
create domain d_int as int check (value is distinct from 7);
create domain d_d_int as d_int;
create domain d_text as text;
create domain d_numeric as numeric(30, 3);
create domain d_jsonb as jsonb;
create domain d_bytea as bytea;
create domain d_uuid as uuid;
create domain d_timestamptz as timestamptz;
create domain d_enum as odd_enum;
create domain d_json_enum as json_enum;
create domain d_array as int[];
create type pair as (a int, "b ""c\\d" text);
create type nested as (n int, p pair, ps pair[]);
create domain d_pair as pair;
create type widened as (gone int, kept int, t text, b bool);
alter type widened drop attribute gone;
create table results (note text, shape text, query text, result text);
-- Returns the text if the type accepts it, or else null.
create function value_of(input text, type_name text, out result text) language plpgsql as $$
begin
  execute format('select (%L::%s)::text', input, type_name);
  result := input;
exception when others then
  result := null;
end $$;
-- Null if two texts are equal, and else where they differ.
create function difference(expected text, actual text) returns text language plpgsql as $$
declare
  at int := 1; step int;
begin
  if actual collate "C" = expected collate "C" then
    return case when expected like 'ERROR%' then 'same error: ' || expected end;
  end if;
  if actual is null or expected is null then
    return format('DIFFERS: one is null (expected %s bytes, got %s)', length(expected), length(actual));
  end if;
  step := 65536;
  while step > 0 loop
    while substr(expected, at, step) = substr(actual, at, step) and at <= length(expected) loop at := at + step; end loop;
    step := step / 2;
  end loop;
  return format(E'DIFFERS at %s of %s\\n  expected ...%s\\n  actual   ...%s', at, length(expected),
    substr(expected, greatest(at - 80, 1), 160), substr(actual, greatest(at - 80, 1), 160));
end $$;
create function differs(query text, shape text) returns text language plpgsql as $$
declare
  expected text; actual text;
begin
  begin
    execute case shape
      when 'object' then format('select coalesce(''[''||string_agg(row_to_json(x)::text, '','')||'']'', ''[]'') from (%s) x', query)
      when 'stripped' then format('select coalesce(''[''||string_agg(json_strip_nulls(row_to_json(x))::text, '','')||'']'', ''[]'') from (%s) x', query)
      when 'value' then format('select coalesce(''[''||string_agg(coalesce(to_json(v)::text, ''null''), '','')||'']'', ''[]'') from (%s) x(v)', query)
      when 'raw' then format('select coalesce(string_agg(format(''%%s'', v), ''''), '''') from (%s) x(v)', query)
      when 'raw bytes' then format('select coalesce(string_agg(v::text, ''''), '''') from (%s) x(v)', query)
    end into expected;
  exception when others then
    expected := 'ERROR ' || sqlstate || ' ' || sqlerrm;
  end;
  begin
    if shape = 'raw bytes' then
      actual := restful_test_body(format('select convert_to(v::text, ''UTF8'') from (%s) x(v)', query), 'raw', 1000000000);
    else
      actual := restful_test_body(query, shape, 1000000000);
    end if;
  exception when others then
    actual := 'ERROR ' || sqlstate || ' ' || sqlerrm;
  end;
  return difference(expected, actual);
end $$;
-- Compares the body of a GET request with what a query makes of its rows.
create function answers_otherwise(query text, target text, accept text) returns text language plpgsql as $$
declare
  expected text; answer record; actual text;
begin
  begin
    execute format('select coalesce(''[''||string_agg(%s::text, '','')||'']'', ''[]'') from (%s) x',
      case when accept like '%stripped' then 'json_strip_nulls(row_to_json(x))' else 'row_to_json(x)' end, query) into expected;
  exception when others then
    expected := 'ERROR ' || sqlstate || ' ' || sqlerrm;
  end;
  select status, convert_from(body, 'UTF8') as body into answer
  from ways.serve('GET', target, json_build_object('accept', accept)::jsonb, null);
  actual := case when answer.status in (200, 206) then answer.body
    else concat_ws(' ', 'ERROR', answer.body::json->>'code', answer.body::json->>'message') end;
  return difference(expected, actual);
end $$;
set restful.schemas = 'restful_property';
set restful.aggregates_enabled = on;
set restful.max_response_bytes = '1GB';
"""

SETTINGS = {
    "TimeZone": ["UTC", "GMT", "Europe/Paris", "Europe/Dublin", "America/New_York", "America/St_Johns", "Asia/Kolkata",
                 "Asia/Kathmandu", "Africa/Monrovia", "Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Apia",
                 "Antarctica/Troll", "America/Sao_Paulo", "Europe/Amsterdam", "<+0330>-3:30", "EST5EDT", "PST8PDT,M3.2.0,M11.1.0",
                 "Pacific/Kiritimati", "Etc/GMT+12"],
    "DateStyle": ["ISO, MDY", "SQL, DMY", "German", "Postgres, MDY"],
    "IntervalStyle": ["postgres", "postgres_verbose", "sql_standard", "iso_8601"],
    "extra_float_digits": ["-15", "-3", "0", "1", "3"],
    "bytea_output": ["hex", "escape"],
}

NAMES = ["a", "id", "A b", 'qu"ote', "back\\slash", "tab\there", "line\nfeed", "naïve", "日本", "x" * 63, "é" * 31, "\x01", "a", " ",
         "'", "%", "null", "ordinality"]


class Table:
    """A table of random columns, and the SQL that makes it."""

    def __init__(self, number, types, v, rows):
        rng = v.rng
        self.name = f"t{number}"
        scalar = [name for name, make in types.items() if make]
        self.columns = []
        for index in range(rng.randrange(1, 15)):
            base = rng.choice(scalar)
            array = rng.random() < 0.3 and base not in ("int2vector", "oidvector", "d_array")
            name = rng.choice(NAMES)
            if any(name == other for other, _, _ in self.columns):
                name = f"{name[:20]}{index}"
            self.columns.append((name, base, array))
        definitions = ", ".join(
            f"{identifier(name)} {base}{'[]' if array else ''}" for name, base, array in self.columns)
        self.script = [f"create table {self.name} (dropped int, {definitions}, added int);",
                       f"alter table {self.name} drop column dropped, drop column added;"]
        for _ in range(rows):
            values = ", ".join(self.value(types[base], base, array, v) for _, base, array in self.columns)
            self.script.append(f"insert into {self.name} values ({values});")
        # The rows are older than these columns, so their tuples do not contain the values.
        if rng.random() < 0.5:
            self.script.append(f"alter table {self.name} add column late text default 'la\"te', add column later numeric;")

    @staticmethod
    def value(make, base, array, v):
        rng = v.rng
        one = lambda: "null" if rng.random() < 0.15 else f"value_of({quote(make())}, {quote(base)})::{base}"
        if not array:
            return one()
        if rng.random() < 0.1:
            return "null"
        if rng.random() < 0.1:
            return f"array[]::{base}[]"

        def nested(lengths):
            parts = (nested(lengths[1:]) if len(lengths) > 1 else one() for _ in range(lengths[0]))
            return "array[" + ",".join(parts) + "]"

        depth = rng.choice([1, 1, 1, 2, 3])
        return nested([rng.randrange(1, 4 if depth > 1 else 12) for _ in range(depth)]) + f"::{base}[]"

    def queries(self, v):
        """Pairs of shape and query."""
        t = self.name
        yield "object", f"select * from {t}"
        yield "stripped", f"select * from {t}"
        yield "object", f"select y, 1 as one, row(y, null, row()) as r from {t} y"
        yield "stripped", f"select y, row(y, null) as r from {t} y"
        yield "object", f"select array_agg(y) as ys, count(*) from {t} y"
        yield "object", f"select y.*, y.* from {t} y limit 3"
        for name, base, array in self.columns:
            column = identifier(name)
            if array:
                # An array in its expanded form, and one whose lower bound is not 1.
                yield "object", f"select array_append(case when array_ndims({column}) = 1 then {column} end, null) as v from {t}"
                yield "value", f"select case when array_ndims({column}) = 1 then ('[3:3]={{NULL}}'::{base}[] || {column}) end from {t}"
            yield "value", f"select {column} from {t}"
            # The bytes of a bytea are not text. The shape "raw bytes" covers them.
            yield "raw", f"select {column}{'::text' if base in ('bytea', 'd_bytea') else ''} from {t}"
            yield "raw bytes", f"select {column}::text from {t}"


def listed(query):
    """The list of a query's rows, written as a to-many relation is."""
    return f"coalesce((select '['||string_agg(row_to_json(x)::text, ',')||']' from ({query}) x), '[]')::json"


def values(query):
    """The list of the values of a query with one column, written as a column of a to-many spread is."""
    return f"coalesce((select '['||string_agg(coalesce(to_json(v)::text, 'null'), ',')||']' from ({query}) x(v)), '[]')::json"


class Family:
    """A random table with a key, the table of its parents (some rows have none, some parents no rows), theirs, and one that refers to
    each of its rows."""

    def __init__(self, table, v):
        self.v = v
        self.t = table.name
        self.p, self.g, self.c = f"p_{self.t}", f"g_{self.t}", f"c_{self.t}"
        self.names = [name for name, _, _ in table.columns]
        self.script = [f"""
            create table {self.g} (gk int primary key, label text);
            create table {self.p} (pk int primary key, label text, up int references {self.g}, size numeric);
            alter table {self.t} add column k serial primary key, add column up int references {self.p};
            create table {self.c} (ck int primary key, of int unique references {self.t}, note text);
            insert into {self.g} select i, nullif(i, 2)::text from generate_series(1, 3) i;
            insert into {self.p} select i, E'p"\\n' || i, nullif(i % 3, 0), i / 7.0 from generate_series(1, 7) i;
            update {self.t} set up = nullif(k % 6, 0);
            insert into {self.c} select k, nullif(k, 3), nullif('note ' || k, 'note 4') from {self.t} where k % 5 > 0;
            analyze {self.t}, {self.p}, {self.g}, {self.c};"""]

    def requests(self):
        """Targets, each with the query of the same meaning."""
        t, p, g, c = self.t, self.p, self.g, self.c
        chosen = self.v.rng.sample(self.names, self.v.rng.randrange(1, len(self.names) + 1))
        quoted = ['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in chosen]
        fields, aliased = ",".join(quoted), ",".join(f"s{i}:{name}" for i, name in enumerate(quoted))
        columns = ", ".join(f"t.{identifier(name)}" for name in chosen)

        def one(row):
            return f"(select row_to_json(x) from ({row}) x)"

        # To-one, by star, by columns, and with related order.
        yield (f"/{c}?select=ck,{t}(*)&order=ck",
               f"select ck, {one(f'select t.* from {t} t where t.k = c.of')} as {t} from {c} c order by ck")
        yield (f"/{c}?select=ck,{t}({fields})&order=ck",
               f"select ck, {one(f'select {columns} from {t} t where t.k = c.of')} as {t} from {c} c order by ck")
        yield (f"/{c}?select=ck,one:{t}!inner({fields})&order={t}(k).desc,ck".replace(f"order={t}", "order=one"),
               f"select ck, {one(f'select {columns}')} as one from {c} c join {t} t on t.k = c.of order by t.k desc, ck")
        # To-one from the side that is referred to.
        yield (f"/{t}?select=k,{c}(ck,note)&order=k",
               f"select k, {one(f'select ck, note from {c} c where c.of = t.k')} as {c} from {t} t order by k")
        # To-many, by star, by columns, in order, a page, filtered, and only parents with rows.
        yield (f"/{p}?select=pk,{t}(*)&order=pk&{t}.order=k",
               f"select pk, {listed(f'select t.* from {t} t where t.up = pk order by k')} as {t} from {p} order by pk")
        yield (f"/{p}?select=pk,{t}({fields})&order=pk&{t}.order=k.desc&{t}.limit=3&{t}.offset=1",
               f"select pk, {listed(f'select {columns} from {t} t where t.up = pk order by k desc limit 3 offset 1')} as {t} from {p} order by pk")
        yield (f"/{p}?select=pk,{t}!inner({fields},k)&order=pk&{t}.order=k&{t}.k=gt.9",
               f"select pk, {listed(f'select {columns}, t.k from {t} t where t.up = pk and k > 9 order by k')} as {t} from {p} "
               f"where exists (select from {t} t where t.up = pk and k > 9) order by pk")
        yield (f"/{p}?select=pk,{t}()&order=pk&{t}=is.null",
               f"select pk from {p} where not exists (select from {t} t where t.up = pk) order by pk")
        # To-many without an order: for all parents together, beside others, within one, on a page, and stripped of what it refers to.
        rows = listed(f"select {columns} from {t} t where t.up = pk")
        yield (f"/{p}?select=pk,{t}({fields})&order=pk.desc&limit=5&offset=1",
               f"select pk, {rows} as {t} from {p} order by pk desc limit 5 offset 1")
        again = listed(f"select k, {one(f'select note from {c} c where c.of = t.k')} as {c} from {t} t where t.up = pk and k > 3")
        yield (f"/{p}?select={t}({fields}),label,again:{t}(k,{c}(note)),...{g}(top:label)&order=pk&again.k=gt.3",
               f"select {rows} as {t}, label, {again} as again, (select g.label from {g} g where gk = p.up) as top from {p} p order by pk")
        yield f"/{p}?select=*,{t}(*)&order=pk", f"select *, {listed(f'select t.* from {t} t where t.up = pk')} as {t} from {p} order by pk"
        yield f"/{p}?select={t}(k)&order=pk", f"select {listed(f'select k from {t} t where t.up = pk')} as {t} from {p} order by pk"
        middle = f"select label, {rows} as {t} from {p} where up = gk order by pk"
        yield (f"/{g}?select=gk,{p}(label,{t}({fields}))&order=gk&{p}.order=pk", f"select gk, {listed(middle)} as {p} from {g} order by gk")
        # To-one for each row of a small page, and of the row with a key.
        middle = f"select pk, {one(f'select * from {g} g where gk = p.up')} as {g} from {p} p where pk = t.up"
        inner = f"select {columns}, {one(middle)} as {p} from {t} t where t.k = c.of"
        for page, conditions in (("order=ck&limit=4&offset=2", "order by ck limit 4 offset 2"), ("ck=eq.2", "where ck = 2")):
            yield (f"/{c}?select=ck,{t}({fields},{p}(pk,{g}(*)))&{page}", f"select ck, {one(inner)} as {t} from {c} c {conditions}")
        # Nested, up and down.
        inner = f"select {columns}, {one(f'select ck from {c} c where c.of = t.k')} as {c} from {t} t where t.up = pk order by k"
        middle = f"select label, {listed(inner)} as {t} from {p} where up = gk order by pk"
        yield (f"/{g}?select=gk,{p}(label,{t}({fields},{c}(ck)))&order=gk&{p}.order=pk&{p}.{t}.order=k",
               f"select gk, {listed(middle)} as {p} from {g} order by gk")
        middle = f"select *, {one(f'select * from {g} g where gk = p.up')} as {g} from {p} p where pk = t.up"
        inner = f"select k, {one(middle)} as {p} from {t} t where t.k = c.of"
        yield (f"/{c}?select=*,{t}(k,{p}(*,{g}(*)))&order=ck", f"select *, {one(inner)} as {t} from {c} c order by ck")
        # Spread: columns of one row, lists of many, one within another.
        spread = ", ".join(f"t.{identifier(name)} as s{i}" for i, name in enumerate(chosen))
        yield (f"/{c}?select=ck,...{t}({aliased})&order=ck", f"select ck, {spread} from {c} c left join {t} t on t.k = c.of order by ck")
        lists = ", ".join(values(f"select t.{identifier(name)} from {t} t where t.up = pk order by k") + f" as s{i}"
                          for i, name in enumerate(chosen))
        yield (f"/{p}?select=pk,...{t}({aliased})&order=pk&{t}.order=k", f"select pk, {lists} from {p} order by pk")
        rows = f"select {columns}, p.label as up_label from {t} t left join {p} p on p.pk = t.up where t.k = c.of"
        yield (f"/{c}?select=ck,{t}({fields},...{p}(up_label:label))&order=ck", f"select ck, {one(rows)} as {t} from {c} c order by ck")
        # Aggregates within, and groups by what is embedded.
        counts = f"select count(*) as count, max(t.k) as max from {t} t where t.up = pk"
        yield (f"/{p}?select=pk,{t}(count(),k.max())&order=pk", f"select pk, {listed(counts)} as {t} from {p} order by pk")
        labels = f"select up as up, count(*) as count, sum(size) as sum from {p} where up = gk group by up order by up"
        yield (f"/{g}?select=gk,{p}(up,count(),size.sum())&order=gk&{p}.order=up", f"select gk, {listed(labels)} as {p} from {g} order by gk")
        yield (f"/{p}?select=up,{g}(label),count()&order=up",
               f"select up, (select to_jsonb(x) from (select label from {g} where gk = p.up) x) as {g}, count(*) as count from {p} p "
               "group by 1, 2 order by 1")


CATALOGUES = ["pg_class", "pg_type", "pg_proc", "pg_index", "pg_constraint", "pg_attribute", "pg_statistic", "pg_stats", "pg_opclass",
              "pg_database", "pg_rewrite", "pg_cast", "pg_settings", "pg_amop"]

# Changes that a cached plan must notice. The same query runs again after each step.
CHANGES = [
    ("create type fickle as enum ('x', 'y'); create table changing (f fickle, p pair, fs fickle[]);"
     "insert into changing values ('x', (1,'a'), '{x,y}'), ('y', null, null)", None),
    ("create function fickle_json(fickle) returns json language sql as $$ select json_build_array($1::text) $$;"
     "create cast (fickle as json) with function fickle_json(fickle)", None),
    ("create or replace function fickle_json(fickle) returns json language sql as $$ select '{}'::json $$", None),
    ("drop cast (fickle as json)", None),
    ("drop function fickle_json(fickle)", None),
    ("alter type pair add attribute extra numeric", None),
    ("update changing set p.extra = 1.50", None),
    ("alter type pair rename attribute extra to \"ex\"\"tra\"", None),
    ("alter type pair drop attribute a", None),
    ("alter table changing alter f type text", None),
    ("alter table changing rename f to g", None),
    ("alter table changing add column h timestamptz default '2020-02-20 20:20:20Z'", None),
    ("alter type fickle rename value 'x' to 'z\"'", None),
]


def settings(chosen):
    return [f"set {name} = {quote(value)};" if name != "DateStyle" else f"set DateStyle = {value};" for name, value in chosen.items()]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--tables", type=int, default=20)
    arguments.add_argument("--rows", type=int, default=30)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.tables} tables of {options.rows} rows", flush=True)
    v = Values(random.Random(options.seed))
    types = scalar_types(v)

    script = [SET_UP,
              "create function restful_test_body(sql text, shape text, max_bytes bigint) returns text "
              f"language c strict as {quote(options.library)}, 'restful_test_body';"]

    def compare(query, shape, note):
        script.append(f"insert into results values ({quote(note)}, {quote(shape)}, {quote(query)}, "
                      f"differs({quote(query)}, {quote(shape)}));")

    def answer(query, target, accept, note):
        target = urllib.parse.quote(target, safe="/?=&,:.()!*'")
        script.append(f"insert into results values ({quote(note)}, {quote(accept + ' of ' + target)}, {quote(query)}, "
                      f"answers_otherwise({quote(query)}, {quote(target)}, {quote(accept)}));")

    for step, (change, _) in enumerate(CHANGES):
        script.append(f"{change};")
        for query in ("select * from changing", "select c, array_agg(c) over () as cs from changing c"):
            compare(query, "object", f"change {step}")
    script.append("analyze;")
    for catalogue in CATALOGUES:
        compare(f"select * from {catalogue} limit 300", "object", "catalogue")
        compare(f"select c as whole from {catalogue} c limit 300", "stripped", "catalogue")
    for number in range(options.tables):
        table = Table(number, types, v, options.rows)
        script += table.script
        queries = list(table.queries(v))
        for _ in range(3):
            chosen = {name: v.rng.choice(values) for name, values in SETTINGS.items()}
            script += settings(chosen)
            for shape, query in queries:
                compare(query, shape, " ".join(f"{name}={value}" for name, value in chosen.items()))
        family = Family(table, v)
        script += family.script
        for _ in range(2):
            chosen = {name: v.rng.choice(choices) for name, choices in SETTINGS.items()}
            script += settings(chosen)
            for accept in ("application/json", "application/vnd.pgrst.array+json;nulls=stripped"):
                for target, query in family.requests():
                    answer(query, target, accept, " ".join(f"{name}={value}" for name, value in chosen.items()))
        script.append(f"drop table {family.c}, {family.t}, {family.p}, {family.g};")
    script.append("select json_build_object('compared', count(*), 'requests', count(*) filter (where shape like '% of /%'), 'notable', "
                  "coalesce(json_agg(results) filter (where result is not null), '[]')) from results;")
    script.append("drop schema restful_property cascade;")

    printed, taken = _ways.run(options.library, *script, messages="warning")
    report = json.loads(printed)
    errors = {}
    differing = 0
    for row in report["notable"]:
        if row["result"].startswith("DIFFERS"):
            differing += 1
            print(f"\n{row['shape']}: {row['query']}\n  under {row['note']}\n  {row['result']}")
        else:
            errors.setdefault(row["result"], row["query"])
    for message, query in errors.items():
        print(f"{message} ({query})")
    print(f"{report['compared']} bodies compared, {differing} differ")
    if seldom := _ways.seldom(taken, {"read": report["requests"] // 2}):
        print(f"too seldom to prove anything: {seldom}")
    sys.exit(1 if differing or seldom or not report["compared"] else 0)


if __name__ == "__main__":
    main()
