"""How cost grows: with rows, tables, shapes of requests, clients, the depth of embedded relations, and policies.

Each curve has the same statement by hand beside it, measured in the same run. `--draw` writes the curves into docs/performance.
"""

import collections
import itertools
import os
import pathlib
import random
import re
import statistics
import sys
import tempfile
import time

import connection
from chart import Chart, number
from client import Connection, Time, execution, message
from harness import ROOT
from measure import LOGIN, WARM_UP, Bench, Rounds, Statement, median
from request import rows, serve

FOLDER = ROOT / "docs/performance"
OURS, BY_HAND = "request", "by hand"
BOTH = (OURS, BY_HAND)

ROWS = [10 ** power for power in range(7)]
TABLES = [5, 50, 500, 5000]
# Shapes whose plans a backend keeps: PLANS in src/limits.rs.
KEPT = 256
SHAPES = [1, 10, 50, 100, 200, KEPT, 300, 400, 600, 1000]
CLIENTS = [1, 2, 4, 8, 16, 32, 64]
DEPTHS = [1, 2, 3, 4, 5]
POLICIES = [0, 1, 2, 4, 6, 8, 10]

CPU = "processor time"


def growth(bench: Bench) -> None:
    """All curves."""
    for curve in by_rows, by_tables, by_shapes, by_clients, by_depth, by_policies:
        curve(bench)


def key(curve: str, name: str, x: float) -> str:
    """The name of a measurement."""
    return f"{curve}: {name}, {number(x)}"


def medians(rounds: Rounds, curve: str, xs: list[float], unit: float = 1) -> dict[str, list[float]]:
    """The lines of a chart: the medians of the rounds, multiplied by `unit`."""
    def spent(time_: Time) -> float:
        return time_.wall if time_.cpu is None else time_.cpu

    return {name: [statistics.median(spent(r[key(curve, name, x)]) for r in rounds) * unit for x in xs] for name in BOTH}


def mean(times: list[Time]) -> Time:
    """The mean. A median would leave out requests that are seldom slow."""
    return Time(statistics.mean(t.wall for t in times), statistics.mean(t.cpu for t in times))


def shuffled(items) -> list:
    """The items in a random order."""
    return random.sample(list(items), len(items))


def show(bench: Bench, file: str, chart: Chart) -> None:
    """Prints the values of a chart, and draws it if that is asked for."""
    print(f"    {chart.y_label} by {chart.x_label}")
    for place, x in enumerate(chart.xs):
        values = [line[place] for line in chart.lines.values()]
        named = ", ".join(f"{name} {number(float(f'{value:.3g}'))}" for name, value in zip(chart.lines, values))
        print(f"    {number(x):>10}: {named}, ratio {values[0] / values[1]:.2f}", flush=True)
    if bench.draw:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{file}.svg").write_text(chart.svg(), encoding="utf-8")


def by_rows(bench: Bench) -> None:
    """A list of one row to a million."""
    bench.set_up(f"""
create table line (id int primary key, name text not null);
insert into line select i, 'name ' || i from generate_series(1, {ROWS[-1]}) i;
grant select on line to anon, authenticator;
vacuum analyze line;
""")
    bench.check(f"select (restful.serve('GET', '/line?limit={ROWS[-1]}', '{{}}', null)).status = 200")
    many, most = ROWS[-3], ROWS[-1]

    def statements(xs: list[int]) -> dict[str, Statement]:
        calls = {x: max(1, min(100, 1000 // x)) for x in xs}
        return ({key("rows", OURS, x): Statement(serve("GET", f"'/line?limit={x}'"), calls[x], binary=True, alone=True) for x in xs} |
                {key("rows", BY_HAND, x): Statement(rows(f"select * from line limit {x}"), calls[x], alone=True) for x in xs})

    fewer = bench.alternate(f"up to {number(ROWS[-4])} rows", statements(ROWS[:-3]), 1)
    # Those that are compared run in turn.
    rounds = bench.alternate(f"up to {number(most)} rows", statements(ROWS[-3:]), 0, warm_up=2, turns=1)
    for all_, some in zip(rounds, fewer):
        all_.update(some)
    for each, x in itertools.product(rounds, (many, most)):
        each[f"rows: one of {number(x)}"] = each[key("rows", OURS, x)].divided(x)
    bench.report(rounds, f"rows: one of {number(most)}", f"rows: one of {number(many)}", bar=1.5, unit="us", by_cpu=True)
    bench.report(rounds, key("rows", OURS, most), key("rows", BY_HAND, most), bar=0.35, by_cpu=True)
    show(bench, "rows", Chart("List of rows", "rows in the response", f"{CPU}, ms", ROWS, medians(rounds, "rows", ROWS)))


def by_tables(bench: Bench) -> None:
    """The first request of a connection, in databases with few and many tables."""
    databases = {x: connection.database(bench, x) for x in TABLES}
    statements = {
        OURS: Statement(serve("GET", "'/t2?select=id,name,t1(id,name)&id=eq.1'"), binary=True, fresh=True),
        BY_HAND: Statement(rows("select id, name, (select row_to_json(y) from (select id, name from t1 where t1.id = t2.other) y) as t1 "
                                "from t2 where id = 1"), fresh=True)}
    rounds = []
    for count in bench.each_round("tables"):
        times = collections.defaultdict(list)
        for x, name in shuffled(list(itertools.product(TABLES, BOTH)) * connection.REPEATS):
            with bench.connect(databases[x]) as session:
                times[key("tables", name, x)].append(session.exchange(statements[name].messages("") + message(b"S"))[0])
        if count:
            rounds.append({name: median(spent) for name, spent in times.items()})
    bench.report(rounds, key("tables", OURS, TABLES[-1]), key("tables", OURS, TABLES[0]), bar=3, by_cpu=True)
    show(bench, "tables", Chart("First request of a connection, with an embedded relation", "tables in the database", f"{CPU}, ms",
                                TABLES, medians(rounds, "tables", TABLES), y_log=False))


def by_shapes(bench: Bench) -> None:
    """The memory of a backend that has seen many shapes of requests, and what a request costs if it may have any of these shapes."""
    if sys.platform != "linux":
        print("  shapes: skipped, needs Linux", flush=True)
        return
    bench.set_up("""
create table shape (a int primary key, b text, c numeric(8,2), d int, e date, f jsonb, g bool);
insert into shape select i, 'b ' || i, i / 7.0, i % 50, date '2000-01-01' + i % 9000, jsonb_build_object('k', i), i % 3 = 0
from generate_series(1, 1000) i;
grant select on shape to anon, authenticator;
vacuum analyze shape;
""")
    rounds, memory = [], []
    for count in bench.each_round("shapes"):
        times, sizes = {}, {}
        for name in shuffled(BOTH):
            with bench.connect() as session:
                for x, spent, size in shapes(session, name):
                    times[key("shapes", name, x)] = spent
                    sizes[key("memory of shapes", name, x)] = Time(size, None)
        if count:
            rounds.append(times)
            memory.append(sizes)
    bench.report(rounds, key("shapes", OURS, KEPT), key("shapes", OURS, 1), bar=2, unit="us", by_cpu=True)
    bench.report(memory, key("memory of shapes", OURS, SHAPES[-1]), key("memory of shapes", OURS, KEPT), bar=1.1, unit="MB")
    show(bench, "shapes", Chart("Read by key that may have any of so many shapes", "shapes of requests", f"{CPU}, µs", SHAPES,
                                medians(rounds, "shapes", SHAPES, 1000), y_log=False))
    show(bench, "memory", Chart("Memory of a backend that has seen so many shapes", "shapes of requests", "private memory, MB", SHAPES,
                                medians(memory, "memory of shapes", SHAPES), y_log=False))


def shapes(session: Connection, name: str):
    """For each number of shapes: the time of a request that has any of them, and the memory of the backend, in megabytes."""
    # They differ by the columns that are asked for, in every order.
    chosen = [",".join(columns) for columns in itertools.permutations("abcdefg", 5)]
    if name == OURS:
        session.prepare("request", serve("GET", "$1"))

    def one(place: int) -> bytes:
        row = str(random.randint(1, 1000))
        parts = ("request", f"/shape?select={chosen[place]}&a=eq.{row}") if name == OURS else (f"s{place}", row)
        return execution(*parts, binary=name == OURS) + message(b"S")

    known = 0
    for x in SHAPES:
        for place in range(known, x):
            if name == BY_HAND:
                session.prepare(f"s{place}", f"select row_to_json(x)::text from (select {chosen[place]} from shape where a = $1::int) x")
            session.exchange(b"".join(one(place) for _ in range(WARM_UP)), WARM_UP)
        known = x
        spent = [session.exchange(b"".join(one(random.randrange(x)) for _ in range(100)), 100, asleep=True)[0].divided(100) for _ in range(10)]
        yield x, mean(spent), session.private_memory()


def by_clients(bench: Bench) -> None:
    """Requests per second, and what each costs, if several clients ask at the same time."""
    if sys.platform != "linux":
        print("  clients: skipped, needs Linux", flush=True)
        return
    ask = "\\set id random(1, 100000)\n"
    scripts = {OURS: ask + "select record_send(restful.serve('GET', '/line?id=eq.' || :id, '{}', null));",
               BY_HAND: ask + "select row_to_json(t)::text from line t where id = :id;"}
    server = int(bench.cluster.sql("select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"))
    rounds, rates = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in scripts.items():
            pathlib.Path(folder, name).write_text(text, encoding="utf-8")
        for count in bench.each_round("clients", 3):
            times, rate = {}, {}
            for x, name in shuffled(list(itertools.product(CLIENTS, BOTH))):
                script = pathlib.Path(folder, name)
                # Less what connecting and the first request take.
                [start, few, _], [spent, many, each_second] = (pgbench(bench, server, script, x, *length) for length in (("-t", 1), ("-T", 1)))
                times[key("clients", name, x)] = Time(0, (spent - start) / (many - few))
                rate[key("rate", name, x)] = Time(each_second, each_second)
            if count:
                rounds.append(times)
                rates.append(rate)
    bench.report(rounds, key("clients", OURS, CLIENTS[-1]), key("clients", BY_HAND, CLIENTS[-1]), bar=2, unit="us", by_cpu=True)
    # Both lines rise, because the processors' caches hold less of each backend.
    for name in BOTH:
        bench.report(rounds, key("clients", name, CLIENTS[-1]), key("clients", name, CLIENTS[0]), unit="us", by_cpu=True)
    show(bench, "clients", Chart("Read by key", "clients at the same time", f"{CPU}, µs", CLIENTS,
                                 medians(rounds, "clients", CLIENTS, 1000), y_log=False))
    show(bench, "throughput", Chart("Reads by key, without HTTP", "clients at the same time", "requests per second", CLIENTS,
                                    medians(rates, "rate", CLIENTS), y_log=False))


def pgbench(bench: Bench, server: int, script: pathlib.Path, clients: int, *length: object) -> tuple[float, int, float]:
    """Milliseconds of processor time of all backends, transactions, and transactions per second."""
    before, others = of_children(server)
    output = bench.command("pgbench", "-n", "-M", "prepared", "-c", clients, "-j", 1, *length, "-f", script)
    # Backends end after their clients.
    end = time.monotonic() + 10
    while (after := of_children(server))[1] > others and time.monotonic() < end:
        time.sleep(0.01)
    many = int(re.search(r"actually processed: (\d+)", output)[1])
    return after[0] - before, many, float(re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)[1])


def of_children(server: int) -> tuple[float, int]:
    """Milliseconds of processor time of a server's processes that have ended, and how many are left. Linux only."""
    # The fields after the name, which may contain spaces: proc(5).
    fields = pathlib.Path(f"/proc/{server}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    children = pathlib.Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii").split()
    return (int(fields[13]) + int(fields[14])) * 1000 / os.sysconf("SC_CLK_TCK"), len(children)


def by_depth(bench: Bench) -> None:
    """Embedded relations within embedded relations. Each row has three rows at the next level."""
    deepest = DEPTHS[-1]
    # The tables are so large that PostgreSQL uses their indexes.
    bench.set_up("".join(f"""
create table level{level} (id int primary key, name text not null, parent int{f' not null references level{level - 1}' if level else ''});
insert into level{level} select i, 'name ' || i, 1 + (i - 1) / 3 from generate_series(1, 10000) i;
create index on level{level} (parent);
grant select on level{level} to anon, {LOGIN};
""" for level in (0, *DEPTHS)) + "vacuum analyze;")

    def ask(level: int, last: int) -> str:
        return "id,name" + (f",level{level + 1}({ask(level + 1, last)})" if level < last else "")

    def query(level: int, last: int) -> str:
        inner = "" if level == last else (f", (select coalesce(json_agg(row_to_json(y{level})), '[]') from ({query(level + 1, last)}) y{level})"
                                          f" as level{level + 1}")
        return f"select id, name{inner} from level{level}" + (f" where parent = level{level - 1}.id" if level else " where id <= 10")

    rounds = bench.alternate("embeds within embeds", {key("depth", OURS, x): Statement(
        serve("GET", f"'/level0?id=lte.10&select={ask(0, x)}'"), binary=True, alone=True) for x in DEPTHS} | {
            key("depth", BY_HAND, x): Statement(rows(query(0, x)), alone=True) for x in DEPTHS}, 1)
    bench.report(rounds, key("depth", OURS, deepest), key("depth", BY_HAND, deepest), bar=1, by_cpu=True)
    for each in rounds:
        for name, x in itertools.product(BOTH, DEPTHS):
            each[key("depth", name, x)] = each[key("depth", name, x)].divided(sum(10 * 3 ** level for level in range(x + 1)))
    show(bench, "depth", Chart("Embedded relations within embedded relations, three rows each", "levels of embedded relations",
                               "µs of processor time for each row", DEPTHS, medians(rounds, "depth", DEPTHS, 1000), x_log=False, y_log=False))


def by_policies(bench: Bench) -> None:
    """A list of 100 rows under several policies, of which the last one that PostgreSQL tries shows the rows."""
    bench.set_up("".join(f"""
create table guarded{x} (id int primary key, owner text not null, kind int not null, title text not null);
insert into guarded{x} select i, 'ann', {x}, 'title ' || i from generate_series(1, 1000) i;
grant select on guarded{x} to anon, {LOGIN};
""" + (f"alter table guarded{x} enable row level security;\n" if x else "") + "".join(f"""
create policy p{policy:02} on guarded{x} to anon, {LOGIN}
    using (owner = (select coalesce(restful.user_id(), 'ann')) and kind = {policy});
""" for policy in range(1, x + 1)) for x in POLICIES) + "vacuum analyze;")
    for x in POLICIES:
        bench.check(f"select convert_from((restful.serve('GET', '/guarded{x}?id=eq.7', '{{}}', null)).body, 'UTF8') ~ 'title'")
    rounds = bench.alternate("policies", {key("policies", OURS, x): Statement(
        serve("GET", f"'/guarded{x}?limit=100'"), 20, binary=True, alone=True) for x in POLICIES} | {
            key("policies", BY_HAND, x): Statement(rows(f"select * from guarded{x} limit 100"), 20, alone=True) for x in POLICIES}, 2)
    most = POLICIES[-1]
    for each, name in itertools.product(rounds, BOTH):
        each[f"policies: {name}, each more"] = each[key("policies", name, most)].beyond(each[key("policies", name, 0)]).divided(most)
    bench.report(rounds, "policies: request, each more", "policies: by hand, each more", bar=1.5, unit="us", by_cpu=True)
    show(bench, "policies", Chart("List of 100 rows under policies", "policies of the table", f"{CPU}, µs", POLICIES,
                                  medians(rounds, "policies", POLICIES, 1000), x_log=False, y_log=False))
