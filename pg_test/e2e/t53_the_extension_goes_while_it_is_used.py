"""Other sessions make requests during DROP, CREATE and ALTER EXTENSION, in transactions and at the same time. They get answers or clean errors."""

import re
import threading
import unittest

from _session import Session

GONE = r'ERROR:  (schema "restful" does not exist|function restful\.\w+\(.*\) does not exist|type with OID \d+ does not exist|cache lookup failed for \w+ \d+)'
READ = "select status from restful.get('/subjects?id=eq.1')"
WRITE = "select status from restful.patch('/subjects?id=eq.1', '{\"name\": \"Love\"}')"


class ExtensionThatGoes(unittest.TestCase):
    def setUp(self):
        self.admin = self.session("postgres")
        self.admin.ask("create extension if not exists pg_restful")
        self.librarian = self.session("librarian")

    def session(self, user):
        session = Session(user)
        self.addCleanup(session.close)
        return session

    def warm(self, session):
        for _ in range(6):
            self.assertEqual(session.ask(READ), "200")
            self.assertEqual(session.ask(WRITE), "204")

    def test_dropped_in_an_open_transaction_of_another(self):
        self.warm(self.librarian)
        self.admin.ask("begin; drop extension pg_restful")
        # The request waits for the end of that transaction, or is answered.
        self.librarian.ask("set lock_timeout = '100ms'")
        self.assertRegex(self.librarian.ask(READ), r"^200$|ERROR:  canceling statement due to lock timeout")
        self.admin.ask("rollback")
        self.warm(self.librarian)

    def test_dropped_within_a_transaction_that_uses_it(self):
        self.warm(self.librarian)
        self.librarian.ask("begin")
        self.assertEqual(self.librarian.ask(WRITE), "204")
        self.admin.ask("set lock_timeout = '5s'")
        self.assertEqual(self.admin.ask("drop extension pg_restful"), "")
        self.assertRegex(self.librarian.ask(WRITE), GONE)
        self.librarian.ask("rollback")
        self.assertRegex(self.librarian.ask(READ), GONE)
        self.admin.ask("create extension pg_restful")
        self.warm(self.librarian)

    def test_made_anew_under_warm_sessions(self):
        """What a session has cached of a request refers to functions of the dropped extension."""
        others = [self.session("librarian") for _ in range(2)]
        for _ in range(3):
            for session in others:
                self.warm(session)
            self.admin.ask("drop extension pg_restful; create extension pg_restful")
            for session in others:
                self.assertEqual(session.ask(WRITE), "204")
                self.assertEqual(session.ask(READ), "200")
                self.assertEqual(session.ask("""select status from restful.post('/subjects', '{"id": 1, "name": "Love"}',
                    '{"prefer": "resolution=merge-duplicates"}')"""), "200")

    def test_made_anew_while_requests_run(self):
        done = threading.Event()
        answers, sessions = [], [self.session("librarian") for _ in range(3)]

        def ask(session):
            while not done.is_set():
                answers.extend([session.ask(READ), session.ask(WRITE)])

        threads = [threading.Thread(target=ask, args=(session,)) for session in sessions]
        for thread in threads:
            thread.start()
        try:
            for _ in range(8):
                self.assertEqual(self.admin.ask("drop extension pg_restful"), "")
                self.assertEqual(self.admin.ask("create extension pg_restful"), "")
        finally:
            done.set()
            for thread in threads:
                thread.join()
        allowed = rf"^(200|204|40[45]|400)$|{GONE}|ERROR:  (tuple concurrently|could not open relation|deadlock detected|permission denied)"
        strange = {answer for answer in answers if not re.search(allowed, answer)}
        self.assertEqual(strange, set())
        for session in sessions:
            self.warm(session)

    def test_altered(self):
        self.warm(self.librarian)
        for command, words in (
            ("alter extension pg_restful update", ""),
            ("alter extension pg_restful update to '99'", "has no update path"),
            ("alter extension pg_restful set schema public", "does not support SET SCHEMA"),
            ("drop function restful.serve(text, text, jsonb, bytea)", "extension pg_restful requires it"),
            ("drop schema restful", "extension pg_restful depends on schema restful"),
        ):
            with self.subTest(command):
                answer = self.admin.ask(command)
                self.assertIn(words, answer)
                self.warm(self.librarian)
        # The same in a transaction that also makes requests.
        self.admin.ask("begin; alter extension pg_restful update; set local restful.schemas = 'library'")
        self.assertEqual(self.admin.ask(READ), "200")
        self.admin.ask("drop extension pg_restful")
        self.assertRegex(self.admin.ask(READ), GONE)
        self.admin.ask("rollback")
        self.warm(self.librarian)


if __name__ == "__main__":
    unittest.main()
