"""The server's log has a line of JSON for each request that the settings want, with who asked and what came of it, and without secrets."""

import json
import os
import pathlib
import unittest

import harness
from _session import Session

SETUP = """
create extension pg_restful;
create role layer login noinherit;
create role anon; create role member;
grant anon, member to layer;
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.schemas = 'shop';
create schema shop;
grant usage on schema shop to anon, member;
create table shop.orders (id int primary key, note text);
insert into shop.orders values (1, 'one');
grant select, insert on shop.orders to anon, member;
create function shop.fail() returns int language plpgsql as $$ begin raise 'no'; end $$;
create function shop.slow() returns int language sql as 'select 1 from pg_sleep(0.05)';
select restful.create_signing_key('EdDSA', 'main');
"""


class RequestLog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["PGHOST"] = "/"
        cls.cluster = harness.Cluster()
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.sql(SETUP)
        cls.token = cls.cluster.sql("""select restful.jwt_sign('{"sub": "ann", "role": "member"}', '1 hour')""")
        cls.key = cls.cluster.sql("select key from restful.create_api_key('robot', 'member')")
        cls.log = pathlib.Path(cls.cluster.directory, "log")

    def logged(self, settings, *requests):
        """The lines of these requests, each a query, in a session of the layer with these settings."""
        before = self.log.stat().st_size
        session = Session.of(self.cluster, "layer", "shop")
        self.addCleanup(session.abandon)
        for name, value in settings.items():
            self.cluster.sql(f"alter role layer set restful.{name} = '{value}'")
        session = Session.of(self.cluster, "layer", "shop")
        self.addCleanup(session.abandon)
        for request in requests:
            session.ask(request)
        for name in settings:
            self.cluster.sql(f"alter role layer reset restful.{name}")
        text = self.log.read_bytes()[before:].decode()
        return text, [json.loads(line.split("request: ", 1)[1]) for line in text.splitlines() if "request: {" in line]

    def test_who_asks_and_what_came_of_it(self):
        _, lines = self.logged(
            {"log_requests": "all"},
            "select restful.get('/orders?id=eq.1')",
            f"""select restful.get('/orders/1', '{{"authorization": "Bearer {self.token}", "x-request-id": "r 1", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}')""",
            f"""select restful.post('/orders', '{{"id": 1}}', '{{"apikey": "{self.key}"}}')""",
            "select restful.get('/secret-looking-path')",
            """select restful.get('/orders', '{"authorization": "Bearer nonsense"}')""",
            """select restful.batch('[{"method": "GET", "target": "/orders?id=eq.1"}, {"method": "GET", "target": "/orders/1"}]')""",
        )
        shown = [(line["http.request.method"], line.get("http.route"), line["http.response.status_code"], line.get("error.type"),
                  line.get("enduser.id"), line.get("enduser.role"), line.get("auth.method"), line["db.response.returned_rows"]) for line in lines]
        self.assertEqual(shown, [
            ("GET", "/orders", 200, None, None, "anon", "anonymous", 1),
            ("GET", "/orders/{key}", 200, None, "ann", "member", "jwt", 1),
            ("POST", "/orders", 409, "23505", "robot", "member", "api_key", 0),
            ("GET", None, 404, "PGRST205", None, "anon", "anonymous", 0),
            ("GET", "/orders", 401, lines[4]["error.type"], None, None, None, 0),
            ("POST", "/batch", 200, None, None, "anon", "anonymous", 2),
        ])
        self.assertEqual((lines[1]["http.request.header.x-request-id"], lines[1]["trace_id"], lines[1]["span_id"]),
                         ("r 1", "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"))
        self.assertTrue(lines[2]["auth.key_id"])
        self.assertTrue(all(0 < line["http.server.request.duration"] < 60 for line in lines))

    def test_secrets_and_values_stay_out(self):
        requests = (f"""select restful.get('/orders?id=eq.4711', '{{"authorization": "Bearer {self.token}"}}')""",
                    f"""select restful.post('/orders', '{{"id": 2, "note": "4711"}}', '{{"apikey": "{self.key}"}}')""",
                    "select restful.get('/orders?access_token=eq.4711')")
        text, lines = self.logged({"log_requests": "all"}, *requests)
        self.assertEqual(len(lines), 3)
        for secret in "4711", self.token, self.key:
            self.assertNotIn(secret, text)
        text, lines = self.logged({"log_requests": "all", "log_targets": "on"}, *requests)
        self.assertEqual([line.get("url.query") for line in lines], ["id=eq.4711", None, "access_token=REDACTED"])
        self.assertNotIn(self.token, text)

    def test_errors_and_slow_requests_alone(self):
        asked = ["select restful.get('/orders')", "select restful.post('/rpc/fail')", "select restful.get('/nothing')", "select restful.post('/rpc/slow')"]
        self.assertEqual(self.logged({}, *asked)[1], [])
        self.assertEqual([line["http.route"] for line in self.logged({"log_requests": "errors"}, *asked)[1]], ["/rpc/fail"] if self.fails() >= 500 else [])
        slow = self.logged({"log_requests": "errors", "log_slow": "50ms"}, *asked)[1]
        self.assertIn("/rpc/slow", [line["http.route"] for line in slow])
        self.assertEqual(self.logged({"log_requests": "all", "log_sample": "0"}, *asked[:1], *asked[2:3])[1], [])

    def fails(self):
        """The status of an exception of PL/pgSQL."""
        return int(self.cluster.sql("set restful.schemas = 'shop'; select (restful.post('/rpc/fail')).status"))

    def test_a_client_cannot_begin_a_line(self):
        text, lines = self.logged({"log_requests": "all", "log_targets": "on"},
                                  """select restful.get('/orders?a=%0Arequest:%20{"x":1}', '{"x-request-id": "1\\t{"}')""")
        self.assertEqual((len(lines), text.count("request: {")), (1, 1))


if __name__ == "__main__":
    unittest.main()
