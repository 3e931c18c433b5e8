"""Writes parts of SQL, and runs psql."""

import json
import subprocess
import sys


def quote(text):
    """A literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name):
    return '"' + name.replace('"', '""') + '"'


def run(*statements, messages="error", may_fail=False):
    """What psql prints for the statements. Messages below the level `messages` are left out. The first error ends the test, unless it `may_fail`."""
    script = f"set client_encoding = 'UTF8';\nset client_min_messages = {messages};\n" + "\n".join(statements)
    psql = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"], input=script, encoding="utf-8", check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if psql.returncode != 0 and not may_fail:
        print(psql.stderr[-4000:])
        sys.exit(2)
    return psql.stdout


def count_outcomes(table):
    """A query of a table with the columns number, outcome and detail, which has a text where a law is broken. `report` reads its answer."""
    return (f"select jsonb_build_object('outcomes', (select jsonb_object_agg(outcome, n) from (select outcome, count(*) n from {table} group by 1) t),"
            f" 'broken', coalesce((select jsonb_agg(r) from (select * from {table} where detail is not null order by number limit 1) r), '[]'));")


def report(printed):
    """Prints what the last line, an answer to `count_outcomes`, says. Returns how often each outcome happened, and whether a law is broken."""
    answer = json.loads(printed.strip().splitlines()[-1])
    print(json.dumps(answer["outcomes"]))
    for case in answer["broken"]:
        print(f"\n{case['number']}: {case['outcome']}\n{case['detail']}")
    return answer["outcomes"], bool(answer["broken"])
