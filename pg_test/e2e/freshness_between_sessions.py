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
