"""Shared by the Python tools: clusters, fresh databases, and the line of counts at the end of every tool's output."""

import os
import pathlib
import re
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")


class Failure(Exception):
    """An error that the user has to fix. Its text is the whole message."""


def counts_line(passed: int, failed: int, skipped: int = 0) -> str:
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def run(*command: object, **options) -> str:
    """The standard output of a command. Its standard error goes to ours."""
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options)
    if done.returncode:
        raise Failure(f"failed: {' '.join(map(str, command))}\n{done.stdout}".rstrip())
    return done.stdout


def shell_value(expression: str) -> str:
    """The value of an expression in tools/common.sh."""
    return run("bash", "-c", f'source "{ROOT}/tools/common.sh"; {expression}').strip()


def wait_for_port(process: subprocess.Popen, host: str, port: int, seconds: float = 20) -> None:
    """Waits until a server that was started accepts connections. Fails if it ends, or takes longer than that."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection((host, port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    ended = process.poll()
    raise Failure(f"nothing answers at {host}:{port} after {seconds} s" if ended is None else f"the server has ended with {ended}")


class Cluster:
    """A private cluster (tools/cluster). A `with` block removes it at the end."""

    def __init__(self, name: str, version: str | int, fresh: bool = True, settings: tuple[str, ...] = ()):
        self.name = name
        if fresh:
            run(ROOT / "tools/cluster", "remove", name)
        lines = run(ROOT / "tools/cluster", "start", name, version, *settings).splitlines()
        self.settings = dict(line.split("=", 1) for line in lines)
        self.version = self.settings["PG_VERSION"]
        self.bin = pathlib.Path(self.settings["PG_BINDIR"])
        self.roles: set[str] | None = None

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_) -> None:
        self.remove()

    def remove(self) -> None:
        run(ROOT / "tools/cluster", "remove", self.name)

    def environment(self, database: str = "postgres") -> dict[str, str]:
        """The environment for a client: ours, without variables that would lead libpq elsewhere."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "RUST_BACKTRACE"}
        return env | self.settings | {"PGDATABASE": database, "PATH": f"{self.bin}:{env['PATH']}"}

    def sql(self, text: str, database: str = "postgres") -> str:
        """Runs SQL as the superuser. Returns the rows unaligned."""
        command = [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text]
        return run(*command, env=self.environment(database)).strip()

    def sql_file(self, path: pathlib.Path, database: str) -> None:
        run(self.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path, env=self.environment(database))

    def make_template(self, script: pathlib.Path) -> None:
        """Makes the database that fresh_database copies, and remembers its roles."""
        self.sql("create database test_template")
        self.sql_file(script, "test_template")
        self.roles = set(self.sql("select rolname from pg_roles").splitlines())

    def fresh_database(self, name: str) -> str:
        """A copy of the template. Drops other test databases, and roles that a test has left behind."""
        for other in self.sql("select datname from pg_database where datname like 'test\\_%' and datname <> 'test_template'").splitlines():
            self.sql(f'drop database "{other}" with (force)')
        left = set(self.sql("select rolname from pg_roles").splitlines()) - (self.roles or set())
        if left:
            # The shared catalogues may still name a role. We can drop what it owns: the databases that are left are ours and empty.
            self.sql("".join(f'drop owned by "{r}"; ' for r in left) + "drop role " + ", ".join(f'"{r}"' for r in left))
        self.sql(f'create database "{name}" template test_template')
        return name
