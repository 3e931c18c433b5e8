"""T28: when an API key is revoked, rotated or changed, every session knows it from its next statement on. T30: a key that comes as a
parameter never appears in the log, in pg_stat_activity or in an answer, even if there is an error. T45: a dump has the hashes of keys
only if asked."""

import os
import pathlib
import subprocess
import unittest

import _loud
from _session import Session

BIN = pathlib.Path(os.environ["PG_BINDIR"])
SETUP = _loud.FUNCTIONS + """
    create role key_web; create role key_layer login noinherit; grant key_web, anon to key_layer;
    alter role key_layer set restful.anon_role = 'anon'; alter role key_layer set restful.schemas = 'library';
"""


class ApiKeys(unittest.TestCase):
    def setUp(self):
        self.admin = self.session("postgres")
        self.admin.ask(SETUP)
        self.addCleanup(self.admin.ask, "rollback; drop owned by key_layer, key_web; drop role key_layer, key_web; "
                        + _loud.DROP_FUNCTIONS + "delete from restful.api_key")
        self.layer = self.session("key_layer")

    def session(self, user, **environment):
        session = Session(user, **environment)
        self.addCleanup(session.close)
        return session

    def create(self, subject):
        return self.admin.ask(f"select id || ' ' || key from restful.create_api_key('{subject}', 'key_web')").split()

    def ask(self, key, session=None):
        return (session or self.layer).ask(
            f"""select status || ' ' || (body #>> '{{}}') from restful.get('/rpc/me', '{{"apikey": "{key}"}}')""")

    def assert_refused(self, key, message):
        answer = self.ask(key)
        self.assertTrue(answer.startswith("401 ") and message in answer, answer)

    def test_t28_changes_reach_warm_sessions(self):
        (id, key), (other_id, other) = self.create("me"), self.create("you")
        for _ in range(3):
            self.assertEqual((self.ask(key), self.ask(other)), ("200 me", "200 you"))
        # A revocation counts only once it is committed, and then also within a transaction that began before.
        self.layer.ask("begin isolation level repeatable read; select count(*) from library.books")
        self.admin.ask(f"begin; select restful.revoke_api_key('{id}')")
        self.assertEqual(self.ask(key), "200 me")
        self.admin.ask("rollback")
        self.assertEqual(self.ask(key), "200 me")
        self.admin.ask(f"select restful.revoke_api_key('{id}')")
        self.assert_refused(key, "The API key was revoked")
        self.assertEqual(self.ask(other), "200 you")
        self.layer.ask("commit")
        self.assert_refused(key, "The API key was revoked")
        rotated = self.admin.ask(f"select key from restful.rotate_api_key('{other_id}', '0')")
        self.assert_refused(other, "The API key has expired")
        self.assertEqual(self.ask(rotated), "200 you")
        # Changes by hand count, too.
        self.admin.ask("update restful.api_key set subject = 'somebody', scopes = '{x}'")
        self.assertEqual(self.ask(rotated), "200 somebody")
        self.admin.ask("truncate restful.api_key cascade")
        self.assert_refused(rotated, "The API key is unknown")

    def test_t28_a_key_expires_within_a_warm_transaction(self):
        id, key = self.create("me")
        self.admin.ask(f"update restful.api_key set expires_at = clock_timestamp() + interval '2 seconds' where id = '{id}'")
        self.layer.ask("begin")
        self.assertEqual(self.ask(key), "200 me")
        self.layer.ask("select pg_sleep(2.1)")
        self.assert_refused(key, "The API key has expired")
        self.layer.ask("commit")

    def test_t30_keys_that_are_parameters_are_seen_nowhere(self):
        _, good = self.create("me")
        revoked_id, revoked = self.create("you")
        self.admin.ask(f"select restful.revoke_api_key('{revoked_id}')")
        unknown = self.admin.ask("select key from restful.generate_api_key('live')")
        keys = {"good": good, "revoked": revoked, "unknown": unknown, "cut": good[:-1]}
        _loud.make_loud(self.admin, "key_layer")
        asked = 0
        with _loud.logged(self.admin) as log:
            self.assertNotIn("ERROR", _loud.run("key_layer", _loud.seen("apikey"), value=good))
            for name, key in keys.items():
                for field, value in ("apikey", key), ("authorization", f"Bearer {key}"):
                    for statement in (
                        "select status from restful.get('/rpc/me', jsonb_build_object('{field}', :value::text))",
                        "select body from restful.post('/rpc/fail', '{{}}', jsonb_build_object('{field}', :value::text))",
                        "select body from restful.get('/nothing?x=eq.1', jsonb_build_object('{field}', :value::text))",
                        # Here the statement itself fails.
                        "select 1 / (status - status) from restful.get('/rpc/me', jsonb_build_object('{field}', :value::text))",
                    ):
                        asked += 1
                        self.assertNotIn(key[16:-1], _loud.run("key_layer", statement.format(field=field), value=value), name)
        # Make sure that this was the right log, and that it shows the requests.
        self.assertGreaterEqual(log[0].count("jsonb_build_object("), asked)
        self.assertIn("division by zero", log[0])
        for name, key in keys.items():
            self.assertNotIn(key[16:-1], log[0], name)

    def test_t30_answers_hold_nothing_of_keys(self):
        _, key = self.create("me")
        changed = key[:-7] + "".join("a" if c != "a" else "b" for c in key[-7:])
        for text in changed, key[:-1], key.upper(), key + "x":
            answer = self.layer.ask(f"""select body::text || headers::text from restful.get('/rpc/me', '{{"apikey": "{text}"}}')""")
            self.assertIn("REST411", answer)
            self.assertNotIn(text[8:20], answer)
        answer = self.admin.ask(f"select restful.rotate_api_key('{key}')")
        self.assertTrue(answer.startswith("ERROR") and key not in answer, answer)
        self.assertNotIn(key[16:], self.admin.ask("select string_agg(l::text, ' ') from restful.list_api_keys() l"))

    def test_t45_a_dump_has_hashes_only_when_asked(self):
        _, key = self.create("me")
        mark = self.admin.ask("select encode(hash, 'hex') from restful.api_key")

        def dump(**environment):
            return subprocess.run([str(BIN / "pg_dump"), "-U", "postgres", os.environ["PGDATABASE"]], check=True,
                                  stdout=subprocess.PIPE, text=True, env=os.environ | environment).stdout
        plain, asked = dump(), dump(PGOPTIONS="-c restful.dump_secrets=on")
        self.assertEqual((mark in plain, mark in asked), (False, True))
        self.assertNotIn(key[16:], asked)
        name = f"{os.environ['PGDATABASE']}_restored"
        for text, answer in (plain, "401 "), (asked, "200 me"):
            with self.subTest(answer=answer):
                self.admin.ask(f"create database {name}")
                subprocess.run([str(BIN / "psql"), "-X", "-q", "-U", "postgres", "-d", name, "-v", "ON_ERROR_STOP=1", "-o", "/dev/null"],
                               input=text, check=True, text=True)
                restored = self.session("key_layer", PGDATABASE=name)
                self.assertTrue(self.ask(key, restored).startswith(answer))
                restored.close()
                self.admin.ask(f"drop database {name} with (force)")


if __name__ == "__main__":
    unittest.main()
