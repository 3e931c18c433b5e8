"""T28: when a key is loaded, rotated or revoked, every session knows it from its next statement on, even if it has verified the token
before or is within a transaction. T30: error messages contain nothing of keys and tokens. T45: a dump has the public keys, and the
secret ones only if asked."""

import json
import os
import pathlib
import subprocess
import unittest

from _session import Session

BIN = pathlib.Path(os.environ["PG_BINDIR"])
SETUP = """
    create role token_web; create role token_layer login noinherit; grant token_web, anon to token_layer;
    alter role token_layer set restful.anon_role = 'anon'; alter role token_layer set restful.schemas = 'library';
    create function library.me() returns text language sql stable as $$ select restful.user_id() $$;
    select restful.create_signing_key(kid => 'one');
"""


class Keys(unittest.TestCase):
    def setUp(self):
        self.admin = self.session("postgres")
        self.admin.ask(SETUP)
        self.addCleanup(self.admin.ask, "rollback; drop owned by token_layer, token_web; drop role token_layer, token_web; "
                        "drop function library.me(); delete from restful.token_issuer")
        self.layer = self.session("token_layer")

    def session(self, user, **environment):
        session = Session(user, **environment)
        self.addCleanup(session.close)
        return session

    def token(self, **arguments):
        kid = arguments.pop("kid", "one")
        return self.admin.ask(f"select restful.jwt_sign('{json.dumps(arguments)}', kid => '{kid}')")

    def ask(self, token, session=None):
        return (session or self.layer).ask(
            f"""select status || ' ' || (body #>> '{{}}') from restful.get('/rpc/me', '{{"authorization": "Bearer {token}"}}')""")

    def assert_refused(self, answer):
        self.assertTrue(answer.startswith("401 "), answer)

    def test_t28_changes_of_keys_reach_warm_sessions(self):
        token = self.token(role="token_web", sub="me")
        for _ in range(3):
            self.assertEqual(self.ask(token), "200 me")
        # a new key beside the old one
        self.admin.ask("select restful.create_signing_key('EdDSA', kid => 'two')")
        newer = self.token(kid="two", role="token_web", sub="new")
        self.assertEqual((self.ask(newer), self.ask(token)), ("200 new", "200 me"))
        # A revocation counts only once it is committed, and then also within an open transaction of the layer.
        self.layer.ask("begin isolation level repeatable read; select count(*) from library.books")
        self.assertEqual(self.ask(token), "200 me")
        self.admin.ask("begin; select restful.revoke_key('one')")
        self.assertEqual(self.ask(token), "200 me")
        self.admin.ask("rollback")
        self.assertEqual(self.ask(token), "200 me")
        self.admin.ask("select restful.revoke_key('one')")
        self.assert_refused(self.ask(token))
        self.layer.ask("commit")
        self.assert_refused(self.ask(token))
        self.assertEqual(self.ask(newer), "200 new")
        # Changes by hand count, too.
        self.admin.ask("update restful.token_issuer set audiences = '{us}'")
        self.assert_refused(self.ask(newer))
        self.admin.ask("truncate restful.public_key")
        self.assertIn("Server lacks JWT secret", self.ask(newer))

    def test_t30_errors_hold_nothing_of_keys_and_tokens(self):
        token = self.token(role="token_web", sub="me")
        for text in token[:-8] + "t30t30t3", token + "x", token.replace(".", "..", 1), "t30.t30":
            answer = self.layer.ask(
                f"""select body::text || headers::text from restful.get('/rpc/me', '{{"authorization": "Bearer {text}"}}')""")
            self.assertIn("PGRST301", answer)
            for part in text.split("."):
                self.assertFalse(part and part in answer, answer)
        for statement in (
            "select restful.load_secret('t30 is short')",
            "select restful.load_secret('t30 is long enough for a secret', algorithm => 'HS512')",
            """select restful.load_jwks('', '{"keys": [{"kty": "oct", "k": "t30"}]}')""",
            """select restful.load_jwks('', '{"keys": [{"kty": "EC", "crv": "P-256", "x": "t30", "y": "t30", "d": "t30"}]}')""",
            "select restful.jwt_verify('t30.t30.t30')",
        ):
            answer = self.admin.ask(statement)
            self.assertTrue(answer.startswith("ERROR"), answer)
            self.assertNotIn("t30", answer)
        # Settings contain nothing of the secret either.
        self.admin.ask("select restful.load_secret('t30 is a secret of many many bytes')")
        self.assertEqual(self.admin.ask("select count(*) from pg_settings where setting like '%t30 is%'"), "0")

    def test_t45_a_dump_has_secret_keys_only_when_asked(self):
        self.admin.ask("select restful.load_secret('a secret of thirty-two bytes: t45', 'legacy')")
        marks = {
            name: self.admin.ask(f"select encode(secret, 'hex') from restful.secret_key where kid = '{name}'")
            for name in ("one", "legacy")
        }
        def dump(**environment):
            return subprocess.run([str(BIN / "pg_dump"), "-U", "postgres", os.environ["PGDATABASE"]], check=True,
                                  stdout=subprocess.PIPE, text=True, env=os.environ | environment).stdout
        plain, asked = dump(), dump(PGOPTIONS="-c restful.dump_secrets=on")
        public = json.loads(self.admin.ask("select restful.jwks()"))["keys"][0]["x"]
        self.assertIn(public, plain)
        for mark in marks.values():
            self.assertEqual((mark in plain, mark in asked), (False, True))
        name = f"{os.environ['PGDATABASE']}_restored"
        token = self.token(role="token_web", sub="me")
        for text, signs in (plain, False), (asked, True):
            with self.subTest(signs=signs):
                self.admin.ask(f"create database {name}")
                subprocess.run([str(BIN / "psql"), "-X", "-q", "-U", "postgres", "-d", name, "-v", "ON_ERROR_STOP=1", "-o", "/dev/null"],
                               input=text, check=True, text=True)
                restored = self.session("postgres", PGDATABASE=name)
                # The public key is enough to verify what was signed before. Signing needs the private key.
                self.assertIn('"sub": "me"', restored.ask(f"select restful.jwt_verify('{token}')"))
                self.assertEqual(restored.ask("select restful.jwt_sign('{}') is not null").startswith("ERROR"), not signs)
                restored.close()
                self.admin.ask(f"drop database {name} with (force)")


if __name__ == "__main__":
    unittest.main()
