"""Clients with different identities share one server session through PgBouncer in transaction mode. No client sees another's rows,
claims or settings, whatever earlier requests did."""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

from harness import wait_until

PGBOUNCER = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
PSQL = pathlib.Path(os.environ["PG_BINDIR"]) / "psql"
REQUESTS_OF_A_CLIENT = 2500

SETUP = """
create role pool login noinherit;
alter role pool set restful.trusted_authenticators = 'pool';
alter role pool set restful.anon_role = 'anon';
alter role pool set restful.schemas = 'library';
grant alice, bob, anon to pool;
grant select on library.loans to anon;
create function library.who() returns text language sql stable as $$
    select concat_ws(' ', current_user, nullif(current_setting('restful.claims'), '')::jsonb->>'sub', nullif(current_setting('my.mark', true), ''),
        current_setting('work_mem'))
$$;
-- tries to leave as much behind as it can
create function library.litter(fail boolean) returns text language plpgsql as $$
begin
    perform set_config('my.mark', current_user, false);
    perform set_config('work_mem', '99MB', false);
    perform set_config('request.jwt.claims', '{"role": "bob", "sub": "forged"}', false);
    perform set_config('response.status', '299', false);
    if fail then raise 'failed on purpose'; end if;
    return 'done';
end $$;
"""
# What a client asks, and the answer that it has to get, or None if the answer may vary. {0} stands for its role.
REQUESTS = [
    ("restful.get('/loans?select=borrower&limit=1')", '200|[{{"borrower": "{0}"}}]'),
    ("restful.get('/rpc/who')", '200|"{0} {0}-sub 4MB"'),
    ("restful.get('/books?select=id,loans!inner(borrower)&limit=1&order=id.desc')", None),
    ("restful.patch('/loans?days=gt.0', '{{\"days\": 9}}', '{{\"prefer\": \"return=representation\"}}')", None),
    ("restful.post('/rpc/litter', '{{\"fail\": false}}')", '299|"done"'),
    ("restful.post('/rpc/litter', '{{\"fail\": true}}')", None),
    ("restful.get('/nothing')", None),
]


@unittest.skipUnless(PGBOUNCER, "pgbouncer is not installed")
class PooledSession(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.psql("postgres", SETUP)
        cls.folder = tempfile.mkdtemp(prefix="pgr-pool-", dir="/tmp")
        config = pathlib.Path(cls.folder, "pgbouncer.ini")
        config.write_text(f"""
[databases]
* = host={os.environ['PGHOST']} port={os.environ['PGPORT']}
[pgbouncer]
listen_addr =
unix_socket_dir = {cls.folder}
listen_port = 6432
auth_type = trust
auth_file = {cls.folder}/users
pool_mode = transaction
default_pool_size = 1
ignore_startup_parameters = extra_float_digits, options
""")
        pathlib.Path(cls.folder, "users").write_text('"pool" ""\n')
        command = [PGBOUNCER, "-q", str(config)]
        if os.geteuid() == 0:
            for path in (cls.folder, *map(str, pathlib.Path(cls.folder).iterdir())):
                shutil.chown(path, "postgres")
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        cls.pool = subprocess.Popen(command)
        wait_until(pathlib.Path(cls.folder, ".s.PGSQL.6432").exists)

    @classmethod
    def tearDownClass(cls):
        cls.pool.terminate()
        cls.pool.wait(10)
        shutil.rmtree(cls.folder)

    @staticmethod
    def psql(user, text, **environment):
        return subprocess.run([PSQL, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", user], input=text, text=True, check=True,
                              env=os.environ | environment, stdout=subprocess.PIPE).stdout

    def client(self, role, seed):
        """Starts a client. Returns its process and the lines that it has to print; None is any line without another client's name."""
        chosen = random.Random(seed).choices(REQUESTS, k=REQUESTS_OF_A_CLIENT)
        lines = []
        for request, _ in chosen:
            claims = f"set local request.jwt.claims = '{{\"role\": \"{role}\", \"sub\": \"{role}-sub\"}}'\\;"
            become = f"set local role {role}\\; {claims}" if role != "anon" else ""
            lines.append(f"begin\\; {become} select status, body from {request.format(role)}\\; commit;")
        script = pathlib.Path(self.folder, f"{seed}.sql")
        script.write_text("\n".join(lines))
        process = subprocess.Popen([PSQL, "-X", "-q", "-A", "-t", "-U", "pool", "-f", script],
                                   env=os.environ | {"PGHOST": self.folder, "PGPORT": "6432"}, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        answers = [answer and answer.format(role) for _, answer in chosen]
        if role == "anon":
            # anon has neither loans nor a subject.
            answers = [a and a.replace('{"borrower": "anon"}', "").replace(" anon-sub", "") for a in answers]
        return process, answers

    def test_no_crossing(self):
        clients = [(role, *self.client(role, seed)) for seed, role in enumerate(("alice", "bob", "alice", "anon"))]
        for role, process, expected in clients:
            output = process.communicate(timeout=300)[0].splitlines()
            self.assertEqual(len(output), len(expected), output[:3])
            others = {"alice", "bob"} - {role}
            for line, answer in zip(output, expected):
                if answer:
                    self.assertEqual(line, answer)
                self.assertFalse(any(other in line for other in others), line)
        # All clients have shared one session.
        connections = self.psql("postgres", "select count(*) from pg_stat_activity where usename = 'pool'")
        self.assertEqual(connections.strip(), "1")


if __name__ == "__main__":
    unittest.main()
