"""Another session cancels or terminates a request."""

import unittest

from _session import Session


class Cancellation(unittest.TestCase):
    def setUp(self):
        self.admin = Session("postgres")
        self.addCleanup(self.admin.close)
        self.admin.ask("""create or replace function library.sleep() returns text language sql as 'select pg_sleep(60); select ''awake''::text';
            create or replace function library.stubborn() returns text language plpgsql as $$
            begin perform pg_sleep(60); return 'awake'; exception when others then return 'swallowed'; end $$""")

    def sleeping(self, session):
        self.admin.wait_until(f"select wait_event = 'PgSleep' from pg_stat_activity where pid = {session.pid}")

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


if __name__ == "__main__":
    unittest.main()
