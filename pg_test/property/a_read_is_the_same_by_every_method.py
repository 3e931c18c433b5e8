#!/usr/bin/env python3
"""GET, HEAD and QUERY of the same read answer the same, and OPTIONS lists what a role may do.

Tables, views, grants on them and on their columns, roles and parameters are random. Each read is made by GET, by HEAD, and by QUERY with
its parameters in a form, in a form and the target, and in JSON. Status and fields have to be identical, and so have the bytes of GET and
QUERY. For each role and resource, the methods in Allow are those that PostgreSQL's privileges give, and a request by each method is
refused for want of a privilege, or as not allowed, exactly if it is not listed. Writes are rolled back.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    a_read_is_the_same_by_every_method.py [--seed N] [--rounds M]

The schema same and the roles s_* are dropped before and after. Exits with 1 if an answer differs.
"""
import argparse
import json
import random
import sys
import urllib.parse

from _sql import quote, run

ROLES = ["s_one", "s_two", "s_three"]
COLUMNS = {"id": "int", "word": "text", "amount": "numeric", "tags": "text[]", "at": "timestamptz", "extra": "jsonb"}
WORDS = ["a", "", " ", "a,b", "x)y", '"', "\\", "é", "null", "(", "*", "%", "a&b=c", "+", "#", "a.b", "{", "🦀", "in.(1)", "'", "\t"]
FORM = "application/x-www-form-urlencoded"
METHODS = ["GET", "HEAD", "QUERY", "POST", "PUT", "PATCH", "DELETE"]

CLEAN = "drop schema if exists same cascade;" + "".join(f"drop role if exists {role};" for role in ROLES)
SET_UP = CLEAN + "".join(f"create role {role};" for role in ROLES) + """
create schema same;
grant usage on schema same to public;
create function same.ask(requests json) returns setof json language sql volatile as $$
    select json_build_object('status', (a).status, 'headers', (a).headers, 'body', convert_from((a).body, 'UTF8'))
    from (select restful.serve(r->>0, r->>1, (r->2)::jsonb, convert_to(r->>3, 'UTF8')) as a, n
        from json_array_elements(requests) with ordinality as r(r, n) order by n offset 0) answers
$$;
grant execute on function same.ask to public;
"""
START = """
set restful.schemas = 'same';
set restful.tx_end = 'commit-allow-override';
"""


class Relation:
    def __init__(self, number, rng):
        self.kind = rng.choice(["table", "table", "view", "constant view", "keyless", "identity", "two keys"])
        self.name, base = f"r{number}", f"b{number}" if "view" in self.kind else f"r{number}"
        self.key = {"keyless": [], "two keys": ["id", "word"], "constant view": []}.get(self.kind, ["id"])
        key = {"identity": "generated always as identity primary key", "two keys": "default 1", "keyless": "default 1"}
        columns = [f"id int {key.get(self.kind, 'primary key default 1')}"]
        columns += [f"{name} {kind}" + (" default 'w'" if name == "word" else "") for name, kind in COLUMNS.items() if name != "id"]
        if self.kind == "two keys":
            columns.append("primary key (id, word)")
        self.script = [f"create table same.{base} ({', '.join(columns)});"]
        rows = [f"({i}, {quote(rng.choice(WORDS))}, {rng.choice(['null', str(i * 1.5)])}, {quote(rng.choice(['{}', '{a,b}', '{c}']))}, "
                f"{rng.choice(['null', quote('2024-02-29 12:00+00')])}, {quote(json.dumps({'a': i}))})" for i in range(1, 12)]
        self.script.append(f"insert into same.{base} overriding system value values {', '.join(rows)};")
        if self.kind == "view":
            self.script.append(f"create view same.{self.name} as select * from same.{base};")
        elif self.kind == "constant view":
            self.script.append(f"create view same.{self.name} as select max(id) as id, word, count(*)::numeric as amount, tags, at, extra "
                               f"from same.{base} group by word, tags, at, extra;")
        for role in ROLES:
            for command in "select", "insert", "update", "delete":
                chance = rng.random()
                if chance < 0.55:
                    self.script.append(f"grant {command} on same.{self.name} to {role};")
                elif chance < 0.8 and command != "delete":
                    some = rng.sample(list(COLUMNS), rng.randrange(1, len(COLUMNS)))
                    self.script.append(f"grant {command} ({', '.join(some)}) on same.{self.name} to {role};")


class Read:
    """A read: parameters, and what the JSON of a QUERY has for them."""

    def __init__(self, relation, rng):
        self.rng, self.pairs, self.json = rng, [], {}
        self.path = f"/{relation.name}"
        if relation.key and rng.random() < 0.15:
            self.path += "/" + ",".join(rng.choice(["1", "99"]) if name == "id" else "a" for name in relation.key)
        if rng.random() < 0.7:
            names = rng.sample(list(COLUMNS), rng.randrange(1, 4)) + rng.choice([[], [], ["nothing"]])
            self.add("select", ",".join(names))
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            self.filter(rng.choice(list(COLUMNS)))
        if rng.random() < 0.2:
            self.add("or", f"(id.lt.{rng.randrange(9)},word.eq.\"{rng.choice(['a', 'a,b'])}\")")
        if rng.random() < 0.7:
            self.add("order", rng.choice(["id", "id.desc", "word,id", "amount.desc.nullslast,id"]))
        if rng.random() < 0.4:
            self.add("limit", str(rng.choice([0, 1, 3, 100])), int)
        if rng.random() < 0.2:
            self.add("offset", str(rng.choice([0, 2, 50])), int)
        if rng.random() < 0.04:
            self.add(rng.choice(["limit", "nothing", "columns", "on_conflict"]), "x")
        self.headers = {}
        if rng.random() < 0.3:
            self.headers["prefer"] = rng.choice(["count=exact", "count=planned", "handling=strict, odd", "handling=lenient, respond-async"])
        if rng.random() < 0.3:
            self.headers["accept"] = rng.choice(["text/csv", "application/vnd.pgrst.object+json", "image/png", "*/*"])
        # HEAD has no Range (RFC 9110, section 14.2).
        self.has_range = rng.random() < 0.15
        if self.has_range:
            self.headers["range"] = rng.choice(["0-2", "5-", "3-1", "90-99"])

    def add(self, name, text, kind=str):
        self.pairs.append((name, text))
        value = kind(text)
        if name in self.json:
            before = self.json[name]
            self.json[name] = (before if isinstance(before, list) else [before]) + [value]
        else:
            self.json[name] = value

    def filter(self, name):
        rng = self.rng
        if name in self.json:
            return
        chance, is_number = rng.random(), name in ("id", "amount")
        if chance < 0.4 and (is_number or name == "word"):
            values = [rng.randrange(12) if is_number else rng.choice(WORDS) for _ in range(rng.randrange(5))]
            token = rng.choice(["in", "not.in"])
            text = ",".join(value(item) for item in values)
            self.pairs.append((name, f"{token}.({text})"))
            self.json[name] = {token: values}
        elif chance < 0.5:
            token = rng.choice(["is", "not.is"])
            self.pairs.append((name, f"{token}.null"))
            self.json[name] = {token: None}
        elif chance < 0.7 and is_number:
            low, high = rng.randrange(6), rng.randrange(12)
            self.pairs += [(name, f"gte.{low}"), (name, f"lt.{high}")]
            self.json[name] = {"gte": low, "lt": high}
        else:
            token = rng.choice(["eq", "neq", "not.eq", "isdistinct"] + (["like", "ilike"] if name == "word" else [])
                               + rng.choice([[], [], [], ["odd"]]))
            operand = {"id": "4", "amount": "1.5", "tags": "{a,b}", "at": "2024-02-29T12:00:00Z", "extra": '{"a": 1}'}.get(name)
            operand = rng.choice(WORDS) if operand is None or rng.random() < 0.1 else operand
            self.pairs.append((name, f"{token}.{operand}"))
            self.json[name] = rng.choice([{token: operand}, f"{token}.{operand}"])

    def requests(self):
        """GET, HEAD, and the three forms of QUERY."""
        def encoded(pairs):
            return urllib.parse.urlencode(pairs)

        def target(pairs):
            return self.path + ("?" + encoded(pairs) if pairs else "")

        part = self.rng.randrange(len(self.pairs) + 1)
        form, jsons = {**self.headers, "content-type": FORM}, {**self.headers, "content-type": "application/json"}
        requests = [["GET", target(self.pairs), self.headers, None], ["HEAD", target(self.pairs), self.headers, None],
                    ["QUERY", self.path, jsons, json.dumps(self.json)]]
        if self.pairs:
            requests.append(["QUERY", self.path, form, encoded(self.pairs)])
        if self.pairs[part:]:
            requests.append(["QUERY", target(self.pairs[:part]), form, encoded(self.pairs[part:])])
        return requests


def value(item):
    """An item of a list, in quotes if it needs them."""
    text = str(item)
    if text and all(c.isalnum() or c in "-_.:+@" for c in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def told(answer, with_body=True):
    """What has to be the same. The document of an error names the target."""
    body = answer["body"]
    if answer["status"] >= 400 and body:
        body = {name: member for name, member in json.loads(body).items() if name != "instance"}
    return answer["status"], answer["headers"], body if with_body else None


def answers(role, requests):
    lines = run(START, f"set role {role};", f"select same.ask({quote(json.dumps(requests))});").splitlines()
    return [json.loads(line) for line in lines]


def compare_reads(relations, rng, count):
    failures = 0
    for role in ROLES:
        reads = [Read(rng.choice(relations), rng).requests() for _ in range(count)]
        all_answers = iter(answers(role, [request for requests in reads for request in requests]))
        for requests in reads:
            get, *others = [next(all_answers) for _ in requests]
            for request, answer in zip(requests[1:], others):
                is_head = request[0] == "HEAD"
                if is_head and "range" in request[2]:
                    continue
                if told(get, not is_head) != told(answer, not is_head) or is_head and answer["body"]:
                    failures += 1
                    print(f"{role}\n  {requests[0]}\n  {told(get)}\n  {request}\n  {told(answer)}")
            statuses[get["status"]] = statuses.get(get["status"], 0) + 1
    return failures


def privileges(relation):
    """The columns on which each role has each privilege, and whether it may delete."""
    name = quote(f"same.{relation.name}")
    columns = f"array(select attname::text from pg_attribute where attrelid = {name}::regclass and attnum > 0 order by attnum)"
    rows = run(f"""
        select json_build_object('role', role, 'delete', has_table_privilege(role, {name}, 'delete'),
            'select', (select json_agg(c) filter (where has_column_privilege(role, {name}, c, 'select')) from unnest({columns}) c),
            'insert', (select json_agg(c) filter (where has_column_privilege(role, {name}, c, 'insert')) from unnest({columns}) c),
            'update', (select json_agg(c) filter (where has_column_privilege(role, {name}, c, 'update')) from unnest({columns}) c))
        from unnest(array[{', '.join(quote(role) for role in ROLES)}]) role;""")
    return {row["role"]: row for row in map(json.loads, rows.splitlines())}


def compare_methods(relation):
    failures = 0
    samples = {"id": 50, "word": "new", "amount": 1, "tags": ["x"], "at": None, "extra": {"b": 1}}
    rights_of = privileges(relation)
    for role in ROLES:
        rights = rights_of[role]
        reads, inserts, updates = (rights[name] or [] for name in ("select", "insert", "update"))
        writable = relation.kind != "constant view"
        if relation.kind == "identity":
            inserts, updates = [name for name in inserts if name != "id"] or inserts, [name for name in updates if name != "id"]
        for is_item in (False, True) if relation.key else (False,):
            finds = not is_item or set(relation.key) <= set(reads)
            # The key is set only if there is nothing else to set.
            puts = all(name in columns for name in relation.key for columns in (reads, inserts)) and (
                set(updates) - set(relation.key) or set(relation.key) <= set(updates))
            may = {
                "POST": writable and inserts and not is_item, "PATCH": writable and rights["update"] and finds,
                "DELETE": writable and rights["delete"] and finds,
                "PUT": writable and puts and relation.key and relation.kind != "identity",
            }
            may |= {method: reads and finds for method in ("GET", "HEAD", "QUERY")}
            expected = {method for method in METHODS if may[method]} | {"OPTIONS"}
            path = f"/{relation.name}" + ("/" + ",".join("1" if name == "id" else "a" for name in relation.key) if is_item else "")
            body = {name: samples[name] for name in relation.key}
            put = path if is_item or not relation.key else path + "?" + "&".join(f"{name}=eq.{samples[name]}" for name in relation.key)
            if is_item:
                body = {name: 1 if name == "id" else "a" for name in relation.key}
            one, prefer = (reads or ["id"])[0], {"prefer": "tx=rollback"}
            update = {name: samples[name] for name in [n for n in updates if n not in relation.key][:1] or updates[:1] or ["word"]}
            # Without a filter, PATCH and DELETE need no right to read.
            requests = [
                ["OPTIONS", path, {}, None], ["GET", f"{path}?select={one}", {}, None], ["HEAD", f"{path}?select={one}", {}, None],
                ["QUERY", path, {"content-type": FORM}, f"select={one}"],
                ["POST", path, prefer, json.dumps({name: samples[name] for name in inserts[:1] or ["word"]})],
                ["PUT", put, prefer, json.dumps(body)], ["PATCH", path, prefer, json.dumps(update)], ["DELETE", path, prefer, None],
            ]
            options, *rest = answers(role, requests)
            listed = set(options["headers"]["allow"].split(","))
            if listed != expected:
                failures += 1
                print(f"{role} {relation.kind} {path}: Allow lists {sorted(listed)}, but {sorted(expected)} are possible")
            for request, answer in zip(requests[1:], rest):
                method = request[0]
                if method == "PATCH" and not updates:
                    continue
                is_refused = answer["status"] in (401, 403, 405)
                cells[method, is_refused] = cells.get((method, is_refused), 0) + 1
                if is_refused != (method not in listed):
                    failures += 1
                    print(f"{role} {relation.kind} {request}: {answer}\n  Allow: {sorted(listed)}")
    return failures


statuses, cells = {}, {}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", help="not needed")
    arguments.add_argument("--seed", type=int, default=14)
    arguments.add_argument("--rounds", type=int, default=4)
    arguments.add_argument("--reads", type=int, default=80)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.rounds} rounds", flush=True)
    rng, failures = random.Random(options.seed), 0
    for _ in range(options.rounds):
        relations = [Relation(number, rng) for number in range(7)]
        run(SET_UP, *[line for relation in relations for line in relation.script])
        failures += compare_reads(relations, rng, options.reads)
        for relation in relations:
            failures += compare_methods(relation)
    run(CLEAN)
    print(f"reads by status {dict(sorted(statuses.items()))}, requests by method and refusal {dict(sorted(cells.items()))}")
    enough = statuses.get(200, 0) > 100 and all(cells.get((method, is_refused), 0) > 5 for method in METHODS for is_refused in (True, False))
    if failures or not enough:
        print(f"{failures} failures" if failures else "too few requests of some kind")
        sys.exit(1)


if __name__ == "__main__":
    main()
