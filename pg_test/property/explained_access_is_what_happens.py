"""Compares restful.explain_access with what happens, for random policies, privileges, rows and commands with their clauses. Each command
runs under SET ROLE and is rolled back. Compares restful.access_matrix with PostgreSQL's own has_*_privilege, and with the rows that a
role reads."""

import argparse
import json
import random
import sys

from _sql import run

ROLES = ["access_owner", "access_a", "access_b", "access_child", "access_bypass"]

SET_UP = """
create extension if not exists pg_restful;
drop schema if exists access_property cascade;
do $$ declare r text; begin
  foreach r in array array['access_owner', 'access_a', 'access_b', 'access_child', 'access_bypass'] loop
    if exists (select from pg_roles where rolname = r) then execute format('drop owned by %I; drop role %I', r, r); end if;
  end loop;
end $$;
create role access_owner; create role access_a; create role access_b;
create role access_child in role access_a; create role access_bypass bypassrls;
create schema access_property authorization access_owner;
create table access_property.allowed (who text, id int);
insert into access_property.allowed values ('access_a', 1), ('access_a', 3), ('access_b', 2), ('access_child', 4);
grant select on access_property.allowed to public;
create table access_property.results (description text, explained text, happened text);
-- What a command does: how many rows it changes or reads, or the SQLSTATE of its error.
create function access_property.happens(who name, command text) returns text language plpgsql as $$
declare n int;
begin
  begin
    execute format('set local role %I', who);
    execute command;
    get diagnostics n = row_count;
    raise exception using errcode = 'UNDO1', message = n::text;
  exception when others then
    return case sqlstate when 'UNDO1' then sqlerrm else sqlstate end;
  end;
end $$;
-- The same, but according to the explanation.
create function access_property.explained(rel regclass, command text, who name, key jsonb, new_row jsonb) returns text
language plpgsql as $$
declare report jsonb := restful.explain_access(rel, command, who, '{}', key, new_row);
begin
  return case report ->> 'outcome'
    when 'visible' then '1' when 'allowed' then '1' when 'hidden' then '0' when 'absent' then '0' when 'no row' then '0'
    when 'denied' then '42501' when 'error' then substring(report ->> 'verdict' from '\\(([0-9A-Z]{5})\\)$')
    else report ->> 'verdict' end;
end $$;
create function access_property.compare(rel regclass, command text, who name, key jsonb, new_row jsonb, statement text, note text)
returns void language sql as $$
  insert into access_property.results values (note || ' | ' || statement || ' | ' || who,
    access_property.explained(rel, command, who, key, new_row), access_property.happens(who, statement))
$$;
"""

MATRIX = """
insert into access_property.results
select 'matrix ' || concat_ws(' ', m.relation, m.role, m.command), m.granted || ' ' || coalesce(m.columns::text, ''),
  (has_schema_privilege(m.role, c.relnamespace, 'USAGE') and case when m.command in ('DELETE', 'TRUNCATE')
    then has_table_privilege(m.role, m.relation, m.command) else has_any_column_privilege(m.role, m.relation, m.command) end)
  || ' ' || coalesce(case when m.command in ('SELECT', 'INSERT', 'UPDATE') then array(
    select a.attname from pg_attribute a where a.attrelid = m.relation and a.attnum > 0 and not a.attisdropped
      and has_column_privilege(m.role, m.relation, a.attname, m.command) order by a.attnum)::text end, '')
from restful.access_matrix('{access_property}', '{access_owner,access_a,access_b,access_child,access_bypass}') m
join pg_class c on c.oid = m.relation;
insert into access_property.results
select 'rows ' || m.relation || ' ' || m.role || ' ' || m.why, case m.rows when 'by policy' then h.n else m.rows end,
  case when m.rows = 'by policy' then h.n when h.n = '42501' or h.n = '0' then 'none' when h.n = '6' then 'all' else h.n end
from restful.access_matrix('{access_property}', '{access_owner,access_a,access_b,access_child,access_bypass}') m
cross join lateral (select access_property.happens(m.role, 'select 1 from ' || m.relation) as n) h
where m.command = 'SELECT' and m.relation = 'access_property.t'::regclass;
"""


def expression(rng, depth=0):
    """A random condition on a row of t."""
    if depth < 2 and rng.random() < 0.4:
        word = rng.choice([" and ", " or "])
        return "(" + word.join(expression(rng, depth + 1) for _ in range(rng.randrange(2, 4))) + ")"
    return rng.choice([
        "true", "false", "null::boolean", "owner = current_user", "owner is null", "a > b", "a = 2", "b <> 1", "not (a = 1)",
        "a = any (array[1, 2])", "(select current_user) = owner", "pg_has_role(current_user, 'access_a', 'usage')",
        "exists (select from access_property.allowed x where x.id = t.id and x.who = current_user)",
        "id in (select x.id from access_property.allowed x where x.who = current_user)", "t is not null", "total > 3",
        "case when a = 1 then b = 1 else b = 2 end", "10 / nullif(a, 5) > 3",
    ])


def table(rng):
    """A table with random policies and privileges, as SQL, and a short description of it."""
    script, notes = ["drop table if exists access_property.t;",
                     "create table access_property.t (gone int, id int primary key, a int default 2, b int, owner text default current_user,"
                     " total int generated always as (a + b) stored);",
                     "alter table access_property.t drop column gone, owner to access_owner;"], []
    for i in range(1, 7):
        owner = rng.choice(["'access_a'", "'access_b'", "'access_child'", "'access_owner'", "null"])
        script.append(f"insert into access_property.t (id, a, b, owner) values ({i}, {rng.randrange(1, 4)}, "
                      f"{rng.choice(['1', '2', '3', 'null'])}, {owner});")
    if rng.random() < 0.93:
        notes.append("alter table access_property.t enable row level security")
    if rng.random() < 0.5:
        notes.append("alter table access_property.t force row level security")
    for i in range(rng.randrange(0, 6)):
        command = rng.choice(["all", "all", "select", "insert", "update", "delete"])
        to = rng.choice(["public", "public", "access_a", "access_b", "access_a, access_owner"])
        kind = "restrictive" if rng.random() < 0.3 else "permissive"
        using = f" using ({expression(rng)})" if command != "insert" and rng.random() < 0.95 else ""
        check = f" with check ({expression(rng)})" if command in ("all", "insert", "update") and rng.random() < 0.5 else ""
        notes.append(f"create policy p{i} on access_property.t as {kind} for {command} to {to}{using}{check}")
    for role in ROLES[1:]:
        privileges = rng.choice(["all", "all", "select, insert, update, delete", "select, insert, update, delete", "select", "insert",
                                 "select (id, a), update (a)", "insert (id, b), select (b)", "update, delete", ""])
        if privileges:
            notes.append(f"grant {privileges} on access_property.t to {role}")
        if rng.random() < 0.95:
            notes.append(f"grant usage on schema access_property to {role}")
        else:
            notes.append(f"revoke usage on schema access_property from {role}")
    return script + [note + ";" for note in notes], "; ".join(n.replace("access_property.", "") for n in notes)


def literal(value):
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


def commands(rng):
    """Commands on t: their name, key and new values, and the statement."""
    key = rng.randrange(1, 8)
    where = f"where id = {key}"
    change = {c: v for c, v in [("a", rng.randrange(1, 4)), ("b", rng.choice([1, 2, None])),
                                ("owner", rng.choice(["access_a", "access_b", None]))] if rng.random() < 0.5} or {"a": 3}
    new = {"id": 100, **{c: v for c, v in change.items()}}
    assignments = ", ".join(f"{c} = {literal(v)}" for c, v in change.items())
    yield "select", key, None, f"select id from access_property.t {where}"
    yield "update", key, change, f"update access_property.t set {assignments} {where}"
    yield "delete", key, None, f"delete from access_property.t {where}"
    insert = lambda row: f"insert into access_property.t ({', '.join(row)}) values ({', '.join(literal(v) for v in row.values())})"
    yield "insert", None, new, insert(new)
    # A role has to be able to read what INSERT returns or compares. If a row is in the way, it is read, updated, and read again.
    returned = rng.choice(["id", "a", "b, id", "*", '"owner"'])
    yield f"insert returning {returned}", None, new, f"{insert(new)} returning {returned}"
    there = {**new, "id": rng.choice([key, key, 100])}
    yield "insert on conflict do nothing", None, there, f"{insert(there)} on conflict do nothing"
    yield "insert on conflict (id) do nothing", None, there, f"{insert(there)} on conflict (id) do nothing"
    update = f"{insert(there)} on conflict (id) do update set {', '.join(f'{c} = excluded.{c}' for c in there)}"
    yield "insert on conflict do update", None, there, update
    yield f"insert on conflict (id) do update returning {returned}", rng.choice([None, there["id"]]), there, f"{update} returning {returned}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--library", help="not needed")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--tables", type=int, default=60)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.tables} tables", flush=True)
    rng = random.Random(options.seed)
    script = [SET_UP]
    for _ in range(options.tables):
        made, note = table(rng)
        script += made
        for role in ROLES:
            for command, key, new, statement in commands(rng):
                new_row = "null" if new is None else literal(json.dumps(new))
                script.append(f"select access_property.compare('access_property.t', '{command}', '{role}', {literal(key)}, {new_row}, "
                              f"{literal(statement)}, {literal(note)});")
        script.append(MATRIX)
    script.append("select jsonb_build_object('compared', count(*), 'kinds', (select jsonb_object_agg(h, n) from (select happened h, "
                  "count(*) n from access_property.results where description not like 'matrix%' group by 1) k), 'different', "
                  "coalesce(jsonb_agg(to_jsonb(results)) filter (where explained is distinct from happened), '[]')) from access_property.results;")
    script.append("drop schema access_property cascade; drop role access_child, access_a, access_b, access_bypass, access_owner;")
    report = json.loads(run(*script).strip().splitlines()[-1])
    for row in report["different"][:10]:
        print(f"\n{row['description']}\n  explained {row['explained']}\n  happened  {row['happened']}")
    print(f"{report['compared']} compared, {len(report['different'])} differ; what happened: {report['kinds']}")
    sys.exit(1 if report["different"] or not report["compared"] or len(report["kinds"]) < 4 else 0)


if __name__ == "__main__":
    main()
