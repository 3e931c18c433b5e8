"""Sessions share memory, preloaded or not: what they count together is right, also when sessions are killed, and a server without shared memory
answers all the same."""

import os
import signal
import threading
import unittest

import harness
from _session import Session

SETUP = """
create extension pg_restful;
create role api login;
create schema shop;
grant usage on schema shop to api;
create table shop.orders (id int primary key, number text not null);
insert into shop.orders select i, 'number ' || i from generate_series(1, 100) i;
grant select on shop.orders to api;
create function public.counted() returns bigint language sql as $$
    select coalesce(sum(calls), 0) from restful.stat_requests() where route = '/orders' $$;
"""
CLIENTS, REQUESTS = 4, 200


def ask(number):
    return f"select (restful.get('/orders?id=eq.{number}')).status"


class SharedMemory(unittest.TestCase):
    def server(self, *settings):
        # A server of its own, because it is killed and configured.
        os.environ["PGHOST"] = "/"
        cluster = harness.Cluster(settings)
        self.addCleanup(cluster.close)
        cluster.sql(SETUP)
        return cluster

    def session(self, cluster):
        session = Session.of(cluster, "api", "shop")
        self.addCleanup(session.abandon)
        return session

    def health(self, cluster):
        return cluster.sql("select state || ': ' || detail from restful.health() where \"check\" = 'shared_memory'")

    def test_sessions_count_together_and_a_restart_begins_anew(self):
        cluster = self.server()
        self.assertEqual(self.health(cluster), "ok: 8192 kB")
        failed = []

        def client():
            session = self.session(cluster)
            answers = {session.ask(ask(number % 100 + 1)) for number in range(REQUESTS)}
            if answers != {"200"}:
                failed.append(answers)

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        self.assertEqual(failed, [])
        self.assertEqual(cluster.sql("select counted()"), str(CLIENTS * REQUESTS))

        # The crash of a session makes PostgreSQL begin with new memory, and sessions find that.
        victim = self.session(cluster)
        victim.ask(ask(1))
        os.kill(int(victim.pid), signal.SIGKILL)
        cluster.until_up()
        self.assertEqual(cluster.sql("select counted()"), "0")
        self.assertEqual(self.session(cluster).ask(ask(1)), "200")
        self.assertEqual(cluster.sql("select counted()"), "1")

    def test_a_terminated_session_leaves_what_it_has_counted(self):
        cluster = self.server()
        session, other = self.session(cluster), self.session(cluster)
        session.ask(ask(1))
        cluster.sql(f"select pg_terminate_backend({session.pid}, 10000)")
        self.assertEqual(other.ask(ask(2)), "200")
        self.assertEqual(cluster.sql("select counted()"), "2")

    def test_databases_are_counted_apart(self):
        cluster = self.server()
        self.session(cluster).ask(ask(1))
        cluster.sql("create database other")
        cluster.sql(SETUP.replace("create role api login;", ""), database="other")
        self.assertEqual(cluster.sql("select counted()", database="other"), "0")
        cluster.sql("set restful.schemas = 'shop'; select restful.get('/orders')", database="other")
        self.assertEqual((cluster.sql("select counted()", database="other"), cluster.sql("select counted()")), ("1", "1"))

    def test_a_preloaded_library_shares_memory_too(self):
        cluster = self.server("shared_preload_libraries = pg_restful", "restful.shared_memory_size = 16MB")
        self.assertEqual(self.health(cluster), "ok: 16 MB")
        self.session(cluster).ask(ask(1))
        self.assertEqual(cluster.sql("select counted()"), "1")

    def test_limits_are_shared_and_a_crash_gives_everything_back(self):
        cluster = self.server()
        cluster.sql("""
            create function shop.wait() returns int language sql as 'select 1 from pg_sleep(60)';
            select restful.limit('2 per hour', by => 'all', requests => 'GET /orders', name => 'reads'),
                restful.limit('1', by => 'all', unit => 'concurrent', requests => '* /rpc/wait', name => 'waits')""")
        wait = "select (restful.get('/rpc/wait')).status"
        one, other = self.session(cluster), self.session(cluster)
        self.assertEqual([one.ask(ask(1)), other.ask(ask(2)), one.ask(ask(3)), other.ask(ask(4))], ["200", "200", "429", "429"])

        # Whoever runs keeps others out, until it is cancelled, terminated, or killed.
        for end in ("select pg_cancel_backend({pid})", "select pg_terminate_backend({pid}, 10000)", None):
            holder = self.session(cluster)
            asked = threading.Thread(target=lambda holder=holder: self.ask_in_vain(holder, wait))
            asked.start()
            harness.wait_until(lambda: cluster.sql("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1", 30)
            self.assertEqual(self.session(cluster).ask(wait), "503")
            if end:
                cluster.sql(end.format(pid=holder.pid))
            else:
                os.kill(int(holder.pid), signal.SIGKILL)
                cluster.until_up()
            asked.join(30)
            held = cluster.sql("select coalesce(sum((k->>'running')::int), 0) from restful.limits(), jsonb_array_elements(busiest) k")
            self.assertEqual(held, "0", end)
        self.assertEqual(self.session(cluster).ask(ask(1)), "200")

    def ask_in_vain(self, session, query):
        try:
            session.ask(query)
        except Exception:
            pass

    def test_a_flood_of_keys_does_not_free_an_abuser(self):
        cluster = self.server()
        cluster.sql("select restful.limit('1 per hour', requests => 'GET /orders', name => 'reads')")
        cluster.sql("alter role api set restful.trusted_proxies = 'unix'")
        session = self.session(cluster)
        request = "select (restful.get('/orders?id=eq.1', '{{\"x-forwarded-for\": \"{}\"}}')).status"
        self.assertEqual([session.ask(request.format("192.0.2.7")), session.ask(request.format("192.0.2.7"))], ["200", "429"])
        # More than there is room for.
        passed = session.ask("""
            select count(*) filter (where status = 200) || ' of ' || count(*) from (
                select (restful.get('/orders?id=eq.1', jsonb_build_object('x-forwarded-for', format('10.%s.%s.%s', i / 65536, i / 256 % 256, i % 256)))).status
                from generate_series(1, 40000) i offset 0) r""")
        self.assertTrue(10000 < int(passed.split()[0]) < 35000, passed)
        self.assertEqual(session.ask(request.format("192.0.2.7")), "429")

    def test_without_shared_memory_limits_let_nothing_pass(self):
        cluster = self.server("restful.shared_memory_size = 0")
        cluster.sql("select restful.limit('2 per hour', requests => 'GET /orders')")
        self.assertEqual(self.session(cluster).ask(ask(1)), "503")
        cluster.sql("select restful.drop_limit('requests by ip for GET /orders')")
        self.assertEqual(self.session(cluster).ask(ask(1)), "200")

    def test_without_shared_memory_requests_are_answered_and_nothing_is_counted(self):
        cluster = self.server("restful.shared_memory_size = 0")
        self.assertEqual(self.health(cluster), "degraded: restful.shared_memory_size is 0")
        self.assertEqual(self.session(cluster).ask(ask(1)), "200")
        self.assertEqual(cluster.sql("select counted()"), "0")


if __name__ == "__main__":
    unittest.main()
