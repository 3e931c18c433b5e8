"""After locks, deadlocks, serialization failures and a full disk, the caller is told, nothing is half done, nothing stays locked, and the
session goes on."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from _session import Session

PATCH_FIRST = "select status || ' ' || coalesce(body->>'code', '') from restful.patch('/subjects?id=eq.1', '{\"name\": \"Love\"}')"


class LostResources(unittest.TestCase):
    def setUp(self):
        self.admin = self.session("postgres")

    def session(self, user):
        session = Session(user)
        self.addCleanup(session.close)
        return session

    def assert_usable(self, session):
        """Checks that the session answers, is in no transaction, and holds no lock of a relation, row or transaction."""
        self.assertEqual(session.ask(PATCH_FIRST), "204")
        self.assertEqual(session.ask("select now() = statement_timestamp()"), "t")
        held = f"select count(*) from pg_locks where pid = {session.pid} and locktype in ('relation', 'tuple', 'transactionid')"
        self.assertEqual(self.admin.ask(held), "0")

    def test_lock_timeout_is_an_answer(self):
        self.admin.ask("begin; update library.subjects set name = name where id = 1")
        with Session("librarian") as librarian:
            librarian.ask("set lock_timeout = '100ms'")
            answer = librarian.ask("select status || ' ' || (body->>'code') from restful.patch('/subjects?id=eq.1', '{\"name\": \"x\"}')")
            self.assertEqual(answer, "500 55P03")
            self.admin.ask("rollback")
            self.assert_usable(librarian)

    def test_a_catalogue_that_is_locked_is_told(self):
        """The extension looks at a function's command before it runs, and reads the catalogue of roles for that."""
        self.admin.ask("create function library.alter_role(name text) returns void language plpgsql as "
                       "$$ begin execute format('alter role %I set work_mem = 64', name); end $$")
        self.addCleanup(self.admin.ask, "rollback; drop function library.alter_role(text)")
        with Session("librarian") as librarian:
            alter = "select status || ' ' || (body->>'code') from restful.post('/rpc/alter_role', '{\"name\": \"%s\"}')"
            self.assertIn(" 42704", librarian.ask(alter % "nobody"))
            librarian.ask("set lock_timeout = '200ms'")
            self.admin.ask("begin; lock table pg_authid in access exclusive mode")
            self.assertEqual(librarian.ask(alter % "somebody_else"), "500 55P03")
            self.assertEqual(librarian.ask(alter % "someone"), "500 55P03")
            self.admin.ask("rollback")
            self.assert_usable(librarian)

    def test_deadlock_is_raised(self):
        """A deadlock undoes what the transaction has done so far, so the caller has to know."""
        self.admin.ask("begin; set local deadlock_timeout = '60s'; update library.subjects set name = name where id = 1")
        with Session("librarian") as librarian:
            librarian.ask("begin")
            self.assertEqual(librarian.ask("select status from restful.patch('/subjects?id=eq.2', '{\"name\": \"Space\"}')"), "204")
            self.admin.send("update library.subjects set name = name where id = 2")
            with Session("postgres") as third:
                third.wait_until(f"select wait_event_type = 'Lock' from pg_stat_activity where pid = {self.admin.pid}")
            self.assertIn("ERROR:  deadlock detected",
                          librarian.ask("select status from restful.patch('/subjects?id=eq.1', '{\"name\": \"x\"}')"))
            librarian.ask("rollback")
            self.assertEqual(self.admin.receive(), "")
            self.admin.ask("rollback")
            self.assert_usable(librarian)

    def test_serialization_failure_is_raised(self):
        librarian = self.session("librarian")
        for level in "repeatable read", "serializable":
            with self.subTest(level):
                librarian.ask(f"begin isolation level {level}")
                self.assertEqual(librarian.get("/subjects/1?select=id"), '200 {"id": 1}')
                self.admin.ask("update library.subjects set name = name where id = 1")
                self.assertIn("ERROR:  could not serialize access due to concurrent update", librarian.ask(PATCH_FIRST))
                # Only the caller ends the caller's transaction.
                self.assertIn("current transaction is aborted", librarian.ask(PATCH_FIRST))
                librarian.ask("rollback")
                self.assert_usable(librarian)

    def test_lost_update_is_none(self):
        """If two requests change one row, the second waits and sees what the first has written."""
        self.admin.ask("update library.shelves set capacity = 1 where room = 'A' and number = 1")
        first, second = self.session("librarian"), self.session("librarian")
        self.admin.ask("""create or replace function library.one_more() returns int language sql as
            $$ update library.shelves set capacity = capacity + 1 where room = 'A' and number = 1 returning capacity $$""")
        first.ask("begin")
        self.assertEqual(first.ask("select body from restful.post('/rpc/one_more')"), "2")
        second.send("select body from restful.post('/rpc/one_more')")
        self.admin.wait_until(f"select wait_event_type = 'Lock' from pg_stat_activity where pid = {second.pid}")
        first.ask("commit")
        self.assertEqual(second.receive(), "3")

    def test_disk_full_is_raised(self):
        """A tablespace of a few megabytes is filled."""
        place = pathlib.Path(tempfile.mkdtemp(prefix="pgr-full-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], stderr=subprocess.DEVNULL).returncode:
            self.skipTest("a tmpfs cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        if os.geteuid() == 0:
            shutil.chown(place, "postgres")
        place.chmod(0o700)
        self.admin.ask(f"create tablespace small location '{place}'")
        self.addCleanup(self.admin.ask, "drop table if exists library.filled; drop tablespace small")
        self.admin.ask("create table library.filled (id int primary key, t text) tablespace small; grant all on library.filled to librarian; "
                       "alter table library.filled alter t set storage external")
        librarian = self.session("librarian")
        fill = """select status from restful.serve('POST', '/filled', '{}', (select convert_to(json_agg(json_build_object('id', i, 't',
            repeat('x', 10000)))::text, 'utf8') from generate_series(%d, %d) i))"""
        self.assertEqual(librarian.ask(fill % (1, 50)), "201")
        self.assertRegex(librarian.ask(fill % (51, 700)), "ERROR:  could not (extend|write).*: No space left on device")
        self.assert_usable(librarian)
        self.assertEqual(librarian.ask("select headers->>'content-range' from restful.get('/filled?limit=0', '{\"prefer\": \"count=exact\"}')"), "*/50")
        # Once there is room again, writes succeed.
        subprocess.run(["mount", "-o", "remount,size=16m", place], check=True)
        self.assertEqual(librarian.ask(fill % (51, 100)), "201")


if __name__ == "__main__":
    unittest.main()
