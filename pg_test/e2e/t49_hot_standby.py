"""On a hot standby, requests that read are answered, and requests that write are refused."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from _session import Session

BIN = pathlib.Path(os.environ["PG_BINDIR"])


def as_server_user(*command: object) -> None:
    """PostgreSQL refuses to run as root."""
    before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*before, *map(str, command)], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120)
    if done.returncode:
        raise AssertionError(f"{command[0]} failed: {done.stdout}")


class HotStandby(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="pgr-standby-", dir="/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        if os.geteuid() == 0:
            shutil.chown(cls.home, "postgres")
        data = cls.home / "data"
        as_server_user(BIN / "pg_basebackup", "-h", os.environ["PGHOST"], "-p", os.environ["PGPORT"], "-U", "postgres",
                       "-D", data, "-R", "-c", "fast", "-X", "stream")
        # The server logs to a file, because it outlives pg_ctl and would keep a pipe open.
        as_server_user(BIN / "pg_ctl", "start", "-s", "-w", "-D", data, "-l", cls.home / "log",
                       "-o", f"-c port=5433 -c unix_socket_directories={cls.home} -c hot_standby=on")
        cls.addClassCleanup(as_server_user, BIN / "pg_ctl", "stop", "-s", "-m", "immediate", "-D", data)

    def setUp(self):
        self.anon = Session("authenticator", PGHOST=str(self.home), PGPORT="5433")
        self.addCleanup(self.anon.close)
        self.assertEqual(self.anon.ask("select pg_is_in_recovery()"), "t")

    def test_reads_are_answered(self):
        # Read often enough that the session uses every way to run a read.
        for _ in range(12):
            self.assertEqual(self.anon.get("/countries?select=code&order=code&limit=2"), '200 [{"code": "co"}, {"code": "gb"}]')
        self.assertEqual(self.anon.get("/countries/pl?select=code,authors(name)"),
                         '200 {"code": "pl", "authors": [{"name": "Stanisław Lem"}]}')
        counted = "select headers->>'content-range' from restful.get('/countries?limit=1', '{\"prefer\": \"count=exact\"}')"
        self.assertEqual(self.anon.ask(counted), "0-0/4")
        self.assertTrue(self.anon.get("/countries?nothing=eq.1").startswith("400 "))

    def test_batches_of_reads_are_answered(self):
        batch = """select status, jsonb_path_query_array(body, '$[*].body') from restful.batch('[
            {"method": "GET", "target": "/countries?select=code&order=code&limit=1"},
            {"method": "GET", "target": "/countries?select=name", "key": [{"$ref": "0/body/0/code"}]}]')"""
        self.assertEqual(self.anon.ask(batch), '200|[[{"code": "co"}], {"name": "Colombia"}]')

    def test_tokens_are_verified(self):
        admin = Session("postgres")
        self.addCleanup(admin.close)
        self.addCleanup(admin.ask, "delete from restful.token_issuer")
        admin.ask("select restful.create_signing_key(kid => 'standby')")
        token = admin.ask("""select restful.jwt_sign('{"role": "anon", "sub": "me"}')""")
        admin.ask("create or replace function library.me() returns text language sql stable as 'select restful.user_id()'")
        lag = f"select pg_last_wal_replay_lsn() >= '{admin.ask('select pg_current_wal_insert_lsn()')}'"
        ask = f"""select status || ' ' || (body #>> '{{}}') from restful.get('/rpc/me', '{{"authorization": "Bearer {token}"}}')"""
        self.anon.wait_until(lag)
        for _ in range(3):
            self.assertEqual(self.anon.ask(ask), "200 me")
        admin.ask("select restful.revoke_key('standby')")
        self.anon.wait_until(f"select pg_last_wal_replay_lsn() >= '{admin.ask('select pg_current_wal_insert_lsn()')}'")
        self.assertTrue(self.anon.ask(ask).startswith(("401 ", "500 ")))

    def test_api_keys_are_known(self):
        admin = Session("postgres")
        self.addCleanup(admin.close)
        # A commit is flushed, so that there is a position in the WAL to wait for.
        admin.ask("set synchronous_commit = on")
        self.addCleanup(admin.ask, "delete from restful.api_key; drop function if exists library.subject()")
        admin.ask("create function library.subject() returns text language sql volatile as 'select restful.user_id()'")
        id, key = admin.ask("select id || ' ' || key from restful.create_api_key('me', 'anon')").split()
        self.anon.wait_until(f"select pg_last_wal_replay_lsn() >= '{admin.ask('select pg_current_wal_flush_lsn()')}'")
        ask = lambda call: self.anon.ask(f"select status || ' ' || (body #>> '{{}}') from {call}")
        get = f"""restful.get('/rpc/subject', '{{"apikey": "{key}"}}')"""
        for _ in range(3):
            self.assertEqual(ask(get), "200 me")
        # The standby cannot note that the key was used. That is no error.
        self.assertEqual(ask(f"""restful.post('/rpc/subject', '{{}}', '{{"apikey": "{key}"}}')"""), "200 me")
        admin.ask(f"select restful.revoke_api_key('{id}')")
        self.anon.wait_until(f"select pg_last_wal_replay_lsn() >= '{admin.ask('select pg_current_wal_flush_lsn()')}'")
        self.assertTrue(ask(get).startswith("401 "))

    def test_oauth_endpoints_read_and_give_no_tokens(self):
        admin = Session("postgres")
        self.addCleanup(admin.close)
        admin.ask("set synchronous_commit = on")
        self.addCleanup(admin.ask, "delete from restful.token_issuer; delete from restful.oauth_client; alter role authenticator reset restful.oauth_issuer")
        admin.ask("alter role authenticator set restful.oauth_issuer = 'https://id.example'; select restful.create_signing_key(kid => 'standby')")
        client = admin.ask("select concat_ws(':', client_id, client_secret) from restful.register_client('robot', grant_types => '{client_credentials}', role => 'anon')")
        ask = """select status || ' ' || convert_from(body, 'utf8') from restful.serve('POST', '{}', jsonb_build_object('authorization',
            'Basic ' || translate(encode('{}', 'base64'), e'\\n', ''), 'content-type', 'application/x-www-form-urlencoded'), '{}')"""
        with Session("postgres") as primary:
            primary.ask("set restful.oauth_issuer = 'https://id.example'")
            answer = json.loads(primary.ask(ask.format("/oauth/token", client, "grant_type=client_credentials")).removeprefix("200 "))
        self.anon.wait_until(f"select pg_last_wal_replay_lsn() >= '{admin.ask('select pg_current_wal_flush_lsn()')}'")
        with Session("authenticator", PGHOST=str(self.home), PGPORT="5433") as standby:
            self.assertTrue(standby.get("/.well-known/oauth-authorization-server").startswith("200 "))
            self.assertIn('"kid": "standby"', standby.get("/.well-known/jwks.json"))
            self.assertTrue(standby.ask(ask.format("/oauth/token", client, "grant_type=client_credentials")).startswith('503 {"error":"temporarily_unavailable"'))
            self.assertTrue(standby.ask(ask.format("/oauth/introspect", client, f"token={answer['access_token']}")).startswith('200 {"active":true'))

    def test_writes_are_refused(self):
        for statement in (
            "restful.post('/countries', '{\"code\": \"at\", \"name\": \"Austria\"}')",
            "restful.patch('/countries/pl', '{\"name\": \"x\"}')",
            "restful.delete('/countries/pl')",
            "restful.batch('[{\"method\": \"DELETE\", \"target\": \"/countries/pl\"}]')",
        ):
            with self.subTest(statement):
                answer = self.anon.ask(f"select status || ' ' || (body->>'code') from {statement}")
                self.assertIn(answer, ("405 25006", "401 42501"))
        librarian = Session("librarian", PGHOST=str(self.home), PGPORT="5433")
        self.addCleanup(librarian.close)
        answer = librarian.ask("select status || ' ' || (body->>'code') from restful.delete('/loans?id=eq.1')")
        self.assertEqual(answer, "405 25006")
        self.assertEqual(librarian.get("/countries/pl?select=code"), '200 {"code": "pl"}')

    def test_written_when_promoted(self):
        """By its name, this test runs last. After it there is no standby any more."""
        librarian = Session("librarian", PGHOST=str(self.home), PGPORT="5433")
        self.addCleanup(librarian.close)
        write = "select status || ' ' || coalesce(body->>'code', '') from restful.post('/subjects', '{\"id\": 9, \"name\": \"Nine\"}')"
        self.assertEqual(librarian.ask(write), "405 25006")
        as_server_user(BIN / "pg_ctl", "promote", "-s", "-w", "-D", self.home / "data")
        self.assertEqual(librarian.ask(write), "201")
        self.assertEqual(librarian.get("/subjects/9?select=name"), '200 {"name": "Nine"}')
