"""T30: a token or secret that comes as a parameter never appears in the log, in pg_stat_activity or in an answer, even if there is
an error."""

import json
import secrets
import unittest

import _loud
from _session import Session

SETUP = _loud.FUNCTIONS + """
    create role loud_web; create role loud_layer login noinherit; grant loud_web, anon to loud_layer;
    create role loud_admin login in role pg_read_all_stats;
    grant usage on schema restful to loud_admin;
    grant execute on function restful.load_secret, restful.jwt_verify, restful.jwt_check to loud_admin;
    alter role loud_layer set restful.anon_role = 'anon'; alter role loud_layer set restful.schemas = 'library';
"""


class Tokens(unittest.TestCase):
    def setUp(self):
        self.admin = Session("postgres")
        self.addCleanup(self.admin.close)
        self.admin.ask(SETUP)
        self.addCleanup(self.admin.ask, "rollback; drop owned by loud_layer, loud_web, loud_admin; "
                        "drop role loud_layer, loud_web, loud_admin; "
                        + _loud.DROP_FUNCTIONS + "delete from restful.token_issuer")
        for role in "loud_layer", "loud_admin":
            _loud.make_loud(self.admin, role)

    def sign(self, lifetime="1 hour", **claims):
        return self.admin.ask(f"select restful.jwt_sign('{json.dumps(claims)}', '{lifetime}')")

    def test_t30_tokens_that_are_parameters_are_seen_nowhere(self):
        self.admin.ask("select restful.create_signing_key(kid => 'one')")
        good = self.sign(role="loud_web", sub="me")
        head, claims, signature = good.split(".")
        tokens = {
            "good": good,
            "with a wrong signature": ".".join([head, claims, signature[:10] + "AAAA" + signature[14:]]),
            "cut": good[:-1],
            "of a role that does not exist": self.sign(role="nobody_at_all", sub="me"),
            "expired": self.sign(role="loud_web", sub="me", exp=1),
        }
        asked = 0
        with _loud.logged(self.admin) as log:
            self.assertNotIn("ERROR", _loud.run("loud_layer", _loud.seen("authorization"), value=f"Bearer {good}"))
            for name, token in tokens.items():
                for statement in (
                    "select status from restful.get('/rpc/me', jsonb_build_object('authorization', :value::text))",
                    "select body from restful.post('/rpc/fail', '{}', jsonb_build_object('authorization', :value::text))",
                    "select body from restful.get('/nothing?x=eq.1', jsonb_build_object('authorization', :value::text))",
                    "select 1 / (status - status) from restful.get('/rpc/me', jsonb_build_object('authorization', :value::text))",
                ):
                    asked += 1
                    answer = _loud.run("loud_layer", statement, value=f"Bearer {token}")
                    for part in token.split(".")[1:]:
                        self.assertNotIn(part[:20], answer, name)
                for statement in "select restful.jwt_verify(:value::text)", "select restful.jwt_check(:value::text)":
                    answer = _loud.run("loud_admin", statement, value=token)
                    self.assertNotIn(token.split(".")[2][:20], answer, name)
        self.assertGreaterEqual(log[0].count("jsonb_build_object("), asked)
        self.assertIn("division by zero", log[0])
        self.assertGreaterEqual(log[0].count("restful.jwt_verify("), len(tokens))
        for name, token in tokens.items():
            for part in token.split(".")[1:]:
                self.assertNotIn(part[:20], log[0], name)

    def test_t30_secrets_that_are_parameters_are_seen_nowhere(self):
        long, short = secrets.token_hex(32), secrets.token_hex(8)
        with _loud.logged(self.admin) as log:
            for secret, statement in (
                (long, "select restful.load_secret(:value::text, kid => 'loud')"),
                (long, "select restful.load_secret(:value::text, kid => 'loud')"),
                (short, "select restful.load_secret(:value::text)"),
                (long, "select restful.load_secret(:value::text, algorithm => 'RS256')"),
                ("%" + long, "select restful.load_secret(:value::text, is_base64 => true)"),
                (long, "select 1 / (length(restful.load_secret(:value::text, kid => 'more')) - 4)"),
            ):
                self.assertNotIn(secret[:12], _loud.run("loud_admin", statement, value=secret), statement)
        self.assertGreaterEqual(log[0].count("restful.load_secret("), 6)
        self.assertIn("division by zero", log[0])
        for secret in long, short:
            self.assertNotIn(secret[:12], log[0])
        self.assertEqual(self.admin.ask("select kid from restful.secret_key"), "loud")


if __name__ == "__main__":
    unittest.main()
