"""Kills backends and whole servers in the middle of requests. Afterwards, all that was committed is there, and nothing else."""

import os
import pathlib
import signal
import threading
import unittest

import harness
from _session import Session
from harness import wait_until

ROUNDS, WRITERS = 4, 3

SETUP = """
create extension pg_restful;
create role api login;
create schema shop;
grant usage on schema shop to api;
create table shop.orders (id bigint generated always as identity primary key, number text unique not null);
create table shop.items (order_number text not null references shop.orders (number) deferrable initially deferred, position int);
-- the place at which a request has to stop
create table shop.stop (place text);
create function shop.pause(at text) returns void language plpgsql as $$
begin
    if exists (select from shop.stop where place = at) then perform pg_advisory_lock(47); end if;
end $$;
create function shop.on_row() returns trigger language plpgsql as $$
begin
    if new.position = 3 then perform shop.pause('row'); end if;
    return new;
end $$;
create function shop.at_end() returns trigger language plpgsql as $$ begin perform shop.pause('deferred'); return null; end $$;
create trigger on_row before insert on shop.items for each row execute function shop.on_row();
create constraint trigger at_end after insert on shop.orders deferrable initially deferred for each row execute function shop.at_end();
-- an order with five items
create function shop.place_order(number text) returns text language plpgsql as $$
begin
    perform shop.pause('begin');
    insert into shop.orders (number) values ($1);
    perform shop.pause('half');
    insert into shop.items select $1, i from generate_series(1, 5) i;
    return $1;
end $$;
grant all on all tables in schema shop to api;
"""
WHOLE = """select count(*) from shop.orders o full join (select order_number, count(*) as items from shop.items group by 1) i on i.order_number = o.number
    where o.number is null or i.items is distinct from 5"""


def order(number):
    return f"select status from restful.post('/rpc/place_order', '{{\"number\": \"{number}\"}}')"


class KilledServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["PGHOST"] = "/"
        cls.cluster = harness.Cluster()
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.sql(SETUP)

    def session(self, user="api"):
        session = Session.of(self.cluster, user, "shop")
        self.addCleanup(session.abandon)
        return session

    def orders(self):
        return self.cluster.sql("select count(*) from shop.orders")

    def assert_whole(self):
        self.assertEqual(self.cluster.sql(WHOLE), "0")
        # The database goes on working.
        self.cluster.sql("truncate shop.stop")
        session = self.session()
        before = int(self.orders())
        self.assertEqual(session.ask(order(f"after {before}")), "200")
        self.assertEqual(int(self.orders()), before + 1)

    def waiting(self, session):
        query = f"select wait_event = 'advisory' from pg_stat_activity where pid = {session.pid}"
        wait_until(lambda: self.cluster.sql(query) == "t", 30)

    def test_a_backend_killed_within_a_request(self):
        for place in "begin", "half", "row", "deferred":
            with self.subTest(place):
                before = self.orders()
                self.cluster.sql(f"insert into shop.stop values ('{place}')")
                holder, victim = self.session("postgres"), self.session()
                holder.ask("select pg_advisory_lock(47)")
                victim.send(order(place))
                self.waiting(victim)
                os.kill(int(victim.pid), signal.SIGKILL)
                with self.assertRaisesRegex(AssertionError, "psql has ended|server closed the connection"):
                    raise AssertionError(victim.receive())
                self.cluster.until_up()
                self.assertEqual(self.orders(), before)
                self.assert_whole()

    def test_a_backend_killed_between_answer_and_commit(self):
        before = self.orders()
        victim = self.session()
        victim.ask("begin")
        self.assertEqual(victim.ask(order("uncommitted")), "200")
        os.kill(int(victim.pid), signal.SIGKILL)
        self.cluster.until_up()
        self.assertEqual(self.orders(), before)
        committed = self.session()
        self.assertEqual(committed.ask(order("committed")), "200")
        os.kill(int(committed.pid), signal.SIGKILL)
        self.cluster.until_up()
        self.assertEqual(self.cluster.sql("select count(*) from shop.orders where number = 'committed'"), "1")
        self.assert_whole()

    def crash_while_writing(self, crash, name):
        """Lets writers work until the server is gone. Every acknowledged order has to be there, and at most one more of each writer."""
        acknowledged = [0] * WRITERS

        def write(writer):
            session = self.session()
            try:
                while session.ask(order(f"{name} {writer} {acknowledged[writer]}")) == "200":
                    acknowledged[writer] += 1
            except (AssertionError, OSError):
                pass

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
        for thread in threads:
            thread.start()
        wait_until(lambda: min(acknowledged) >= 5, 60)
        crash()
        for thread in threads:
            thread.join(60)
        self.cluster.start()
        self.cluster.until_up()
        for writer in range(WRITERS):
            there = int(self.cluster.sql(f"select count(*) from shop.orders where number like '{name} {writer} %'"))
            self.assertIn(there - acknowledged[writer], (0, 1))
        self.assert_whole()

    def test_an_immediate_stop_while_requests_write(self):
        for number in range(ROUNDS):
            with self.subTest(number):
                data = f"{self.cluster.directory}/data"
                self.crash_while_writing(lambda: self.cluster._run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"), f"stop {number}")

    def test_the_postmaster_killed_while_requests_write(self):
        def kill():
            path = pathlib.Path(self.cluster.directory, "data/postmaster.pid")
            postmaster = int(path.read_text().split()[0])
            backends = self.cluster.sql("select string_agg(pid::text, ' ') from pg_stat_activity").split()
            os.kill(postmaster, signal.SIGKILL)
            # The backends exit when they notice.
            wait_until(lambda: not any(pathlib.Path("/proc", pid).exists() for pid in backends), 60)

        self.crash_while_writing(kill, "killed")


if __name__ == "__main__":
    unittest.main()
