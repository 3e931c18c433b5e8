"""Tests roles of the application between sessions: a user who loses the right to grant while granting, definitions that meet, and dumps."""

import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from _session import Session

BIN = pathlib.Path(os.environ["PG_BINDIR"])
DENIED = 'ERROR:  permission denied to grant or revoke role "member"'


class RolesOfTheApplication(unittest.TestCase):
    def setUp(self):
        self.admin, self.proxy = self.session("postgres"), None
        self.admin.ask("""
            do $$ begin if to_regrole('app_proxy') is null then
                create role app_proxy login noinherit; create role app_user; grant app_user to app_proxy;
                alter role app_proxy set restful.trusted_authenticators = 'app_proxy';
            end if; end $$;
            delete from restful.rbac_grant; delete from restful.rbac_role;
            select restful.define_role('member', '{posts.read}');
            select restful.define_role('manager', '{posts.*}', '{member}', '{member}');
            select restful.grant_role('mia', 'manager', 'north')""")
        self.proxy = self.session("app_proxy")

    def session(self, user: str, **environment: str) -> Session:
        session = Session(user, **environment)
        self.addCleanup(session.close)
        return session

    def act_as_mia(self, isolation: str) -> None:
        self.proxy.ask(f"""begin isolation level {isolation}; set local role app_user;
            set local request.jwt.claims = '{{"role": "app_user", "sub": "mia"}}'""")

    def wait_for_lock(self, pid: str) -> None:
        end = time.monotonic() + 30
        while self.admin_2.ask(f"select count(*) from pg_locks where pid = {pid} and not granted") == "0":
            self.assertLess(time.monotonic(), end, "the session does not wait for a lock")

    def test_who_loses_the_right_while_granting_does_not_grant(self):
        self.admin_2 = self.session("postgres")
        for isolation, refusal in ("read committed", DENIED), ("repeatable read", "could not serialize access"):
            with self.subTest(isolation):
                self.admin_2.ask("select restful.grant_role('mia', 'manager', 'north')")
                self.act_as_mia(isolation)
                self.proxy.ask("select 1")
                self.admin.ask("begin; select restful.revoke_role('mia', 'manager', 'north')")
                self.proxy.send("select restful.grant_role('kim', 'member', 'north')")
                self.wait_for_lock(self.proxy.pid)
                self.admin.ask("commit")
                self.assertIn(refusal, self.proxy.receive())
                self.proxy.ask("rollback")
                self.assertEqual(self.admin.ask("select count(*) from restful.roles_of('kim')"), "0")

    def test_what_can_no_longer_be_granted_while_granting_is_not(self):
        self.admin_2 = self.session("postgres")
        self.act_as_mia("read committed")
        self.admin.ask("begin; select restful.define_role('manager', '{posts.*}', '{member}')")
        self.proxy.send("select restful.grant_role('kim', 'member', 'north')")
        self.wait_for_lock(self.proxy.pid)
        self.admin.ask("commit")
        self.assertIn(DENIED, self.proxy.receive())
        self.proxy.ask("rollback")

    def test_a_role_is_not_dropped_while_it_is_granted(self):
        self.admin_2, other = self.session("postgres"), self.session("postgres")
        for isolation, refusal in ("read committed", "role \"member\" is in use|violates foreign key"), ("repeatable read", "violates foreign key"):
            with self.subTest(isolation):
                self.admin.ask("delete from restful.rbac_grant; select restful.define_role('manager', '{posts.*}')")
                other.ask(f"begin isolation level {isolation}; select 1")
                self.admin.ask("begin; select restful.grant_role('kim', 'member')")
                other.send("select restful.drop_role('member')")
                self.wait_for_lock(other.pid)
                self.admin.ask("commit")
                self.assertRegex(other.receive(), refusal)
                other.ask("rollback")
                # The other way around, a role is not granted while it is dropped.
                self.admin.ask("delete from restful.rbac_grant")
                other.ask(f"begin isolation level {isolation}; select 1")
                self.admin.ask("begin; select restful.drop_role('member')")
                other.send("select restful.grant_role('kim', 'member')")
                self.wait_for_lock(other.pid)
                self.admin.ask("commit")
                self.assertRegex(other.receive(), 'role "member" is not defined|could not serialize access')
                other.ask("rollback")
                self.admin.ask("select restful.define_role('member', '{posts.read}')")
                self.assertEqual(self.admin.ask("select count(*) from restful.rbac_grant"), "0")

    def test_two_definitions_make_no_cycle(self):
        self.admin_2, other = self.session("postgres"), self.session("postgres")
        for isolation, refusal in ("read committed", "which inherits it"), ("repeatable read", "could not serialize access"):
            with self.subTest(isolation):
                self.admin.ask("select restful.define_role('a', '{}'); select restful.define_role('b', '{}')")
                other.ask(f"begin isolation level {isolation}; select 1")
                self.admin.ask("begin; select restful.define_role('a', '{}', '{b}')")
                other.send("select restful.define_role('b', '{}', '{a}')")
                self.wait_for_lock(other.pid)
                self.admin.ask("commit")
                self.assertIn(refusal, other.receive())
                other.ask("rollback")

    def test_a_dump_has_roles_and_grants(self):
        source = os.environ["PGDATABASE"]
        restored_name = f"{source}_restored"
        with tempfile.TemporaryDirectory() as directory:
            dump = pathlib.Path(directory) / "dump"
            for command in [BIN / "pg_dump", "-Fc", "-U", "postgres", "-f", dump, source], \
                    [BIN / "createdb", "-U", "postgres", restored_name], \
                    [BIN / "pg_restore", "-U", "postgres", "-d", restored_name, "--exit-on-error", dump]:
                done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                self.assertEqual((done.returncode, done.stdout), (0, ""))
        restored = self.session("postgres", PGDATABASE=restored_name)
        for table in "restful.rbac_role", "restful.rbac_grant":
            rows = f"select * from {table} r order by r::text"
            self.assertNotEqual(restored.ask(rows), "")
            self.assertEqual(restored.ask(rows), self.admin.ask(rows))
        restored.ask(f"\\c {source}")
        self.admin.ask(f"drop database {restored_name} with (force)")


if __name__ == "__main__":
    unittest.main()
