"""Tests the unmodified JavaScript client @supabase/postgrest-js over the gateway. Each check in postgrest_js/checks.mjs is
a test."""

import json
import os
import shutil
import subprocess
import unittest

from _clients import node_project, start_gateway
from harness import HERE


def run_checks():
    """The name of every check, and its failure or None."""
    project = node_project(HERE / "postgrest_js")
    environment = os.environ | {"PATH": f"{os.environ['PG_BINDIR']}:{os.environ['PATH']}"}
    with start_gateway() as gateway:
        done = subprocess.run(["node", "checks.mjs", f"http://127.0.0.1:{gateway.port}"], cwd=project, env=environment, timeout=300,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    checks = [json.loads(line) for line in done.stdout.splitlines()]
    ended = None if done.returncode == 0 and checks else f"exit code {done.returncode}\n{done.stderr}"
    return [(check["name"], check["error"]) for check in checks] + [("all checks have run", ended)]


def load_tests(_loader, _tests, _pattern):
    def test(failure):
        def run():
            if failure:
                raise AssertionError(failure)
        return run

    suite = unittest.TestSuite()
    if not shutil.which("npm"):
        skipped = unittest.skip("needs node and npm")(lambda: None)
        suite.addTest(unittest.FunctionTestCase(skipped, description="postgrest-js"))
        return suite
    for name, failure in run_checks():
        suite.addTest(unittest.FunctionTestCase(test(failure), description=name))
    return suite
