"""Sessions of psql for tests that use several at a time. Each has its own connection. The PG* variables name the database."""

import os
import pathlib
import queue
import subprocess
import threading

from harness import Cluster, wait_until

PSQL = pathlib.Path(os.environ["PG_BINDIR"]) / "psql"
# Longer than anything here takes on a slow machine.
SECONDS = 30


class Session:
    """A connection as `user`. `ask` sends a statement and waits for the answer; `send` and `receive` do one half each."""

    def __init__(self, user: str, **environment: str):
        command = [PSQL, "-X", "-q", "-A", "-t", "-U", user, "-v", "SHOW_CONTEXT=never"]
        self.process = subprocess.Popen(command, env=os.environ | {"PGOPTIONS": "-c client_min_messages=error"} | environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.pid = self.ask("select pg_backend_pid()")

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def send(self, sql: str) -> None:
        self.process.stdin.write(f"{sql}\n;\n\\echo --end--\n")
        self.process.stdin.flush()

    def receive(self) -> str:
        answer = []
        while (line := self.lines.get(timeout=SECONDS)) != "--end--\n":
            if not line:
                raise AssertionError(f"psql has ended: {''.join(answer)}")
            answer.append(line)
        return "".join(answer).strip()

    def ask(self, sql: str) -> str:
        self.send(sql)
        return self.receive()

    def wait_until(self, condition: str) -> None:
        """Waits until a query returns t."""
        wait_until(lambda: self.ask(condition) == "t", SECONDS)

    def get(self, target: str) -> str:
        """Status and body of a GET."""
        return self.ask(f"select status || ' ' || coalesce(body::text, '') from restful.get($target${target}$target$)").strip()

    @classmethod
    def of(cls, cluster: Cluster, user: str, schemas: str) -> "Session":
        """A connection to a cluster of the harness, whose requests see these schemas."""
        return cls(user, PGHOST=cluster.host, PGPORT=str(cluster.port), PGDATABASE=cluster.database,
                   PGOPTIONS=f"-c client_min_messages=error -c restful.schemas={schemas}")

    def abandon(self) -> None:
        """Ends psql, whether or not it still runs."""
        self.process.kill()
        self.process.wait()
        if not self.process.stdin.closed:
            self.process.stdin.close()
            self.process.stdout.close()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(SECONDS)
        self.process.stdout.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_) -> None:
        self.close()
