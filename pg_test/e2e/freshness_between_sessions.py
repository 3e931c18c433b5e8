"""A session's next request sees what another session has committed, although plans are cached. It sees nothing before that."""

import unittest

from _session import Session


class FreshnessBetweenSessions(unittest.TestCase):
    def setUp(self):
        self.admin, self.anon = Session("postgres"), Session("authenticator")
        self.addCleanup(self.admin.close)
        self.addCleanup(self.anon.close)
        self.admin.ask("""drop table if exists library.things, library.parts; drop function if exists library.f;
            create table library.things (id int primary key, a text); insert into library.things values (1, 'x');
            create table library.parts (id int primary key, thing int); insert into library.parts values (1, 1);
            grant select on library.things, library.parts to anon""")

    def change(self, sql):
        self.assertEqual(self.admin.ask(sql), "")

    def test_columns(self):
        self.assertEqual(self.anon.get("/things"), '200 [{"a": "x", "id": 1}]')
        self.change("alter table library.things add b int default 7")
        self.assertEqual(self.anon.get("/things"), '200 [{"a": "x", "b": 7, "id": 1}]')
        self.change("alter table library.things rename a to c")
        self.assertEqual(self.anon.get("/things"), '200 [{"b": 7, "c": "x", "id": 1}]')
        self.assertIn("column things.a does not exist", self.anon.get("/things?a=eq.x"))
        self.change("alter table library.things drop c, drop b")
        self.assertEqual(self.anon.get("/things"), '200 [{"id": 1}]')

    def test_tables(self):
        self.anon.get("/things?select=id")
        self.change("alter table library.things rename to goods")
        self.assertIn('"code": "PGRST205"', self.anon.get("/things?select=id"))
        self.assertEqual(self.anon.get("/goods?select=id"), '200 [{"id": 1}]')
        self.change("alter table library.goods rename to things")
        self.assertEqual(self.anon.get("/things?select=id"), '200 [{"id": 1}]')
        self.change("drop table library.things")
        self.assertIn('"code": "PGRST205"', self.anon.get("/things?select=id"))
        self.change("create view library.things as select 2 as id; grant select on library.things to anon")
        self.assertEqual(self.anon.get("/things?select=id"), '200 [{"id": 2}]')
        self.change("drop view library.things")

    def test_rights_and_policies(self):
        self.assertEqual(self.anon.get("/things?select=id"), '200 [{"id": 1}]')
        self.change("alter table library.things enable row level security")
        self.assertEqual(self.anon.get("/things?select=id"), "200 []")
        self.change("create policy all_rows on library.things using (true)")
        self.assertEqual(self.anon.get("/things?select=id"), '200 [{"id": 1}]')
        self.change("revoke select on library.things from anon")
        self.assertTrue(self.anon.get("/things?select=id").startswith("401 "))
        self.change("grant select on library.things to anon")
        self.assertEqual(self.anon.get("/things?select=id"), '200 [{"id": 1}]')

    def test_functions(self):
        self.assertTrue(self.anon.get("/rpc/f").startswith("404 "))
        self.change("create function library.f() returns int language sql stable as 'select 1'")
        self.assertEqual(self.anon.get("/rpc/f"), "200 1")
        self.change("create or replace function library.f() returns int language sql stable as 'select 2'")
        self.assertEqual(self.anon.get("/rpc/f"), "200 2")
        self.change("create function library.f(a int) returns int language sql stable as 'select a'")
        self.assertEqual(self.anon.get("/rpc/f?a=3"), "200 3")
        self.change("drop function library.f(), library.f(int)")
        self.assertTrue(self.anon.get("/rpc/f").startswith("404 "))

    def test_foreign_keys(self):
        target = "/things?select=id,parts(id)"
        self.assertIn('"code": "PGRST200"', self.anon.get(target))
        self.change("alter table library.parts add constraint of foreign key (thing) references library.things")
        self.assertEqual(self.anon.get(target), '200 [{"id": 1, "parts": [{"id": 1}]}]')
        self.change("alter table library.parts add unique (thing)")
        self.assertEqual(self.anon.get(target), '200 [{"id": 1, "parts": {"id": 1}}]')
        self.change("alter table library.parts drop constraint of")
        self.assertIn('"code": "PGRST200"', self.anon.get(target))

    def test_columns_that_go_while_a_request_waits(self):
        self.change("alter table library.parts add constraint of foreign key (thing) references library.things")
        expected = {
            "/things": '200 [{"a": "x", "id": 1}]',
            "/things?select=*,parts(*)": '200 [{"a": "x", "id": 1, "parts": [{"id": 1, "thing": 1}]}]',
            "/parts?select=*,things(*)&limit=1": '200 [{"id": 1, "thing": 1, "things": {"a": "x", "id": 1}}]',
        }
        for target, answer in expected.items():
            for before in (1, 4):
                with self.subTest(target, requests_before=before):
                    self.change("alter table library.things add gone int; alter table library.parts add lost int")
                    for _ in range(before):
                        self.assertIn("gone", self.anon.get(target))
                    self.change("begin; alter table library.things drop gone; alter table library.parts drop lost")
                    self.anon.send(f"select status || ' ' || body from restful.get('{target}')")
                    self.admin.wait_until(f"select wait_event_type = 'Lock' from pg_stat_activity where pid = {self.anon.pid}")
                    self.change("commit")
                    self.assertEqual(self.anon.receive(), answer)

    def test_membership(self):
        self.assertEqual(self.anon.get("/things?select=id"), '200 [{"id": 1}]')
        self.change("revoke anon from authenticator")
        self.addCleanup(lambda: Session("postgres").ask("grant anon to authenticator"))
        self.assertIn('"code": "REST403"', self.anon.get("/things?select=id"))
        self.change("grant anon to authenticator")
        self.assertEqual(self.anon.get("/things?select=id"), '200 [{"id": 1}]')

    def test_not_before_the_commit(self):
        self.anon.get("/things")
        self.change("begin; create table library.soon (id int); grant select on library.soon to anon")
        self.assertIn('"code": "PGRST205"', self.anon.get("/soon"))
        self.change("commit")
        self.assertEqual(self.anon.get("/soon"), "200 []")
        self.change("drop table library.soon")

    def test_a_name_that_did_not_exist(self):
        for _ in range(2):
            self.assertIn('"code": "PGRST205"', self.anon.get("/soon"))
        self.change("create table library.soon (id int); grant select on library.soon to anon")
        self.assertEqual(self.anon.get("/soon"), "200 []")
        self.change("drop table library.soon")
        self.assertIn('"code": "PGRST205"', self.anon.get("/soon"))

    def test_suggestions(self):
        meant = "Perhaps you meant the table 'library.things'"
        for _ in range(2):
            self.assertIn(meant, self.anon.get("/thinks"))
        self.change("revoke select on library.things from anon")
        self.assertNotIn(meant, self.anon.get("/thinks"))
        self.change("grant select (id) on library.things to anon")
        self.assertIn(meant, self.anon.get("/thinks"))
        self.change("alter table library.things rename to goods")
        self.assertNotIn(meant, self.anon.get("/thinks"))
        self.change("alter table library.goods rename to things; revoke usage on schema library from public, anon")
        self.addCleanup(self.change, "grant usage on schema library to public")
        self.assertNotIn(meant, self.anon.get("/thinks"))
        self.change("revoke all on library.things from anon; create role reader_of_things; grant usage on schema library to reader_of_things;"
                    "grant select on library.things to reader_of_things")
        self.addCleanup(self.change, "drop owned by reader_of_things; drop role reader_of_things")
        self.assertNotIn(meant, self.anon.get("/thinks"))
        self.change("grant reader_of_things to anon")
        self.assertIn(meant, self.anon.get("/thinks"))
        self.change("revoke reader_of_things from anon")
        self.assertNotIn(meant, self.anon.get("/thinks"))

    def test_the_description(self):
        """The kept description is made again when anything in it changes, and only then."""
        described = self.anon.get("/")

        def is_changed():
            nonlocal described
            before, described = described, self.anon.get("/")
            # It is the same for a session that has kept nothing.
            with Session("authenticator") as fresh:
                self.assertEqual(described, fresh.get("/"))
            return described != before

        self.assertFalse(is_changed())
        for change in (
            "comment on table library.things is 'One'",
            "comment on table library.things is 'Two'",
            "comment on column library.things.a is 'One'",
            "comment on column library.things.a is null",
            "comment on schema library is 'All'",
            "alter table library.things add b int",
            "alter table library.things alter b set default 1",
            "alter table library.things alter b set default 2",
            "alter table library.things add constraint positive check (b > 0)",
            "alter table library.things alter b type bigint",
            "alter table library.things rename b to c",
            "alter table library.things drop c",
            "create table library.more (id int primary key); grant select on library.more to anon",
            "grant insert on library.more to anon",
            "revoke insert on library.more from anon",
            "grant update (id) on library.more to anon",
            "drop table library.more",
            "create type library.size as enum ('s'); alter table library.things add s library.size",
            "alter type library.size add value 'm'",
            "alter type library.size rename value 'm' to 'l'",
            "create domain library.small as int; alter table library.things add d library.small",
            "alter domain library.small add constraint small check (value < 9)",
            "alter domain library.small set default 3",
            "alter domain library.small drop constraint small",
            "create function library.f(a int) returns int language sql stable as 'select a'",
            "comment on function library.f is 'One'",
            "comment on function library.f is 'Two'",
            "drop function library.f; create function library.f(a int, b int default 2) returns int language sql stable as 'select a'",
            "alter function library.f volatile",
            "revoke execute on function library.f from public",
            "grant execute on function library.f to anon",
            "drop function library.f",
            "create view library.shown as select id from library.things; grant select, insert on library.shown to anon",
            "drop view library.shown",
            "revoke all on library.things from anon",
            "create role reader_of_all; grant select on library.things to reader_of_all; grant reader_of_all to anon",
            "revoke reader_of_all from anon",
            "grant select on library.things to anon",
            "insert into restful.json_schema values ('size', 1, '{\"maxLength\": 9}', 'none');"
            "alter table library.things add j jsonb; select restful.constrain('library.things', 'j', 'size')",
            "update restful.json_schema set schema = '{\"maxLength\": 5}'",
            "revoke usage on schema library from public, anon",
            "grant usage on schema library to public",
        ):
            self.admin.ask(change)
            self.assertTrue(is_changed(), change)
        self.change("drop table library.things cascade; drop domain library.small; drop type library.size; drop role reader_of_all;"
                    "truncate restful.json_schema; comment on schema library is null")
        self.assertTrue(is_changed())
        # What changes nothing in it changes nothing.
        self.change("create temporary table nothing (id int); analyze; vacuum library.parts")
        self.assertFalse(is_changed())

    def test_the_description_in_a_transaction(self):
        self.change("set restful.schemas = 'library'")
        before = self.admin.get("/")
        self.change("begin; comment on table library.parts is 'Not yet'")
        self.assertIn("Not yet", self.admin.get("/"))
        self.assertNotIn("Not yet", self.anon.get("/"))
        self.change("rollback")
        self.assertEqual(self.admin.get("/"), before)
        self.change("begin; create table library.soon (id int); savepoint s; comment on table library.soon is 'Soon'; rollback to s")
        self.assertNotIn("Soon", self.admin.get("/"))
        self.change("commit; comment on table library.soon is 'Now'")
        self.assertIn("Now", self.admin.get("/"))
        self.change("drop table library.soon")
        self.assertEqual(self.admin.get("/"), before)
        self.anon.get("/")
        self.assertEqual(self.anon.ask("begin isolation level repeatable read; select 1"), "1")
        self.change("comment on table library.parts is 'Later'")
        self.anon.get("/")
        self.assertEqual(self.anon.ask("commit"), "")
        self.assertIn("Later", self.anon.get("/"))
        self.change("comment on table library.parts is null")
        self.assertNotIn("Later", self.anon.get("/"))

    def test_registered_schemas(self):
        self.addCleanup(self.change, "truncate restful.json_schema")
        valid = "select restful.is_valid('{\"$ref\": \"restful:size\"}', '7')"
        self.change("insert into restful.json_schema values ('size', 1, '{\"maximum\": 9}', 'none')")
        self.assertEqual(self.anon.ask(valid), "t")
        # Changes have to arrive both if ordinary triggers fire and if a subscription applies the changes.
        for role in ("origin", "replica"):
            self.change(f"set session_replication_role = {role}")
            self.change("update restful.json_schema set schema = '{\"maximum\": 5}'")
            self.assertEqual(self.anon.ask(valid), "f", role)
            self.change("insert into restful.json_schema values ('size', 2, 'true', 'none')")
            self.assertEqual(self.anon.ask(valid), "t", role)
            self.change("delete from restful.json_schema where version = 2")
            self.assertEqual(self.anon.ask(valid), "f", role)
            self.change("begin; truncate restful.json_schema")
            self.assertIn("is not registered", self.admin.ask(valid), role)
            self.change("rollback; update restful.json_schema set schema = 'true'")
            self.assertEqual(self.anon.ask(valid), "t", role)

    def test_many_changes_at_once(self):
        """More relations change than the session notes one by one."""
        self.anon.get("/things")
        self.change("do $$ begin for i in 1..100 loop execute format('create table library.t%s (id int)', i); end loop; end $$;"
                    "alter table library.things add b int")
        self.assertEqual(self.anon.get("/things"), '200 [{"a": "x", "b": null, "id": 1}]')


if __name__ == "__main__":
    unittest.main()
