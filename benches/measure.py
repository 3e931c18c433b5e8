"""How everything here is measured: statements that alternate in one run, and the ratios of their times."""

import collections
import dataclasses
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from harness import Cluster, Failure, run

# The database of all groups but `connection`, which makes its own.
DATABASE = "bench"
# What HTTP layers log in as: every request includes the change to the anonymous role, and its way back.
LOGIN = "authenticator"

Rounds = list[dict[str, float]]


@dataclasses.dataclass
class Line:
    """A measurement: `ratio` is the time of `work` by that of `against`, or, where `unit` is a rate, rate by rate."""

    work: str
    against: str
    ratio: float
    lowest: float
    highest: float
    value: float
    against_value: float
    unit: str
    control: float | None = None
    bar: float | None = None

    @property
    def ok(self) -> bool:
        return self.bar is None or self.ratio <= self.bar


class Bench:
    """What a group of measurements is given: the cluster, how many rounds to run, and where progress and results go."""

    def __init__(self, cluster: Cluster, gateway: pathlib.Path | None, rounds: int):
        self.cluster, self.gateway, self.rounds = cluster, gateway, rounds
        self.lines: list[Line] = []

    def each_round(self, title: str):
        """The rounds' numbers; 0 is there to warm everything up, and does not count."""
        start = time.monotonic()
        print(f"  {title} ", end="", flush=True)
        for number in range(self.rounds + 1):
            yield number
            print("." if number else "w", end="", flush=True)
        print(f" {time.monotonic() - start:.0f} s", flush=True)

    def set_up(self, sql: str, database: str = DATABASE) -> None:
        """Runs a script as the superuser."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(sql)
            file.flush()
            self.cluster.sql_file(pathlib.Path(file.name), database)

    def command(self, *command: object, database: str = DATABASE, user: str = LOGIN) -> str:
        """Runs a client's program as the login role."""
        return run(*command, env=self.cluster.environment(database) | {"PGUSER": user})

    def check(self, sql: str, what: str) -> None:
        """Fails unless a query says true to the login role: something else than asked for would be measured."""
        answer = self.command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql).strip()
        if answer != "t":
            raise Failure(f"{what}: the answer is not what it should be: {answer!r} from {sql}")

    def alternate(self, title: str, scripts: dict[str, str], seconds: int) -> Rounds:
        """Runs pgbench scripts in one connection per round, in random order, each about as often as the others.

        Returns for every round the median milliseconds of each script.
        """
        names = list(scripts)
        results = []
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for i, script in enumerate(scripts.values()):
                path = pathlib.Path(folder, f"{i}.sql")
                path.write_text(script)
                files += ["-f", path]
            for number in self.each_round(title):
                self.command("pgbench", "-n", "-M", "prepared", "-c", 1, "-T", seconds, "-l",
                             "--log-prefix", f"{folder}/log{number}", *files)
                times = collections.defaultdict(list)
                [log] = pathlib.Path(folder).glob(f"log{number}.*")
                entries = [line.split() for line in log.read_text().splitlines()]
                # A connection's beginning: what it has to load, and plans that are not cached yet.
                for entry in entries[len(entries) // 5:]:
                    times[names[int(entry[3])]].append(int(entry[2]) / 1000)
                if len(times) != len(names):
                    raise Failure(f"{title}: {seconds} s are too short to run every statement")
                if number:
                    results.append({name: statistics.median(values) for name, values in times.items()})
        return results

    def report(self, rounds: Rounds, work: str, against: str, *, bar: float | None = None, control: str | None = None,
               calls: int = 1, unit: str = "ms") -> None:
        """Adds the ratio of two names in `rounds` to the results. `calls`: how many calls a time is of."""
        ratios = [r[work] / r[against] for r in rounds]
        scale = {"ms": 1, "us": 1000}.get(unit, 1) / calls
        self.lines.append(Line(
            work=work, against=against, ratio=statistics.median(ratios), lowest=min(ratios), highest=max(ratios),
            value=statistics.median(r[work] for r in rounds) * scale,
            against_value=statistics.median(r[against] for r in rounds) * scale, unit=unit, bar=bar,
            control=statistics.median(r[control] / r[against] for r in rounds) if control else None))


def load() -> str:
    return "load average " + " ".join(f"{value:.2f}" for value in os.getloadavg())


def pipeline(statements: list[str]) -> str:
    """A pgbench script that sends statements without waiting for their answers."""
    return "\\startpipeline\n" + "\n".join(statements) + "\n\\endpipeline\n"


class Session:
    """A psql session that answers statement after statement."""

    def __init__(self, bench: Bench, database: str = DATABASE, user: str = LOGIN):
        environment = bench.cluster.environment(database) | {"PGUSER": user}
        self.process = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def value(self, query: str) -> str:
        """The one line that a query answers with."""
        try:
            self.process.stdin.write(query.rstrip().rstrip(";") + ";\n")
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"a statement failed: {query}")
        return line.strip()
