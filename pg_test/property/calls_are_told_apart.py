#!/usr/bin/env python3
"""A call of an overloaded function runs one that takes its arguments, or the extension refuses it.

The refusal is never PostgreSQL's own 42725 (not unique) or 42883 (does not exist). Random functions and procedures of one name are
called with random arguments, by GET, JSON, CSV and forms. Each function answers with its own declaration, so that the test can compare
what was called with what was asked for.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    calls_are_told_apart.py [--seed N] [--sets M]

Everything is made in the schema overloads, which is dropped before and after. Exits with 1 if an answer is wrong.
"""
import argparse
import collections
import json
import random
import sys

import _ways
from _sql import quote

NAMES = ["a", "b", "c"]
TYPES = {"int4": "1", "text": "'x'", "json": "'5'", "numeric": "1.5", "overloads.small": "3", "int4[]": "'{1}'"}
TEXTS = {"int4[]": "{1,2}"}
SET_UP = """
drop schema if exists overloads cascade;
create schema overloads;
create domain overloads.small as int check (value < 100);
set restful.schemas = 'overloads';
create table overloads.answers (at int, request text, status int, code text, body text);
create procedure overloads.attempt(command text) language plpgsql as $$ begin execute command; exception when others then null; end $$;
create procedure overloads.ask(at int, method text, target text, headers jsonb, body text) language plpgsql as $$
declare r record;
begin
  select * into r from ways.serve(method, target, headers, convert_to(body, 'UTF8'));
  insert into overloads.answers values (at, concat_ws(' ', method, target, headers, body), r.status,
    case when r.status = 300 or r.status >= 400 then convert_from(r.body, 'UTF8')::jsonb ->> 'code' end, convert_from(r.body, 'UTF8'));
end $$;
"""

Parameter = collections.namedtuple("Parameter", "name type default variadic")


def parameters(rng):
    """The parameters of a function. Each parameter after one with a default has a default, too."""
    if rng.random() < 0.08:
        return [Parameter("", rng.choice(["json", "jsonb"]), False, False)]
    chosen, defaults = [], rng.random() < 0.2
    for name in rng.sample(NAMES, rng.randrange(4)):
        defaults = defaults or rng.random() < 0.4
        chosen.append(Parameter(name, rng.choice(list(TYPES)), defaults, False))
    if rng.random() < 0.25:
        chosen.append(Parameter("v", rng.choice(["int4[]", "text[]"]), defaults or rng.random() < 0.3, True))
    return chosen


def declared(parameter):
    default = f" default {TYPES.get(parameter.type, quote('{}'))}" if parameter.default else ""
    return f"{'variadic ' if parameter.variadic else ''}{parameter.name} {parameter.type}{default}"


def create(chosen, kind):
    arguments = ", ".join(declared(p) for p in chosen)
    answer = json.dumps([[p.name, p.default] for p in chosen])
    if kind == "procedure":
        return f"create procedure overloads.f({arguments}) language sql as 'select 1'"
    return f"create function overloads.f({arguments}) returns json language sql as {quote('select ' + quote(answer) + '::json')}"


def requests(rng):
    names = rng.sample(NAMES + ["v", "d"], rng.choice([0, 1, 1, 2, 2, 3]))
    value = lambda name: rng.choice(["1", "1", "{1}"]) if name != "v" else "1"
    query = "&".join(f"{name}={value(name)}" for name in names)
    body = json.dumps({name: [1] if name == "v" else 1 for name in names})
    yield names, "GET", f"/rpc/f?{query}", "{}", ""
    yield names, "POST", "/rpc/f", '{"content-type": "application/json"}', body
    yield names, "POST", "/rpc/f", '{"content-type": "application/x-www-form-urlencoded"}', query
    if names:
        yield names, "POST", "/rpc/f", '{"content-type": "text/csv"}', ",".join(names) + "\n" + ",".join("1" for _ in names)
    yield None, "POST", "/rpc/f", "{}", "[1]"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    arguments.add_argument("--seed", type=int, default=3)
    arguments.add_argument("--sets", type=int, default=150)
    options = arguments.parse_args()
    rng = random.Random(options.seed)
    script, asked = [SET_UP], []
    for number in range(options.sets):
        for _ in range(rng.randrange(1, 6)):
            kind = "procedure" if rng.random() < 0.12 else "function"
            script.append(f"call overloads.attempt({quote(create(parameters(rng), kind))});")
        for _ in range(4):
            for names, method, target, headers, body in requests(rng):
                script.append(f"call overloads.ask({len(asked)}, {quote(method)}, {quote(target)}, {quote(headers)}, {quote(body)});")
                asked.append(names)
        script.append("""do $$ declare r record; begin
            for r in select p.oid::regprocedure as f, p.prokind from pg_proc p where p.proname = 'f' and p.pronamespace = 'overloads'::regnamespace loop
                execute format('drop %s %s', case r.prokind when 'p' then 'procedure' else 'function' end, r.f);
            end loop; end $$;""")
    script.append("select json_agg(a order by at) from overloads.answers a;")
    script.append("drop schema overloads cascade;")
    printed, taken = _ways.run(options.library, *script)
    answers, failed = collections.Counter(), 0
    for answer in json.loads(printed):
        answers[answer["code"] or answer["status"]] += 1
        names = asked[answer["at"]]
        good = answer["status"] < 500 and answer["code"] not in ("42725", "42883")
        if answer["status"] == 200 and names is not None:
            called = {name: default for name, default in json.loads(answer["body"])}
            good = "" in called or set(names) <= set(called) and all(name in names for name, default in called.items() if not default)
        if not good:
            failed += 1
            print(f"{answer['request']}\n  {answer['status']} {answer['body']}")
    print(f"seed {options.seed}: {sum(answers.values())} calls, {dict(answers)}, {failed} failed")
    if seldom := _ways.seldom(taken, {"call": answers[200] // 3}):
        print(f"too seldom to prove anything: {seldom}")
    sys.exit(1 if failed or seldom or not {200, "PGRST202", "PGRST203"} <= set(answers) else 0)


if __name__ == "__main__":
    main()
