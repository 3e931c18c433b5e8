"""A request that is cancelled or terminated from another session, or waits for another session's lock."""

import time
import unittest

from _session import Session


class Cancellation(unittest.TestCase):
    def setUp(self):
        self.admin = Session("postgres")
        self.addCleanup(self.admin.close)
        self.admin.ask("""create or replace function library.sleep() returns text language sql as 'select pg_sleep(60); select ''awake''::text';
            create or replace function library.stubborn() returns text language plpgsql as $$
            begin perform pg_sleep(60); return 'awake'; exception when others then return 'swallowed'; end $$""")

    def until(self, condition):
        """Waits until the query says t."""
        for _ in range(200):
            if self.admin.ask(condition) == "t":
                return
            time.sleep(0.05)
        self.fail(f"never true: {condition}")

    def sleeping(self, session):
        self.until(f"select wait_event = 'PgSleep' from pg_stat_activity where pid = {session.pid}")

    def test_cancelled(self):
        for function in "sleep", "stubborn":
            with self.subTest(function), Session("authenticator") as anon:
                anon.send(f"select status from restful.post('/rpc/{function}')")
                self.sleeping(anon)
                self.admin.ask(f"select pg_cancel_backend({anon.pid})")
                self.assertEqual(anon.receive(), "ERROR:  canceling statement due to user request")
                self.assertEqual(anon.ask("select current_user, current_setting('request.path', true)"), "authenticator|")
                self.assertEqual(anon.get("/subjects?select=id&id=eq.1"), '200 [{"id": 1}]')

    def test_terminated(self):
        anon = Session("authenticator")
        anon.send("select status from restful.post('/rpc/sleep')")
        self.sleeping(anon)
        self.admin.ask(f"select pg_terminate_backend({anon.pid})")
        with self.assertRaisesRegex(AssertionError, "terminating connection due to administrator command"):
            anon.receive()
            anon.receive()
        anon.process.stdin.close()
        anon.process.wait()
        anon.process.stdout.close()

    def test_lock_timeout_is_an_answer(self):
        self.admin.ask("begin; update library.subjects set name = name where id = 1")
        with Session("librarian") as librarian:
            librarian.ask("set lock_timeout = '100ms'")
            answer = librarian.ask("select status || ' ' || (body->>'code') from restful.patch('/subjects?id=eq.1', '{\"name\": \"x\"}')")
            self.assertEqual(answer, "500 55P03")
            self.admin.ask("rollback")
            self.assertEqual(librarian.ask("select status from restful.patch('/subjects?id=eq.1', '{\"name\": \"Love\"}')"), "204")

    def test_deadlock_is_raised(self):
        """A deadlock dooms what the transaction did so far: the caller has to know."""
        self.admin.ask("begin; set local deadlock_timeout = '60s'; update library.subjects set name = name where id = 1")
        with Session("librarian") as librarian:
            librarian.ask("begin")
            self.assertEqual(librarian.ask("select status from restful.patch('/subjects?id=eq.2', '{\"name\": \"Space\"}')"), "204")
            self.admin.send("update library.subjects set name = name where id = 2")
            with Session("postgres") as third:
                for _ in range(200):
                    if third.ask(f"select wait_event_type = 'Lock' from pg_stat_activity where pid = {self.admin.pid}") == "t":
                        break
                    time.sleep(0.05)
            self.assertIn("ERROR:  deadlock detected",
                          librarian.ask("select status from restful.patch('/subjects?id=eq.1', '{\"name\": \"x\"}')"))
            librarian.ask("rollback")
            self.assertEqual(self.admin.receive(), "")
            self.admin.ask("rollback")


if __name__ == "__main__":
    unittest.main()
