"""A base backup that is recovered to a point in time, and pg_upgrade to a newer PostgreSQL, keep every setting of the extension, and what requests
did with their Idempotency-Keys."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest

import harness
from _every_table import ROWS, ROWS_OF_0_2_0
from _session import Session

ROOT = pathlib.Path(__file__).parents[2]
OLD = pathlib.Path(os.environ["PG_BINDIR"])
# All tables, not only those that dumps have: nothing is left out of a copy of the files.
TABLES = "select c.oid::regclass from pg_class c where c.relnamespace = 'restful'::regnamespace and c.relkind = 'r' order by 1"
# A request, and what it must be answered with: routes, hooks, versions, schemas and tokens work, not only their rows.
REQUESTS = [
    ("select (restful.post('/products/7/sell', headers => '{\"cookie\": \"sid=1\"}')).status", "200"),
    ("select (restful.post('/shop/products/7/sell', headers => '{\"host\": \"shop.example\"}')).status", "200"),
    ("select (restful.get('/v1/products?select=id&limit=1')).status", "200"),
    ("select (restful.post('/products', '{\"id\": 1000, \"doc\": {\"price\": -1}}')).status", "422"),
    ("select (restful.jwt_verify(restful.jwt_sign('{\"sub\": \"ann\"}', '1 hour'))->>'sub')", "ann"),
    ("select count(*) from restful.hooks() where event = 'before'", "1"),
    ("select string_agg(operation || coalesce(\"row\"->>'amount', ''), ' ' order by id) from shop.prices_history", "BEGIN INSERT1.5 UPDATE2.5"),
    ("begin; update shop.prices set amount = 9; select string_agg(amount::text, ' ') from shop.prices_as_of(clock_timestamp()); rollback", "9"),
    ("select rate || ' ' || key_by from restful.limits() where name = 'products'", "5/second; 100 per hour claim org.id"),
]
SETUP = ROWS + ROWS_OF_0_2_0 + "create table shop.effects (key text primary key); create role api login; grant usage on schema shop to api; grant all on shop.effects to api;"


def post(number):
    headers = json.dumps({"idempotency-key": f'"key {number}"'})
    return f"select (restful.post('/effects', '{{\"key\": \"{number}\"}}', '{headers}')).status"


def run(*command):
    done = subprocess.run(harness.unprivileged([str(part) for part in command]), cwd="/tmp", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{command[0]}: {done.stdout[-4000:]}")


def has_extension(programs):
    share = subprocess.run([programs / "pg_config", "--sharedir"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return (pathlib.Path(share) / "extension/pg_restful.control").exists()


class Server:
    """A server on a copy of the files of another one."""

    def __init__(self, programs, folder, database):
        self.programs, self.folder, self.database, self.port = programs, folder, database, harness.free_port()

    def start(self):
        run(self.programs / "pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", f"-p {self.port} -k {self.folder} -c listen_addresses=", "start")

    def stop(self):
        run(self.programs / "pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "fast", "stop")

    def sql(self, text):
        done = subprocess.run([OLD / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", "postgres", "-d", self.database],
                              input=f"set restful.schemas = 'shop'; {text}", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout.strip()


def content(sql):
    """The rows of each table."""
    return {table: sql(f"select t::text from {table} t order by t::text") for table in sql(TABLES).splitlines()}


def tag(sql):
    return sql("set restful.schemas = 'shop'; select headers->>'etag' from restful.get('/products/7')")


def assert_same(test, before, server):
    test.assertEqual(content(server.sql), before)
    for request, answer in REQUESTS:
        test.assertEqual(server.sql(request), answer, request)


class Recovery(unittest.TestCase):
    def setUp(self):
        os.environ["PGHOST"] = "/"
        self.cluster = harness.Cluster(["wal_level = replica", "max_wal_senders = 4"])
        self.addCleanup(shutil.rmtree, self.cluster.directory, ignore_errors=True)
        self.cluster.sql("create extension pg_restful; create role anon;" + SETUP)

    def folder(self):
        folder = f"{self.cluster.directory}/copy"
        os.mkdir(folder)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        return folder

    def test_recovery_to_a_point_in_time(self):
        self.addCleanup(self.cluster.stop)
        folder = self.folder()
        os.mkdir(f"{folder}/archive")
        if os.geteuid() == 0:
            shutil.chown(f"{folder}/archive", "postgres")
        self.cluster.sql(f"alter system set archive_command = 'cp %p {folder}/archive/%f'; alter system set archive_mode = on")
        self.cluster.stop()
        self.cluster.start()
        done, stop = [], threading.Event()

        def write():
            session = Session.of(self.cluster, "api", "shop")
            while not stop.is_set():
                if session.ask(post(len(done))) != "201":
                    return
                done.append(len(done))
            session.close()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            harness.wait_until(lambda: len(done) > 20)
            run(OLD / "pg_basebackup", "-h", self.cluster.directory, "-p", self.cluster.port, "-U", "postgres", "-D", f"{folder}/data", "-c", "fast")
            seen = len(done)
            harness.wait_until(lambda: len(done) > seen + 20)
            after = len(done)
            self.cluster.sql("select pg_create_restore_point('here')")
            behind = len(done)
            harness.wait_until(lambda: len(done) > behind + 20)
        finally:
            stop.set()
            writer.join(60)
        before, old_tag = content(self.cluster.sql), tag(self.cluster.sql)
        self.cluster.sql("select pg_switch_wal()")
        server = Server(OLD, folder, self.cluster.database)
        with open(f"{folder}/data/postgresql.auto.conf", "a", encoding="utf-8") as configuration:
            configuration.write(f"restore_command = 'cp {folder}/archive/%f %p'\nrecovery_target_name = 'here'\nrecovery_target_action = promote\narchive_mode = off\n")
        pathlib.Path(f"{folder}/data/recovery.signal").touch()
        if os.geteuid() == 0:
            shutil.chown(f"{folder}/data/recovery.signal", "postgres")
        server.start()
        self.addCleanup(server.stop)
        harness.wait_until(lambda: server.sql("select pg_is_in_recovery()") == "f")
        # The writer went on behind the restore point. What came back is a beginning of it, each effect with the record of its key.
        effects = int(server.sql("select count(*) from shop.effects"))
        self.assertGreaterEqual(effects, after)
        self.assertLess(effects, len(done))
        self.assertEqual(server.sql("select count(*) from restful.idempotency_record"), str(effects))
        records = "restful.idempotency_record"
        kept = {table: rows for table, rows in before.items() if table != records}
        self.assertEqual({table: rows for table, rows in content(server.sql).items() if table != records}, kept)
        for request, answer in REQUESTS:
            self.assertEqual(server.sql(request), answer, request)
        # Transaction identifiers are used again, so a tag from before must not match what comes to be.
        self.assertRegex(tag(server.sql), '^"')
        self.assertNotEqual(tag(server.sql), old_tag)
        # A retry of a request that came back changes nothing, and of one that did not, runs.
        ask = f"set role api; {post(effects - 1)}; {post(effects)}; reset role"
        self.assertEqual(server.sql(ask).splitlines(), ["201", "201"])
        self.assertEqual(server.sql("select count(*) from shop.effects"), str(effects + 1))



class Upgrade(unittest.TestCase):
    """From 16 to 18, because they are built alike here. pg_upgrade refuses what one minor release of Debian's 15 writes to pg_attribute."""

    def test_pg_upgrade(self):
        old, new = (ROOT / f"target/postgres/pg{version}/wrapped" for version in (16, 18))
        if not all((programs / "pg_upgrade").exists() and has_extension(programs) for programs in (old, new)):
            self.skipTest("the extension is not installed in PostgreSQL 16 and 18: tools/install 16; tools/install 18")
        folder = tempfile.mkdtemp(prefix="pg_upgrade_", dir="/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        servers = []
        for programs, options in (old, []), (new, ["--no-data-checksums"]):
            server = Server(programs, f"{folder}/{programs.parent.name}", "postgres")
            os.mkdir(server.folder)
            if os.geteuid() == 0:
                shutil.chown(server.folder, "postgres")
            run(programs / "initdb", "-D", f"{server.folder}/data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C", *options)
            servers.append(server)
        before, after = servers
        before.start()
        try:
            before.sql("create extension pg_restful; create role anon;" + SETUP)
            self.assertEqual(before.sql("set role api; " + post(1)), "201")
            kept = content(before.sql)
        finally:
            before.stop()
        # The reason of a failure is in the logs, not in what pg_upgrade prints.
        upgrade = f"{new}/pg_upgrade -b {old} -B {new} -d {before.folder}/data -D {after.folder}/data -U postgres -s {after.folder}"
        run("sh", "-c", f"cd {after.folder} && {upgrade} || (grep -h -A3 'error:' {after.folder}/data/pg_upgrade_output.d/*/log/*.log; exit 1)")
        after.start()
        try:
            assert_same(self, kept, after)
            self.assertEqual(after.sql("set role api; " + post(1)), "201")
            self.assertEqual(after.sql("select count(*) from shop.effects"), "1")
        finally:
            after.stop()


if __name__ == "__main__":
    unittest.main()
