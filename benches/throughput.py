"""Measures the gateway: requests per second, compared with the same statement in pgbench; and the processor time of a request over
HTTP, compared with PostgREST and with an application whose SQL is written by hand."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

from client import Time
from harness import TARGET, Failure, run
from measure import LOGIN, Bench
from read import POINT_ROWS, POINT_SETUP

SECONDS = 2
# One row by its key, a fresh random one for each request.
WRK = f"""
math.randomseed(os.time())
request = function() return wrk.format("GET", "/point?id=eq." .. math.random({POINT_ROWS})) end
"""
PGBENCH = f"""
\\set id random(1, {POINT_ROWS})
select record_send(restful.serve('GET', '/point?id=eq.' || :id, '{{"host": "127.0.0.1:3000"}}', null));
"""


@contextlib.contextmanager
def running(bench: Bench, user: str = LOGIN):
    """Runs the gateway with its default settings, and yields its address and process."""
    place = bench.cluster.settings
    url = f"host={place['PGHOST']} port={place['PGPORT']} user={user} dbname=bench"
    process = subprocess.Popen([bench.gateway], env={"DATABASE_URL": url, "LISTEN": "127.0.0.1:0"}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        if "listening on " not in line:
            raise Failure(f"the gateway does not start: {line}")
        yield "http://" + json.loads(line)["message"].removeprefix("listening on "), process.pid
    finally:
        process.terminate()
        process.communicate()


def requests(address: str, script: pathlib.Path, clients: int, seconds: int) -> str:
    """Sends requests for some seconds, and returns what wrk prints."""
    output = run("wrk", "-t", 1, "-c", clients, "-d", f"{seconds}s", "-s", script, address)
    if "Non-2xx" in output or "Socket errors" in output:
        raise Failure(f"requests failed:\n{output}")
    return output


def wrk(address: str, script: pathlib.Path, clients: int) -> float:
    """Answered requests per second."""
    output = requests(address, script, clients, SECONDS)
    return float(re.search(r"Requests/sec:\s*([\d.]+)", output)[1])


def pgbench(bench: Bench, script: pathlib.Path, clients: int) -> float:
    """Transactions per second."""
    output = bench.command("pgbench", "-n", "-M", "prepared", "-c", clients, "-j", 1, "-T", SECONDS, "-f", script)
    return float(re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)[1])


def gateway(bench: Bench) -> None:
    """Measures requests per second with 1, 8 and 32 connections."""
    if not shutil.which("wrk"):
        print("  skipped: wrk is not installed (apt-get install wrk)", flush=True)
        return
    if bench.cluster.sql("select to_regclass('point') is null", "bench") == "t":
        bench.set_up(POINT_SETUP)
    with tempfile.TemporaryDirectory() as folder, running(bench) as (address, _):
        lua, sql = pathlib.Path(folder, "wrk.lua"), pathlib.Path(folder, "pgbench.sql")
        lua.write_text(WRK)
        sql.write_text(PGBENCH)
        with urllib.request.urlopen(f"{address}/point?id=eq.77") as answer:
            if json.loads(answer.read())[0]["id"] != 77:
                raise Failure("the gateway answers something else than was asked")
        for clients in 1, 8, 32:
            plural = "s" if clients > 1 else ""
            ours, theirs = f"gateway, {clients} connection{plural}", f"pgbench, {clients} client{plural}"
            rounds = []
            for number in bench.each_round(ours):
                times = {ours: Time(wrk(address, lua, clients), None), theirs: Time(pgbench(bench, sql, clients), None)}
                if number:
                    rounds.append(times)
            bench.report(rounds, ours, theirs, unit="/s")


# The data and requests of the group `http`.
HTTP_CLIENTS, HTTP_SECONDS = 8, 1
HTTP_SETUP = """
create schema hb;
create table hb.authors (id int primary key, name text not null);
create table hb.books (id int primary key, title text not null, price numeric(8,2), stock int, published date, meta jsonb,
                       author_id int references hb.authors (id));
insert into hb.authors select i, 'author ' || i from generate_series(1, 1000) i;
insert into hb.books
select i, 'title ' || i, (i % 900) / 10.0, i % 50, date '2000-01-01' + i % 9000,
       jsonb_build_object('tags', array['a', 'b'], 'k', i), 1 + i % 1000
from generate_series(1, 100000) i;
create index on hb.books (author_id);
create table hb.log (id bigint generated always as identity primary key, what text, n int);
create role http_layer login noinherit;
create role by_hand login;
grant anon to http_layer;
alter role http_layer set restful.anon_role = 'anon';
alter role http_layer set restful.schemas = 'hb';
grant usage on schema hb to anon, by_hand;
grant select, insert on all tables in schema hb to anon, by_hand;
vacuum analyze hb.authors, hb.books;
"""
POST = """
wrk.method = "POST"
wrk.body = '{"what":"event","n":7}'
wrk.headers["Content-Type"] = "application/json"
request = function() return wrk.format(nil, "/log") end
"""


@dataclasses.dataclass
class Case:
    """A request over HTTP. `%s` in a target stands for a random key."""

    name: str
    target: str
    target_by_hand: str
    # What PostgREST 16.2 and the server took together, in microseconds of processor time. Measured once, on two cores of the kind
    # of machine that docs/performance.md speaks of, on the same data.
    postgrest: float
    # How many times less the gateway and the server should take.
    times: float

    def script(self, target: str) -> str:
        """What wrk runs."""
        if target == "/log":
            return POST
        key = ", math.random(1, 100000)" if "%s" in target else ""
        return f'request = function() return wrk.format("GET", string.format("{target}"{key})) end'


CASES = (
    Case("point read", "/books?id=eq.%s", "/point/%s", 768, 6),
    Case("list of 50", "/books?price=gt.40&order=id&limit=50", "/page", 1265, 6),
    Case("list of 50 with embed", "/books?select=id,title,price,authors(name)&order=id.desc&limit=50", "/embed", 1580, 5.5),
    Case("author with 100 books", "/authors?id=eq.7&select=name,books(id,title,price)", "/author/7", 1429, 5.5),
    Case("list of 1000", "/books?order=id&limit=1000", "/thousand", 5799, 7),
    Case("insert of one row", "/log", "/log", 721, 6),
)


@contextlib.contextmanager
def by_hand(bench: Bench):
    """Runs the application with SQL by hand, and yields its address and process. Yields None if it cannot be installed."""
    source = pathlib.Path(__file__).parent / "hand_written"
    folder = TARGET / "clients/hand_written"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    if shutil.which("npm") and not (folder / "node_modules/pg").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True)
    if not (folder / "node_modules/pg").exists():
        print("  without an application by hand: node and npm are not installed, or the registry cannot be reached", flush=True)
        yield None
        return
    env = bench.cluster.environment("bench") | {"PGUSER": "by_hand", "NODE_ENV": "production"}
    process = subprocess.Popen(["node", "app.mjs"], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        port = process.stdout.readline().strip()
        if not port:
            raise Failure("the application by hand does not start")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.communicate()


def processor_time(processes: list[int]) -> dict[int, float]:
    """Milliseconds of processor time that each process has taken, all threads together. Leaves out those that have ended."""
    spent = {}
    for process in processes:
        with contextlib.suppress(OSError):
            # The identifier of another process' processor clock on Linux: clock_getcpuclockid(3).
            spent[process] = time.clock_gettime(~process << 3 | 2) * 1000
    return spent


def http(bench: Bench) -> None:
    """Measures the processor time of requests over HTTP: the HTTP layer and the server together."""
    if not shutil.which("wrk") or sys.platform != "linux":
        print("  skipped: needs Linux and wrk (apt-get install wrk)", flush=True)
        return
    bench.set_up(HTTP_SETUP)

    def processes(layer: int) -> list[int]:
        # The process that answers this query has ended when it is asked for its time.
        return [layer, *map(int, bench.cluster.sql("select pid from pg_stat_activity").split())]

    def answer(address: str, target: str):
        with urllib.request.urlopen(address + (target % 7 if "%s" in target else target)) as response:
            return json.loads(response.read())

    def measured(address: str, layer: int, script: str) -> Time:
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            file.write(script)
            file.flush()
            before = processor_time(processes(layer))
            output = requests(address, pathlib.Path(file.name), HTTP_CLIENTS, HTTP_SECONDS)
            after = processor_time(processes(layer))
        each = sum(spent - before.get(process, 0) for process, spent in after.items()) / int(re.search(r"(\d+) requests in", output)[1])
        return Time(each, each)

    with running(bench, "http_layer") as gateway_, by_hand(bench) as app:
        for case in CASES:
            if app and case.target != "/log" and answer(gateway_[0], case.target) != answer(app[0], case.target_by_hand):
                raise Failure(f"the gateway and the application by hand answer differently: {case.name}")
            ours, theirs, constant = f"http, {case.name}", "Express and pg, SQL by hand", "PostgREST 16.2, measured once"
            rounds = []
            for number in bench.each_round(ours):
                times = {ours: measured(*gateway_, case.script(case.target)), constant: Time(case.postgrest / 1000, case.postgrest / 1000)}
                if app:
                    times[theirs] = measured(*app, case.script(case.target_by_hand))
                if number:
                    rounds.append(times)
            bench.report(rounds, ours, constant, bar=1 / case.times, unit="us", by_cpu=True)
            if app:
                bench.report(rounds, ours, theirs, unit="us", by_cpu=True)
