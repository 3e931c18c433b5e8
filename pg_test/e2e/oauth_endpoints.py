"""Tests of the OAuth endpoints that golden tests cannot do: concurrent sessions, and dumps."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from _session import Session

BIN = pathlib.Path(os.environ["PG_BINDIR"])
CHALLENGE, VERIFIER = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BACK = "https://app.example/back"


class OAuthEndpoints(unittest.TestCase):
    def setUp(self):
        self.admin, self.one, self.other = (self.session("postgres") for _ in range(3))
        for session in self.admin, self.one, self.other:
            session.ask("set restful.oauth_issuer = 'https://id.example'")
        self.admin.ask("select restful.create_signing_key(kid => 'one')")
        self.addCleanup(self.admin.ask, "delete from restful.token_issuer; delete from restful.oauth_client")
        self.client = self.admin.ask(f"select client_id from restful.register_client('app', '{{{BACK}}}', role => 'anon', confidential => false)")

    def session(self, user: str, **environment: str) -> Session:
        session = Session(user, **environment)
        self.addCleanup(session.close)
        return session

    def request(self, **fields: str) -> str:
        """The SQL of a token request. It returns the refresh token, or the error."""
        fields["client_id"] = self.client
        body = "&".join(f"{name}={value}" for name, value in fields.items())
        return f"""select coalesce(b->>'refresh_token', b->>'error') from restful.serve('POST', '/oauth/token',
            '{{"content-type": "application/x-www-form-urlencoded"}}', '{body}') r, lateral (select convert_from(r.body, 'utf8')::jsonb as b) _"""

    def exchange(self) -> str:
        code = self.admin.ask(f"""select code from restful.create_authorization_code('{self.client}', 'ann', '{BACK}', '{CHALLENGE}',
            code_challenge_method => 'S256')""")
        return self.request(grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=VERIFIER)

    def refresh(self, token: str) -> str:
        return self.request(grant_type="refresh_token", refresh_token=token)

    def race(self, request: str) -> tuple[str, str]:
        """Makes the same request in two sessions, the second before the first has committed. Returns both answers."""
        self.one.ask("begin")
        first = self.one.ask(request)
        self.other.send(request)
        end = time.monotonic() + 30
        while self.admin.ask(f"select count(*) from pg_locks where pid = {self.other.pid} and not granted") == "0":
            self.assertLess(time.monotonic(), end, "the session does not wait for a lock")
        self.one.ask("commit")
        return first, self.other.receive()

    def test_a_code_that_two_exchange_is_a_stolen_one(self):
        first, second = self.race(self.exchange())
        self.assertGreater(len(first), 80)
        self.assertEqual(second, "invalid_grant")
        self.assertEqual(self.admin.ask(self.refresh(first)), "invalid_grant")

    def test_a_refresh_token_that_two_use_is_a_stolen_one(self):
        token = self.admin.ask(self.exchange())
        first, second = self.race(self.refresh(token))
        self.assertGreater(len(first), 80)
        self.assertEqual(second, "invalid_grant")
        self.assertEqual(self.admin.ask(self.refresh(first)), "invalid_grant")

    def test_who_waits_too_long_is_told_to_come_again(self):
        request = self.refresh(self.admin.ask(self.exchange()))
        self.other.ask("begin; select from restful.oauth_grant for update")
        self.admin.ask("alter role authenticator set restful.oauth_issuer = 'https://id.example'")
        self.addCleanup(self.admin.ask, "alter role anon reset all; alter role authenticator reset restful.oauth_issuer")
        for setting in "lock_timeout", "statement_timeout":
            with self.subTest(setting):
                self.admin.ask(f"alter role anon reset all; alter role anon set {setting} = '100ms'")
                with Session("authenticator") as layer:
                    self.assertEqual(layer.ask(request), "temporarily_unavailable")
        self.other.ask("rollback")
        # The refresh token was not used up.
        self.assertGreater(len(self.admin.ask(request)), 80)

    def test_a_dump_has_clients_and_no_secrets_unless_asked(self):
        self.admin.ask("select restful.register_client('robot', grant_types => '{client_credentials}', role => 'anon')")
        self.admin.ask(self.exchange())
        source = os.environ["PGDATABASE"]
        for options, secrets in ("", "0"), ("-c restful.dump_secrets=on", "1"):
            with self.subTest(options), tempfile.TemporaryDirectory() as directory:
                dump, name = pathlib.Path(directory) / "dump", f"{source}_restored"
                for command in [BIN / "pg_dump", "-Fc", "-U", "postgres", "-f", dump, source], \
                        [BIN / "createdb", "-U", "postgres", name], \
                        [BIN / "pg_restore", "-U", "postgres", "-d", name, "--exit-on-error", dump]:
                    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                          env=os.environ | {"PGOPTIONS": options})
                    self.assertEqual((done.returncode, done.stdout), (0, ""))
                with Session("postgres", PGDATABASE=name) as restored:
                    clients = "select json_agg(c order by client_id) from restful.list_clients() c"
                    self.assertEqual(json.loads(restored.ask(clients)), json.loads(self.admin.ask(clients)))
                    self.assertEqual(restored.ask("""select (select count(*) from restful.oauth_client_secret),
                        (select count(*) from restful.oauth_code) + (select count(*) from restful.oauth_grant)"""), f"{secrets}|0")
                self.admin.ask(f"drop database {name} with (force)")


if __name__ == "__main__":
    unittest.main()
