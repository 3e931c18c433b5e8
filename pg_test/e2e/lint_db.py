"""Tests what surrounds the lints: the tool for CI, and the page that explains each lint."""

import os
import pathlib
import re
import subprocess
import unittest

from _session import Session

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Tool(unittest.TestCase):
    def setUp(self):
        self.admin = Session("postgres")
        self.addCleanup(self.admin.close)
        # The tests use a schema of their own, because the shared set-up has tables that everybody may use on purpose.
        self.admin.ask("""delete from restful.lint_exception; drop schema if exists ci cascade;
            create schema ci; grant usage on schema ci to public; create table ci.orders (id int primary key)""")

    def lint(self, *arguments, **environment):
        done = subprocess.run([ROOT / "tools/lint-db", *arguments], env=os.environ | environment, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def test_no_errors(self):
        code, out, _ = self.lint("--schemas", "ci")
        self.assertEqual(code, 0)
        self.assertIn("temp_privilege_public", out)
        self.assertTrue(out.endswith("0 of level ERROR or above\n"), out)

    def test_an_error(self):
        self.admin.ask("grant select on ci.orders to anon")
        code, out, _ = self.lint("--schemas", "ci", "--min-level", "ERROR")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"ERROR \| rls_disabled_exposed *\| ci.orders *\| requests of strangers")
        self.assertNotIn("WARN", out)
        self.assertEqual(self.lint("--schemas", "ci", "--fail-on", "never")[0], 0)
        self.admin.ask("insert into restful.lint_exception values ('rls_disabled_exposed', 'ci.orders', 'public')")
        self.assertEqual(self.lint("--schemas", "ci")[0], 0)

    def test_warnings_when_asked_for(self):
        self.assertEqual(self.lint("--schemas", "ci", "--fail-on", "WARN")[0], 1)

    def test_an_ordinary_user_may_ask(self):
        self.admin.ask("grant select on ci.orders to anon")
        database = os.environ["PGDATABASE"]
        self.assertEqual(self.lint(f"dbname={database} user=alice", "--schemas", "ci")[0], 1)

    def test_repairs_repair(self):
        self.admin.ask("grant select on ci.orders to anon")
        code, out, _ = self.lint("--schemas", "ci", "--min-level", "ERROR", "--fix")
        self.assertEqual(code, 1)
        self.assertEqual(self.admin.ask(out), "")
        self.assertEqual(self.lint("--schemas", "ci", "--min-level", "ERROR", "--fix")[:2], (0, ""))

    def test_names_do_not_become_statements(self):
        self.admin.ask('''create table ci."x\ndrop table ci.orders; --" (id int primary key); grant select on all tables in schema ci to anon''')
        _, out, _ = self.lint("--schemas", "ci", "--min-level", "ERROR", "--fix")
        self.assertEqual(self.admin.ask(out), "")
        self.assertEqual(self.admin.ask("select count(*) from pg_class where relnamespace = 'ci'::regnamespace and relkind = 'r' and relrowsecurity"), "2")

    def test_what_cannot_be_asked(self):
        for arguments in (["--schemas", "nowhere"], ["--min-level", "none"], ["--fail-on", "none"], ["dbname=nowhere"], ["--what"],
                          ["--schemas"], ["--schemas", "ci'; drop schema ci; --"]):
            with self.subTest(arguments=arguments):
                code, _, errors = self.lint(*arguments)
                self.assertEqual(code, 2)
                self.assertNotEqual(errors, "")
        self.assertEqual(self.lint("--schemas", "ci")[0], 0)

    def test_make(self):
        self.admin.ask("grant select on ci.orders to anon")
        done = subprocess.run(["make", "lint-db", f"DSN=dbname={os.environ['PGDATABASE']} user=bob", "SCHEMAS=ci", "MIN_LEVEL=ERROR"],
                              cwd=ROOT, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)  # make exits with 2 if a command has failed.
        self.assertIn("1 of level ERROR or above", done.stdout)


class Extensions(unittest.TestCase):
    def test_an_outdated_extension_is_updated(self):
        with Session("postgres") as admin:
            if admin.ask("select count(*) from pg_available_extension_versions where name = 'citext' and version = '1.4'") == "0":
                self.skipTest("this PostgreSQL comes without contrib")
            admin.ask("create extension citext version '1.4'")
            fix = admin.ask("select fix_sql from restful.lint() where lint = 'outdated_extension' and object = 'extension citext'")
            self.assertEqual(fix, "ALTER EXTENSION citext UPDATE;")
            self.assertEqual(admin.ask(fix), "")
            self.assertEqual(admin.ask("select fix_sql from restful.lint() where lint = 'outdated_extension'"), "")
            admin.ask("drop extension citext")


class Page(unittest.TestCase):
    def test_every_lint_is_explained(self):
        """docs/lints.md has a section for each lint, in the order of the catalogue, below the heading of its level."""
        with Session("postgres") as admin:
            known = admin.ask("select string_agg(level || ' ' || lint, ',' order by n) from restful.lints() with ordinality l (lint, level, c, t, n)")
        level, explained = None, []
        for line in (ROOT / "docs/lints.md").read_text(encoding="utf-8").splitlines():
            if heading := re.fullmatch(r"## (ERROR|WARN|INFO)", line):
                level = heading[1]
            elif row := re.match(r"\| `(\w+)` \|", line):
                explained.append(f"{level} {row[1]}")
        self.assertEqual(explained, known.split(","))
