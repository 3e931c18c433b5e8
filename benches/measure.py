"""Runs statements in turn, measures them, and computes the ratios of their times."""

import dataclasses
import os
import pathlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable

from client import Connection, Time, execution, message, text
from harness import Cluster, Failure, run

# The database of all groups but `connection`, which makes its own.
DATABASE = "bench"
# The login role of HTTP layers. Every request includes the change to the anonymous role and back.
LOGIN = "authenticator"
# There are no parallel workers, because only one side of a comparison might get them; no autovacuum, because it could begin in the
# middle; and no JIT, because it would compile the larger statements.
SETTINGS = ("jit=off", "max_parallel_workers_per_gather=0", "autovacuum=off", "shared_buffers=512MB", "max_wal_size=4GB")
ROLES = f"""
create role anon nologin;
create role {LOGIN} login noinherit;
grant anon to {LOGIN};
alter role {LOGIN} set restful.anon_role = 'anon';
"""
# PostgreSQL makes a generic plan after five executions. Other caches fill sooner.
WARM_UP = 6

Rounds = list[dict[str, Time]]


@dataclasses.dataclass
class Statement:
    """What is measured: `calls` executions of a prepared statement, sent without waiting for answers in between."""

    sql: str
    calls: int = 1
    # The parameters of each execution.
    parameters: Callable[[], tuple[str, ...]] = tuple
    binary: bool = False
    # Parsed and planned anew for each execution, and not prepared.
    fresh: bool = False
    # Each execution is a transaction of its own.
    alone: bool = False

    def messages(self, name: str) -> bytes:
        """One execution, with new parameters."""
        parse = message(b"P", text(""), text(self.sql), b"\0\0") if self.fresh else b""
        sync = message(b"S") if self.alone else b""
        return parse + execution("" if self.fresh else name, *self.parameters(), binary=self.binary) + sync


@dataclasses.dataclass
class Line:
    """A result: `ratio` is the time of `work` divided by the time of `against`. If `unit` is a rate, it divides the rates."""

    work: str
    against: str
    ratio: float
    lowest: float
    highest: float
    cpu: float | None
    control: float | None
    value: float
    against_value: float
    unit: str
    bar: float | None

    @property
    def ok(self) -> bool:
        return self.bar is None or self.ratio <= self.bar


class Bench:
    """What a group of measurements is given: the cluster, how many rounds to run, whether to draw, and where progress and results
    go."""

    def __init__(self, cluster: Cluster, gateway: pathlib.Path, rounds: int, draw: bool = False):
        self.cluster, self.gateway, self.rounds, self.draw = cluster, gateway, rounds, draw
        self.lines: list[Line] = []

    def each_round(self, title: str, most: int | None = None):
        """The numbers of the rounds, `most` at most. Round 0 warms everything up and does not count."""
        start = time.monotonic()
        print(f"  {title} ", end="", flush=True)
        for number in range(min(self.rounds, most or self.rounds) + 1):
            yield number
            print("." if number else "w", end="", flush=True)
        print(f" {time.monotonic() - start:.0f} s", flush=True)

    def set_up(self, sql: str, database: str = DATABASE) -> None:
        """Runs a script as the superuser."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(sql)
            file.flush()
            self.cluster.sql_file(pathlib.Path(file.name), database)

    def connect(self, database: str = DATABASE) -> Connection:
        """A new connection of the login role."""
        return Connection(self.cluster.settings, database, LOGIN)

    def command(self, *command: object) -> str:
        """Runs a client's program as the login role."""
        return run(*command, env=self.cluster.environment(DATABASE) | {"PGUSER": LOGIN})

    def check(self, condition: str) -> None:
        """Fails unless a query returns true for the login role. Otherwise we would measure something that does not work."""
        with self.connect() as connection:
            if connection.query(condition)[1] != ["t"]:
                raise Failure(f"what is to be measured does not work: {condition}")

    def alternate(self, title: str, statements: dict[str, Statement], seconds: float, warm_up: int = WARM_UP, turns: int = 3) -> Rounds:
        """Runs statements in turn, in changing order, for some seconds in one connection per round. Returns medians per call.
        The turns that warm up do not count; after them there are at least `turns`."""
        results = []
        for number in self.each_round(title):
            times: dict[str, list[Time]] = {name: [] for name in statements}
            with self.connect() as connection:
                for name, statement in statements.items():
                    connection.prepare(name, statement.sql)
                order, turn, end = list(statements), 0, time.monotonic() + seconds
                while turn < warm_up + turns or time.monotonic() < end:
                    random.shuffle(order)
                    for name in order:
                        s = statements[name]
                        calls = b"".join(s.messages(name) for _ in range(s.calls))
                        alone = s.calls if s.alone else 0
                        spent, _ = connection.exchange(calls + (b"" if alone else message(b"S")), alone or 1, s.alone)
                        if turn >= warm_up:
                            times[name].append(spent)
                    turn += 1
            if number:
                results.append({name: median(found, statements[name].calls) for name, found in times.items()})
        return results

    def report(self, rounds: Rounds, work: str, against: str, *, bar: float | None = None, control: str | None = None,
               unit: str = "ms", by_cpu: bool = False) -> None:
        """Adds the ratio of two names in `rounds` to the results. `control` names a statement that is the same as `against`.
        `by_cpu` compares processor time where the system tells it, and not the clock's."""
        def spent(time_: Time) -> float:
            return time_.cpu if by_cpu and time_.cpu is not None else time_.wall

        def ratios(a: str, b: str) -> list[float]:
            return [spent(r[a]) / spent(r[b]) for r in rounds]

        def value(name: str) -> float:
            return statistics.median(spent(r[name]) for r in rounds) * (1000 if unit == "us" else 1)

        found = ratios(work, against)
        cpu = [r[work].cpu / r[against].cpu for r in rounds if r[work].cpu is not None and r[against].cpu]
        self.lines.append(Line(
            work=work, against=against, ratio=statistics.median(found), lowest=min(found), highest=max(found),
            cpu=statistics.median(cpu) if cpu else None, control=statistics.median(ratios(control, against)) if control else None,
            value=value(work), against_value=value(against), unit=unit, bar=bar))


def median(times: list[Time], calls: int = 1) -> Time:
    """The median of `times`, each of which is the time of `calls` calls, for one call."""
    cpu = [t.cpu for t in times if t.cpu is not None]
    return Time(statistics.median(t.wall for t in times) / calls, statistics.median(cpu) / calls if cpu else None)


def load() -> str:
    """The load of the machine. If it exceeds the number of processors, look at processor time first."""
    return "load average " + " ".join(f"{value:.2f}" for value in os.getloadavg())
