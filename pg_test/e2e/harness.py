"""Shared by the end-to-end tests: a PostgreSQL cluster, a gateway process, and sockets to talk to it.

These environment variables are used:

- GATEWAY_BIN: the gateway's binary. By default, the newest one below gateway/target.
- PGHOST and the other PG* variables: a running cluster. If PGHOST is missing or a socket folder, the tests start a
  private cluster and remove it at the end.
- PG_BINDIR: the folder of PostgreSQL's programs. By default, what pg_config says.
"""

import functools
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def wait_until(condition, timeout=60.0):
    """Waits until condition() is true, and returns its value. Fails after timeout seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not true within {timeout} s: {condition}")
        time.sleep(0.02)


@functools.cache
def bindir():
    given = os.environ.get("PG_BINDIR")
    return given or subprocess.check_output(["pg_config", "--bindir"], text=True).strip()


def unprivileged(command):
    """PostgreSQL and PgBouncer refuse to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


class Cluster:
    """A database to test in: in the cluster that the PG* variables name, or in a private one that tests can stop."""

    def __init__(self, settings=()):
        """settings: lines for the configuration file of a private cluster."""
        # The proxy and PgBouncer need TCP, which a cluster behind a socket does not offer.
        self.private = os.environ.get("PGHOST", "/").startswith("/")
        self.database = f"gateway_test_{os.getpid()}"
        if self.private:
            self.directory = tempfile.mkdtemp(prefix="gateway_test_", dir="/tmp")
            if os.geteuid() == 0:
                shutil.chown(self.directory, "postgres")
            self.host, self.user, self.port = self.directory, "postgres", free_port()
            self._run("initdb", "-D", f"{self.directory}/data", "-A", "trust", "-U", "postgres", "--no-sync",
                      "-E", "UTF8", "--locale=C")
            with open(f"{self.directory}/data/postgresql.conf", "a", encoding="utf-8") as configuration:
                configuration.writelines(f"{line}\n" for line in settings)
            self.start()
        else:
            self.host = os.environ["PGHOST"]
            self.port = int(os.environ.get("PGPORT", "5432"))
            self.user = os.environ.get("PGUSER", "postgres")
        self.sql(f"CREATE DATABASE {self.database}", database="postgres")

    def _run(self, program, *arguments):
        command = unprivileged([f"{bindir()}/{program}", *arguments])
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/")
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def start(self):
        options = f"-p {self.port} -k {self.directory} -c fsync=off -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-w", "-l", f"{self.directory}/log", "-o", options, "start")

    def stop(self):
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-w", "-m", "fast", "stop")

    def until_up(self):
        """Waits until the server answers again after a crash."""
        def answers():
            try:
                return self.sql("select 1") == "1"
            except RuntimeError:
                return False
        wait_until(answers, 60)

    def close(self):
        if self.private:
            self.stop()
            shutil.rmtree(self.directory)
        else:
            self.sql(f"DROP DATABASE {self.database} WITH (FORCE)", database="postgres")

    def url(self, **changes):
        """DATABASE_URL in key=value form."""
        parts = {"host": self.host, "port": self.port, "user": self.user, "dbname": self.database, **changes}
        if "PGPASSWORD" in os.environ:
            parts["password"] = os.environ["PGPASSWORD"]
        return " ".join(f"{key}={value}" for key, value in parts.items())

    def sql(self, text, database=None):
        """Runs SQL, and returns its output unaligned and without headings."""
        done = subprocess.run(
            [f"{bindir()}/psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-p", str(self.port),
             "-U", self.user, "-d", database or self.database, "-f", "-"],
            input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def gateway_binary():
    if "GATEWAY_BIN" in os.environ:
        return os.environ["GATEWAY_BIN"]
    built = [ROOT / "gateway/target" / kind / "pg-restful-gateway" for kind in ("debug", "release")]
    return str(max((path for path in built if path.exists()), key=lambda path: path.stat().st_mtime))


def gateway_environment(**settings):
    """The environment of a gateway. Of the caller's variables it has only PATH."""
    return {"PATH": os.environ["PATH"], **{name: str(value) for name, value in settings.items()}}


class Gateway:
    """A gateway process on a port of its own. `access` and `events` collect the lines that it writes."""

    def __init__(self, **settings):
        self.process = subprocess.Popen(
            [gateway_binary()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=gateway_environment(LISTEN="127.0.0.1:0", **settings))
        self.access, self.events, self._threads = [], [], []
        for stream, lines in ((self.process.stdout, self.access), (self.process.stderr, self.events)):
            thread = threading.Thread(target=self._collect, args=(stream, lines))
            thread.start()
            self._threads.append(thread)
        line = wait_until(lambda: self.events or self.process.poll() is not None and ["{}"])[0]
        message = json.loads(line).get("message", "")
        assert message.startswith("listening on "), self.events
        self.port = int(message.rsplit(":", 1)[1])

    @staticmethod
    def _collect(stream, lines):
        for line in stream:
            lines.append(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        return self.wait()

    def wait(self, timeout=60):
        """Waits for the end of the process, and returns its exit code."""
        code = self.process.wait(timeout)
        for thread in self._threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def connect(self):
        """A socket to the gateway."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def request(self, method, target, body=None, headers=None):
        """Makes one request over a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            return send(connection, method, target, body, headers)
        finally:
            connection.close()

    def get(self, target, **headers):
        return self.request("GET", target, headers=headers)

    def raw(self, data):
        """Sends bytes as they are, and returns the answer to the first request in them."""
        with self.connect() as client:
            client.sendall(data)
            return read_answer(client)


class Answer:
    """Status, headers (lower-case name → list of values) and body of a response."""

    def __init__(self, response, body):
        self.status, self.body, self.headers = response.status, body, {}
        for name, value in response.getheaders():
            self.headers.setdefault(name.lower(), []).append(value)

    def header(self, name):
        values = self.headers.get(name, [None])
        assert len(values) == 1, values
        return values[0]

    @property
    def json(self):
        return json.loads(self.body)


def send(connection, method, target, body=None, headers=None):
    """Makes one request over an http.client connection, which may be used again."""
    connection.request(method, target, body=body, headers=headers or {})
    response = connection.getresponse()
    return Answer(response, response.read())


def read_answer(client, method="GET"):
    """Reads a response from a socket."""
    response = http.client.HTTPResponse(client, method=method)
    response.begin()
    return Answer(response, response.read())


class Proxy:
    """Passes bytes between the gateway and the database, until told to fail."""

    def __init__(self, port):
        self.upstream = port
        self.cut = False
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def cut_next(self):
        """Cuts the connection over which the gateway sends next, before the database sees what was sent."""
        self.cut = True

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
            back = threading.Thread(target=self._pass, args=(server, client, False), daemon=True)
            back.start()
            self._pass(client, server, True)
            back.join()

    def _pass(self, source, sink, may_cut):
        try:
            while data := source.recv(65536):
                if may_cut and self.cut:
                    self.cut = False
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
