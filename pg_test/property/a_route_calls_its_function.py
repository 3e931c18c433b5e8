#!/usr/bin/env python3
"""A request by a route answers what a call of the function in SQL returns, and paths that no route takes reach none.

Random routes lead to functions with parameters of many types, taken from the path, the query, fields, cookies and the body. Random requests
name them, with values that fit and that do not. This program tells by itself which route takes a path, by trying all patterns in the order
of precedence, and writes the call in SQL. A request whose values do not fit must be refused with 400 or 404, and never call a function.

Routes also have JSON Schemas of their results and queries, and this program decides by itself what fits them. In strict mode a result that fits
is answered in every representation and page, and one that does not is a 500 that leaves nothing behind, if the representation has it. What a
schema takes does not depend on how it is written: by a reference, by allOf, anyOf or oneOf, or without a type.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    a_route_calls_its_function.py [--seed N] [--routes N] [--requests N]

Everything is made in the schema restful_routed and with the role restful_routed_user, and routes are dropped at the end. Exits with 1 if a
law is broken.
"""
import argparse
import json
import random
import re
import sys
import urllib.parse

from _sql import count_outcomes, quote, report, run

CLEAN_UP = """
do $$ begin
  delete from restful.route_entry where handler like 'restful_routed.%';
  delete from restful.route_group_entry where name like 'restful_routed%';
end $$;
drop schema if exists restful_routed cascade;
do $$ begin
  if exists (select from pg_roles where rolname = 'restful_routed_user') then drop owned by restful_routed_user cascade; end if;
end $$;
drop role if exists restful_routed_user;
"""
SET_UP = """
create role restful_routed_user;
create schema restful_routed;
grant usage on schema restful_routed to restful_routed_user;
create table restful_routed.outcomes (number int, outcome text, detail text);
create table restful_routed.calls (number serial);
grant insert on restful_routed.calls to restful_routed_user;
grant usage on sequence restful_routed.calls_number_seq to restful_routed_user;
set restful.schemas = 'restful_routed';
select restful.route_group('restful_routed_a', '/pre'), restful.route_group('restful_routed_b', '', 'b.example'), restful.route_group('restful_routed_c', '/a', 'c.example');
create function restful_routed.one(step int, method text, target text, headers jsonb, body text, expected text, call text) returns void language plpgsql as $$
declare answer record; calls int; by_hand jsonb; what text; got jsonb;
begin
  delete from restful_routed.calls;
  set local role restful_routed_user;
  select r.status, convert_from(r.body, 'utf8') as body into answer from restful.serve(method, target, headers, convert_to(body, 'utf8')) r;
  reset role;
  select count(*) into calls from restful_routed.calls;
  if call is null then
    if not answer.status::text = any (string_to_array(expected, ',')) then what := 'it should be ' || expected; end if;
    if calls > 0 then what := 'a function was called'; end if;
  else
    begin
      execute 'select to_jsonb(' || call || ')' into by_hand;
      got := answer.body::jsonb;
      if answer.status <> 200 or got is distinct from by_hand then what := 'by hand it is ' || by_hand; end if;
    exception when data_exception or invalid_text_representation or numeric_value_out_of_range then
      if answer.status <> 400 then what := 'by hand it is an error: ' || sqlerrm; end if;
    end;
  end if;
  if what is not null then
    what := format('%s: %s %s %s %s: %s %s; %s', what, method, target, headers, body, answer.status, answer.body, call);
  end if;
  insert into restful_routed.outcomes values (step, case when call is null then 'refused ' else 'called ' end || answer.status, what);
end $$;
"""

RESULTS = """
create table restful_routed.data (n int, name text, size int);
insert into restful_routed.data values (1, 'a', 1), (2, 'bb', null), (3, null, 3), (4, 'dddd', 4);
grant select on restful_routed.data to restful_routed_user;
create function restful_routed.read_rows(lowest int) returns setof restful_routed.data language sql stable as 'select * from restful_routed.data where n >= lowest order by n';
create function restful_routed.write_rows(lowest int) returns setof restful_routed.data language sql as
    'insert into restful_routed.calls default values; select * from restful_routed.data where n >= lowest order by n';
create function restful_routed.read_one(lowest int) returns restful_routed.data language sql stable as 'select * from restful_routed.data where n >= lowest order by n limit 1';
create function restful_routed.read_names(lowest int) returns setof text language sql stable as 'select name from restful_routed.data where n >= lowest order by n';
create function restful_routed.read_value(lowest int) returns jsonb language sql stable as 'select to_jsonb(d) from restful_routed.data d where n >= lowest order by n limit 1';
create function restful_routed.ask(p text[] default null) returns int language sql immutable as 'select coalesce(cardinality(p), 0)';
create function restful_routed.checked(step int, method text, target text, headers jsonb, expected int, writes boolean) returns void language plpgsql as $$
declare answer record; calls int; what text;
begin
  delete from restful_routed.calls;
  set local role restful_routed_user;
  select r.status, convert_from(r.body, 'utf8') as body into answer from restful.serve(method, target, headers) r;
  reset role;
  select count(*) into calls from restful_routed.calls;
  if answer.status <> expected then what := 'it should be ' || expected; end if;
  if calls <> (writes and answer.status = 200)::int then what := format('%s calls are in the table', calls); end if;
  insert into restful_routed.outcomes values (step, 'checked ' || answer.status, what || format(': %s %s %s: %s %s', method, target, headers, answer.status, answer.body));
end $$;
set restful.check_results = strict;
"""

DATA = [{"n": 1, "name": "a", "size": 1}, {"n": 2, "name": "bb", "size": None}, {"n": 3, "name": None, "size": 3}, {"n": 4, "name": "dddd", "size": 4}]

# JSON Schemas of a row and of a list, with what they mean.
OF_A_ROW = [
    ({"properties": {"n": {"maximum": 3}}}, lambda row: row["n"] <= 3),
    ({"properties": {"name": {"type": "string"}}}, lambda row: row["name"] is not None),
    ({"properties": {"name": {"maxLength": 3}}}, lambda row: row["name"] is None or len(row["name"]) <= 3),
    ({"required": ["n", "name", "size"]}, lambda row: True),
    ({"required": ["n", "other"]}, lambda row: False),
    ({"type": "object", "additionalProperties": False, "properties": {"n": {}, "name": {}, "size": {}}}, lambda row: True),
]
OF_A_LIST = [
    ({}, lambda rows: True),
    ({"minItems": 2}, lambda rows: len(rows) >= 2),
    ({"minItems": 4}, lambda rows: len(rows) >= 4),
    ({"contains": {"properties": {"n": {"const": 4}}}}, lambda rows: any(row["n"] == 4 for row in rows)),
    ({"type": "object"}, lambda rows: False),
]
# Representations, and whether they hold the whole result.
REPRESENTATIONS = [("application/json", True), ("application/x-ndjson", True), ("application/jsonl", True), ("application/vnd.pgrst.object+json", True), ("application/vnd.pgrst.array+json", True),
                   ("text/csv", False), ("application/vnd.pgrst.array+json;nulls=stripped", False), ("application/vnd.pgrst.object+json;nulls=stripped", False)]
PAGES = [("", lambda rows: rows)] * 4 + [
    ("limit=1", lambda rows: rows[:1]), ("offset=1", lambda rows: rows[1:]), ("limit=2&offset=1", lambda rows: rows[1:3]), ("n=gt.2", lambda rows: [r for r in rows if r["n"] > 2]),
    ("n=eq.9", lambda rows: []), ("order=n.desc", lambda rows: rows[::-1]), ("select=*", lambda rows: rows), ("select=n", None), ("select=n,label:name", None)]


def result_request(rng, number):
    """A route with a schema of its results, and a request that it answers, or does not."""
    lowest = rng.randint(1, 5)
    rows = [row for row in DATA if row["n"] >= lowest]
    kind = rng.choice(["read_rows", "read_rows", "write_rows", "read_one", "read_names", "read_value"])
    of_row, row_fits = rng.choice(OF_A_ROW)
    of_list, list_fits = rng.choice(OF_A_LIST)
    accept, is_whole = rng.choice(REPRESENTATIONS)
    page, shown = rng.choice(PAGES)
    if kind in ("read_rows", "write_rows"):
        item = rng.choice([{"items": of_row}, {"allOf": [{"items": {"$ref": "#/$defs/row"}}], "$defs": {"row": of_row}}])
        schema, fits = {**of_list, **item}, list_fits(rows) and (all(map(row_fits, rows)) or of_list.get("type") == "object")
        part = rows if shown is None else shown(rows)
        # The order makes no difference for these schemas, but this is not known of others.
        is_part = page not in ("", "select=*")
        bad = not is_part and not fits or is_part and not all(map(row_fits, part))
        # What a function that may write has changed are all rows but those that filters leave out.
        changed = part if page.startswith("n=") else rows
        wrong_number = "object" in accept and (len(part) != 1 or kind == "write_rows" and len(changed) != 1)
    else:
        page, shown = "", lambda rows: rows
        wrong_number, part = False, rows
        if kind == "read_names":
            schema, bad = {"items": {"type": "string"}, **of_list}, any(r["name"] is None for r in rows) or of_list.get("minItems", 0) > len(rows) or "type" in of_list
            if "contains" in of_list:
                # A text has no properties that could break the schema.
                bad = any(r["name"] is None for r in rows) or not rows
            wrong_number = "object" in accept and len(rows) != 1
            is_whole = is_whole or accept != "text/csv"
        else:
            one = rows[0] if rows else None
            schema = of_row
            if kind == "read_one":
                # Without a row, PostgreSQL answers a row of nulls.
                one = one or {"n": None, "name": None, "size": None}
                bad = not (row_fits(one) if one["n"] is not None else null_row_fits(of_row))
            else:
                bad = one is not None and not row_fits(one) or one is None and of_row.get("type") == "object"
                is_whole = is_whole or accept != "text/csv"
    if "select" in page and page != "select=*":
        is_whole = False
    expected = 406 if wrong_number else 500 if bad and is_whole else 200
    method = "POST" if kind == "write_rows" else "GET"
    path = f"/restful_routed_result/{number}"
    target = path + f"?lowest={lowest}" + ("&" + page if page else "")
    return (f"select restful.route({quote(method + ' ' + path)}, 'restful_routed.{kind}', result => {quote(json.dumps(schema))});",
            f"select restful_routed.checked({number}, {quote(method)}, {quote(target)}, {quote(json.dumps({'accept': accept}))}, {expected}, {'true' if kind == 'write_rows' else 'false'});")


def null_row_fits(of_row):
    """Whether a row of nulls fits a schema of OF_A_ROW."""
    return "other" not in of_row.get("required", []) and of_row.get("properties", {}).get("name", {}).get("type") != "string"


def is_number(text):
    return bool(re.fullmatch(r"-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?", text))


def is_integer(text):
    """1e3 is one, too (JSON Schema 2020-12 Validation, section 6.1.1)."""
    return is_number(text) and float(text).is_integer()


# JSON Schemas of one value, with the texts that they take.
OF_A_VALUE = [
    ({"type": "integer", "minimum": 5}, lambda text: is_integer(text) and float(text) >= 5),
    ({"type": "integer"}, is_integer),
    ({"type": "boolean"}, lambda text: text in ("true", "false")),
    ({"type": "string", "minLength": 2}, lambda text: len(text) >= 2),
    ({"enum": [7, 40000]}, lambda text: text in ("7", "40000")),
    ({"enum": ["7", True]}, lambda text: text in ("7", "true")),
    ({"const": 7}, lambda text: text == "7"),
    # What is no number is nothing that a minimum could refuse.
    ({"minimum": 5}, lambda text: not is_number(text) or float(text) >= 5),
]
WRAPPED = [
    lambda schema: (schema, {}),
    lambda schema: ({"$ref": "#/$defs/v"}, {"v": schema}),
    lambda schema: ({"$ref": "#/$defs/w"}, {"w": {"allOf": [{"$ref": "#/$defs/v"}]}, "v": schema}),
    lambda schema: ({"allOf": [schema, {}]}, {}),
    lambda schema: ({"anyOf": [schema, {"const": "all"}]}, {}),
    lambda schema: ({"oneOf": [{"type": "null"}, schema]}, {}),
    lambda schema: ({"anyOf": [{"type": "object"}, {"$ref": "#/$defs/v"}]}, {"v": schema}),
]
OBJECTS = [
    lambda value: {"properties": {"p": value}},
    lambda value: {"$ref": "#/$defs/object"},
    lambda value: {"allOf": [{"properties": {"p": value}}]},
    lambda value: {"additionalProperties": value},
]


def query_request(rng, number):
    """A route with a schema of its query, and a request that fits it, or does not."""
    of_value, takes_value = rng.choice(OF_A_VALUE)
    wrap = rng.choice(WRAPPED)
    value, definitions = wrap(of_value)
    takes_all = "anyOf" in value and {"const": "all"} in value["anyOf"]
    is_list = rng.random() < 0.3
    texts = [rng.choice(VALUES + ["all", "5", "5"]) for _ in range(rng.randint(1, 3) if is_list else 1)]
    if is_list:
        value = {"type": "array", "items": value, "maxItems": 2}
    schema = rng.choice(OBJECTS)(value)
    schema["$defs"] = {**definitions, "object": {"properties": {"p": value}}}
    good = all(takes_value(text) or takes_all and text == "all" for text in texts) and len(texts) <= 2
    path = f"/restful_routed_query/{number}"
    target = path + "?" + "&".join("p=" + urllib.parse.quote(text, safe="") for text in texts)
    return (f"select restful.route({quote('GET ' + path)}, 'restful_routed.ask', query => {quote(json.dumps(schema))});",
            f"select restful_routed.checked({number}, 'GET', {quote(target)}, '{{}}', {200 if good else 422}, false);")


# Types, with their converters in the order of precedence, which are also those that a route may name.
TYPES = {"int2": "smallint", "int4": "int", "int8": "bigint", "uuid": "uuid", "bool": "bool", "date": "date", "numeric": "number", "text": "text"}
ORDER = ["smallint", "int", "bigint", "uuid", "bool", "date", "number", "text", "path"]
VALUES = ["0", "7", "-1", "40000", "3000000000", "99999999999999999999", "1.5", "-0.25", "1e3", "true", "false", "2024-02-29", "2023-02-29", "x", "a b", "ä/ö",
          "0190163d-8694-739b-aea5-966c26f8ad91", "", "'q'", "a%b", "{1}", "null", ".", "+1"]
INTEGER = {"smallint": 15, "int": 31, "bigint": 63}


def takes(converter, text):
    """Whether a segment fits, in the words of the reference."""
    if converter in INTEGER:
        return bool(re.fullmatch(r"-?[0-9]+", text)) and -2 ** INTEGER[converter] <= int(text) < 2 ** INTEGER[converter]
    if converter == "uuid":
        return bool(re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text))
    if converter == "bool":
        return text in ("true", "false")
    if converter == "date":
        return text in ("2024-02-29",)
    if converter == "number":
        return bool(re.fullmatch(r"-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,3})?", text))
    return text != ""


class Route:
    def __init__(self, number, rng):
        self.name = f"restful_routed.f{number}"
        self.parameters = [(f"p{i}", rng.choice(list(TYPES))) for i in range(rng.randint(0, 4))]
        self.defaults = rng.randint(0, len(self.parameters))
        self.method = rng.choice(["GET", "POST", "PUT", "DELETE"])
        in_path = rng.sample(self.parameters, rng.randint(0, min(2, len(self.parameters))))
        self.segments = [rng.choice(["a", "b", "ä"]) for _ in range(rng.randint(1, 2))]
        for name, kind in in_path:
            converter = rng.choice([None, None, "text"])
            self.segments.insert(rng.randint(0, len(self.segments)), (name, converter or TYPES[kind], converter))
        if in_path and rng.random() < 0.1:
            self.segments.append(("rest", "path", "path"))
            self.parameters.insert(0, ("rest", "text"))
            self.defaults = min(self.defaults, len(self.parameters) - 1)
        self.sources = {}
        for name, _ in self.parameters:
            if not any(isinstance(s, tuple) and s[0] == name for s in self.segments) and rng.random() < 0.4:
                self.sources[name] = rng.choice([f"query:q-{name}", f"header:X-{name}", f"cookie:c{name}", f"body:m {name}"] if self.method != "GET" else
                                                [f"query:q-{name}", f"header:X-{name}", f"cookie:c{name}"])
        self.group, prefix, self.host = rng.choice([(None, [], None)] * 3 + [("restful_routed_a", ["pre"], None), ("restful_routed_b", [], "b.example"), ("restful_routed_c", ["a"], "c.example")])
        self.pattern = self.method + " /" + "/".join(s if isinstance(s, str) else "{%s%s}" % (s[0], ":" + s[2] if s[2] else "") for s in self.segments)
        self.segments = prefix + self.segments
        self.key = (self.host, self.method, tuple(s if isinstance(s, str) else "{%s}" % s[1] for s in self.segments))

    def script(self):
        first = len(self.parameters) - self.defaults
        declared = ", ".join(f"{name} {kind}{' default null' if i >= first else ''}" for i, (name, kind) in enumerate(self.parameters))
        values = "".join(f", {name}" for name, _ in self.parameters)
        volatile = "volatile" if self.method != "GET" else "stable"
        note = "insert into restful_routed.calls default values; " if self.method != "GET" else ""
        return (f"create function {self.name}({declared}) returns jsonb language sql {volatile} as $f$ {note}select jsonb_build_array({quote(self.name)}::text{values}) $f$;\n"
                f"select restful.route({quote(self.pattern)}, '{self.name}', {quote(json.dumps(self.sources))}, of_group => {quote(self.group) if self.group else 'null'});")

    def match(self, segments):
        """What tells how narrow it is, and the parameters of the path; None if it does not take the path."""
        # A route for the host of the request comes before all for any host.
        rank, captured = [-1 if self.host else 0], {}
        for i, segment in enumerate(self.segments):
            if isinstance(segment, str):
                if i >= len(segments) or segments[i] != segment:
                    return None
                rank.append(-1)
            elif segment[1] == "path":
                if i >= len(segments):
                    return None
                captured[segment[0]] = "/".join(segments[i:])
                return (rank + [ORDER.index("path")], captured)
            else:
                if i >= len(segments) or not takes(segment[1], segments[i]):
                    return None
                captured[segment[0]] = segments[i]
                rank.append(ORDER.index(segment[1]))
        return (rank, captured) if len(segments) == len(self.segments) else None


def request(rng, routes, number):
    """A request as SQL, and what it must do."""
    wanted = rng.choice(routes)
    segments = []
    for segment in wanted.segments:
        if isinstance(segment, str):
            segments.append(segment if rng.random() < 0.97 else "other")
        else:
            fitting = [v for v in VALUES if takes(segment[1], v)]
            segments.append(rng.choice(fitting if rng.random() < 0.8 else VALUES))
    method = wanted.method if rng.random() < 0.95 else rng.choice(["GET", "POST", "PUT", "DELETE"])
    host = rng.choice([wanted.host or "other.example"] * 6 + ["b.example", "c.example"])
    found = [(match[0], route, match[1]) for route in routes if route.method == method and route.host in (None, host) and (match := route.match(segments))]
    target = "/" + "/".join(urllib.parse.quote(s, safe="") for s in segments)
    headers, query, body, given, refused = {"host": rng.choice([host, host.upper(), host + ":8080"])}, [], {}, {}, False
    if not found:
        return f"select restful_routed.one({number}, {quote(method)}, {quote(target)}, {quote(json.dumps(headers))}, null, '400,404,405', null);"
    _, route, captured = min(found, key=lambda f: f[0])
    first = len(route.parameters) - route.defaults
    cookies = []
    for i, (name, kind) in enumerate(route.parameters):
        if name in captured:
            given[name] = captured[name]
            continue
        if rng.random() < (0.3 if i >= first else 0.05):
            refused |= i < first
            continue
        good = [v for v in VALUES if v and takes(TYPES[kind], v)]
        value = given[name] = rng.choice(good if rng.random() < 0.9 else [v for v in VALUES if v])
        place, _, as_name = route.sources.get(name, "default").partition(":")
        if place == "header":
            if not value.isascii():
                value = given[name] = good[0]
            headers[as_name.lower()] = value
        elif place == "cookie":
            value = given[name] = re.sub(r"[^A-Za-z0-9.-]", "", value) or good[0]
            cookies.append(f"{as_name}={value}")
        elif place == "query" or place == "default" and (method == "GET" or rng.random() < 0.3):
            query.append((as_name or name, value))
        else:
            body[as_name or name] = value
    if cookies:
        headers["cookie"] = "; ".join(cookies)
    if body and rng.random() < 0.05:
        body["surplus"], refused = 1, True
    text = None
    if body:
        text = json.dumps(body, ensure_ascii=False)
        if "surplus" not in body and rng.random() < 0.3:
            headers["content-type"], text = "application/x-www-form-urlencoded", urllib.parse.urlencode(body)
        elif "surplus" not in body and rng.random() < 0.3:
            headers["content-type"] = "multipart/form-data; boundary=\"b 1\""
            text = "".join(f"--b 1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n" for name, value in body.items()) + "--b 1--\r\n"
    if query:
        target += "?" + urllib.parse.urlencode(query)
    call = "null" if refused else quote(f"{route.name}(" + ", ".join(f"{name} => {quote(given[name])}" for name, _ in route.parameters if name in given) + ")")
    return (f"select restful_routed.one({number}, {quote(method)}, {quote(target)}, {quote(json.dumps(headers))}, {quote(text) if text else 'null'}, '400', {call});")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--routes", type=int, default=120)
    parser.add_argument("--requests", type=int, default=4000)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.routes} routes, {arguments.requests} requests")
    routes = {}
    while len(routes) < arguments.routes:
        route = Route(len(routes), rng)
        routes.setdefault(route.key, route)
    routes = list(routes.values())
    requests = [request(rng, routes, number) for number in range(arguments.requests)]
    checks = [rng.choice([result_request, query_request])(rng, arguments.requests + number) for number in range(arguments.requests // 4)]
    printed = run(CLEAN_UP, SET_UP, *[route.script() for route in routes], *requests, RESULTS, *[route for route, _ in checks], *[check for _, check in checks], count_outcomes("restful_routed.outcomes"))
    outcomes, is_broken = report(printed)
    run(CLEAN_UP)
    for needed in ("called 200", "called 400", "refused 400", "refused 404", "checked 200", "checked 406", "checked 422", "checked 500"):
        if needed not in outcomes and not is_broken:
            print(f"nothing ended like this: {needed}")
            return 1
    return 1 if is_broken else 0


if __name__ == "__main__":
    sys.exit(main())
