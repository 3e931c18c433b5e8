"""The layers in examples/ and the gateway answer what restful.serve answers: one suite of requests runs against each of them.

The expected answer to a request is what SQL says: psql runs the statement of the layers, and rolls it back. Status, body, and each
header field of that answer must arrive as they are. Packages are installed below target/, in the versions of the lock files.
"""

import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest

from _clients import CLIENTS, another_gateway, node_project, psql, python_packages
from harness import HERE, ROOT, Answer, free_port, read_answer, wait_until

EXAMPLES = ROOT / "examples"
LIMIT = 16 * 1024 * 1024
LARGE = bytes(range(256)) * (8 * 1024 * 1024 // 256)
CODE_LINES = 40
# The fields that a layer may add or change: the framing of HTTP, and what the gateway documents.
OWN_FIELDS = {"date", "server", "connection", "keep-alive", "content-length", "transfer-encoding", "x-request-id"}
OF_THE_GATEWAY = re.compile("access-control-|vary$")

FUNCTIONS = r"""
create domain library."application/octet-stream" as bytea;
create function library.bytes(bytea) returns library."application/octet-stream" language sql immutable as 'select $1';
create function library.cookies() returns text language sql as $$
    select set_config('response.headers', '[{"set-cookie": "a=1; Path=/"}, {"set-cookie": "b=2"}, {"x-one": "1"}]', true); select 'set'
$$;
create function library.field(name text) returns text language sql stable as $$
    select current_setting('request.headers')::json->>name
$$;
create function library.text_of(value text) returns text language sql immutable as 'select value';
create function library.cancelled() returns void language sql security definer as
    'select pg_cancel_backend(pg_backend_pid()); select pg_sleep(5)';
create function library.terminated() returns void language sql security definer as
    'select pg_terminate_backend(pg_backend_pid()); select pg_sleep(5)';
grant select, insert, update, delete on library.subjects to anon;
"""

JSON = ("content-type", "application/json")
BYTES = ("content-type", "application/octet-stream")
# name: method, target, header fields, body, and the status, which shows that the request means what the name says
SUITE = {
    "a read": ("GET", "/books?select=id,title&order=id", [], None, 200),
    "the description of the API": ("GET", "/", [], None, 200),
    "an encoded target": ("GET", "/authors?select=id&name=eq.Stanis%C5%82aw%20Lem", [], None, 200),
    "an encoded slash": ("GET", "/books%2Fother", [], None, 404),
    "two slashes": ("GET", "//books", [], None, 404),
    "a slash at the end": ("GET", "/books/", [], None, 404),
    "a malformed escape": ("GET", "/books?title=eq.%zz", [], None, 200),
    "raw characters": ("GET", '/authors?select=id,contact->>web&name=not.in.("a,b",c)&order=id', [], None, 200),
    "a query as it is": ("GET", "/rpc/text_of?value=a%2Bb+c%26d%3D%25%2F;e&select=", [], None, 200),
    "plus and percent": ("GET", "/rpc/text_of?value=a%2Bb+c%26d%3D%25%2F%3F;e?f", [], None, 200),
    "a parameter without value": ("GET", "/books?", [], None, 200),
    "repeated parameters": ("GET", "/books?id=gt.1&id=lt.4&order=id&select=id", [], None, 200),
    "a table that is missing": ("GET", "/nothing", [], None, 404),
    "a malformed body": ("POST", "/subjects", [JSON], b'{"id": ', 400),
    "a violated constraint": ("POST", "/subjects", [JSON], b'{"id": 1, "name": "again"}', 409),
    "a write that is not allowed": ("POST", "/archive", [JSON], b"{}", 404),
    "an unsupported type": ("POST", "/subjects", [("content-type", "image/png")], b"\x89PNG", 415),
    "a path of the frameworks": ("GET", "/docs", [], None, 404),
    "another path of the frameworks": ("GET", "/static/app.js", [], None, 404),
    "HEAD": ("HEAD", "/books?select=id&order=id", [], None, 200),
    "HEAD of an error": ("HEAD", "/nothing", [], None, 404),
    "OPTIONS": ("OPTIONS", "/books", [], None, 200),
    "QUERY": ("QUERY", "/books?select=id&order=id", [("content-type", "application/x-www-form-urlencoded")], b"id=in.(1,3)", 200),
    "PATCH": ("PATCH", "/subjects?id=eq.4", [JSON, ("prefer", "return=representation")], '{"name": "Gärten"}'.encode(), 200),
    "PUT": ("PUT", "/subjects?id=eq.9", [JSON], b'{"id": 9, "name": "Nine"}', 204),
    "DELETE without an answer": ("DELETE", "/subjects?id=eq.4", [], None, 204),
    "a write without an answer": ("PATCH", "/subjects?id=eq.4", [JSON], b'{"name": "x"}', 204),
    "a method that does not exist": ("PURGE", "/books", [], None, 405),
    "repeated fields of a request": ("POST", "/subjects", [JSON, ("prefer", "return=representation"), ("prefer", "count=exact")],
                                     b'[{"id": 10, "name": "a"}, {"id": 11, "name": "b"}]', 201),
    "a repeated field is joined": ("GET", "/rpc/field?name=x-many", [("x-many", "a"), ("x-other", "o"), ("X-Many", "b, c")], None, 200),
    "cookies of a request": ("GET", "/rpc/field?name=cookie", [("cookie", "a=1; b=2")], None, 200),
    "repeated fields of an answer": ("POST", "/rpc/cookies", [], None, 200),
    "a token that is refused": ("GET", "/books", [("authorization", "Bearer a.b")], None, 500),
    "another form": ("GET", "/books?select=id,title&order=id", [("accept", "text/csv")], None, 200),
    "bytes": ("POST", "/rpc/bytes", [BYTES, ("accept", "application/octet-stream")], bytes(range(256)), 200),
    "zero bytes": ("POST", "/rpc/bytes", [BYTES, ("accept", "application/octet-stream")], b"\0\0", 200),
    "a page": ("GET", "/books?select=id&order=id", [("range", "1-2"), ("prefer", "count=exact")], None, 206),
}

# Where a library below a layer changes a request or answers it: status and body (None: any).
KNOWN = {
    # hyper reads targets strictly.
    "axum": {"raw characters": (400, None)},
    # Python's http.server, below `flask run`, makes one slash of two. WSGI joins fields without a space.
    "flask": {"two slashes": (200, None), "a repeated field is joined": (200, b'"a,b, c"')},
}


def literal(text):
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


def served(method, target, fields, body):
    """What restful.serve answers, as authenticator, without effect. The fields are those that an HTTP client sends."""
    headers = {}
    for name, value in fields:
        headers.setdefault(name.lower(), []).append(value)
    content = "null" if body is None else f"decode('{base64.b64encode(body).decode()}', 'base64')"
    call = f"restful.serve({literal(method)}, {literal(target)}, {literal(json.dumps(headers))}, {content})"
    sql = ("begin; select json_build_object('status', status, 'headers', headers, "
           f"'body', translate(encode(coalesce(body, ''), 'base64'), E'\\n', '')) from {call}; rollback")
    return json.loads(psql("-U", "authenticator", "-c", sql).splitlines()[-1])


class Layer:
    """A process that serves the database over HTTP."""

    def __init__(self, name, command, folder, **variables):
        self.name, self.port = name, free_port()
        host, port, database = (os.environ[v] for v in ("PGHOST", "PGPORT", "PGDATABASE"))
        url = f"postgres://authenticator@{host.replace('/', '%2F')}:{port}/{database}"
        variables = {key: value.format(port=self.port) for key, value in variables.items()}
        self.log = open(CLIENTS / f"{name}.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([part.format(port=self.port) for part in command], cwd=folder, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT,
                                        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"),
                                             "DATABASE_URL": url, **variables})
        wait_until(lambda: self.process.poll() is not None or self.answers(), 60)
        if self.process.poll() is not None:
            raise RuntimeError(f"{name} has ended:\n{self.logged()}")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


def python_layer(name, *command):
    packages = python_packages(EXAMPLES / name / "requirements.txt", f"{name}_layer")
    return Layer(name, [sys.executable, "-m", *command], EXAMPLES / name, PYTHONPATH=str(packages), PYTHONDONTWRITEBYTECODE="1")


def node_layer(name):
    return Layer(name, ["node", "server.mjs"], node_project(EXAMPLES / name), PORT="{port}")


def axum_layer():
    target = CLIENTS.parent / "examples"
    began = time.monotonic()
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--manifest-path", EXAMPLES / "axum/Cargo.toml", "--target-dir", target],
                   check=True, stdin=subprocess.DEVNULL)
    print(f"axum was built in {time.monotonic() - began:.0f} s", flush=True)
    return Layer("axum", [str(target / "debug/axum_layer")], EXAMPLES / "axum", LISTEN="127.0.0.1:{port}")


# name: what starts it, and the program without which it cannot run
LAYERS = {
    "gateway": (lambda: another_gateway(BODY_LIMIT=LIMIT), None),
    "flask": (lambda: python_layer("flask", "flask", "--app", "app", "run", "--port", "{port}"), None),
    "fastapi": (lambda: python_layer("fastapi", "uvicorn", "app:app", "--port", "{port}", "--log-level", "warning"), None),
    "express": (lambda: node_layer("express"), "npm"),
    "fastify": (lambda: node_layer("fastify"), "npm"),
    "axum": (axum_layer, "cargo"),
}


class Suite:
    """The requests, against one layer."""

    @classmethod
    def setUpClass(cls):
        start, program = LAYERS[cls.name]
        if program and not shutil.which(program):
            print(f"SKIPPED: examples/{cls.name} was not tested, because {program} is missing", flush=True)
            raise unittest.SkipTest(f"needs {program}")
        cls.layer = start()

    @classmethod
    def tearDownClass(cls):
        cls.layer.close()

    def ask(self, method, target, fields=(), body=None):
        """Makes one request, with its target and fields as they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self.layer.port, timeout=60)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in fields:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def test_a_request_gets_the_answer_of_the_statement(self):
        for name, (method, target, fields, body, status) in SUITE.items():
            with self.subTest(name):
                host = ("host", f"127.0.0.1:{self.layer.port}")
                expected = served(method, target, [host, *fields], body)
                self.assertEqual(expected["status"], status)
                with_effect = method not in ("GET", "HEAD", "OPTIONS", "QUERY")
                before = psql("-c", "select * from library.subjects order by id") if with_effect else None
                answer = self.ask(method, target, fields, body)
                if with_effect:
                    psql("-c", "delete from library.subjects where id > 4; insert into library.subjects values (4, 'Gardening') "
                               "on conflict (id) do update set name = excluded.name")
                    self.assertEqual(psql("-c", "select * from library.subjects order by id"), before)
                if name in KNOWN.get(self.name, {}):
                    status, content = KNOWN[self.name][name]
                    self.assertEqual((answer.status, answer.body), (status, answer.body if content is None else content))
                    continue
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.body, base64.b64decode(expected["body"]))
                for field, value in expected["headers"].items():
                    values = value if isinstance(value, list) else [value]
                    if self.name == "gateway" and field == "vary":
                        values = [*values, "Origin"] if len(answer.headers[field]) > 1 else [", ".join([*values, "Origin"])]
                    self.assertEqual(answer.headers.get(field), values, field)
                added = answer.headers.keys() - expected["headers"].keys() - OWN_FIELDS
                if self.name == "gateway":
                    added = {field for field in added if not OF_THE_GATEWAY.match(field)}
                self.assertEqual(added, set())
                length = answer.headers.get("content-length")
                if status in (204, 304):
                    self.assertIsNone(length)
                elif method == "HEAD":
                    self.assertIn(length, (None, [str(len(base64.b64decode(served("GET", target, [host, *fields], body)["body"])))]))

    def test_a_write_has_its_effect(self):
        answer = self.ask("POST", "/subjects", [JSON, ("prefer", "return=representation")], '{"id": 20, "name": "Łódź"}'.encode())
        self.assertEqual((answer.status, answer.json), (201, [{"id": 20, "name": "Łódź"}]))
        self.assertEqual(psql("-c", "select name from library.subjects where id = 20"), "Łódź")
        self.assertEqual(self.ask("DELETE", "/subjects?id=eq.20").status, 204)
        self.assertEqual(psql("-c", "select count(*) from library.subjects where id = 20"), "0")

    def test_what_has_not_changed_is_304(self):
        first = self.ask("GET", "/books?id=eq.1")
        again = self.ask("GET", "/books?id=eq.1", [("if-none-match", first.header("etag"))])
        self.assertEqual((first.status, again.status, again.body), (200, 304, b""))
        self.assertEqual(again.header("etag"), first.header("etag"))
        self.assertIsNone(again.headers.get("content-length"))

    def test_large_bodies_arrive_both_ways(self):
        answer = self.ask("POST", "/rpc/bytes", [BYTES, ("accept", "application/octet-stream")], LARGE)
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.body == LARGE, f"{len(answer.body)} bytes came back")

    def test_a_body_above_the_limit_is_413(self):
        with socket.create_connection(("127.0.0.1", self.layer.port), timeout=60) as client:
            client.sendall(f"POST /rpc/bytes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n"
                           f"Content-Length: {LIMIT + 1}\r\n\r\n".encode())
            if self.name in ("fastapi", "express", "axum"):
                # These count what arrives, or read it before they answer. The others refuse what is announced.
                client.sendall(bytes(LIMIT + 1))
            self.assertEqual(read_answer(client).status, 413)

    def test_errors_that_are_raised_are_5xx_and_the_next_request_is_answered(self):
        self.assertEqual(self.ask("POST", "/rpc/cancelled").status, 504)
        self.assertEqual(self.ask("GET", "/books?id=eq.1").status, 200)
        self.assertEqual(self.ask("POST", "/rpc/terminated").status, 503)
        # A pool may take a moment to notice that a connection has ended.
        wait_until(lambda: self.ask("GET", "/books?id=eq.1").status == 200, 5)

    def test_it_is_small(self):
        for path in (EXAMPLES / self.name).rglob("*") if self.name != "gateway" else []:
            if path.suffix in (".py", ".mjs", ".rs"):
                lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not re.fullmatch(r"\s*((//|#(?![\[!])).*)?", line)]
                self.assertLessEqual(len(lines), CODE_LINES, path)
                self.assertIn("SELECT status, headers, body FROM restful.serve(", "\n".join(lines))


class Postgrest(unittest.TestCase):
    """What PostgREST does with a request, in SQL: its binary is in no package registry. PostgREST answers with the function's
    result, and with the settings response.status and response.headers as they are after the call."""

    @classmethod
    def setUpClass(cls):
        print("PostgREST itself was not run: its statements were, in psql", flush=True)
        psql("-c", "create schema api; grant usage on schema api to anon; grant anon to authenticator",
             "-c", "alter role authenticator in database " + os.environ["PGDATABASE"] + " set restful.trusted_authenticators = 'authenticator'",
             "-f", str(EXAMPLES / "postgrest/request.sql"))

    def ask(self, call, *before):
        """Status, fields and body that a function leaves for PostgREST."""
        told = ("select json_build_object('status', current_setting('response.status')::int, "
                "'fields', current_setting('response.headers')::json, 'body', translate(:'body', E'\\n', ''))")
        printed = psql("-U", "authenticator", "-c", "begin", *(part for text in before for part in ("-c", text)),
                       "-f", self.script(f"select encode(coalesce({call}, ''), 'base64') as body \\gset\n{told};\nrollback;"))
        answer = json.loads(printed.splitlines()[-1])
        return answer["status"], [field for fields in answer["fields"] for field in fields.items()], base64.b64decode(answer["body"])

    def script(self, text):
        path = CLIENTS / "forward.sql"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def test_forwarded_requests_have_the_answer_of_the_statement(self):
        for name, (method, target, fields, body, status) in SUITE.items():
            with self.subTest(name):
                expected = served(method, target, fields, body)
                headers = {}
                for field, value in fields:
                    headers.setdefault(field.lower(), []).append(value)
                content = "null" if body is None else f"decode('{base64.b64encode(body).decode()}', 'base64')"
                call = f"restful.forward({literal(method)}, {literal(target)}, {content}, {literal(json.dumps(headers))})"
                pairs = [(field, text) for field, value in expected["headers"].items()
                         for text in (value if isinstance(value, list) else [value])]
                self.assertEqual(self.ask(call), (status, pairs, base64.b64decode(expected["body"])))

    # What PostgREST sets before it calls.
    AS_ANON = ("set local role anon", """select set_config('request.jwt.claims', '{"role": "anon"}', true)""")

    def test_a_function_of_postgrest_answers_with_the_inner_status(self):
        status, fields, body = self.ask("""api.request('POST', '/subjects', '{"id": 30, "name": "Łódź \\\\"}',
                                           '{"prefer": "return=representation"}')""", *self.AS_ANON)
        self.assertEqual((status, json.loads(body)), (201, [{"id": 30, "name": "Łódź \\"}]))
        self.assertIn(("content-type", "application/json; charset=utf-8"), fields)
        status, _, body = self.ask("api.request('GET', '/nothing')", *self.AS_ANON)
        self.assertEqual((status, json.loads(body)["code"]), (404, "PGRST205"))
        status, _, body = self.ask("api.request('DELETE', '/subjects?id=eq.4')", *self.AS_ANON)
        self.assertEqual((status, body), (204, b""))

    def test_a_get_of_postgrest_reads_and_knows_what_has_not_changed(self):
        status, fields, body = self.ask("api.read('/books?id=eq.1&select=id')", "set transaction read only", *self.AS_ANON)
        self.assertEqual((status, body), (200, b'[{"id":1}]'))
        sent = json.dumps({"if-none-match": dict(fields)["etag"], "host": "x", "authorization": "Bearer of.post.grest"})
        status, _, body = self.ask("api.read('/books?id=eq.1&select=id')", "set transaction read only", *self.AS_ANON,
                                   f"select set_config('request.headers', {literal(sent)}, true)")
        self.assertEqual((status, body), (304, b""))


def setUpModule():
    psql("-f", str(HERE / "clients.sql"), "-c", FUNCTIONS)
    psql("-c", f"alter role authenticator in database {os.environ['PGDATABASE']} set restful.schemas = 'library, archive'")
    CLIENTS.mkdir(parents=True, exist_ok=True)


for layer in LAYERS:
    globals()[layer.capitalize()] = type(layer.capitalize(), (Suite, unittest.TestCase), {"name": layer})
