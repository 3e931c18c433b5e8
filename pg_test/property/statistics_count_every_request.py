#!/usr/bin/env python3
"""The statistics count every request once, under its route, whatever becomes of it.

Several sessions make random requests at the same time: reads, writes, calls, items, declared routes, batches, requests within requests, and
ones that are refused, fail, or are cancelled. This program knows by itself under which route each belongs, and adds up what came back: calls
by class of the status, rows of reads, and bytes of bodies. restful.stat_requests() must show these sums, no more and no less.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    statistics_count_every_request.py [--seed N] [--sessions N] [--requests N]

Everything is made in the schema restful_counted. Exits with 1 if the law is broken.
"""
import argparse
import collections
import concurrent.futures
import json
import random
import sys

from _sql import quote, run

CLEAN_UP = """
do $$ begin perform restful.drop_route('GET /doubled/{n}'); end $$;
drop schema if exists restful_counted cascade;
"""
SET_UP = """
create schema restful_counted;
create table restful_counted.one (id int primary key, v text check (v <> 'forbidden'));
create table restful_counted.two (id int generated always as identity primary key, v text);
insert into restful_counted.one select i, 'v' || i from generate_series(1, 9) i;
create function restful_counted.plus(a int, b int) returns int language sql immutable as 'select a + b';
create function restful_counted.doubled(n int) returns int language sql immutable as 'select 2 * n';
create function restful_counted.asks() returns int language sql as $$ select (restful.get('/one?limit=1')).status $$;
create function restful_counted.sleeps() returns void language plpgsql as $$ begin perform pg_sleep(10); end $$;
select restful.route('GET /doubled/{n}', 'restful_counted.doubled');
"""
PREPARE = """
set restful.schemas = 'restful_counted';
create function pg_temp.ask(method text, target text, headers jsonb, body text) returns jsonb language plpgsql as $f$
declare answer restful.http_response;
begin
  answer := restful.serve(method, target, headers, convert_to(body, 'UTF8'));
  return jsonb_build_array(answer.status, coalesce(length(answer.body), 0),
    case when method <> 'GET' or answer.status not in (200, 206) then null
      when left(convert_from(answer.body, 'UTF8'), 1) = '[' then jsonb_array_length(convert_from(answer.body, 'UTF8')::jsonb)
      when answer.headers->>'content-type' like 'text/csv%' then cardinality(string_to_array(convert_from(answer.body, 'UTF8'), e'\n')) - 1 end);
exception when query_canceled then return '[0, 0, null]';
end $f$;
"""


def new_request(rng):
    """The route that a request belongs to, its method, target, header fields and body, and whether its rows can be told from the answer."""
    n = rng.randint(1, 12)
    j = {"content-type": "application/json"}
    return rng.choice([
        lambda: ("/one", "GET", f"/one?id=lt.{n}&order=id", {}, None),
        lambda: ("/one", "HEAD", f"/one?id=lt.{n}", {}, None),
        lambda: ("/one", "GET", "/one?colour=eq.red", {}, None),
        lambda: ("/one", "GET", f"/one?id=lt.{n}", {"accept": "text/csv"}, None),
        lambda: ("/one/{key}", "GET", f"/one/{n}", {}, None),
        lambda: ("/one/{key}", "PATCH", f"/one/{n}", j, json.dumps({"v": rng.choice(["x", "forbidden"])})),
        lambda: ("/one", "PATCH", f"/one?id=eq.{n}", {**j, "prefer": "return=representation"}, '{"v": "é"}'),
        lambda: ("/two", "POST", "/two", j, json.dumps({"v": "v" * n})),
        lambda: ("/two", "POST", "/two", j, '{"v": '),
        lambda: ("/two", "DELETE", f"/two?id=eq.{n}", {}, None),
        lambda: ("/two", "OPTIONS", "/two", {}, None),
        lambda: ("/rpc/plus", "POST", "/rpc/plus", j, json.dumps({"a": n, "b": 1})),
        lambda: ("/rpc/plus", "GET", f"/rpc/plus?a={n}&b=x", {}, None),
        lambda: ("/rpc/asks", "POST", "/rpc/asks", j, "{}"),
        lambda: ("/rpc/sleeps", "POST", "/rpc/sleeps", j, "{}"),
        lambda: ("/doubled/{n}", "GET", f"/doubled/{n}", {}, None),
        lambda: ("/doubled/{n}", "GET", f"/doubled/{n}?more=1", {}, None),
        lambda: ("/batch", "POST", "/batch", j, json.dumps([{"method": "GET", "target": "/one?limit=1"}] * rng.randint(1, 3))),
        lambda: ("/batch", "POST", "/batch", j, json.dumps([{"method": "GET", "target": "/nothing"}])),
        lambda: (None, "GET", f"/nothing{n}", {}, None),
        lambda: (None, "GET", "/one#x", {}, None),
        lambda: (None, "BREW", "/one", {}, None),
        lambda: (None, "POST", "/rpc/nothing", j, "{}"),
        lambda: (None, "GET", "/one", {"accept-profile": "elsewhere"}, None),
    ])()


def ask_all(requests):
    """What came of each request: its status (0 if it was cancelled), the bytes of its answer, and its rows where they can be told."""
    lines = []
    for route, method, target, headers, body in requests:
        limit = "50ms" if route == "/rpc/sleeps" else "0"
        lines.append(f"set statement_timeout = '{limit}';")
        lines.append(f"select pg_temp.ask({quote(method)}, {quote(target)}, {quote(json.dumps(headers))}, {quote(body) if body is not None else 'null'});")
    return [json.loads(line) for line in run(PREPARE, *lines).splitlines() if line.startswith("[")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--requests", type=int, default=400)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.sessions} sessions, {arguments.requests} requests in each")
    run(CLEAN_UP, SET_UP)
    requests = [[new_request(rng) for _ in range(arguments.requests)] for _ in range(arguments.sessions)]
    run("select restful.stat_reset();")
    with concurrent.futures.ThreadPoolExecutor(arguments.sessions) as pool:
        answers = list(pool.map(ask_all, requests))
    shown = json.loads(run("""
        select jsonb_agg(jsonb_build_array(route, method, status_class, calls, rows, bytes_in, bytes_out, buckets[array_upper(buckets, 1)], schema))
        from restful.stat_requests();"""))
    run(CLEAN_UP)
    sums = collections.defaultdict(lambda: [0, 0, 0, 0])
    rows_known = collections.defaultdict(lambda: True)
    for asked, answered in zip(requests, answers, strict=True):
        for (route, method, _, _, body), (status, length, rows) in zip(asked, answered, strict=True):
            key = (route, "_OTHER" if method == "BREW" else method, f"{status // 100}xx" if status else "none")
            rows_known[key] &= rows is not None or status >= 400
            for i, more in enumerate((1, rows or 0, len((body or "").encode()), length)):
                sums[key][i] += more
    broken = []
    for route, method, status_class, calls, rows, bytes_in, bytes_out, in_buckets, schema in shown:
        key = (route, method, status_class)
        wanted = sums.pop(key, [0, 0, 0, 0])
        if not rows_known[key]:
            rows = wanted[1]
        if [calls, rows, bytes_in, bytes_out] != wanted or calls != in_buckets or (schema is None) != (route is None):
            broken.append(f"{schema} {key}: shows {[calls, rows, bytes_in, bytes_out]}, {in_buckets} in buckets; should be {wanted}")
    broken += [f"{key}: is not shown; should be {wanted}" for key, wanted in sums.items()]
    for line in broken:
        print(line)
    classes = collections.Counter()
    for _, _, status_class, calls, *_ in shown:
        classes[status_class] += calls
    print(json.dumps(dict(sorted(classes.items()))))
    missing = [needed for needed in ("2xx", "4xx", "none") if not classes[needed]]
    if missing:
        print(f"nothing ended like this: {missing}")
    return 1 if broken or missing else 0


if __name__ == "__main__":
    sys.exit(main())
