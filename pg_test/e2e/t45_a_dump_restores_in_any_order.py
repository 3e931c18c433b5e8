"""A dump can be restored whatever the order in which pg_restore loads the tables, even several at a time. Every dumped table of the
extension then has the rows of the original, and references between them are enforced as before."""

import itertools
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

from _every_table import DUMPED, ROWS, ROWS_OF_0_2_0
from _session import Session

BIN = pathlib.Path(os.environ["PG_BINDIR"])
SOURCE = os.environ["PGDATABASE"]
NUMBERS = itertools.count(1)
ASKED = os.environ | {"PGOPTIONS": "-c restful.dump_secrets=on"}


class AnyOrder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.admin = Session("postgres")
        cls.admin.ask(ROWS + ROWS_OF_0_2_0)
        cls.tables = cls.admin.ask(DUMPED).splitlines()
        cls.rows = cls.content(cls.admin)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        for form, options in ("custom", []), ("directory", ["--jobs=2"]):
            cls.run_program(BIN / "pg_dump", f"--format={form}", *options, "-U", "postgres", "-f", cls.folder / form, SOURCE, env=ASKED)
        cls.contents = subprocess.run([BIN / "pg_restore", "--list", cls.folder / "custom"], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.splitlines()

    @classmethod
    def tearDownClass(cls):
        cls.admin.close()

    @classmethod
    def run_program(cls, *command, env=None):
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
        if done.returncode or done.stdout:
            raise AssertionError(f"{command[0].name}: exit code {done.returncode}: {done.stdout}")

    @classmethod
    def content(cls, session):
        """The rows of each dumped table, and of the application's table."""
        return {t: session.ask(f"select t::text from {t} t order by t::text") for t in [*cls.tables, "shop.products"]}

    def restored(self, *rounds):
        """Creates a database, runs pg_restore in it with each of these lists of arguments, and returns a session in it."""
        name = f"{SOURCE}_{next(NUMBERS)}"
        self.admin.ask(f"create database {name}")
        self.addCleanup(self.admin.ask, f"drop database if exists {name} with (force)")
        for arguments in rounds:
            self.run_program(BIN / "pg_restore", "-U", "postgres", "-d", name, "--exit-on-error", *arguments)
        session = Session("postgres", PGDATABASE=name)
        self.addCleanup(session.close)
        return session

    def assert_restored(self, *rounds):
        session = self.restored(*rounds)
        self.assertEqual(self.content(session), self.rows)

    def test_every_dumped_table_has_rows_here(self):
        self.assertEqual([t for t in self.tables if not self.rows[t] or "ERROR" in self.rows[t]], [])

    def test_in_any_order(self):
        data = [line for line in self.contents if " TABLE DATA " in line]
        self.assertEqual(len([line for line in data if " TABLE DATA restful " in line]), len(self.tables))
        rest = [line for line in self.contents if line and not line.startswith(";")]
        for seed in range(8):
            with self.subTest(seed=seed):
                order = data[::-1] if seed == 0 else random.Random(seed).sample(data, len(data))
                places = iter(order)
                listed = self.folder / "listed"
                listed.write_text("\n".join(next(places) if line in data else line for line in rest))
                self.assert_restored([f"--use-list={listed}", self.folder / "custom"])

    def test_several_at_once(self):
        for form in "custom", "directory":
            for jobs in 2, 4, 2:
                with self.subTest(form, jobs=jobs):
                    self.assert_restored([f"--jobs={jobs}", self.folder / form])

    def test_schema_first_and_data_later(self):
        dump = self.folder / "custom"
        for how in ["--disable-triggers"], ["--disable-triggers", "--jobs=2"]:
            with self.subTest(how):
                self.assert_restored(["--schema-only", dump], ["--data-only", *how, dump])
        # Load only the extension's own tables, into a database that already has the extension.
        session = self.restored(["--schema-only", dump], ["--data-only", "--schema=restful", "--jobs=2", dump])
        self.assertEqual({t: r for t, r in self.content(session).items() if t in self.tables}, {t: self.rows[t] for t in self.tables})

    def test_what_refers_to_what_is_kept(self):
        session = self.restored(["--jobs=2", self.folder / "custom"])
        # Deleting a row also deletes the rows that belong to it.
        self.assertEqual(session.ask("delete from restful.token_issuer where issuer like '%two%'; select count(*) from restful.secret_key where issuer like '%two%'"), "0")
        self.assertEqual(session.ask("delete from restful.oauth_client where confidential; select count(*) from restful.oauth_client_secret"), "0")
        self.assertEqual(session.ask("delete from restful.api_key; select count(*) from restful.api_key_use"), "0")
        # A row that is in use cannot be deleted or renamed.
        for statement in "delete from restful.rbac_role where name = 'reader'", "update restful.rbac_role set name = 'x' where name = 'reader'", \
                "update restful.token_issuer set issuer = 'x' where issuer = ''":
            self.assertRegex(session.ask(statement), "ERROR:  .* violates foreign key constraint")
        self.assertRegex(session.ask("truncate restful.token_issuer"), "ERROR:  cannot truncate a table referenced in a foreign key")
        self.assertIn('ERROR:  role "reader" is in use', session.ask("select restful.drop_role('reader')"))
        # What does not exist cannot be granted or given a secret.
        self.assertIn('ERROR:  role "x" is not defined', session.ask("select restful.grant_role('ann', 'x')"))
        self.assertIn('ERROR:  client "x" does not exist or has no secret', session.ask("select restful.rotate_client_secret('x')"))


if __name__ == "__main__":
    unittest.main()
