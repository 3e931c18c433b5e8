"""Measures requests per second through the gateway, compared with the same statement in pgbench."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.request

from client import Time
from harness import Failure, run
from measure import LOGIN, Bench
from read import POINT_ROWS, POINT_SETUP

SECONDS = 2
# One row by its key, a fresh random one for each request.
WRK = f"""
math.randomseed(os.time())
request = function() return wrk.format("GET", "/point?id=eq." .. math.random({POINT_ROWS})) end
"""
PGBENCH = f"""
\\set id random(1, {POINT_ROWS})
select record_send(restful.serve('GET', '/point?id=eq.' || :id, '{{"host": "127.0.0.1:3000"}}', null));
"""


@contextlib.contextmanager
def running(bench: Bench):
    """Runs the gateway with its default settings, and yields its address."""
    place = bench.cluster.settings
    url = f"host={place['PGHOST']} port={place['PGPORT']} user={LOGIN} dbname=bench"
    process = subprocess.Popen([bench.gateway], env={"DATABASE_URL": url, "LISTEN": "127.0.0.1:0"}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        if "listening on " not in line:
            raise Failure(f"the gateway does not start: {line}")
        yield "http://" + json.loads(line)["message"].removeprefix("listening on ")
    finally:
        process.terminate()
        process.communicate()


def wrk(address: str, script: pathlib.Path, clients: int) -> float:
    """Answered requests per second."""
    output = run("wrk", "-t", 1, "-c", clients, "-d", f"{SECONDS}s", "-s", script, address)
    if "Non-2xx" in output or "Socket errors" in output:
        raise Failure(f"requests failed:\n{output}")
    return float(re.search(r"Requests/sec:\s*([\d.]+)", output)[1])


def pgbench(bench: Bench, script: pathlib.Path, clients: int) -> float:
    """Transactions per second."""
    output = bench.command("pgbench", "-n", "-M", "prepared", "-c", clients, "-j", 1, "-T", SECONDS, "-f", script)
    return float(re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)[1])


def gateway(bench: Bench) -> None:
    """Measures requests per second with 1, 8 and 32 connections."""
    if not shutil.which("wrk"):
        print("  skipped: wrk is not installed (apt-get install wrk)", flush=True)
        return
    if bench.cluster.sql("select to_regclass('point') is null", "bench") == "t":
        bench.set_up(POINT_SETUP)
    with tempfile.TemporaryDirectory() as folder, running(bench) as address:
        lua, sql = pathlib.Path(folder, "wrk.lua"), pathlib.Path(folder, "pgbench.sql")
        lua.write_text(WRK)
        sql.write_text(PGBENCH)
        with urllib.request.urlopen(f"{address}/point?id=eq.77") as answer:
            if json.loads(answer.read())[0]["id"] != 77:
                raise Failure("the gateway answers something else than was asked")
        for clients in 1, 8, 32:
            plural = "s" if clients > 1 else ""
            ours, theirs = f"gateway, {clients} connection{plural}", f"pgbench, {clients} client{plural}"
            rounds = []
            for number in bench.each_round(ours):
                times = {ours: Time(wrk(address, lua, clients), None), theirs: Time(pgbench(bench, sql, clients), None)}
                if number:
                    rounds.append(times)
            bench.report(rounds, ours, theirs, unit="/s")
