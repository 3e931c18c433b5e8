#!/usr/bin/env python3
"""Nobody gets more than the limit, and nobody is starved.

Several sessions send requests for random limits as fast as they can, some for the same client, some for others. This program knows from the
clock how many requests each client may have sent: at most the burst and what comes back in the time, for each rate of each limit that counts for it. A
client that never waits must get nearly as many. What is counted at the same time never exceeds its number, also when sessions are ended in
the middle of it.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    never_more_than_the_limit.py [--seed N] [--runs N] [--seconds N] [--sessions N]

Everything is made in the schema restful_limited. Exits with 1 if the law is broken.
"""
import argparse
import concurrent.futures
import json
import random
import sys

from _sql import quote, run

CLEAN_UP = """
do $$ begin perform restful.forget_limit(name), restful.drop_limit(name) from restful.limits() where name like 'law %'; end $$;
drop schema if exists restful_limited cascade;
"""
SET_UP = """
create schema restful_limited;
create table restful_limited.one (id int primary key);
insert into restful_limited.one select i from generate_series(1, 9) i;
create function restful_limited.most() returns int language plpgsql as $f$
declare seen int;
begin
  perform pg_advisory_lock_shared(77);
  perform pg_sleep(0.004);
  select count(distinct pid) into seen from pg_locks where locktype = 'advisory' and objid = 77 and granted;
  perform pg_advisory_unlock_shared(77);
  return seen;
end $f$;
"""
PREPARE = """
set restful.schemas = 'restful_limited';
set restful.trusted_proxies = 'unix, 127.0.0.1, ::1';
create function pg_temp.flood(target text, client text, seconds float) returns jsonb language plpgsql as $f$
declare
  answer restful.http_response;
  began timestamptz := clock_timestamp();
  admitted int := 0; refused int := 0; other int := 0; rows int := 0; most int := 0;
begin
  while clock_timestamp() < began + make_interval(secs => seconds) loop
    answer := restful.serve('GET', target, jsonb_build_object('x-forwarded-for', '6.6.6.' || refused % 256 || ', ' || client));
    if answer.status = 200 then
      admitted := admitted + 1;
      if target like '/rpc/%' then most := greatest(most, convert_from(answer.body, 'UTF8')::int);
      else rows := rows + jsonb_array_length(convert_from(answer.body, 'UTF8')::jsonb); end if;
    elsif answer.status in (429, 503) then refused := refused + 1;
    else other := other + 1;
    end if;
  end loop;
  return jsonb_build_array(admitted, refused, other, rows, most, extract(epoch from began), extract(epoch from clock_timestamp()));
end $f$;
"""


def new_limits(rng):
    """Limits as restful.limit takes them, each with its rates as (amount, seconds, burst)."""
    limits = []
    for i in range(rng.randint(1, 3)):
        rates = []
        for _ in range(rng.randint(1, 2)):
            rates.append((rng.choice([1, 3, 7, 20, 60, 300]), rng.choice([1, 2, 30, 60])))
        cost = rng.choice([1, 1, 1, 2, 3])
        least = max(cost, 1)
        burst = rng.choice([None, None, least, 5, 40])
        if burst is None:
            rates = [(max(amount, cost), seconds) for amount, seconds in rates]
        else:
            burst = max(burst, cost)
        text = "; ".join(f"{amount} per {seconds} seconds" for amount, seconds in rates)
        declared = f"select restful.limit({quote(text)}, by => {quote(rng.choice(['ip', 'all', 'subject']))}, requests => 'GET /one', burst => {burst or 'null'}, cost => {cost}, name => 'law {i}');"
        limits.append((declared, [(amount, seconds, burst or amount) for amount, seconds in rates], cost, "'all'" in declared))
    return limits


def most(rates, cost, took):
    """How many requests pass in a time."""
    return min((burst + amount * took / seconds) / cost for amount, seconds, burst in rates)


def flood(target, client, seconds):
    line = run(PREPARE, f"select pg_temp.flood({quote(target)}, {quote(client)}, {seconds});").splitlines()[-1]
    return client, *json.loads(line)


def check_requests(rng, sessions, seconds):
    limits = new_limits(rng)
    run(CLEAN_UP, SET_UP, *[declared for declared, *_ in limits])
    clients = [f"192.0.2.{rng.randint(1, max(1, sessions // 2))}" for _ in range(sessions)]
    with concurrent.futures.ThreadPoolExecutor(sessions) as pool:
        answers = list(pool.map(lambda client: flood("/one?limit=1", client, seconds), clients))
    by_client = {}
    for client, admitted, refused, other, _, _, began, ended in answers:
        known = by_client.setdefault(client, [0, 0, began, ended])
        known[0] += admitted
        known[1] += refused
        known[2], known[3] = min(known[2], began), max(known[3], ended)
        if other:
            return [f"{other} requests were answered with something else"], 0, 0
    broken = []
    for client, (admitted, refused, began, ended) in by_client.items():
        allowed = min(most(rates, cost, ended - began) for _, rates, cost, _ in limits)
        if admitted > allowed + 1e-6:
            broken.append(f"{client} got {admitted} in {ended - began:.2f} s, although {allowed:.1f} were allowed: {limits}")
        # Limits that all clients share may leave little for one of them, and a busy machine little time to ask.
        if not any(shared for *_, shared in limits) and refused and admitted < 0.4 * allowed - 3:
            broken.append(f"{client} got only {admitted} of {allowed:.1f} in {ended - began:.2f} s: {limits}")
    admitted = sum(known[0] for known in by_client.values())
    took = max(known[3] for known in by_client.values()) - min(known[2] for known in by_client.values())
    for declared, rates, cost, shared in limits:
        if shared and admitted > most(rates, cost, took) + 1e-6:
            broken.append(f"all got {admitted} in {took:.2f} s: {declared}")
    return broken, admitted, sum(known[1] for known in by_client.values())


def check_rows(seconds):
    """Rows are counted afterwards, so each session may be ahead by one request."""
    run(CLEAN_UP, SET_UP, "select restful.limit('100 per 10 seconds', unit => 'rows', burst => 50, requests => 'GET /one', name => 'law rows');")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: flood("/one", "192.0.2.9", seconds), range(3)))
    rows = sum(answer[4] for answer in answers)
    took = max(answer[7] for answer in answers) - min(answer[6] for answer in answers)
    allowed = 50 + 10 * took + 3 * 9
    return [f"{rows} rows came in {took:.2f} s, although {allowed:.1f} were allowed"] if not 50 <= rows <= allowed else []


def check_concurrent(rng, sessions, seconds):
    number = rng.randint(1, 3)
    run(CLEAN_UP, SET_UP, f"select restful.limit('{number}', by => 'all', unit => 'concurrent', requests => 'GET /rpc/most', name => 'law held');")
    with concurrent.futures.ThreadPoolExecutor(sessions + 1) as pool:
        floods = [pool.submit(flood, "/rpc/most", "192.0.2.9", seconds) for _ in range(sessions)]
        # One more session is ended again and again, in the middle of a request.
        for _ in range(6):
            victim = pool.submit(lambda: run(PREPARE, "set application_name = 'victim'; select pg_temp.flood('/rpc/most', '192.0.2.8', 5);", may_fail=True))
            run("select pg_sleep(0.15); select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim';")
            victim.result()
        answers = [future.result() for future in floods]
    seen = max(answer[5] for answer in answers)
    broken = [f"{seen} requests ran at the same time, although {number} may"] if seen > number else []
    # What the ended sessions held is free again.
    left = json.loads(run("select coalesce(jsonb_agg(k->'running'), '[]') from restful.limits(), jsonb_array_elements(busiest) k where name = 'law held';"))
    broken += [f"{left} are still held"] if any(left) else []
    if not sum(answer[2] for answer in answers):
        broken.append("no request was refused")
    return broken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library")
    parser.add_argument("--seed", type=int, default=392205)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--sessions", type=int, default=5)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.runs} runs of {arguments.seconds} s with {arguments.sessions} sessions")
    broken, admitted, refused = [], 0, 0
    for _ in range(arguments.runs):
        found, passed, stopped = check_requests(rng, arguments.sessions, arguments.seconds)
        broken += found
        admitted += passed
        refused += stopped
    broken += check_rows(arguments.seconds)
    broken += check_concurrent(rng, arguments.sessions, arguments.seconds)
    run(CLEAN_UP)
    for line in broken:
        print(line)
    print(json.dumps({"admitted": admitted, "refused": refused}))
    if not admitted or not refused:
        print("nothing was limited")
    return 1 if broken or not admitted or not refused else 0


if __name__ == "__main__":
    sys.exit(main())
