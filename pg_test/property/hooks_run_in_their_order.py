#!/usr/bin/env python3
"""Hooks run around a request in their order, within its transaction, and change nothing else.

Random hooks note that they run, change the request or the response, set header fields, answer, or raise an error. Some requests ask that their
transaction is rolled back. This program tells by itself which of them take a random request, in which order they run, what becomes of the tables, and what the answer is. A request that no hook takes must be answered as if
there were no hooks, byte for byte.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    hooks_run_in_their_order.py [--seed N] [--rounds N] [--requests N]

Everything is made in the schema restful_hooked and with the role restful_hooked_user. Exits with 1 if a law is broken.
"""
import argparse
import json
import random
import sys

from _sql import quote, run

CLEAN_UP = """
do $$ declare h record; begin
  for h in select event, handler, requests from restful.hooks() where handler like 'restful_hooked.%' loop
    perform restful.drop_hook(h.event, h.handler, h.requests);
  end loop;
end $$;
drop schema if exists restful_hooked cascade;
do $$ begin
  if exists (select from pg_roles where rolname = 'restful_hooked_user') then drop owned by restful_hooked_user cascade; end if;
end $$;
drop role if exists restful_hooked_user;
"""
SET_UP = """
create role restful_hooked_user;
create schema restful_hooked;
grant usage on schema restful_hooked to restful_hooked_user;
create table restful_hooked.one (id int primary key, v int);
create table restful_hooked.two (id int primary key, v int);
create table restful_hooked.trail (number serial, line text);
insert into restful_hooked.one select i, 0 from generate_series(1, 5) i;
insert into restful_hooked.two select i, 0 from generate_series(1, 5) i;
grant all on all tables in schema restful_hooked to restful_hooked_user;
grant all on all sequences in schema restful_hooked to restful_hooked_user;
set restful.schemas = 'restful_hooked';
set restful.tx_end = 'commit-allow-override';
create function restful_hooked.note(line text) returns void language plpgsql as $$
begin
  if current_setting('transaction_read_only') = 'off' then insert into restful_hooked.trail (line) values (line); end if;
end $$;
create function restful_hooked.reset() returns void language sql as $$
  truncate restful_hooked.trail;
  delete from restful_hooked.one where id > 5; update restful_hooked.one set v = 0;
  delete from restful_hooked.two where id > 5; update restful_hooked.two set v = 0;
  insert into restful_hooked.one select i, 0 from generate_series(1, 5) i on conflict do nothing;
  insert into restful_hooked.two select i, 0 from generate_series(1, 5) i on conflict do nothing;
$$;
"""
SCOPES = ["*", "GET", "POST", "* /one", "POST /one", "DELETE /{table}", "* /{table}/{id:int}", "PATCH /{rest:path}", "* /two", "GET /one/{id}"]
NAMES = [f"h{i}" for i in range(6)]


def body(kind, event, name):
    """The function of a hook: what it does is said by the header fields of the request."""
    note = f"perform restful_hooked.note('{event} {name} ' || (request).method || ' ' || (request).path);"
    stop = f"if (request).headers->>'x-raise' = '{event} {name}' then raise sqlstate 'PT418' using message = '{name}'; end if;"
    take = "request restful.http_request" + (", response restful.http_response" if event != "before" else "")
    if kind == "note":
        returns, rest = "void", ""
    elif kind == "set":
        returns, rest = "void", f"perform set_config('response.headers', '[{{\"x-set\": \"{event} {name}\"}}]', true);"
    elif kind == "retarget":
        returns, rest = "restful.http_request", "request.path := replace((request).path, '/one', '/two'); return request;"
    elif kind == "answer":
        returns, rest = "restful.http_response", f"if (request).headers->>'x-answer' = '{name}' then return row(299, '{{\"x-by\": \"{name}\"}}', 'answered'::bytea)::restful.http_response; end if; return null;"
    else:
        returns, rest = "restful.http_response", ("response.headers := (response).headers || jsonb_build_object('x-stamps', "
                                                  f"coalesce((response).headers->>'x-stamps', '') || '{event} {name};'); return response;")
    return f"create function restful_hooked.{name}({take}) returns {returns} language plpgsql as $h$ begin {note} {stop} {rest} end $h$;"


class Hook:
    def __init__(self, number, rng):
        self.name = f"h{number}"
        self.event = rng.choice(["before", "before", "after", "error"])
        self.kind = rng.choice(["note", "retarget", "answer", "set"] if self.event == "before" else ["note", "stamp", "set"])
        self.scope = rng.choice(SCOPES)
        self.order = rng.randint(0, 2)

    def script(self):
        return body(self.kind, self.event, self.name) + f"\nselect restful.hook('{self.event}', 'restful_hooked.{self.name}', {quote(self.scope)}, {self.order});"

    def takes(self, method, segments):
        scope_method, _, path = self.scope.partition(" ")
        if scope_method not in ("*", method) and not (scope_method == "GET" and method == "HEAD"):
            return False
        if not path:
            return True
        wanted = path.strip("/").split("/")
        for i, want in enumerate(wanted):
            if want == "{rest:path}":
                return i < len(segments)
            if i >= len(segments) or want == "{id:int}" and not segments[i].isdigit() or not want.startswith("{") and want != segments[i]:
                return False
        return len(wanted) == len(segments)

    def rank(self):
        takes = "restful.http_request" + (",restful.http_response" if self.event != "before" else "")
        return (self.order, f"restful_hooked.{self.name}({takes})", self.scope)


def new_request(rng, hooks):
    table = rng.choice(["one", "one", "two"])
    method = rng.choice(["GET", "HEAD", "POST", "PATCH", "DELETE"])
    key = rng.randint(1, 8)
    segments = [table] if method == "POST" else [table, str(key)]
    sent = {"id": key, "v": rng.randint(1, 9)} if method == "POST" else {"v": rng.randint(1, 9)} if method == "PATCH" else None
    headers = {"prefer": rng.choice(["return=minimal", "return=minimal", "return=minimal, tx=rollback"])}
    if hooks and rng.random() < 0.3:
        hook = rng.choice(hooks)
        headers["x-raise"] = f"{hook.event} {hook.name}"
    if hooks and rng.random() < 0.4:
        headers["x-answer"] = rng.choice(hooks).name
    return method, segments, sent, headers


class Raised(Exception):
    pass


def expected(hooks, request):
    """The status, the three header fields that hooks make, the rows of the tables, and the lines that hooks have noted."""
    method, segments, sent, headers = request
    chosen = {event: sorted((h for h in hooks if h.event == event and h.takes(method, segments)), key=Hook.rank) for event in ("before", "after", "error")}
    tables = {"one": {i: 0 for i in range(1, 6)}, "two": {i: 0 for i in range(1, 6)}}
    reads_only = method in ("GET", "HEAD")
    lines, path, status, stamps, by, fields = [], "/" + "/".join(segments), None, "", None, None

    def run_hook(hook, may_note):
        if may_note:
            lines.append(f"{hook.event} {hook.name} {method} {path}")
        if headers.get("x-raise") == f"{hook.event} {hook.name}":
            raise Raised
        return f"{hook.event} {hook.name}" if hook.kind == "set" else None

    try:
        for hook in chosen["before"]:
            fields = run_hook(hook, not reads_only) or fields
            if hook.kind == "retarget":
                path = path.replace("/one", "/two")
            if hook.kind == "answer" and headers.get("x-answer") == hook.name:
                status, by = 299, hook.name
                break
        if status is None:
            rows = tables[path.split("/")[1]]
            key = sent["id"] if method == "POST" else int(segments[1])
            if method == "POST":
                status = 409 if key in rows else 201
            else:
                status = (200 if reads_only else 204) if key in rows else 404
            if status < 300 and method == "DELETE":
                del rows[key]
            elif status < 300 and not reads_only:
                rows[key] = sent["v"]
        if status >= 400:
            raise Raised
        for hook in chosen["after"]:
            fields = run_hook(hook, not reads_only) or fields
            if hook.kind == "stamp":
                stamps += f"after {hook.name};"
        if "tx=rollback" in headers["prefer"]:
            tables = {"one": {i: 0 for i in range(1, 6)}, "two": {i: 0 for i in range(1, 6)}}
            lines = []
    except Raised:
        status = status if status is not None and status >= 400 else 418
        tables = {"one": {i: 0 for i in range(1, 6)}, "two": {i: 0 for i in range(1, 6)}}
        lines, stamps, by, path, fields = [], "", None, "/" + "/".join(segments), None
        try:
            for hook in chosen["error"]:
                fields = run_hook(hook, True) or fields
                if hook.kind == "stamp":
                    stamps += f"error {hook.name};"
        except Raised:
            status, lines, stamps, fields = 500, [], "", None
    return [status, stamps or None, by, fields, {name: {str(k): v for k, v in rows.items()} for name, rows in tables.items()}, lines]


def asked(request):
    """A query whose answer is the status, the header fields that hooks make, the rows, the lines, and the whole answer."""
    method, segments, sent, headers = request
    serve = (f"restful.serve({quote(method)}, {quote('/' + '/'.join(segments))}, {quote(json.dumps(headers))}, "
             + (f"convert_to({quote(json.dumps(sent))}, 'utf8')" if sent else "null") + ")")
    rows = "(select coalesce(jsonb_object_agg(id, v), '{}') from restful_hooked.%s)"
    return (f"select restful_hooked.reset() is null;\nset role restful_hooked_user;\nselect r.status as s, r.headers as h, coalesce(encode(r.body, 'hex'), 'none') as b from {serve} r \\gset\nreset role;\n"
            f"select jsonb_build_array(:'s'::int, :'h'::jsonb->'x-stamps', :'h'::jsonb->'x-by', :'h'::jsonb->'x-set', jsonb_build_object('one', {rows % 'one'}, 'two', {rows % 'two'}),"
            f" (select coalesce(jsonb_agg(line order by number), '[]') from restful_hooked.trail), jsonb_build_array(:'s', :'h'::jsonb - 'etag', :'b'));")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=60)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.rounds} sets of hooks, {arguments.requests} requests for each")
    kinds = {}
    for number in range(arguments.rounds):
        hooks = [Hook(i, rng) for i in range(rng.randint(1, 7))]
        requests = [new_request(rng, hooks) for _ in range(arguments.requests)]
        alone = [json.loads(line) for line in run(CLEAN_UP, SET_UP, *[asked(r) for r in requests]).splitlines() if line.startswith("[")]
        answers = [json.loads(line) for line in run(*[h.script() for h in hooks], "set restful.schemas = 'restful_hooked'; set restful.tx_end = 'commit-allow-override';", *[asked(r) for r in requests]).splitlines() if line.startswith("[")]
        for request, answer, by_itself in zip(requests, answers, alone, strict=True):
            wanted = expected(hooks, request)
            method, segments, *_ = request
            taken = [h for h in hooks if h.takes(method, segments)]
            kind = f"{'hooked' if taken else 'alone'} {answer[0]}"
            kinds[kind] = kinds.get(kind, 0) + 1
            if answer[:6] != wanted or not taken and answer != by_itself:
                print(f"\nround {number}: {request}\nhooks: {[vars(h) for h in hooks]}\nis:        {answer}\nshould be: {wanted}\nby itself: {by_itself}")
                run(CLEAN_UP)
                return 1
    run(CLEAN_UP)
    print(json.dumps(dict(sorted(kinds.items()))))
    for needed in ("alone 200", "alone 204", "hooked 201", "hooked 204", "hooked 299", "hooked 404", "hooked 409", "hooked 418", "hooked 500"):
        if needed not in kinds:
            print(f"nothing ended like this: {needed}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
