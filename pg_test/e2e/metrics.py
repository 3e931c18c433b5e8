"""What Prometheus and Grafana get: metrics and alert rules that promtool accepts, a dashboard whose queries name metrics that there are, and
percentiles that are those of the times that clients measure."""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import time
import unittest

import harness
from _session import Session

ROOT = pathlib.Path(__file__).parents[2]
MONITORING = ROOT / "docs/monitoring"
SETUP = """
create extension pg_restful;
create role api login;
create schema shop;
grant usage on schema shop to api;
create table shop."odd ""name\\" (id int primary key);
grant select on shop."odd ""name\\" to api;
create function shop.wait(ms int) returns int language sql as 'select ms from pg_sleep(ms / 1000.0)';
"""


def promtool(*arguments, **options):
    done = subprocess.run(["promtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    return done.returncode, done.stdout


@unittest.skipUnless(shutil.which("promtool"), "needs promtool")
class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["PGHOST"] = "/"
        cls.cluster = harness.Cluster()
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.sql(SETUP)
        session = Session.of(cls.cluster, "api", "shop")
        cls.addClassCleanup(session.abandon)
        for target in "/odd%20%22name%5C", "/odd%20%22name%5C/1", "/nothing", "/rpc/wait?ms=x":
            session.ask(f"select (restful.get('{target}')).status")
        cls.times = []
        for ms in [2, 4, 8, 16, 32] * 8:
            began = time.monotonic()
            assert session.ask(f"select (restful.get('/rpc/wait?ms={ms}')).status") == "200"
            cls.times.append((time.monotonic() - began) * 1000)
        cls.metrics = cls.cluster.sql("select convert_from((restful.metrics()).body, 'utf8')") + "\n"

    def test_promtool_accepts_the_metrics(self):
        self.assertEqual(promtool("check", "metrics", input=self.metrics), (0, ""))

    def test_promtool_accepts_the_alert_rules(self):
        code, said = promtool("check", "rules", str(MONITORING / "alerts.yml"))
        self.assertEqual(code, 0, said)

    def test_the_dashboard_and_the_alerts_ask_for_metrics_that_there_are(self):
        dashboard = json.loads((MONITORING / "grafana.json").read_text())
        asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
        asked += (MONITORING / "alerts.yml").read_text()
        # Nobody has used a deprecated version.
        there = set(re.findall(r"^([a-z_]+)[{ ]", self.metrics, re.M)) | {"pg_restful_deprecated_requests_total"}
        named = set(re.findall(r"\b(?:http_server|pg_restful)_[a-z_]+", asked))
        self.assertGreater(len(named), 8)
        self.assertLessEqual(named, there)

    def test_buckets_grow_to_the_count(self):
        buckets = re.findall(r'_bucket\{le="([^"]+)",[^}]*http_route="/rpc/wait"[^}]*status_class="2xx"[^}]*\} (\d+)', self.metrics)
        buckets = buckets or re.findall(r'_bucket\{[^}]*?le="([^"]+)"[^}]*\} (\d+)', "\n".join(
            line for line in self.metrics.splitlines() if '"/rpc/wait"' in line and '"2xx"' in line))
        counts = [int(count) for _, count in buckets]
        self.assertEqual((counts, counts[-1], buckets[-1][0]), (sorted(counts), len(self.times), "+Inf"))

    def test_percentiles_are_those_that_clients_measure(self):
        found = self.cluster.sql("select p50, p95 from restful.stat_requests() where route = '/rpc/wait' and status_class = '2xx'")
        p50, p95 = map(float, found.split("|"))
        exact = sorted(self.times)
        # The client also waits for the session and psql, which take a few milliseconds.
        self.assertGreaterEqual(p50, 8 * 0.95)
        self.assertLessEqual(p50, statistics.median(exact) * 1.05)
        self.assertGreaterEqual(p95, 32 * 0.95)
        self.assertLessEqual(p95, exact[-1] * 1.05)


if __name__ == "__main__":
    unittest.main()
