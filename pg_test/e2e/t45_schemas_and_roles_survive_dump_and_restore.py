"""A dump has schemas on tables and roles of the application, and they work where it is restored. A change of the registry reaches other sessions."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from _session import Session

BIN = pathlib.Path(os.environ["PG_BINDIR"])

SCHEMA = """
    create schema shop;
    insert into restful.json_schema values
        ('product', 1, '{"required": ["name"]}', 'none'), ('product', 2, '{"properties": {"price": {"$ref": "restful:money"}}}', 'none'),
        ('money', 1, '{"minimum": 0}', 'none');
    create table shop.made (id int primary key, checked jsonb, text_checked json, by_name jsonb, by_version json, warned jsonb, off jsonb);
    select restful.constrain('shop.made', 'checked', '{"type": "object", "description": "it''s a \\\\ here"}');
    select restful.constrain('shop.made', 'text_checked', '{"type": "array"}');
    select restful.constrain('shop.made', 'by_name', 'product');
    select restful.constrain('shop.made', 'by_version', 'product@1', 'moderate');
    select restful.constrain('shop.made', 'warned', '{"type": "object"}', action => 'warn');
    select restful.constrain('shop.made', 'off', 'product', 'off');
    select restful.constrain('shop.made', null, '{"properties": {"id": {"maximum": 100}, "off": {"properties": {"size": {"$ref": "restful:money"}}}}}');
    create table shop.by_hand (id int primary key, schema restful.jsonschema default '{"type": "object"}',
        a jsonb check (restful.jsonb_matches_schema('{"type": "object"}', a)),
        b json check (restful.json_matches_schema('{"type": "object"}', b)),
        c jsonb check (restful.jsonb_matches_compiled_schema('{"type": "object"}', c)),
        d json check (restful.json_matches_compiled_schema('{"type": "object"}'::json::restful.jsonschema, d)),
        e jsonb check (restful.is_valid('{"type": "object"}', e)),
        f jsonb, check (restful.jsonb_matches_compiled_schema(schema, f)));
    insert into shop.made values (1, '{}', '[]', '{"price": 1}', '{"name": ""}', '7', '{"price": -1}');
    insert into shop.by_hand (id, a, b, c, d, e, f) values (1, '{}', '{}', '{}', '{}', '{}', '{}');
    create table shop.parts (id int, doc jsonb) partition by list (id);
    create table shop.part partition of shop.parts for values in (1);
    select restful.constrain('shop.parts', 'doc', 'product');
"""
# Each statement violates exactly one schema.
REFUSED = {
    "checked": "insert into shop.made (id, checked) values (2, '1')",
    "text_checked": "insert into shop.made (id, text_checked) values (2, '1')",
    "by_name": """insert into shop.made (id, by_name) values (2, '{"price": -1}')""",
    "by_version": "insert into shop.made (id, by_version) values (2, '{}')",
    "row": "insert into shop.made (id) values (101)",
    **{f"by hand {c}": f"insert into shop.by_hand (id, {c}) values (2, '1')" for c in "abcdef"},
    "partition": """insert into shop.part values (1, '{"price": -1}')""",
}
BOUND = """select t, b.* from unnest('{shop.made,shop.by_hand,shop.part}'::regclass[]) t, restful.bound_schemas(t) b order by t::text, b.name, b."column", b.schema::text"""
# Roles of the application and who has them, one grant with a tenant and an end.
ROLES = """
    select restful.define_role('reader', '{films.read}'), restful.define_role('editor', '{films.*}', '{reader}', '{reader}');
    select restful.grant_role('ann', 'editor'), restful.grant_role('ben', 'reader', 'studio-1', '2100-01-01');
"""
ROLES_KEPT = "select * from restful.rbac_role order by 1", "select * from restful.rbac_grant order by 1, 2, 3"
REGISTERED = "select name, version, schema from restful.json_schema order by 1, 2"


class SchemasOnTables(unittest.TestCase):
    def session(self, database: str) -> Session:
        session = Session("postgres", PGDATABASE=database)
        self.addCleanup(session.close)
        return session

    def run_program(self, *command: object) -> None:
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def assert_enforced(self, session: Session) -> None:
        for what, statement in REFUSED.items():
            with self.subTest(what):
                self.assertRegex(session.ask(statement), "ERROR:  new row for relation .* violates ")
        # Action warn and level off refuse nothing.
        self.assertEqual(session.ask("""begin; insert into shop.made (id, warned, off) values (3, '1', '{"price": -1}'); rollback"""), "")

    def test_dump_and_restore(self):
        source = os.environ["PGDATABASE"]
        original = self.session(source)
        original.ask(SCHEMA)
        self.assert_enforced(original)
        restored_name = f"{source}_restored"
        for form in "plain", "custom":
            with self.subTest(form), tempfile.TemporaryDirectory() as directory:
                dump = pathlib.Path(directory) / "dump"
                self.run_program(BIN / "pg_dump", f"--format={form}", "-U", "postgres", "-f", dump, source)
                original.ask(f"create database {restored_name}")
                connection = "-X", "-U", "postgres", "-d", restored_name
                if form == "plain":
                    self.run_program(BIN / "psql", *connection, "-qAt", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", dump)
                else:
                    self.run_program(BIN / "pg_restore", *connection[1:], "--exit-on-error", dump)
                restored = self.session(restored_name)
                for query in BOUND, REGISTERED, "table shop.made", "table shop.by_hand":
                    self.assertEqual(restored.ask(query), original.ask(query))
                self.assert_enforced(restored)
                # The extension still knows which constraints it has made itself.
                self.assertEqual(restored.ask("select restful.unconstrain('shop.made', c) from unnest('{checked,by_name,off}'::name[]) c"), "t\nt\nt")
                self.assertEqual(restored.ask("select restful.unconstrain('shop.by_hand', 'a')"), "f")
                restored.close()
                original.ask(f"drop database {restored_name} with (force)")

    def test_roles_of_the_application(self):
        source = os.environ["PGDATABASE"]
        original = self.session(source)
        original.ask(ROLES)
        restored_name = f"{source}_roles"
        with tempfile.TemporaryDirectory() as directory:
            dump = pathlib.Path(directory) / "dump"
            self.run_program(BIN / "pg_dump", "--format=custom", "-U", "postgres", "-f", dump, source)
            original.ask(f"create database {restored_name}")
            self.run_program(BIN / "pg_restore", "-U", "postgres", "-d", restored_name, "--exit-on-error", dump)
        restored = self.session(restored_name)
        for query in ROLES_KEPT:
            kept = original.ask(query)
            self.assertNotIn("ERROR", kept)
            self.assertEqual(len(kept.splitlines()), 2)
            self.assertEqual(restored.ask(query), kept)
        # The roles give permissions, and a change of a role reaches those who have it.
        restored.ask("create role m_pooled login; grant usage on schema library to m_pooled; alter role m_pooled set restful.trusted_authenticators = 'm_pooled'")
        self.addCleanup(original.ask, "drop role m_pooled")
        restored.ask("select restful.define_role('reader', '{films.read,films.list}')")
        asks = Session("m_pooled", PGDATABASE=restored_name)
        asks.ask("""set request.jwt.claims = '{"role": "m_pooled", "sub": "ann"}'""")
        self.assertEqual(asks.ask("select restful.has_permission('films.list'), restful.has_permission('films.delete'), restful.has_permission('crew.read')"),
                         "t|t|f")
        asks.close()
        restored.close()
        original.ask(f"drop database {restored_name} with (force)")

    def test_keys(self):
        """A dump has public keys, and secrets only if they are asked for. No table that is always dumped has a secret."""
        source = os.environ["PGDATABASE"]
        original = self.session(source)
        always = """select string_agg(format('%s.%s', a.attrelid::regclass, a.attname), ' ') from pg_extension e, unnest(e.extconfig) with ordinality c(o, n)
            join pg_attribute a on a.attrelid = c.o and a.attnum > 0
            where e.extname = 'pg_restful' and e.extcondition[n] = '' and a.attname ~ 'secret|private|password'"""
        self.assertEqual(original.ask(always), "")
        jwks = '{"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
        self.assertEqual(original.ask(f"select restful.load_jwks('https://issuer.example', '{jwks}')"), "1")
        original.ask("select restful.load_secret('a secret of at least thirty-two bytes', 'h1')")
        secret = "a secret of at least thirty-two bytes".encode().hex()
        for asked in False, True:
            with self.subTest(asked=asked), tempfile.TemporaryDirectory() as directory:
                dump = pathlib.Path(directory) / "dump"
                options = ["env", "PGOPTIONS=-c restful.dump_secrets=on"] if asked else []
                self.run_program(*options, BIN / "pg_dump", "-U", "postgres", "-f", dump, source)
                text = dump.read_text()
                self.assertIn("https://issuer.example", text)
                self.assertIn("k1", text)
                self.assertEqual(secret in text, asked)

    def test_changes_of_the_registry_reach_other_sessions(self):
        admin, writer = self.session(os.environ["PGDATABASE"]), self.session(os.environ["PGDATABASE"])
        admin.ask("""insert into restful.json_schema values ('fresh', 1, 'true', 'none');
            create table notes (doc jsonb); select restful.constrain('notes', 'doc', 'fresh')""")
        insert = "insert into notes values ('1')"
        self.assertEqual(writer.ask(insert), "")
        admin.ask("""begin; insert into restful.json_schema values ('fresh', 2, '{"type": "string"}', 'none')""")
        self.assertEqual(writer.ask(insert), "")
        admin.ask("commit")
        self.assertIn('violates JSON Schema "fresh" of column "doc"', writer.ask(insert))
        # The change arrives even within a transaction that has used the table before.
        writer.ask("begin; select from notes")
        admin.ask("delete from restful.json_schema where name = 'fresh' and version = 2")
        self.assertEqual(writer.ask(insert), "")
        writer.ask("commit")


if __name__ == "__main__":
    unittest.main()
