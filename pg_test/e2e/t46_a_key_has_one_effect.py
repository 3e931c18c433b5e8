"""Many clients send a request with one Idempotency-Key at a time, and servers are killed in the middle: each key has one effect."""

import json
import os
import random
import signal
import threading
import time
import unittest

import harness
from _session import Session
from harness import wait_until

KEYS, CLIENTS = 50, 20
KILLS, WRITERS = 100, 4

SETUP = """
create extension pg_restful;
create role api login;
create schema shop;
grant usage on schema shop to api;
-- Nothing here keeps a second effect out.
create table shop.orders (id bigint generated always as identity primary key, number text not null);
grant select, insert on shop.orders to api;
create function shop.place_slowly(number text) returns bigint language plpgsql as $$
declare placed bigint;
begin
    insert into shop.orders (number) values ($1) returning id into placed;
    perform pg_sleep(0.01);
    return placed;
end $$;
create function public.effects() returns text language sql security definer as $$
    select concat_ws(' ', (select count(*) from shop.orders), (select count(distinct number) from shop.orders), (select count(*) from restful.idempotency_record)) $$;
"""


def post(target, key, body):
    headers = json.dumps({"idempotency-key": f'"{key}"', "prefer": "return=representation"})
    return (f"select status || ' ' || coalesce(headers->>'idempotency-replayed', 'first') || ' ' || convert_from(body, 'UTF8')"
            f" from restful.serve('POST', '{target}', '{headers}', convert_to('{json.dumps(body)}', 'UTF8'))")


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["PGHOST"] = "/"
        cls.cluster = harness.Cluster()
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.sql(SETUP)

    def setUp(self):
        self.cluster.sql("truncate shop.orders; truncate restful.idempotency_record")

    def session(self):
        session = Session.of(self.cluster, "api", "shop")
        self.addCleanup(session.abandon)
        return session

    def test_clients_with_one_key_at_a_time(self):
        sessions = [self.session() for _ in range(CLIENTS)]
        waited = 0
        for number in range(KEYS):
            target = "/rpc/place_slowly" if number % 2 else "/orders?select=id"
            request = post(target, f"key {number}", {"number": f"order {number}"})
            for session in sessions:
                session.send(request)
            answers = [session.receive() for session in sessions]
            bodies = {answer.split(" ", 2)[2] for answer in answers if answer[0] == "2"}
            self.assertEqual(len(bodies), 1, answers)
            self.assertEqual(sum(answer.startswith(("200 first", "201 first")) for answer in answers), 1, answers)
            others = [answer for answer in answers if not answer.startswith(("200 ", "201 "))]
            self.assertTrue(all(answer.startswith("409 ") and "REST452" in answer for answer in others), others)
            waited += len(others)
            # The retry of those who were too early.
            self.assertRegex(sessions[0].ask(request), "^20[01] true ")
            self.assertEqual(self.cluster.sql("select effects()"), f"{number + 1} {number + 1} {number + 1}")
        self.assertGreater(waited, 0)

    def test_a_key_is_taken_until_the_transaction_ends(self):
        one, two = self.session(), self.session()
        request = post("/orders?select=number", "open", {"number": "open"})
        one.ask("begin")
        self.assertEqual(one.ask(request), '201 first [{"number":"open"}]')
        self.assertEqual(one.ask(request), '201 true [{"number":"open"}]')
        self.assertRegex(two.ask(request), "^409 first .*REST452")
        one.ask("rollback")
        self.assertEqual(two.ask(request), '201 first [{"number":"open"}]')
        self.assertEqual(one.ask(request), '201 true [{"number":"open"}]')
        self.assertEqual(self.cluster.sql("select effects()"), "1 1 1")

    def test_a_transaction_that_keeps_its_snapshot_fails_instead_of_repeating(self):
        for level in "repeatable read", "serializable":
            one, two = self.session(), self.session()
            request = post("/orders?select=number", level, {"number": level})
            one.ask(f"begin isolation level {level}")
            one.ask("select count(*) from shop.orders")
            self.assertRegex(two.ask(request), "^201 first ")
            self.assertRegex(one.ask(request), "ERROR:  could not serialize access due to a concurrent request with the same Idempotency-Key")
            one.ask("rollback")
            self.assertRegex(one.ask(request), "^201 true ")
            # Its own record it sees.
            one.ask(f"begin isolation level {level}")
            request = post("/orders?select=number", f"{level} 2", {"number": f"{level} 2"})
            self.assertRegex(one.ask(request), "^201 first ")
            self.assertRegex(one.ask(request), "^201 true ")
            one.ask("commit")
        self.assertEqual(self.cluster.sql("select effects()"), "4 4 4")

    def test_backends_killed_while_clients_retry(self):
        stop, answers, pids = threading.Event(), [{} for _ in range(WRITERS)], {}

        def write(writer):
            session, number = None, 0
            while not stop.is_set():
                # The key is kept until its answer has come.
                name = f"{writer} {number}"
                try:
                    session = session or self.session()
                    pids[writer] = int(session.pid)
                    answer = session.ask(post("/orders?select=id,number", name, {"number": name}))
                except (AssertionError, OSError, ValueError):
                    pids.pop(writer, None)
                    if session:
                        session.abandon()
                    session = None
                    time.sleep(0.02)
                    continue
                status, _, body = answer.split(" ", 2) if answer.count(" ") > 1 else ("", "", answer)
                if status == "201":
                    answers[writer][name] = body
                    number += 1
                elif status != "409":
                    answers[writer][name] = answer
                    return

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(KILLS):
                # Chosen before the pause: sessions that end meanwhile leave pids.
                victim = random.choice(wait_until(lambda: len(pids) == WRITERS and list(pids.values()), 60))
                time.sleep(random.uniform(0, 0.05))
                pids.clear()
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)

        self.cluster.until_up()
        acknowledged = {name: body for of_writer in answers for name, body in of_writer.items()}
        self.assertGreater(len(acknowledged), KILLS)
        effects, numbers, records = map(int, self.cluster.sql("select effects()").split())
        self.assertEqual((effects, records), (numbers, numbers))
        # The last request of each writer may be committed without an answer.
        self.assertIn(effects - len(acknowledged), range(WRITERS + 1))
        session = self.session()
        for name, body in acknowledged.items():
            again = session.ask(post("/orders?select=id,number", name, {"number": name}))
            self.assertEqual(again, f"201 true {body}")
        self.assertEqual(int(self.cluster.sql("select effects()").split()[0]), effects)


if __name__ == "__main__":
    unittest.main()
