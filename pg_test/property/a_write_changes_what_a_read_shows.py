#!/usr/bin/env python3
"""A write changes the rows that a read with the same filters shows, and both agree with plain SQL.

Schemas, data and requests are random (_law_schema.py, _law_generator.py). _law_oracle.py writes SQL that means the same as a request,
from the request's data and without the extension. _law_driver.py runs both as a role that is not a superuser, and rolls them back.
_law_checks.py says what has to hold for their answers, and for the tables afterwards.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    a_write_changes_what_a_read_shows.py --library /path/libpg_restful.so [--seed N] [--cases M] [--case N] [--brief] [--shown K]

If a case breaks a law, the test makes it smaller, and prints it with all that is needed to replay it by hand. --seed and --case run
this case alone. --brief prints only the requests. K cases of each kind are shown, and the others are counted. The schemas law and
law_test and the role law_user are dropped before and after. Exits with 1 if a law is broken.
"""
import argparse
import collections
import os
import random
import sys
import time

import _law_schema
from _law_checks import Broken, Checks
from _law_driver import MAKE_ROLE, ROLE, Database, grants
from _law_generator import Generator, describe
from _law_malformed import Malformed, Malformer
from _law_smaller import smallest

CASES_OF_A_SCHEMA = 20
# The outcomes that have to happen, each at least once in 500 requests.
EXPECTED = ["rows read", "no rows read", "read refused as in SQL", "read guarded", "some rows changed", "every row changed",
            "no row changed", "rows inserted", "write refused as in SQL", "write guarded", "page of a write refused",
            "functions called", "malformed refused"]

# The ways that have to be taken, each at least once in 40 requests, and the methods of those that write, each once in 200.
WAYS = ["way: read", "way: read with embedded rows", "way: write", "way: kept", "way: unpublished"]
WRITES = ["way: write by POST", "way: write by PATCH", "way: write by DELETE"]


def case(schema, seed, number):
    """The requests of a case, and how often each is made. The extension runs a request in other ways when it is repeated."""
    rng = random.Random(f"{seed} {number}")
    generator = Generator(schema, rng)
    if rng.random() < 0.2:
        return generator, [(Malformer(generator).make(), 1)]
    request = generator.request()
    requests = [(request, 3 if rng.random() < 0.2 else 1)]
    if rng.random() < 0.2:
        requests.append((generator.with_other_values(request), 1))
    return generator, requests


def report(number, seed, schema, request, broken, checks, is_brief):
    """Says which law is broken, and prints what replays it in psql."""
    intact = request.request if isinstance(request, Malformed) else request
    shown = f"{intact.method} {request.target} {request.body or ''}" if isinstance(request, Malformed) else describe(request)
    print(f"\n--seed {seed} --case {number}: {broken.law}\n  {broken.what}\n  {shown}")
    if is_brief:
        return
    print(f"-- to replay it:\n{MAKE_ROLE}{schema.script()}\n{grants()}\n\\c - {ROLE}")
    for trial in checks.trials:
        print(f"BEGIN;\n{trial.script()}\n-- {str(trial.answer)[:1500]}")
        print(f"TABLE {_law_schema.qualified(intact.node.relation.base.name)}; ROLLBACK;" if trial.writes else "ROLLBACK;")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    arguments.add_argument("--seed", type=int, default=11)
    arguments.add_argument("--cases", type=int, default=3000)
    arguments.add_argument("--case", type=int)
    arguments.add_argument("--brief", action="store_true", help="only say which requests break a law")
    arguments.add_argument("--shown", type=int, default=3, help="the most cases that are shown of each kind")
    options = arguments.parse_args()
    print(f"seed {options.seed}", flush=True)
    database = Database(os.environ.get("PGUSER", "postgres"), options.library)
    broken_laws, kinds, made = collections.Counter(), collections.Counter(), 0
    numbers = range(options.cases) if options.case is None else [options.case]
    schema, checks, start = None, Checks(database), time.time()
    for number in numbers:
        if schema is None or number % CASES_OF_A_SCHEMA == 0:
            schema = _law_schema.make(random.Random(f"{options.seed} schema {number // CASES_OF_A_SCHEMA}"))
            database.make(schema)
        generator, requests = case(schema, options.seed, number)
        for request, repeat in requests:
            made += 1
            try:
                if isinstance(request, Malformed):
                    checks.malformed(request)
                else:
                    checks.check(request, repeat)
            except Broken as broken:
                broken_laws[broken.law] += 1
                kinds[broken.kind] += 1
                if kinds[broken.kind] <= options.shown:
                    if not isinstance(request, Malformed):
                        request, broken = smallest(generator, request, broken, checks)
                    report(number, options.seed, schema, request, broken, checks, options.brief)
    database.close()
    outcomes = ", ".join(f"{what} {count}" for what, count in sorted(checks.outcomes.items()))
    print(f"{made} requests in {time.time() - start:.0f} s: {outcomes}")
    for law, count in broken_laws.most_common():
        print(f"{count:6} times broken: {law}")
    # If no request or every request is refused, the test proves nothing.
    rare = [what for what in EXPECTED if checks.outcomes[what] < made / 500] if made > 2000 else []
    rare += [what for what in WRITES if checks.outcomes[what] < made / 200] if made > 2000 else []
    rare += [what for what in WAYS if checks.outcomes[what] < made / 40] if made > 2000 else []
    if rare:
        print(f"too seldom to prove anything: {', '.join(rare)}")
    sys.exit(1 if broken_laws or rare else 0)


if __name__ == "__main__":
    main()
