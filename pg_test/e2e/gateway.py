"""Tests the gateway over real sockets, with a stand-in for restful.serve (gateway_stub.sql).

Run: GATEWAY_BIN=gateway/target/debug/pg-restful-gateway python3 pg_test/e2e/gateway.py
"""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import (  # noqa: E402
    HERE, Cluster, Gateway, Proxy, free_port, gateway_binary, gateway_environment, read_answer, send, unprivileged,
    wait_until,
)

STUB = (HERE / "gateway_stub.sql").read_text()
cluster = None


def setUpModule():
    global cluster
    cluster = Cluster()
    cluster.sql(STUB)


def tearDownModule():
    cluster.close()


class Background:
    """A request that runs in a thread of its own while the test goes on."""

    def __init__(self, gateway, method, target):
        self.answer = None
        self.thread = threading.Thread(target=self._run, args=(gateway, method, target))
        self.thread.start()

    def _run(self, gateway, method, target):
        try:
            self.answer = gateway.request(method, target)
        except (OSError, http.client.HTTPException) as error:
            self.answer = error

    def wait(self):
        self.thread.join(20)
        return self.answer


def running(marker):
    """How many statements of this gateway are sleeping right now."""
    return int(cluster.sql(
        "SELECT count(*) FROM pg_stat_activity "
        f"WHERE application_name = '{marker}' AND wait_event = 'PgSleep'"))


class GatewayTest(unittest.TestCase):
    """The tests of a class share one gateway, unless a test starts its own."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(DATABASE_URL=cluster.url(), **cls.settings)

    @classmethod
    def tearDownClass(cls):
        cls.gateway.close()

    def start(self, **settings):
        """Starts a gateway for this test only."""
        gateway = Gateway(**{"DATABASE_URL": cluster.url(application_name=self.id().rsplit(".", 1)[1][:60]), **settings})
        self.addCleanup(gateway.close)
        return gateway

    def marker(self):
        return self.id().rsplit(".", 1)[1][:60]

    def assertProblem(self, answer, status, code):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.header("content-type"), "application/problem+json")
        self.assertEqual(set(answer.json), {"type", "title", "status", "code", "message", "details", "hint"})
        self.assertEqual((answer.json["status"], answer.json["code"]), (status, code))
        self.assertEqual(int(answer.header("content-length")), len(answer.body))
        self.assertEqual(answer.header("retry-after"), "1" if status == 503 else None)


class Requests(GatewayTest):
    def echo(self, data):
        answer = self.gateway.raw(data)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def test_target_is_passed_on_as_received(self):
        for target in ["/a", "/a?", "/a?b=%20%2F%00&c=+", "//a//../b", "/a/%C3%A9?x={1,2}|[3]^`'()*!$;:@", "/é?é=é", "/a?b?c=/"]:
            self.assertEqual(self.echo(f"GET {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode())["target"], target)

    def test_any_method_is_passed_on(self):
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PURGE", "get"]:
            self.assertEqual(self.echo(f"{method} /a HTTP/1.1\r\nhost: x\r\n\r\n".encode())["method"], method)
        self.assertEqual(self.echo(b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n")["target"], "*")

    def test_connect_is_refused(self):
        self.assertProblem(self.gateway.raw(b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n"), 501, "REST501")

    def test_headers_become_an_object(self):
        headers = self.echo(
            b"GET /a HTTP/1.1\r\nHost: x\r\nX-Request-Id: 1\r\nAccept: a\r\nCookie: a=1\r\nACCEPT: b\r\nCookie: b=2\r\n"
            b"Authorization: Bearer t\r\nX-Quote: \"\\\ttab \xc3\xa9\r\nX-Empty:\r\n\r\n")["headers"]
        self.assertEqual(headers, {
            "host": "x", "x-request-id": "1", "accept": "a, b", "cookie": "a=1; b=2", "authorization": "Bearer t",
            "x-quote": "\"\\\ttab é", "x-empty": "", "x-forwarded-for": "127.0.0.1"})

    def test_the_address_of_the_client_is_added_to_those_of_proxies(self):
        headers = self.echo(b"GET /a HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-For: 192.0.2.8\r\n\r\n")["headers"]
        self.assertEqual(headers["x-forwarded-for"], "6.6.6.6, 192.0.2.7, 192.0.2.8, 127.0.0.1")

    def test_host_of_an_absolute_target_wins(self):
        request = self.echo(b"GET http://a.example:8/b?c HTTP/1.1\r\nhost: x\r\n\r\n")
        self.assertEqual((request["target"], request["headers"]["host"]), ("/b?c", "a.example:8"))

    def test_header_that_is_not_utf8_is_refused(self):
        answer = self.gateway.raw(b"GET /a HTTP/1.1\r\nhost: x\r\nx-bad: \xff\r\n\r\n")
        self.assertProblem(answer, 400, "REST400")
        self.assertIn("x-bad", answer.json["message"])

    def test_no_body_is_null(self):
        for head in [b"GET /a HTTP/1.1", b"POST /a HTTP/1.1\r\ncontent-length: 0",
                     b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked"]:
            end = b"0\r\n\r\n" if b"chunked" in head else b""
            self.assertIsNone(self.echo(head + b"\r\nhost: x\r\n\r\n" + end)["body"])

    def test_bodies_arrive_byte_for_byte(self):
        body = bytes(range(256)) * 2000
        for sent in (body[:1], body):
            self.assertEqual(self.gateway.request("POST", "/bytes", sent).body, sent)
        pieces = (body[start:start + 1000] for start in range(0, len(body), 1000))
        self.assertEqual(self.gateway.request("PUT", "/bytes", pieces).body, body)
        self.assertEqual(self.echo(b"GET /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n\0\xff")["body"], "00ff")

    def test_expected_continue_is_sent(self):
        with self.gateway.connect() as client:
            client.sendall(b"POST /bytes HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 100"))
            client.sendall(b"hi")
            self.assertEqual(read_answer(client).body, b"hi")

    def test_broken_off_body_is_not_passed_on(self):
        with self.gateway.connect() as client:
            client.sendall(b"POST /sleep-then-record/0 HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
            client.shutdown(socket.SHUT_WR)
            client.recv(1000)
        with self.gateway.connect() as client:
            client.sendall(b"POST /sleep-then-record/0 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcXX")
            client.recv(1000)
        self.assertEqual(self.gateway.get("/a").status, 200)
        self.assertEqual(cluster.sql("SELECT count(*) FROM restful.stub_call WHERE target = '/sleep-then-record/0'"), "0")


class Answers(GatewayTest):
    def test_status_headers_and_body_are_passed_back(self):
        answer = self.gateway.get("/const")
        self.assertEqual((answer.status, answer.body), (200, b'{"id":1}'))
        self.assertEqual(answer.header("content-type"), "application/json")
        self.assertEqual(answer.header("content-length"), "8")
        for status in (201, 299, 301, 404, 418, 500, 599):
            answer = self.gateway.get(f"/status-with-body/{status}")
            self.assertEqual((answer.status, answer.body), (status, b"body"))

    def test_repeated_headers_stay_apart(self):
        answer = self.gateway.get("/repeated")
        self.assertEqual(answer.headers["set-cookie"], ["a=1; Path=/", "b=2"])
        self.assertEqual(answer.headers["vary"], ["accept", "Origin"])

    def test_null_body_is_empty(self):
        answer = self.gateway.get("/status/200")
        self.assertEqual((answer.body, answer.header("content-length")), (b"", "0"))

    def test_head_has_the_length_but_no_body(self):
        for target, length in [("/const", "8"), ("/head-length", "1234"), ("/status/200", None), ("/live", "17")]:
            answer = self.gateway.request("HEAD", target)
            self.assertEqual((answer.status, answer.body, answer.header("content-length")), (200, b"", length), target)

    def test_statuses_without_a_body_have_none(self):
        for status in (204, 304):
            with self.gateway.connect() as client:
                # A body after the head would be taken for the beginning of the second answer.
                client.sendall(f"GET /status-with-body/{status} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
                               + b"GET /const HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                received = b"".join(iter(lambda: client.recv(65536), b""))
            first, second = received.split(b"\r\n\r\n", 1)
            self.assertIn(f" {status} ".encode(), first.split(b"\r\n")[0])
            self.assertNotIn(b"content-length", first)
            self.assertTrue(second.startswith(b"HTTP/1.1 200"), received)
        answer = self.gateway.get("/status-with-body/205")
        self.assertEqual((answer.body, answer.header("content-length")), (b"", "0"))

    def test_framing_is_the_gateways_own(self):
        answer = self.gateway.get("/wrong-length")
        self.assertEqual((answer.body, answer.header("content-length")), (b"abc", "3"))
        self.assertIsNone(answer.header("transfer-encoding"))

    def test_large_answers_are_whole(self):
        answer = self.gateway.get("/large/20000000")
        self.assertEqual((len(answer.body), answer.body.strip(b"x")), (20_000_000, b""))

    def test_what_is_no_response_is_502(self):
        for target in ["/status/100", "/status/101", "/status/199", "/status/600", "/status/-1", "/status/99999", "/null",
                       "/header", "/header-type"]:
            answer = self.gateway.get(target)
            self.assertProblem(answer, 502, "REST502")
            self.assertNotIn("x-injected", answer.headers)

    def test_connections_are_kept(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60)
        connection.connect()
        before = connection.sock
        for target in ["/const", "/status/204", "/raise/XX000", "/null", "/live", "/large/100000", "/const"]:
            send(connection, "GET", target)
            self.assertIs(connection.sock, before, target)
        connection.close()

    def test_pipelined_requests_are_answered_in_order(self):
        with self.gateway.connect() as client:
            client.sendall(b"".join(f"GET /echo/{n} HTTP/1.1\r\nhost: x\r\n\r\n".encode() for n in range(5)))
            file = client.makefile("rb")
            for number in range(5):
                length = None
                while (line := file.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                self.assertEqual(json.loads(file.read(length))["target"], f"/echo/{number}")


class Heads(GatewayTest):
    """The gateway reads request heads before hyper does."""

    settings = {"REQUEST_TIMEOUT": "2s"}

    def exchange(self, data, count):
        """Sends bytes, and returns status and body of each of the `count` answers. Checks that there are no more answers:
        the gateway closes the connection, or the next answer is that to the next request."""
        with self.gateway.connect() as client, client.makefile("rb") as file:
            client.sendall(data)
            answers = [self.read(file) for _ in range(count)]
            if answers[-1][2]:
                self.assertEqual(file.read(), b"")
            else:
                client.sendall(b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n")
                self.assertEqual(json.loads(self.read(file)[1])["target"], "/next")
        return [(status, body) for status, body, _ in answers]

    def read(self, file):
        """Status, body, and whether the connection ends."""
        status, fields = int(file.readline().split()[1]), {}
        while line := file.readline().rstrip():
            name, value = line.split(b": ", 1)
            fields[name] = value
        return status, file.read(int(fields.get(b"content-length", 0))), fields.get(b"connection") == b"close"

    def target(self, data):
        """The target that the database is asked for."""
        (status, body), = self.exchange(data, 1)
        self.assertEqual(status, 200, body)
        return json.loads(body)["target"]

    def test_targets_as_users_of_curl_type_them(self):
        for typed, target in [
            ("/people?select=data->>name", "/people?select=data-%3E%3Ename"),
            ('/people?name=in.("a,b","c")', "/people?name=in.(%22a,b%22,%22c%22)"),
            ('/people?tags=cs.{"a b"}'.replace(" ", "%20"), "/people?tags=cs.{%22a%20b%22}"),
            ("/people?a=lt.<&b=^|`\\", "/people?a=lt.%3C&b=^|`\\"),
            ("/p<e>o`ple", "/p%3Ce%3Eo%60ple"),
            ("/leute?name=eq.Jürgen->", "/leute?name=eq.Jürgen-%3E"),
        ]:
            self.assertEqual(self.target(f"GET {typed} HTTP/1.1\r\nhost: x\r\n\r\n".encode()), target)
        self.assertEqual(self.target(b"GET /a?b=\xe9 HTTP/1.1\r\nhost: x\r\n\r\n"), "/a?b=%E9")
        self.assertEqual(self.target(b"GET http://x?a=> HTTP/1.1\r\nhost: x\r\n\r\n"), "/?a=%3E")

    def test_a_target_that_would_be_cut_or_guessed_is_refused(self):
        before = cluster.sql("SELECT count(*) FROM restful.stub_call")
        for line, word in [
            ("DELETE /sleep-then-record/0#?id=eq.1 HTTP/1.1", "%23"), ("DELETE /sleep-then-record/0?id=eq.1# HTTP/1.1", "%23"),
            ("DELETE http://x/sleep-then-record/0# HTTP/1.1", "%23"), ("DELETE /sleep-then-record/0 ?id=eq.1 HTTP/1.1", "%20"),
            ("DELETE /sleep-then-record/0?id=eq.1 HTTP/1.1 HTTP/1.1", "%20"),
            ("DELETE /sleep-then-record/0\t?id=eq.1 HTTP/1.1", "%09"),
            ("DELETE sleep-then-record/0 HTTP/1.1", "path"), ("DELETE sleep-then-record HTTP/1.1", "path"),
            ("DELETE /sleep-then-record/0", "HTTP/1.1"), ("DELETE /sleep-then-record/0?a=b c", "HTTP/1.1"),
            ("DELETE /sleep-then-record/0?x HTTP/1.1x", "HTTP/1.1"),
        ]:
            answer = self.gateway.raw(f"{line}\r\nhost: x\r\n\r\n".encode())
            self.assertProblem(answer, 400, "REST400")
            self.assertIn(word, answer.json["hint"])
            self.assertEqual(answer.header("connection"), "close")
            self.assertRegex(answer.header("x-request-id"), "^[0-9a-f]{32}$")
        self.assertEqual(cluster.sql("SELECT count(*) FROM restful.stub_call"), before)

    def test_what_is_no_request_is_told_so(self):
        for data, status in [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400), (b"\0", 400), (b"GET\r\n\r\n", 400),
            (b"GET / HTTP/1.1\n\n", 400),
            (b"GET / HTTP/1.1\r\nhost: x\n\r\n", 400), (b"GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nhost : x\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nx\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nx: \0\r\n\r\n", 400), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            (b"GET / HTTP/3.0\r\n\r\n", 505), (b"POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n", 501),
            (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414), (b"GET /" + b">" * 30_000 + b" HTTP/1.1\r\n\r\n", 414),
            (b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000 + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
        ]:
            answer = self.gateway.raw(data)
            self.assertProblem(answer, status, f"REST{status}")
            self.assertEqual(answer.header("connection"), "close")
        with self.gateway.connect() as client:
            client.sendall(b"HEAD /# HTTP/1.1\r\n\r\n")
            self.assertTrue(b"".join(iter(lambda: client.recv(65536), b"")).endswith(b"\r\n\r\n"))

    def test_a_request_names_one_host(self):
        before = cluster.sql("SELECT count(*) FROM restful.stub_call")
        for hosts in [b"", b"host: x\r\nhost: x\r\n", b"host: x\r\nHOST: y\r\n", b"host: x y\r\n", b"host: x/y\r\n",
                      b"host: u@x\r\n"]:
            answer = self.gateway.raw(b"DELETE /sleep-then-record/0 HTTP/1.1\r\n" + hosts + b"\r\n")
            self.assertProblem(answer, 400, "REST400")
        self.assertEqual(cluster.sql("SELECT count(*) FROM restful.stub_call"), before)
        self.assertEqual(self.gateway.raw(b"GET /a HTTP/1.0\r\n\r\n").json["target"], "/a")
        # The connection can be used after such a refusal.
        answers = self.exchange(b"GET /a HTTP/1.1\r\n\r\nGET /const HTTP/1.1\r\nhost: x\r\n\r\n", 2)
        self.assertEqual([status for status, _ in answers], [400, 200])

    def test_a_body_of_the_older_version_needs_a_length(self):
        for method in ["POST", "PUT", "PATCH", "QUERY"]:
            answer = self.gateway.raw(f"{method} /bytes HTTP/1.0\r\n\r\nhi".encode())
            self.assertProblem(answer, 411, "REST400")
        self.assertEqual(self.gateway.raw(b"POST /bytes HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi").status, 200)

    def test_one_expectation_is_known(self):
        answer = self.gateway.raw(b"POST /a HTTP/1.1\r\nhost: x\r\nexpect: a-miracle\r\ncontent-length: 2\r\n\r\nhi")
        self.assertProblem(answer, 417, "REST417")
        self.assertEqual(answer.header("connection"), "close")

    def test_a_client_that_sends_on_reads_the_refusal(self):
        # More than the sockets' buffers hold.
        for head in (b"GET /", b"GET /# HTTP/1.1\r\n\r\n"):
            answer = self.gateway.raw(head + b"x" * 20_000_000)
            self.assertIn(answer.status, (400, 414))
            self.assertEqual(answer.header("content-type"), "application/problem+json")

    def test_a_long_target_and_many_fields_are_taken(self):
        target = "/" + "a" * 60_000
        self.assertEqual(self.target(f"GET {target} HTTP/1.1\r\nhost: x\r\n\r\n".encode()), target)
        fields = "".join(f"x-{n}: {'y' * 600}\r\n" for n in range(99))
        self.assertEqual(self.target(f"GET /a HTTP/1.1\r\nhost: x\r\n{fields}\r\n".encode()), "/a")

    def test_a_refusal_comes_in_its_turn_and_last(self):
        answers = self.exchange(b"GET /sleep/0.2 HTTP/1.1\r\nhost: x\r\n\r\n"
                                b"POST /bytes HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi"
                                b"GET /# HTTP/1.1\r\nhost: x\r\n\r\nGET /const HTTP/1.1\r\nhost: x\r\n\r\n", 3)
        self.assertEqual([status for status, _ in answers], [200, 200, 400])
        self.assertEqual([body for _, body in answers[:2]], [b'"slept"', b"hi"])

    def test_only_request_lines_are_rewritten(self):
        hidden = b"GET /hidden?a=> HTTP/1.1\r\nhost: x\r\n\r\n"
        shown = b"GET /shown?a=> HTTP/1.1\r\nhost: x\r\n\r\n"
        size, chunked = b"%x" % len(hidden), b"transfer-encoding: chunked"
        for head, body in [
            (b"content-length: %d" % len(hidden), hidden),
            (chunked, size + b"\r\n" + hidden + b"\r\n0\r\n\r\n"),
            (chunked, size + b";ext=\"" + b"x" * 9000 + b"\"\r\n" + hidden + b"\r\n00\r\nx-trailer: a\r\n\r\n"),
        ]:
            data = b"POST /bytes HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n\r\n" + body + shown
            first, second = self.exchange(data, 2)
            self.assertEqual(first, (200, hidden))
            self.assertEqual(json.loads(second[1])["target"], "/shown?a=%3E")
            # The same happens if the bytes arrive in small pieces.
            with self.gateway.connect() as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                step = max(1, len(data) // 100)
                for start in range(0, len(data), step):
                    client.sendall(data[start:start + step])
                    time.sleep(0.001)
                with client.makefile("rb") as file:
                    self.assertEqual(self.read(file)[1], hidden)
                    self.assertEqual(json.loads(self.read(file)[1])["target"], "/shown?a=%3E")

    def test_no_request_is_smuggled(self):
        """The gateway never finds two requests in bytes that a proxy in front of it could take for one, or for a body."""
        smuggled = b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n"
        length = b"content-length: %d\r\n" % len(smuggled)
        end = b"0\r\n\r\n"
        chunk = b"%x\r\n" % len(smuggled) + smuggled + b"\r\n" + end
        for fields, body in [
            # The head says twice where the body ends.
            (length + b"transfer-encoding: chunked\r\n", end + smuggled),
            (b"transfer-encoding: chunked\r\n" + length, end + smuggled),
            (b"content-length: 0\r\n" + length, smuggled), (length + b"content-length: 0\r\n", smuggled),
            (b"content-length: 0, %d\r\n" % len(smuggled), smuggled), (b"content-length: 0\r\n" * 2, smuggled),
            # Some servers understand these codings and lengths, and others do not.
            (b"transfer-encoding: xchunked\r\n" + length, smuggled),
            (b"transfer-encoding: chunked, identity\r\n", end + smuggled),
            (b"transfer-encoding:\x0bchunked\r\n", end + smuggled), (b"transfer-encoding : chunked\r\n", end + smuggled),
            (b" transfer-encoding: chunked\r\n", end + smuggled), (b"x: y\r\n transfer-encoding: chunked\r\n", end + smuggled),
            (b"x: y\ntransfer-encoding: chunked\r\n", end + smuggled), (b"x: y\rtransfer-encoding: chunked\r\n", end + smuggled),
            (b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", end + smuggled),
            (b"content-length: +0\r\n", smuggled), (b"content-length: 0x0\r\n", smuggled), (b"content-length: -0\r\n", smuggled),
            (b"content-length:\r\n 0\r\n", smuggled), (b"content-length\0: 0\r\n", smuggled),
            (b"content-length: 0\n\r\n", smuggled),
            # Chunks and bodies have the wrong ends.
            (b"transfer-encoding: chunked\r\n", b"1\r\na0\r\n\r\n" + smuggled),
            (b"transfer-encoding: chunked\r\n", b"1\r\nab\r\n" + chunk),
            (b"transfer-encoding: chunked\r\n", b"0\n\n" + smuggled), (b"transfer-encoding: chunked\r\n", b"0\r\n\n" + smuggled),
            (b"transfer-encoding: chunked\r\n", b"1;a\nb\r\nx\r\n" + end + smuggled),
            (b"transfer-encoding: chunked\r\n", b"0x0\r\n\r\n" + smuggled),
            (b"transfer-encoding: chunked\r\n", b"10000000000000000\r\n\r\n" + smuggled),
            (b"transfer-encoding: chunked\r\n", b"0\r\n" + smuggled),
            (b"transfer-encoding: chunked\r\n", b"0\r\nx\r\n\r\n" + smuggled),
        ]:
            data = b"POST /bytes HTTP/1.1\r\nhost: x\r\n" + fields + b"\r\n" + body
            (status, answer), = self.exchange(data, 1)
            self.assertIn(status, (400, 501), (data, answer))
            self.assertIn(b'"code":"REST', answer)
        # The gateway takes no part of an unread body for a request, and nothing after the last request.
        for fields, body, statuses in [
            (length, smuggled, [200]), (b"transfer-encoding: chunked\r\n", chunk, [200]),
            (b"connection: close\r\n", smuggled, [200]), (b"upgrade: h2c\r\nconnection: upgrade\r\n" + length, smuggled, [200]),
            (b"expect: 100-continue\r\n" + length, smuggled, [100, 200]), (b"content-length: 99999999\r\n", smuggled, [413]),
        ]:
            answers = self.exchange(b"POST /bytes HTTP/1.1\r\nhost: x\r\n" + fields + b"\r\n" + body, len(statuses))
            self.assertEqual([status for status, _ in answers], statuses, fields)
        for data, status in [(b"POST /live HTTP/1.1\r\nhost: x\r\n" + length + b"\r\n" + smuggled, 405),
                             (b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n" + smuggled, 501)]:
            self.assertEqual(self.exchange(data, 1)[0][0], status)
        self.assertFalse(any("smuggled" in line for line in self.gateway.access))

    def test_a_head_that_never_ends_holds_little(self):
        clients = [self.gateway.connect() for _ in range(50)]
        for client in clients:
            self.addCleanup(client.close)
            client.sendall(b"GET / HTTP/1.1\r\nx: " + b"y" * 60_000)
        self.assertEqual(self.gateway.get("/const").status, 200)


class Cors(GatewayTest):
    """What the gateway tells browsers. browser.py tests what a browser does with it."""

    PAGE = "http://app.example"
    METHODS = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD, QUERY"

    def fields(self, answer):
        return {name: value for name, value in answer.headers.items() if name.startswith("access-control-") or name == "vary"}

    def preflight(self, gateway, origin=PAGE, target="/a", **headers):
        return gateway.request("OPTIONS", target, headers={"Origin": origin, "Access-Control-Request-Method": "PATCH", **headers})

    def test_any_page_may_ask_by_default(self):
        answer = self.preflight(self.gateway, **{"Access-Control-Request-Headers": "content-type,prefer"})
        self.assertEqual((answer.status, answer.body, answer.header("content-length")), (200, b"", "0"))
        self.assertEqual(self.fields(answer), {
            "access-control-allow-origin": ["*"], "access-control-allow-methods": [self.METHODS],
            "access-control-max-age": ["86400"],
            "access-control-allow-headers": ["Authorization, content-type, prefer, Accept, Accept-Language, Content-Language"],
            "vary": ["Origin"]})
        for target, status in [("/a", 200), ("/live", 200), ("/status/404", 404), ("/null", 502), ("/raise/XX000", 500)]:
            answer = self.gateway.get(target, Origin=self.PAGE)
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.header("access-control-allow-origin"), "*")
            self.assertIn("Content-Range, ", answer.header("access-control-expose-headers"))
            self.assertNotIn("access-control-allow-credentials", answer.headers)
        self.assertEqual(self.fields(self.gateway.get("/a")), {"vary": ["Origin"]})
        self.assertEqual(self.gateway.get("/repeated", Origin=self.PAGE).headers["vary"], ["accept", "Origin"])

    def test_only_pages_of_the_list_may_ask(self):
        gateway = self.start(CORS_ALLOWED_ORIGINS=f"https://other.example,{self.PAGE}", CORS_EXPOSED_HEADERS="Location",
                             CORS_MAX_AGE=5)
        allowed = {"access-control-allow-origin": [self.PAGE], "access-control-allow-credentials": ["true"], "vary": ["Origin"]}
        answer = gateway.get("/a", Origin=self.PAGE)
        self.assertEqual(self.fields(answer), {**allowed, "access-control-expose-headers": ["Location"]})
        self.assertEqual(self.fields(self.preflight(gateway)), {
            **allowed, "access-control-allow-methods": [self.METHODS], "access-control-max-age": ["5"]})
        for foreign in ["http://app.example.evil", "https://app.example", "http://app.example:81", "null"]:
            self.assertEqual(self.fields(gateway.get("/a", Origin=foreign)), {"vary": ["Origin"]})
            answer = self.preflight(gateway, origin=foreign)
            self.assertEqual((answer.status, self.fields(answer)), (200, {"vary": ["Origin"]}))

    def test_a_preflight_needs_no_database(self):
        gateway = self.start(DATABASE_URL=cluster.url(host="127.0.0.1", port=free_port()))
        self.assertEqual(self.preflight(gateway).status, 200)
        self.assertEqual(self.preflight(gateway, target="/live").status, 200)
        # Errors have the header, too, so that a page learns what is wrong.
        answer = gateway.get("/a", Origin=self.PAGE)
        self.assertProblem(answer, 503, "REST503")
        self.assertEqual(answer.header("access-control-allow-origin"), "*")

    def test_any_other_options_is_passed_on(self):
        for headers in [{}, {"Origin": self.PAGE}, {"Access-Control-Request-Method": "PUT"}]:
            answer = self.gateway.request("OPTIONS", "/a", headers=headers)
            self.assertEqual(answer.json["method"], "OPTIONS")
            self.assertEqual("access-control-allow-origin" in answer.headers, "Origin" in headers)

    def test_off(self):
        gateway = self.start(CORS_ALLOWED_ORIGINS="off")
        self.assertEqual(self.fields(gateway.get("/a", Origin=self.PAGE)), {})
        answer = self.preflight(gateway)
        self.assertEqual((answer.json["method"], self.fields(answer)), ("OPTIONS", {}))


class RequestIds(GatewayTest):
    def test_a_sane_id_is_kept_and_passed_on(self):
        for given in ["abc", "a" * 128, "!~{}\"\\"]:
            answer = self.gateway.get("/a", **{"X-Request-Id": given})
            self.assertEqual(answer.header("x-request-id"), given)
            self.assertEqual(answer.json["headers"]["x-request-id"], given)

    def test_any_other_id_is_replaced(self):
        seen = set()
        for given in [None, "", "a b", "a" * 129, "é"]:
            head = b"" if given is None else b"x-request-id: " + given.encode() + b"\r\n"
            answer = self.gateway.raw(b"GET /a HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n")
            self.assertRegex(answer.header("x-request-id"), "^[0-9a-f]{32}$")
            self.assertEqual(answer.json["headers"]["x-request-id"], answer.header("x-request-id"))
            seen.add(answer.header("x-request-id"))
        self.assertEqual(len(seen), 5)

    def test_problems_have_it_too(self):
        self.assertEqual(self.gateway.get("/null", **{"X-Request-Id": "abc"}).header("x-request-id"), "abc")


class Limits(GatewayTest):
    settings = {"BODY_LIMIT": 100_000, "REQUEST_TIMEOUT": "1s", "POOL_SIZE": 1}

    def test_a_body_of_the_limit_is_accepted(self):
        body = b"x" * 100_000
        self.assertEqual(len(self.gateway.request("POST", "/bytes", body).body), 100_000)
        self.assertEqual(len(self.gateway.request("POST", "/bytes", iter([body[:60_000], body[60_000:]])).body), 100_000)

    def test_an_announced_body_over_the_limit_is_refused_before_it_is_sent(self):
        for expect in (b"", b"expect: 100-continue\r\n"):
            answer = self.gateway.raw(b"POST /a HTTP/1.1\r\nhost: x\r\n" + expect + b"content-length: 100001\r\n\r\n")
            self.assertProblem(answer, 413, "REST413")
            self.assertIn("100000", answer.json["message"])

    def test_a_client_that_sends_on_reads_the_refusal(self):
        # More than the sockets' buffers hold.
        for head, data in [(b"content-length: 20000000", b"x" * 20_000_000),
                           (b"transfer-encoding: chunked", (b"186a0\r\n" + b"x" * 100_000 + b"\r\n") * 200 + b"0\r\n\r\n")]:
            answer = self.gateway.raw(b"POST /a HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n\r\n" + data)
            self.assertProblem(answer, 413, "REST413")
            self.assertEqual(answer.header("connection"), "close")

    def test_chunks_over_the_limit_are_refused_in_bounded_memory(self):
        def peak():
            status = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) * 1024

        before = peak()
        with self.gateway.connect() as client:
            client.sendall(b"POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
            chunk = b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n"
            try:
                for _ in range(50):
                    client.sendall(chunk)
            except OSError:
                pass
            self.assertProblem(read_answer(client), 413, "REST413")
        self.assertLess(peak() - before, 10_000_000)

    def test_many_small_chunks_are_one_body(self):
        body = b"".join(b"1\r\n%c\r\n" % (97 + n % 26) for n in range(20_000)) + b"0\r\n\r\n"
        answer = self.gateway.raw(b"POST /bytes HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + body)
        self.assertEqual(answer.body, (b"abcdefghijklmnopqrstuvwxyz" * 800)[:20_000])

    def test_a_slow_body_holds_no_connection_and_is_given_up(self):
        with self.gateway.connect() as client:
            client.sendall(b"POST /bytes HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
            # The pool's only connection is free while the gateway waits for the body.
            self.assertEqual(self.gateway.get("/const").status, 200)
            answer = read_answer(client)
        self.assertProblem(answer, 408, "REST408")
        self.assertEqual(answer.header("connection"), "close")


class Failures(GatewayTest):
    def test_a_raised_error_is_500_with_its_sqlstate_and_nothing_else(self):
        for state, status in [("XX000", 500), ("P0001", 500), ("22012", 500), ("40001", 500), ("40P01", 500),
                              ("57014", 504), ("53200", 503), ("53400", 500), ("57P01", 503), ("08006", 503)]:
            answer = self.gateway.get(f"/raise/{state}")
            self.assertProblem(answer, status, state)
            self.assertNotIn(b"secret", answer.body)

    def test_the_servers_message_is_logged_without_its_detail(self):
        gateway = self.start()
        gateway.get("/raise/XX000", **{"X-Request-Id": "the-id"})
        # The log is written beside the requests, and a killed gateway writes nothing more.
        wait_until(lambda: any("stub-secret" in line for line in gateway.events))
        gateway.close()
        lines = [json.loads(line) for line in gateway.events if "stub-secret" in line]
        self.assertEqual([(line["request_id"], line["message"]) for line in lines],
                         [("the-id", "ERROR XX000: stub-secret-message")])

    def test_an_error_at_commit_is_no_success(self):
        self.assertProblem(self.gateway.get("/fail-at-commit"), 500, "23505")

    def test_a_timeout_is_504_and_cancels_the_statement(self):
        gateway = self.start(REQUEST_TIMEOUT="300ms", POOL_SIZE=1)
        self.assertProblem(gateway.request("POST", "/sleep-then-record/60"), 504, "REST504")
        wait_until(lambda: running(self.marker()) == 0)
        self.assertEqual(gateway.get("/const").status, 200)
        self.assertEqual(cluster.sql("SELECT count(*) FROM restful.stub_call WHERE target LIKE '%/60'"), "0")

    def test_a_statement_nobody_waits_for_is_cancelled(self):
        gateway = self.start(POOL_SIZE=1)
        with gateway.connect() as client:
            client.sendall(b"GET /sleep/61 HTTP/1.1\r\nhost: x\r\n\r\n")
            wait_until(lambda: running(self.marker()) == 1)
        wait_until(lambda: running(self.marker()) == 0)
        self.assertEqual(gateway.get("/const").status, 200)
        wait_until(lambda: any('"status":499' in line for line in gateway.access))

    def test_an_exhausted_pool_is_503_and_recovers(self):
        gateway = self.start(POOL_SIZE=2, POOL_TIMEOUT="200ms")
        busy = [Background(gateway, "GET", "/sleep/2") for _ in range(2)]
        wait_until(lambda: running(self.marker()) == 2)
        self.assertProblem(gateway.get("/const"), 503, "REST503")
        # The gateway is still ready, because the database can be reached.
        self.assertEqual(gateway.get("/ready").status, 200)
        self.assertEqual([request.wait().status for request in busy], [200, 200])
        self.assertEqual(gateway.get("/const").status, 200)

    def test_there_are_never_more_connections_than_the_pool_has(self):
        gateway = self.start(POOL_SIZE=3)
        requests = [Background(gateway, "GET", "/sleep/0.1") for _ in range(20)]
        self.assertEqual({request.wait().status for request in requests}, {200})
        self.assertEqual(cluster.sql(
            f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{self.marker()}'"), "3")

    def test_connections_that_were_ended_while_idle_are_replaced(self):
        gateway = self.start(POOL_SIZE=2)
        for method in ("GET", "POST"):
            before = gateway.get("/pid").body
            cluster.sql(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                        f"WHERE application_name = '{self.marker()}'")
            time.sleep(0.1)
            answer = gateway.request(method, "/pid")
            self.assertEqual(answer.status, 200)
            self.assertNotEqual(answer.body, before)

    def test_a_connection_that_dies_under_a_request_is_503_and_not_used_again(self):
        gateway = self.start(POOL_SIZE=1)
        for method in ("POST", "GET"):
            ran = int(cluster.sql("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM restful.stub_terminate"))
            self.assertProblem(gateway.request(method, "/terminate"), 503, "57P01")
            self.assertEqual(int(cluster.sql("SELECT last_value FROM restful.stub_terminate")), ran + 1)
            self.assertEqual(gateway.get("/const").status, 200)

    def test_only_a_read_is_sent_again_when_its_connection_was_dead(self):
        proxy = Proxy(cluster.port)
        self.addCleanup(proxy.close)
        gateway = self.start(DATABASE_URL=cluster.url(host="127.0.0.1", port=proxy.port), POOL_SIZE=1)
        for method, status in [("GET", 200), ("HEAD", 200), ("OPTIONS", 200), ("POST", 503), ("DELETE", 503)]:
            self.assertEqual(gateway.get("/const").status, 200)
            proxy.cut_next()
            self.assertEqual(gateway.request(method, "/const").status, status, method)

    def test_a_read_on_a_new_connection_is_not_sent_again(self):
        proxy = Proxy(cluster.port)
        self.addCleanup(proxy.close)
        gateway = self.start(DATABASE_URL=cluster.url(host="127.0.0.1", port=proxy.port), POOL_SIZE=1)
        proxy.cut_next()
        self.assertProblem(gateway.get("/const"), 503, "REST503")
        self.assertEqual(proxy.connections, 1)

    def test_an_extension_created_anew_is_used_without_a_restart(self):
        for prepared in ("on", "off"):
            gateway = self.start(POOL_SIZE=1, PREPARED_STATEMENTS=prepared)
            before = gateway.get("/pid").body
            cluster.sql("DROP SCHEMA restful CASCADE")
            try:
                self.assertEqual(gateway.get("/const").status, 500)
            finally:
                cluster.sql(STUB)
            self.assertEqual(gateway.get("/const").body, b'{"id":1}')
            self.assertEqual(gateway.get("/pid").body, before)

    def test_sessions_have_a_name_and_one_statement(self):
        self.assertEqual(self.gateway.get("/setting/application_name").body, b"pg_restful_gateway")


class Away(GatewayTest):
    def setUp(self):
        if not cluster.private:
            self.skipTest("the cluster is not ours to stop")

    def test_a_database_that_stops_and_starts_again(self):
        gateway = self.start(POOL_SIZE=3)
        requests = [Background(gateway, "GET", "/sleep/0.2") for _ in range(3)]
        self.assertEqual({request.wait().status for request in requests}, {200})
        self.assertEqual(gateway.get("/ready").status, 200)

        cluster.stop()
        try:
            for method in ("GET", "POST", "GET"):
                self.assertProblem(gateway.request(method, "/const"), 503, "REST503")
            self.assertProblem(gateway.get("/ready"), 503, "REST503")
            self.assertEqual(gateway.get("/live").status, 200)
        finally:
            cluster.start()

        for method in ("POST", "GET"):
            self.assertEqual(gateway.request(method, "/const").status, 200)
        self.assertEqual(gateway.get("/ready").status, 200)

    def test_a_request_that_runs_when_the_database_stops_is_503(self):
        gateway = self.start()
        request = Background(gateway, "POST", "/sleep/62")
        wait_until(lambda: running(self.marker()) == 1)
        cluster.stop()
        try:
            self.assertProblem(request.wait(), 503, "57P01")
        finally:
            cluster.start()

    def test_the_gateway_may_start_first(self):
        cluster.stop()
        try:
            gateway = self.start()
            self.assertProblem(gateway.get("/const"), 503, "REST503")
        finally:
            cluster.start()
        self.assertEqual(gateway.get("/const").status, 200)


class Health(GatewayTest):
    def test_live_and_ready(self):
        self.assertEqual(self.gateway.get("/live").json, {"status": "live"})
        self.assertEqual(self.gateway.get("/ready?x").json, {"status": "ready"})

    def test_only_these_two_paths_are_the_gateways(self):
        for target in ["/live/", "/ready/1", "/lively", "/Live"]:
            self.assertEqual(self.gateway.get(target).json["target"], target)
        answer = self.gateway.request("POST", "/live")
        self.assertProblem(answer, 405, "REST405")
        self.assertEqual(answer.header("allow"), "GET, HEAD")

    def test_not_ready_without_the_function(self):
        gateway = self.start()
        self.assertEqual(gateway.get("/ready").status, 200)
        cluster.sql("ALTER SCHEMA restful RENAME TO away")
        try:
            # A gateway notices this on a connection that it already has, and on a new one.
            self.assertProblem(gateway.get("/ready"), 503, "REST503")
            self.assertProblem(self.gateway.get("/ready"), 503, "REST503")
            self.assertProblem(self.start().get("/ready"), 503, "REST503")
        finally:
            cluster.sql("ALTER SCHEMA away RENAME TO restful")
        self.assertEqual(gateway.get("/ready").status, 200)

    def test_not_ready_without_the_privilege(self):
        role = f"gateway_test_{os.getpid()}"
        cluster.sql(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA restful TO {role};"
                    "REVOKE EXECUTE ON FUNCTION restful.serve FROM public")
        try:
            gateway = self.start(DATABASE_URL=cluster.url(user=role))
            self.assertProblem(gateway.get("/ready"), 503, "REST503")
            cluster.sql(f"GRANT EXECUTE ON FUNCTION restful.serve TO {role}")
            self.assertEqual(gateway.get("/ready").status, 200)
        finally:
            cluster.sql(f"GRANT EXECUTE ON FUNCTION restful.serve TO public; DROP OWNED BY {role}; DROP ROLE {role}")

    def test_not_ready_when_the_database_does_not_answer(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        gateway = self.start(DATABASE_URL=cluster.url(host="127.0.0.1", port=silent.getsockname()[1]))
        self.assertProblem(gateway.get("/ready"), 503, "REST503")
        self.assertEqual(gateway.get("/live").status, 200)


class Shutdown(GatewayTest):
    def refused(self, gateway):
        try:
            gateway.connect().close()
        except ConnectionError:
            # The connection is reset if the gateway closes its socket before it accepts the connection.
            return True
        return False

    def test_running_requests_are_finished_and_new_ones_refused(self):
        gateway = self.start()
        request = Background(gateway, "GET", "/sleep/1")
        idle = gateway.connect()
        self.addCleanup(idle.close)
        idle.sendall(b"GET /const HTTP/1.1\r\nhost: x\r\n\r\n")
        self.assertEqual(read_answer(idle).status, 200)
        wait_until(lambda: running(self.marker()) == 1)

        gateway.terminate()
        wait_until(lambda: self.refused(gateway))
        self.assertIsNone(request.answer)
        self.assertEqual(idle.recv(1), b"")
        answer = request.wait()
        self.assertEqual((answer.status, answer.body), (200, b'"slept"'))
        self.assertEqual(gateway.wait(), 0)
        self.assertTrue(any('"path":"/sleep/1"' in line for line in gateway.access))

    def test_what_takes_too_long_is_cut_off_and_cancelled(self):
        gateway = self.start(SHUTDOWN_TIMEOUT="300ms")
        request = Background(gateway, "POST", "/sleep/63")
        wait_until(lambda: running(self.marker()) == 1)
        gateway.terminate()
        self.assertEqual(gateway.wait(), 0)
        self.assertIsInstance(request.wait(), Exception)
        wait_until(lambda: running(self.marker()) == 0)


class Logs(GatewayTest):
    def test_one_line_per_request_without_secrets(self):
        gateway = self.start()
        secrets = {"Authorization": "Bearer s3cr3t", "Cookie": "session=s3cr3t", "apikey": "s3cr3t"}
        for target in ["/const?key=s3cr3t", "/raise/XX000?key=s3cr3t", "/null?s3cr3t", "/status/204?s3cr3t"]:
            gateway.request("POST", target, b"s3cr3t", {**secrets, "X-Request-Id": "id\"1"})
        gateway.terminate()
        self.assertEqual(gateway.wait(), 0)
        lines = [json.loads(line) for line in gateway.access]
        self.assertEqual(
            [(line["method"], line["path"], line["status"], line["bytes"], line["request_id"]) for line in lines],
            [("POST", "/const", 200, 8, "id\"1"), ("POST", "/raise/XX000", 500, lines[1]["bytes"], "id\"1"),
             ("POST", "/null", 502, lines[2]["bytes"], "id\"1"), ("POST", "/status/204", 204, 0, "id\"1")])
        for line in lines:
            self.assertEqual(set(line), {"time", "request_id", "method", "path", "status", "bytes", "duration_ms"})
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertGreater(line["duration_ms"], 0)
        self.assertNotIn("s3cr3t", "".join(gateway.access + gateway.events))

    def test_off(self):
        gateway = self.start(LOG="off")
        gateway.get("/const")
        gateway.terminate()
        gateway.wait()
        self.assertEqual(gateway.access, [])

    def test_a_log_nobody_reads_does_not_stop_requests(self):
        read, write = os.pipe()
        process = subprocess.Popen(
            [gateway_binary()], stdout=write, stderr=subprocess.PIPE, text=True,
            env=gateway_environment(LISTEN="127.0.0.1:0", DATABASE_URL=cluster.url()))
        os.close(write)
        try:
            port = int(json.loads(process.stderr.readline())["message"].rsplit(":", 1)[1])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            path = "/" + "a" * 4000
            for _ in range(300):
                self.assertEqual(send(connection, "GET", path).status, 200)
            connection.close()
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            os.close(read)


class Settings(unittest.TestCase):
    def run_gateway(self, *arguments, **settings):
        return subprocess.run([gateway_binary(), *arguments], env=gateway_environment(**settings), text=True, timeout=10,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_help_and_version(self):
        done = self.run_gateway("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("DATABASE_URL", done.stdout)
        done = self.run_gateway("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^pg-restful-gateway \d+\.\d+\.\d+\n$")

    def test_what_cannot_be_used_ends_with_2_and_says_what(self):
        for name, value in [("POOL_SIZE", "0"), ("LISTEN", "here"), ("LOG", "loud"), ("REQUEST_TIMEOUT", "soon"),
                            ("CORS_ALLOWED_ORIGINS", "app.example"), ("CORS_MAX_AGE", "long"), ("CORS_EXPOSED_HEADERS", "a b"),
                            ("DATABASE_URL", ""), ("DATABASE_URL", "postgres://a:hunter2@b/c?sslmode=verify-full"),
                            ("DATABASE_URL", "postgres://a:hunter2@b/c?sslrootcert=/no/such/file"),
                            ("DATABASE_URL", "postgres://a:hunter2@b/c?sslmode=hunter2")]:
            done = self.run_gateway(**{"DATABASE_URL": cluster.url(), name: value})
            self.assertEqual(done.returncode, 2, (name, value))
            self.assertTrue(done.stderr.startswith(f"pg-restful-gateway: {name}: "), done.stderr)
            self.assertNotIn("hunter2", done.stderr)
        self.assertEqual(self.run_gateway("--verbose", DATABASE_URL=cluster.url()).returncode, 2)

    def test_an_address_in_use_ends_with_1(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = self.run_gateway(DATABASE_URL=cluster.url(), LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot listen", done.stderr)


@unittest.skipUnless(shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin"), "needs pgbouncer")
class PgBouncer(GatewayTest):
    def test_transaction_mode_without_prepared_statements(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="gateway_test_", dir="/tmp"))
        self.addCleanup(shutil.rmtree, directory)
        port = free_port()
        (directory / "users").write_text(f'"{cluster.user}" ""\n')
        (directory / "ini").write_text(
            f"[databases]\n{cluster.database} = host={cluster.host} port={cluster.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
            f"auth_file = {directory}/users\npool_mode = transaction\ndefault_pool_size = 2\n")
        directory.chmod(0o755)
        program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
        process = subprocess.Popen(unprivileged([program, "-q", str(directory / "ini")]), stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        gateway = self.start(DATABASE_URL=cluster.url(host="127.0.0.1", port=port), POOL_SIZE=8, PREPARED_STATEMENTS="off")
        wait_until(lambda: gateway.get("/ready").status == 200)
        requests = [Background(gateway, "GET", "/sleep/0.05") for _ in range(40)]
        self.assertEqual({request.wait().status for request in requests}, {200})
        self.assertEqual(gateway.request("POST", "/bytes", b"hi").body, b"hi")


if __name__ == "__main__":
    unittest.main()
