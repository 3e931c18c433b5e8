"""Compares the coverage of policies that restful.expect notes with what plain SQL counts, for random policies, rows and requests: on
the rows that were there before a request, on those that it wrote, and on the one that a refused POST would have written."""

import argparse
import json
import random
import sys

from _sql import quote, run

ROLES = ["coverage_a", "coverage_b", "coverage_child"]

SET_UP = """
create extension if not exists pg_restful;
drop schema if exists coverage_property cascade;
do $$ declare r text; begin
  foreach r in array array['coverage_a', 'coverage_b', 'coverage_child'] loop
    if exists (select from pg_roles where rolname = r) then execute format('drop owned by %I; drop role %I', r, r); end if;
  end loop;
end $$;
create role coverage_a; create role coverage_b; create role coverage_child in role coverage_a;
create schema coverage_property;
grant usage on schema coverage_property to coverage_a, coverage_b;
set restful.schemas = 'coverage_property';
set check_function_bodies = off;
create table coverage_property.allowed (who text, id int);
insert into coverage_property.allowed values ('coverage_a', 1), ('coverage_a', 3), ('coverage_b', 2), ('coverage_child', 4);
grant select on coverage_property.allowed to public;
create table coverage_property.results (description text, noted text, counted text);
create table coverage_property.statuses (status text);
create table coverage_property.counted (policy name, clause text, yes int, no int, role text);
create table coverage_property.unknown (policy name);
-- The policies of t that apply to a role and one of these commands.
create function coverage_property.policies(who name, commands text[], is_check boolean) returns table (policy name, expression text)
language sql as $$
  select p.polname, case when is_check then coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid))
    else pg_get_expr(p.polqual, p.polrelid) end
  from pg_policy p
  where p.polrelid = 'coverage_property.t'::regclass and p.polcmd::text = any (commands || '*'::text)
    and exists (select from unnest(p.polroles) r where r = 0 or pg_has_role(who, nullif(r, 0), 'usage'))
$$;
-- Evaluates them on rows, in a table without policies.
create function coverage_property.count(who name, commands text[], is_check boolean, rows text) returns void language plpgsql as $$
declare p record; yes int; no int;
begin
  for p in select * from coverage_property.policies(who, commands, is_check) where expression is not null loop
    truncate coverage_property.copy;
    execute 'insert into coverage_property.copy overriding system value ' || rows;
    execute format('set local role %I', who);
    execute format('select count(*) filter (where %1$s), count(*) filter (where (%1$s) is not true) from coverage_property.copy as t', p.expression)
      into yes, no;
    reset role;
    insert into coverage_property.counted values (p.policy, case when is_check then 'WITH CHECK' else 'USING' end, yes, no, who);
  end loop;
end $$;
create function coverage_property.request(who name, method text, target text, body jsonb, headers jsonb, stamp int) returns void
language plpgsql as $$
declare
  answer text;
  denied boolean;
  -- A write reads if it has a filter or returns rows.
  reads text[] := case method when 'GET' then '{r}' when 'DELETE' then '{d}' when 'PATCH' then '{w}' else '{}'::text[] end
    || case when method <> 'GET' and (target like '%?%' or headers <> '{}') then '{r}'::text[] else '{}' end;
begin
  perform coverage_property.count(who, reads, false, 'select * from coverage_property.t') where reads <> '{}';
  answer := restful.expect(method, target, body, as_role => who, with_headers => headers);
  denied := answer like '%row-level security policy%';
  insert into coverage_property.statuses values (method || ' ' || case when answer like 'ok%' then 'done' when denied then 'denied' else answer end);
  if method = 'POST' and denied then
    perform coverage_property.count(who, '{a}', true,
      format('select * from jsonb_populate_record(null::coverage_property.copy, %L)', body));
  elsif method = 'PATCH' and denied then
    -- which row was refused is not known
    insert into coverage_property.unknown select policy from coverage_property.policies(who, '{w}', true);
  elsif method in ('POST', 'PATCH') then
    perform coverage_property.count(who, case method when 'POST' then '{a}'::text[] else '{w}' end, true,
      'select * from coverage_property.t where stamp = ' || stamp);
  end if;
end $$;
create function coverage_property.compare(note text) returns void language sql as $$
  insert into coverage_property.results
  select note || ' | ' || name, noted, coalesce(counted, 'nothing')
  from (
    select c.name, case when c.detail like 'no request%' then 'nothing' else c.detail end as noted,
      (select format('true for %s row%s, not true for %s row%s, as %s', sum(yes), case sum(yes) when 1 then '' else 's' end,
          sum(no), case sum(no) when 1 then '' else 's' end, string_agg(distinct role, ', ' order by role))
        from coverage_property.counted n where c.name = format('%I on coverage_property.t, %s', n.policy, n.clause)
        having count(*) > 0) as counted
    from restful.test_coverage() c
    where c.kind = 'policy' and c.name like '% on coverage_property.t, %'
      and not (c.name like '%CHECK' and exists (select from coverage_property.unknown u where c.name like u.policy || ' %'))
  ) t;
$$;
"""


def expression(rng, depth=0):
    """A random condition on a row of t."""
    if depth < 2 and rng.random() < 0.4:
        word = rng.choice([" and ", " or "])
        return "(" + word.join(expression(rng, depth + 1) for _ in range(rng.randrange(2, 4))) + ")"
    return rng.choice([
        "true", "false", "null::boolean", "owner = current_user", "owner is null", "a > b", "a = 2", "b <> 1", "not (a = 1)",
        "a = any (array[1, 2])", "(select current_user) = owner", "pg_has_role(current_user, 'coverage_a', 'usage')",
        "exists (select from coverage_property.allowed x where x.id = t.id and x.who = current_user)",
        "id in (select x.id from coverage_property.allowed x where x.who = current_user)", "t is not null",
    ])


def table(rng):
    """A table with random policies, as SQL, and a short description of it."""
    columns = "(gone int, id int primary key, a int, b int, owner text, stamp int)"
    script, notes = [], []
    for name in "t", "copy":
        script.append(f"drop table if exists coverage_property.{name}; create table coverage_property.{name} {columns};"
                      f"alter table coverage_property.{name} drop column gone;"
                      f"grant all on coverage_property.{name} to coverage_a, coverage_b;")
    for i in range(1, rng.randrange(2, 8)):
        owner = rng.choice(["'coverage_a'", "'coverage_b'", "'coverage_child'", "null"])
        script.append(f"insert into coverage_property.t values ({i}, {rng.randrange(1, 4)}, {rng.choice(['1', '2', '3', 'null'])}, {owner});")
    for i in range(rng.randrange(1, 6)):
        command = rng.choice(["all", "all", "select", "insert", "update", "delete"])
        to = rng.choice(["public", "public", "coverage_a", "coverage_b"])
        kind = "restrictive" if rng.random() < 0.2 else "permissive"
        using = f" using ({expression(rng)})" if command != "insert" else ""
        check = f" with check ({expression(rng)})" if command == "insert" or command in ("all", "update") and rng.random() < 0.5 else ""
        notes.append(f"create policy p{i} on coverage_property.t as {kind} for {command} to {to}{using}{check}")
    script.append("alter table coverage_property.t enable row level security;")
    return script + [note + ";" for note in notes], "; ".join(n.replace("coverage_property.", "") for n in notes)


def requests(rng):
    """Requests, each with the stamp of the rows that it writes."""
    for stamp in range(1, rng.randrange(3, 8)):
        values = {"a": rng.randrange(1, 4), "b": rng.choice([1, 2, None]), "owner": rng.choice([*ROLES, None]), "stamp": stamp}
        target = rng.choice(["/t", f"/t?id=eq.{rng.randrange(1, 8)}", "/t?a=eq.2"])
        method = rng.choice(["GET", "POST", "PATCH", "DELETE"])
        headers = {"prefer": "return=representation"} if method == "POST" and rng.random() < 0.3 else {}
        if method == "POST":
            target, values = "/t", {"id": 100 + stamp, **values}
        body = json.dumps(values) if method in ("POST", "PATCH") else None
        yield rng.choice(ROLES), method, target, body, json.dumps(headers), stamp


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--library", help="not needed")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--tables", type=int, default=150)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.tables} tables", flush=True)
    rng = random.Random(options.seed)
    script = [SET_UP]
    for _ in range(options.tables):
        made, note = table(rng)
        script += [*made, "truncate coverage_property.counted, coverage_property.unknown;", "select from restful.test('no tests');"]
        told = []
        for who, method, target, body, headers, stamp in requests(rng):
            script.append(f"select coverage_property.request('{who}', '{method}', '{target}', {'null' if body is None else quote(body)}, "
                          f"'{headers}', {stamp});")
            told.append(f"{who} {method} {target} {body or ''}")
        script.append(f"select coverage_property.compare({quote(note + ' | ' + '; '.join(told))});")
    script.append("select jsonb_build_object('compared', count(*), 'something', count(*) filter (where counted <> 'nothing'), "
                  "'statuses', (select jsonb_object_agg(status, n) from (select status, count(*) n from coverage_property.statuses group by 1) s), "
                  "'different', coalesce(jsonb_agg(to_jsonb(results)) filter (where noted is distinct from counted), '[]')) "
                  "from coverage_property.results;")
    script.append("drop schema coverage_property cascade; drop role coverage_child, coverage_a, coverage_b;")
    report = json.loads(run(*script).strip().splitlines()[-1])
    for row in report["different"][:5]:
        print(f"\n{row['description']}\n  noted   {row['noted']}\n  counted {row['counted']}")
    print(f"{report['compared']} compared, {len(report['different'])} differ; requests: {report['statuses']}")
    wanted = {"GET done", "POST done", "POST denied", "PATCH done", "PATCH denied", "DELETE done"}
    sys.exit(1 if report["different"] or report["something"] < 2 * options.tables or set(report["statuses"]) != wanted else 0)


if __name__ == "__main__":
    main()
