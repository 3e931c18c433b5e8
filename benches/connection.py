"""Measures the first request of a connection: in a database with many tables and in one with few, and if the server has loaded the
library already."""

import collections
import pathlib
import random
import tempfile

from client import Connection, Time
from harness import Cluster, Failure
from measure import DATABASE, LOGIN, ROLES, SETTINGS, Bench, median

FEW, MANY = 5, 5000
WARM_CALLS = 1000
# How often a round repeats each measurement, each time over a new connection.
REPEATS = 5


def setup(tables: int) -> str:
    """The script that creates the tables. Every third table refers to the one before it."""
    return f"""
create extension pg_restful;
do $$
begin
    for i in 1..{tables} loop
        execute format('create table t%s (id int primary key, name text not null, size numeric, at timestamptz default now(), '
                       'other int %s)', i, case when i % 3 = 2 then format('references t%s', i - 1) end);
        if i % 200 = 0 then commit; end if;
    end loop;
end $$;
insert into t1 select i, 'name ' || i from generate_series(1, 10) i;
insert into t2 select i, 'name ' || i, i * 1.5, now(), i from generate_series(1, 10) i;
grant select on all tables in schema public to anon, authenticator;
-- Autovacuum would have done it.
vacuum analyze;
"""


def serve(target: str) -> str:
    return f"(restful.serve('GET', '{target}', '{{}}', null)).status"


def database(bench: Bench, tables: int) -> str:
    """The name of a database with so many tables. It is made if it does not exist."""
    name = f"tables_{tables}"
    if bench.cluster.sql(f"select count(*) from pg_database where datname = '{name}'") == "0":
        print(f"  making {tables:,} tables", flush=True)
        bench.cluster.sql(f"create database {name}")
        bench.set_up(setup(tables), name)
    return name


def connection(bench: Bench) -> None:
    """Measures the first request of a new connection, and later ones, with 5,000 tables and with 5."""
    databases = {tables: database(bench, tables) for tables in (FEW, MANY)}
    requests = {"request": "/t2?id=eq.1", "request with an embed": "/t2?select=id,name,t1(id,name)&id=eq.1"}
    rounds = []
    for number in bench.each_round("new connections"):
        times = collections.defaultdict(list)
        for tables in random.sample(sorted(databases) * REPEATS, len(databases) * REPEATS):
            for name, spent in connections(bench, databases[tables], requests).items():
                times[f"{name}, {tables:,} tables"].append(spent)
        if number:
            rounds.append({name: median(found) for name, found in times.items()})
    few, many = f"{FEW:,} tables", f"{MANY:,} tables"
    for name in requests:
        bench.report(rounds, f"first {name}, {many}", f"first {name}, {few}", bar=3)
    for name in requests:
        bench.report(rounds, f"warm {name}, {many}", f"warm {name}, {few}", bar=1.2, unit="us")
    bench.report(rounds, f"first request, {many}", f"first select, {many}")
    preloaded(bench, databases[FEW])


def preloaded(bench: Bench, database_: str) -> None:
    """The first request of a connection if `shared_preload_libraries` has the library, and if it has not."""
    settings = (*SETTINGS, "shared_preload_libraries=pg_restful")
    with Cluster(f"{bench.cluster.name}-preloaded", bench.cluster.version, settings=settings) as cluster, \
            tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(ROLES + setup(FEW))
        file.flush()
        cluster.sql(f"create database {DATABASE}")
        cluster.sql_file(pathlib.Path(file.name), DATABASE)
        request, select = f"select {serve('/t2?id=eq.1')}", "select row_to_json(t2)->>'id' from t2 where id = 1"
        first = {"first request": (bench.cluster, database_, request, "200"),
                 "first request, preloaded": (cluster, DATABASE, request, "200"),
                 "first select, preloaded": (cluster, DATABASE, select, "1")}
        rounds = []
        for number in bench.each_round("preloaded"):
            times = collections.defaultdict(list)
            for name in random.sample(list(first) * REPEATS, len(first) * REPEATS):
                at, where, query, answer = first[name]
                with Connection(at.settings, where, LOGIN) as session:
                    times[name].append(answered(session, query, answer))
            if number:
                rounds.append({name: median(found) for name, found in times.items()})
    bench.report(rounds, "first request, preloaded", "first request", bar=0.6)
    bench.report(rounds, "first request, preloaded", "first select, preloaded", bar=2)


def connections(bench: Bench, database: str, requests: dict[str, str]) -> dict[str, Time]:
    """The times of the first statement and of later ones. Each request is measured over a connection of its own."""
    times = {}
    for name, target in requests.items():
        with bench.connect(database) as session:
            times[f"first {name}"] = answered(session, f"select {serve(target)}", "200")
            many = f"select count({serve(target)}) from generate_series(1, {WARM_CALLS})"
            answered(session, many, str(WARM_CALLS))
            times[f"warm {name}"] = median([answered(session, many, str(WARM_CALLS))], WARM_CALLS)
    with bench.connect(database) as session:
        times["first select"] = answered(session, "select row_to_json(t2)->>'id' from t2 where id = 1", "1")
    return times


def answered(session: Connection, query: str, answer: str) -> Time:
    """The time that a query takes. Raises Failure if it does not return this answer."""
    spent, rows = session.query(query)
    if rows != [answer]:
        raise Failure(f"{rows} instead of {answer}: {query}")
    return spent
