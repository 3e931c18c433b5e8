"""A route that is declared while its group is moved or dropped ends up in the group as it then is, or is refused."""

import unittest

from _session import Session


class RoutesBetweenSessions(unittest.TestCase):
    def setUp(self):
        self.one, self.other = Session("postgres"), Session("postgres")
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)
        self.one.ask("create function library.ping() returns text language sql immutable as $$ select 'pong' $$")
        self.addCleanup(self.clean_up)
        self.assertEqual(self.one.ask("select restful.route_group('moving', '/old', 'old.example')"), "")

    def clean_up(self):
        Session("postgres").ask("delete from restful.route_entry where of_group = 'moving'; delete from restful.route_group_entry where name = 'moving'; drop function library.ping()")

    def both(self, first, second, end="commit"):
        """Runs the second while the first has not committed. Returns what the second answers. It has to wait for the first."""
        self.one.ask("begin")
        self.assertEqual(self.one.ask(first), "")
        self.other.send(second)
        self.one.wait_until(f"select wait_event_type = 'Lock' from pg_stat_activity where pid = {self.other.pid}")
        self.one.ask(end)
        return self.other.receive()

    def routes(self):
        return self.one.ask("select string_agg(concat_ws(' ', e.key, r.path), ',') from restful.route_entry e join restful.routes() r using (of_group) where of_group = 'moving'")

    def answers(self):
        asked = "select string_agg(r.status::text, ' ') from (values (1, '/old/ping', 'old.example'), (2, '/new/ping', 'new.example'), (3, '/ping', 'any.example')) v(n, t, h), restful.get(t, jsonb_build_object('host', h)) r"
        return self.one.ask(asked)

    def test_a_route_of_a_group_that_is_moved(self):
        self.assertEqual(self.both("select restful.route_group('moving', '/new', 'new.example')", "select restful.route('GET /ping', 'library.ping', of_group => 'moving')"), "")
        self.assertEqual(self.routes(), "new.example GET /new/ping /new/ping")
        self.assertEqual(self.answers(), "404 200 404")
        self.assertIn("takes the same requests", self.other.ask("select restful.route_group('second', '/new', 'new.example'), restful.route('GET /ping', 'library.ping', of_group => 'second')"))

    def test_a_group_that_is_moved_while_it_gets_a_route(self):
        self.assertEqual(self.both("select restful.route('GET /ping', 'library.ping', of_group => 'moving')", "select restful.route_group('moving', '/new', 'new.example')"), "")
        self.assertEqual(self.routes(), "new.example GET /new/ping /new/ping")
        self.assertEqual(self.answers(), "404 200 404")

    def test_a_move_that_does_not_come_about(self):
        self.assertEqual(self.both("select restful.route_group('moving', '/new', 'new.example')", "select restful.route('GET /ping', 'library.ping', of_group => 'moving')", "rollback"), "")
        self.assertEqual(self.routes(), "old.example GET /old/ping /old/ping")
        self.assertEqual(self.answers(), "200 404 404")

    def test_a_route_of_a_group_that_is_dropped(self):
        self.one.ask("begin")
        self.assertEqual(self.one.ask("select restful.drop_route_group('moving')"), "t")
        self.other.send("select restful.route('GET /ping', 'library.ping', of_group => 'moving')")
        self.one.wait_until(f"select wait_event_type = 'Lock' from pg_stat_activity where pid = {self.other.pid}")
        self.one.ask("commit")
        self.assertIn("there is no group of routes named moving", self.other.receive())
        self.assertEqual(self.answers(), "404 404 404")

    def test_a_group_that_is_dropped_while_it_gets_a_route(self):
        refused = self.both("select restful.route('GET /ping', 'library.ping', of_group => 'moving')", "select restful.drop_route_group('moving')")
        self.assertIn("the group moving has routes", refused)
        self.assertEqual(self.answers(), "200 404 404")

    def test_two_routes_of_one_group_do_not_wait_for_each_other(self):
        self.one.ask("begin")
        self.assertEqual(self.one.ask("select restful.route('GET /ping', 'library.ping', of_group => 'moving')"), "")
        self.assertEqual(self.other.ask("set lock_timeout = '1s'; select restful.route('GET /pong', 'library.ping', of_group => 'moving')"), "")
        self.one.ask("commit")


if __name__ == "__main__":
    unittest.main()
