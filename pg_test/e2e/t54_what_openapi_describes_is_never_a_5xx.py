"""Schemathesis makes requests that OpenAPI describes, and requests that it does not, through the gateway and as a role that may write."""

import json
import os
import subprocess
import sys
import unittest

import _clients
from harness import HERE, Gateway

# The number of examples, not the time, limits the run, so that it is the same on a busy machine. The time only ends a run that hangs.
EXAMPLES = 8
SECONDS = 600
# Each run makes the same requests, as long as the server gives the same answers.
SEED = 54

SETUP = """
create function library.add(a int, b int default 1) returns int language sql immutable as 'select $1 operator(pg_catalog.+) $2';
create function library.echo(document jsonb) returns jsonb language sql immutable as 'select document';
create function library.titles(since int) returns setof text language sql stable as 'select title from library.books where year >= since';
create function library.rename_subject(subject int, new_name text) returns void language sql as
    'update library.subjects set name = new_name where id = subject';
create table library.odd (id uuid primary key default gen_random_uuid(), n numeric, r int4range, t timestamptz, i interval, b bytea, a int[], j jsonb, x "char");
create view library.novels as select id, title from library.books where tags @> '{novel}';
alter role authenticator set restful.aggregates_enabled = on;
grant select, insert, update, delete on all tables in schema library to anon;
"""


class Schemathesis(unittest.TestCase):
    def test_no_server_errors(self):
        packages = _clients.python_packages(HERE / "schemathesis.txt")
        _clients.psql("-c", SETUP)
        host, port, name = (os.environ[name] for name in ("PGHOST", "PGPORT", "PGDATABASE"))
        with Gateway(DATABASE_URL=f"host={host} port={port} dbname={name} user=authenticator") as gateway:
            command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{gateway.port}/", "--checks", "not_a_server_error", "--phases", "coverage,fuzzing", "--seed", str(SEED), "--workers", "2",
                       "--suppress-health-check", "all", "--no-color", "--continue-on-failure", "--max-examples", str(EXAMPLES)]
            done = subprocess.run(command, cwd=packages, env=os.environ | {"PYTHONPATH": str(packages)}, text=True, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            answered = [json.loads(line) for line in gateway.access]
            # Ask the gateway what it has answered, because the exit code also reports errors within Schemathesis.
            self.assertEqual([entry for entry in answered if entry["status"] >= 500], [], done.stdout[-3000:])
            self.assertGreater(len(answered), 200, done.stdout[-3000:])
            self.assertGreater(len({entry["status"] for entry in answered}), 4)
            self.assertEqual(gateway.get("/subjects?limit=0").status, 200)
        self.assertEqual(_clients.psql("-c", "select count(*) from pg_stat_activity where state = 'active' and query ~ 'restful' and pid <> pg_backend_pid()"), "0")


if __name__ == "__main__":
    unittest.main()
