"""Tests a database that was created with version 0.1.0. This library answers requests in it before it is upgraded. ALTER EXTENSION UPDATE
makes it the same as a new database, and keeps what users have put into it. Its dump can be restored where only the new version is installed."""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from _every_table import DUMPED, ROWS
from _session import Session

BIN = pathlib.Path(os.environ["PG_BINDIR"])
UPGRADE = pathlib.Path(__file__).resolve().parent.parent / "upgrade"
TEMPLATE = os.environ["PGDATABASE"]
VERSION = "0.1.0"
OLD, NEW, RESTORED = (f"{TEMPLATE}_{name}" for name in ("old", "new", "restored"))
CATALOGUE = (UPGRADE / "catalogue.sql").read_text()
TABLES = "select c.oid::regclass from pg_class c where c.relnamespace = 'restful'::regnamespace and c.relkind = 'r' order by 1"
# What the requests below use, in addition to the tables that every test has.
OBJECTS = """
    create function library.me() returns text language sql stable as 'select restful.user_id()';
    create function library.may(permission text) returns boolean language sql stable as 'select restful.has_permission(permission)';
    create function library.add(a int, b int) returns int language sql immutable as 'select a + b';
    grant insert, update, delete, select on library.countries, library.subjects to anon;
    create table library.prices (id int primary key, doc jsonb);
    grant select, insert on library.prices to anon;
    select restful.constrain('library.prices', 'doc', '{"properties": {"price": {"minimum": 0}}}');
    create table library.notes (id int primary key, user_id text not null, note text);
"""
# One OAuth code is exchanged, so that the table of grants has a row, and one is not. The challenge is from RFC 7636, appendix B.
CHALLENGE, VERIFIER = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
MAKE_CODE = f"""restful.list_clients() c, restful.create_authorization_code(c.client_id, 'ann', c.redirect_uris[1], '{CHALLENGE}',
    code_challenge_method => 'S256') n where not c.confidential"""
EXCHANGE = f"""
    select restful.serve('POST', '/oauth/token', '{{"content-type": "application/x-www-form-urlencoded"}}', convert_to(concat(
        'grant_type=authorization_code&client_id=', c.client_id, '&code=', n.code, '&redirect_uri=', c.redirect_uris[1], '&code_verifier={VERIFIER}'), 'utf8'))
    from {MAKE_CODE}
"""
FORM = '"content-type": "application/x-www-form-urlencoded"'
JSON = '"content-type": "application/json"'
# Method, target, header fields and body of requests that the HTTP layer makes. They are rolled back.
REQUESTS = [
    ("GET", "/books?select=title,authors!books_author_fkey(name)&order=id&limit=2", '"prefer": "count=exact"', None),
    ("HEAD", "/books", "", None),
    ("OPTIONS", "/books", "", None),
    ("GET", "/", "", None),
    ("GET", "/nowhere", "", None),
    ("POST", "/countries?select=*", f'{JSON}, "prefer": "return=representation, count=exact"', '[{"code": "xx", "name": "X"}, {"code": "yy", "name": "Y"}]'),
    ("POST", "/countries", f'{JSON}, "prefer": "resolution=merge-duplicates, return=representation"', '[{"code": "pl", "name": "Polska"}, {"code": "zz", "name": "Z"}]'),
    ("POST", "/countries", f'{JSON}, "prefer": "resolution=merge-duplicates, count=exact"', '{"code": "pl", "name": "Polska"}'),
    ("PUT", "/countries/pl", JSON, '{"code": "pl", "name": "Polska"}'),
    ("PATCH", "/subjects?id=gt.1", f'{JSON}, "prefer": "return=headers-only, count=exact"', '{"name": "Other"}'),
    ("DELETE", "/subjects?id=eq.4", '"prefer": "return=representation, count=exact"', None),
    ("POST", "/rpc/add", JSON, '{"a": 1, "b": 2}'),
    ("GET", "/rpc/add?a=1&b=2", "", None),
    ("POST", "/countries", '"content-type": "text/csv", "prefer": "return=representation", "accept": "text/csv"', "code,name\nxx,X\n"),
    ("POST", "/prices", JSON, '{"id": 1, "doc": {"price": 1}}'),
    ("POST", "/prices", JSON, '{"id": 2, "doc": {"price": -1}}'),
    ("GET", "/rpc/me", '"authorization": "Bearer {token}"', None),
    ("GET", "/rpc/may?permission=films.list", '"authorization": "Bearer {token}"', None),
    ("GET", "/rpc/me", '"authorization": "Bearer {token}x"', None),
    ("GET", "/rpc/me", '"apikey": "{key}"', None),
    ("POST", "/oauth/token", FORM, "grant_type=client_credentials&client_id={client}&client_secret={secret}"),
    ("POST", "/oauth/token", FORM, "grant_type=client_credentials&client_id={client}&client_secret=wrong"),
    ("GET", "/oauth/jwks", "", None),
]
# Statements that administrators and policies run.
STATEMENTS = [
    "select restful.is_valid('{\"$ref\": \"restful:product\"}', '{\"price\": -1}')",
    "select * from restful.validate('{\"type\": \"object\"}', '1')",
    "select * from restful.bound_schemas('library.prices')",
    "select count(*) from restful.validation_report('library.prices')",
    "select restful.schema_of('library.countries')",
    "select * from restful.schema_changes('{\"minimum\": 0}', '{\"minimum\": 1}')",
    "select lint, level, object from restful.lint() where lint <> 'outdated_extension'",
    "select * from restful.policy_owner('library.notes', to_roles => '{anon}')",
    "select * from restful.expose('library.notes', '{anon}', '{select}', public => true)",
    "select * from restful.column_preset('library.notes', 'user_id', 'restful.user_id()')",
    # The old version has no functions for routes and for tests.
    "select * from restful.setup_roles(dry_run => true) s where s !~ 'restful[.].?(route|routes|drop_route|expect|expect_rows|test|test_[a-z]+|stat_[a-z]+|health|deprecated_use|hook|hooks|drop_hook|route_group|drop_route_group|metrics|readiness|liveness|limit|limits|drop_limit|forget_limit|audit|drop_audit|forget_history|dashboard).?[(]'",
    "select restful.explain_access('library.loans', 'SELECT', 'anon', key => '{\"id\": 1}')",
    "select count(*) from restful.access_matrix('{library}')",
    "select restful.has_permission('films.read'), restful.list_roles()",
    "select restful.register_schema('money', '{\"minimum\": 0, \"maximum\": 10}', 'none')",
]
# Rights to functions that 0.1.0 does not have.
ADDED = re.compile(r"GRANT EXECUTE ON FUNCTION restful\.(drop_)?version\(.*\n?")
# What differs in each answer.
CHANGING = re.compile(r'"(access_token|kid|x|y|iat|exp|version)": *("[^"]*"|\d+)')


def program(*command, **options):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode or done.stdout:
        raise AssertionError(f"{command[0]}: exit code {done.returncode}: {done.stdout}")


class AnOldDatabase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        extensions = pathlib.Path(subprocess.check_output([BIN / "pg_config", "--sharedir"], text=True).strip()) / "extension"
        script = extensions / f"pg_restful--{VERSION}.sql"
        shutil.copy(UPGRADE / script.name, script)
        cls.addClassCleanup(script.unlink)
        cls.admin = cls.session("postgres")
        cls.do(cls.admin, "create role m_keeper")
        cls.addClassCleanup(cls.admin.ask, "drop role m_keeper")
        for name in OLD, NEW:
            cls.make_database(name, TEMPLATE)
            cls.do(cls.admin, f"alter role authenticator in database {name} set restful.oauth_issuer = 'https://id.example'")
        cls.old, cls.new = cls.session(OLD), cls.session(NEW)
        cls.do(cls.old, f"drop extension pg_restful cascade; create extension pg_restful version '{VERSION}'")
        for session in cls.old, cls.new:
            cls.do(session, "set restful.oauth_issuer = 'https://id.example'", ROWS, OBJECTS,
                   EXCHANGE, f"select n.code from {MAKE_CODE}")
        # These sessions answer before the upgrade and after it, so they keep their caches across it.
        cls.layers = {name: cls.session(name, "authenticator") for name in (OLD, NEW)}

    @classmethod
    def make_database(cls, name, template="template1"):
        cls.do(cls.admin, f"create database {name} template {template}")
        cls.addClassCleanup(cls.admin.ask, f"drop database if exists {name} with (force)")

    @classmethod
    def session(cls, database, user="postgres"):
        session = Session(user, PGDATABASE=database)
        cls.addClassCleanup(session.close)
        return session

    @staticmethod
    def do(session, *statements):
        for statement in statements:
            answer = session.ask(statement)
            if "ERROR:" in answer:
                raise AssertionError(f"{statement}: {answer}")

    def answers(self, database):
        """The answers to all requests and statements in a database. What they change is rolled back."""
        admin, layer = (self.old if database == OLD else self.new), self.layers[database]
        secrets = json.loads(admin.ask("""
            select json_build_object('token', restful.jwt_sign('{"sub": "ann", "role": "anon"}', kid => 'signs'),
                'key', (restful.create_api_key('cal', 'anon')).key, 'id', c.client_id, 'secret', restful.rotate_client_secret(c.client_id))
            from restful.list_clients() c where c.confidential"""))
        answers = {}
        for method, target, fields, body in REQUESTS:
            fields, body = (None if text is None else text.replace("{token}", secrets["token"]).replace("{key}", secrets["key"])
                            .replace("{client}", secrets["id"]).replace("{secret}", secrets["secret"]) for text in (fields, body))
            told = layer.ask(f"""begin; select concat_ws(' ', r.status, r.headers, convert_from(r.body, 'utf8')) from restful.serve(
                '{method}', $t${target}$t$, $h${{{fields}}}$h$, {'null' if body is None else f'$b${body}$b$'}) r; rollback""")
            answers[method, target, fields.split('"')[0], len(answers)] = CHANGING.sub("", told)
        for statement in STATEMENTS:
            answers[statement] = ADDED.sub("", admin.ask(f"begin; {statement}; rollback").replace(database, "this")).rstrip("\n")
        return answers

    def rows(self, session):
        """The rows of all tables of the extension."""
        return {table: session.ask(f"select t::text from {table} t order by t::text") for table in session.ask(TABLES).splitlines()}

    def catalogue(self, session):
        session.ask(CATALOGUE)
        lines = session.ask("begin; select replace(l, e'\\n', e'\\\\n') from pg_temp.catalogue('pg_restful') l; rollback").splitlines()
        self.assertGreater(len(lines), 10000, lines[:3])
        # Some names contain OIDs, which differ.
        return sorted(re.sub(r"(pg_toast_|RI_ConstraintTrigger_[ac]_)\d+", r"\1", line) for line in lines)

    def assert_same_catalogue(self, session):
        ours, fresh = self.catalogue(session), self.catalogue(self.new)
        missing, surplus = (list((collections.Counter(a) - collections.Counter(b)).elements()) for a, b in ((fresh, ours), (ours, fresh)))
        self.assertEqual((missing[:5], surplus[:5]), ([], []), f"{len(missing)} lines are missing, {len(surplus)} are surplus")

    # The tests run in this order. The first two need the database as it was before the upgrade.
    def test_1_it_answers_as_a_new_one_does(self):
        self.assertEqual(self.old.ask("select extversion from pg_extension where extname = 'pg_restful'"), VERSION)
        self.assertEqual([t for t, rows in self.rows(self.old).items() if not rows or "ERROR:" in rows], [], "every table should have rows here")
        old, new = self.answers(OLD), self.answers(NEW)
        self.assertEqual([a for a in old.values() if a.startswith("5")], [])
        for asked, answer in new.items():
            with self.subTest(asked):
                self.assertEqual(old[asked], answer)
        statuses = sorted({a.split()[0] for asked, a in new.items() if isinstance(asked, tuple)})
        self.assertEqual(statuses, ["200", "201", "204", "206", "401", "404", "422"])
        self.assertEqual([q for q in STATEMENTS if "ERROR:" in new[q] or not new[q]], [])

    def test_2_its_dump_restores_where_only_the_new_version_is(self):
        self.make_database(RESTORED)
        with tempfile.TemporaryDirectory() as folder:
            dump = pathlib.Path(folder) / "dump"
            program(BIN / "pg_dump", "--format=custom", "-U", "postgres", "-f", dump, OLD, env=os.environ | {"PGOPTIONS": "-c restful.dump_secrets=on"})
            program(BIN / "pg_restore", "-U", "postgres", "-d", RESTORED, "--exit-on-error", dump)
        restored = self.session(RESTORED)
        self.assert_same_catalogue(restored)
        for table in self.old.ask(DUMPED).splitlines():
            with self.subTest(table):
                rows = f"select t::text from {table} t order by t::text"
                self.assertEqual(restored.ask(rows), self.old.ask(rows))

    def test_3_it_is_upgraded(self):
        # The upgrade has to keep what users have granted. Default privileges must not apply to functions that it creates.
        self.do(self.old, "grant execute on function restful.create_api_key to m_keeper; grant select on restful.api_key to m_keeper",
                "alter default privileges in schema restful grant execute on functions to m_keeper")
        rows = self.rows(self.old)
        self.do(self.old, "alter extension pg_restful update")
        self.assertEqual(self.old.ask("""select has_function_privilege('m_keeper', oid, 'execute'), has_table_privilege('m_keeper', 'restful.api_key', 'select')
            from pg_proc where oid = 'restful.create_api_key'::regproc"""), "t|t")
        self.do(self.old, "revoke execute on function restful.create_api_key from m_keeper; revoke select on restful.api_key from m_keeper",
                "alter default privileges in schema restful revoke execute on functions from m_keeper")
        kept = self.rows(self.old)
        self.assertEqual({table: kept[table] for table in rows}, rows)
        # The secret of cursors is made with its table.
        made = {"restful.cursor_secret"}
        self.assertTrue(all(not kept[table] for table in kept.keys() - rows.keys() - made))
        self.assert_same_catalogue(self.old)
        self.assertEqual(self.old.ask("select installed_version = default_version from pg_available_extensions where name = 'pg_restful'"), "t")
        self.assertEqual(self.answers(OLD), self.answers(NEW))


if __name__ == "__main__":
    unittest.main()
