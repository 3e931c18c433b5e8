"""Compares the lints of policies with what random policies do. Each policy is on a table with every combination of a few values.

policy_null_subject is found exactly if a policy shows a row to requests without a subject, but not to a subject that owns nothing.
policy_always_true is found only if a policy shows every row to everybody. policy_recursive is found exactly if PostgreSQL refuses the
policies as infinite recursion, and policy_denied exactly if it refuses them because a right is missing. The test also runs what lint()
proposes for policy_null_subject, and then nothing may be found any more."""

import argparse
import json
import random
import sys

from _sql import quote, run

SET_UP = """
create extension if not exists pg_restful;
drop schema if exists nobody, nobody_helpers cascade;
drop role if exists nobody_anon;
create role nobody_anon;
create schema nobody;
create schema nobody_helpers;
grant usage on schema nobody to nobody_anon;
create function nobody_helpers.me() returns text language sql stable as 'select restful.claim(''sub'')';
create function nobody_helpers.closed(text) returns boolean language sql stable as 'select true';
revoke execute on function nobody_helpers.closed from public;
create table nobody_helpers.members (doc int, member text, grade int);
insert into nobody_helpers.members select i, case i % 4 when 1 then 'ann' when 2 then 'public' end, 1 from generate_series(1, 1000) i where i % 4 <> 0;
grant select on nobody_helpers.members to nobody_anon;
create table nobody_helpers.closed_members (like nobody_helpers.members);
create table nobody_helpers.rows as select row_number() over (order by o, r, p, m, copy)::int as id, o as owner, r as reviewer, p as published, m::text[] as members
    from unnest('{ann,"",public,null}'::text[]) o, unnest('{ann,"",public,null}'::text[]) r, unnest('{t,f,null}'::boolean[]) p,
        unnest('{"{}","{ann}","{ann,public,\\"\\"}",null}'::text[]) m, generate_series(1, 4) copy;
create table nobody_helpers.found (name text, lint text);
create table nobody_helpers.seen (name text, lint text, expression text, happened jsonb);
-- What a statement returns under these claims: an array of ids, or its error.
create function nobody_helpers.asks(claims jsonb, statement text) returns jsonb language plpgsql as $$
declare ids jsonb;
begin
    begin
        perform restful.act_as('nobody_anon', claims);
        execute statement into ids;
        raise exception using errcode = 'UNDO1';
    exception when sqlstate 'UNDO1' then null;
    end;
    return coalesce(ids, '[]');
exception when others then
    return to_jsonb(concat_ws(' ', sqlstate, sqlerrm));
end $$;
create function nobody_helpers.reads(name text, claims jsonb) returns jsonb language sql as $$
    select nobody_helpers.asks(claims, format('select jsonb_agg(t.id order by t.id) from nobody.%I t', name)) $$;
create function nobody_helpers.sees(name text) returns jsonb language sql as $$
    select jsonb_build_object('nobody', nobody_helpers.reads(name, '{}'), 'stranger', nobody_helpers.reads(name, '{"sub": "zoe"}'),
        'ann', nobody_helpers.reads(name, '{"sub": "ann"}')) $$;
create procedure nobody_helpers.make(name text, policies text[]) language plpgsql as $$
declare policy text;
begin
    execute format('create table nobody.%I (id int primary key, owner text, reviewer text, published boolean, members text[])', name);
    execute format('insert into nobody.%I select * from nobody_helpers.rows', name);
    execute format('alter table nobody.%I enable row level security; grant select on nobody.%1$I to nobody_anon', name);
    foreach policy in array policies loop execute policy; end loop;
end $$;
"""


class Policies:
    """Random conditions on a row of a table with the columns owner, reviewer, published and members."""

    def __init__(self, rng):
        self.rng = rng
        # A policy asks for the subject in one way only, because the lint would take two ways for two subjects.
        self.asked = "restful.user_id()"

    def subject(self):
        return self.asked if self.rng.random() < 0.5 else f"(select {self.asked})"

    def policy(self):
        self.asked = self.rng.choice(["restful.user_id()", "restful.user_id()", "restful.claim('sub')", "(restful.jwt() ->> 'sub')", "nobody_helpers.me()"])
        return self.condition()

    def text(self, depth=0):
        kind = self.rng.randrange(12)
        if kind < 5:
            return self.subject()
        if kind < 8:
            return self.rng.choice(["t.owner", "t.owner", "t.reviewer"]).removeprefix("t.")
        if kind == 8:
            return self.rng.choice(["'ann'", "'public'", "''", "null::text"])
        if depth > 1:
            return self.subject()
        if kind < 11:
            return f"coalesce({self.text(depth + 1)}, {self.text(depth + 1)})"
        return f"nullif({self.text(depth + 1)}, '')"

    def condition(self, depth=0):
        if depth > 3:
            return f"{self.text()} = {self.text()}"
        again = lambda: self.condition(depth + 1)
        kind = self.rng.randrange(24)
        if kind < 6:
            return f"({self.text()} {self.rng.choice(['=', '=', '=', '<>'])} {self.text()})"
        if kind < 8:
            return f"({self.text()} is {self.rng.choice(['', 'not '])}distinct from {self.text()})"
        if kind < 10:
            return f"({self.text()} is {self.rng.choice(['', 'not '])}null)"
        if kind == 10:
            return f"((select {self.subject()} is {self.rng.choice(['', 'not '])}null))"
        if kind < 15:
            return "(" + self.rng.choice([" and ", " or "]).join(again() for _ in range(self.rng.randrange(2, 4))) + ")"
        if kind < 17:
            return f"({again()} is {self.rng.choice(['', 'not '])}{self.rng.choice(['true', 'false', 'unknown'])})"
        if kind == 17:
            return f"(not {again()})"
        if kind == 18:
            return f"coalesce({again()}, {again()})"
        if kind == 19:
            return f"(case when {again()} then {again()} else {again()} end)"
        if kind == 20:
            return f"({self.text()} in ('ann', {self.text()}))"
        if kind == 21:
            return self.rng.choice(["published", "restful.is_authenticated()", "true", "false", "1 = 1", f"{self.subject()} = any (members)"])
        if kind == 22:
            return f"(exists (select from nobody_helpers.members m where m.doc = id and {self.inner()}))"
        return f"({self.subject()} in (select m.member from nobody_helpers.members m where m.doc = id))"

    def inner(self):
        subject = self.subject()
        return self.rng.choice([f"m.member = {subject}", f"m.member is not distinct from {subject}", f"(m.member = {subject} or {subject} is null)",
                                f"coalesce(m.member, '') = coalesce({subject}, '')"])


def conditions(rng, count):
    """Policies with one random condition each."""
    policies = Policies(rng)
    for i in range(count):
        name, condition = f"c{i}", policies.policy()
        yield name, condition, [f"create policy p on nobody.{name} for all to nobody_anon using ({condition})"]


def references(rng, count):
    """Groups of three tables, whose policies read tables of the group, or call or read what the role may not."""
    for i in range(count):
        names = [f"r{i}_{j}" for j in range(3)]
        group = []
        for name in names:
            policies = []
            for p in range(rng.randrange(0, 3)):
                command = rng.choice(["select", "select", "all", "delete", "insert"])
                kind = rng.choice(["permissive", "permissive", "restrictive"])
                to = rng.choice(["nobody_anon", "public", "nobody_anon", "postgres"])
                other = rng.choice(names)
                condition = rng.choice([
                    "published", "owner = (select restful.user_id())", f"id in (select o.id from nobody.{other} o where o.published)",
                    f"exists (select from nobody.{other} o where o.owner = {name}.owner)", f"exists (select from nobody.{other}_view o where o.owner = 'ann')",
                    f"exists (select from nobody.{other}_definer o where o.owner = 'ann')",
                    "nobody_helpers.closed(owner)", "exists (select from nobody_helpers.closed_members m where m.doc = id)",
                    "exists (select from nobody_helpers.members m where m.doc = id)"])
                clause = "with check" if command == "insert" else "using"
                policies.append(f"create policy p{p} on nobody.{name} as {kind} for {command} to {to} {clause} ({condition})")
            group.append((name, policies))
        yield group


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--library", help="not needed")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--policies", type=int, default=250)
    arguments.add_argument("--groups", type=int, default=50)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.policies} policies, {options.groups} groups", flush=True)
    rng = random.Random(options.seed)
    script = [SET_UP]
    for name, condition, policies in conditions(rng, options.policies):
        script.append(f"call nobody_helpers.make({quote(name)}, array[{', '.join(map(quote, policies))}]);")
        script.append(f"insert into nobody_helpers.seen values ({quote(name)}, 'null', {quote(condition)}, null);")
    for group in references(rng, options.groups):
        for name, _ in group:
            script.append(f"call nobody_helpers.make({quote(name)}, '{{}}');")
            for view, invoker in (f"{name}_view", True), (f"{name}_definer", False):
                script.append(f"create view nobody.{view} with (security_invoker = {str(invoker).lower()}) as select * from nobody.{name};"
                              f"grant select on nobody.{view} to nobody_anon;")
        for name, policies in group:
            script += [policy + ";" for policy in policies]
            script.append(f"insert into nobody_helpers.seen values ({quote(name)}, 'refused', {quote('; '.join(policies))}, null);")
            script.append(f"grant insert, delete on nobody.{name} to nobody_anon;")
    script.append("""
        update nobody_helpers.seen set happened = nobody_helpers.sees(name) where lint = 'null';
        insert into nobody_helpers.found select split_part(split_part(l.object, ' ON nobody.', 2), ' ', 1), l.lint from restful.lint('{nobody}') l;
        -- PostgreSQL plans each command, so it reads the policies and checks their rights even if it finds no row.
        update nobody_helpers.seen set happened = jsonb_build_array(
            nobody_helpers.asks('{}', format('select to_jsonb(count(*)) from nobody.%I', name)),
            nobody_helpers.asks('{}', format('with d as (delete from nobody.%I returning 1) select to_jsonb(count(*)) from d', name)),
            nobody_helpers.asks('{}', format('insert into nobody.%I (id) values (1000); select to_jsonb(1)', name))) where lint = 'refused';
    """)
    # Make the repairs of all findings at once, because each policy has its own table.
    script.append("""
        create table nobody_helpers.repairs as select l.* from restful.lint('{nobody}') l where l.lint = 'policy_null_subject';
        do $$ declare fix text; begin for fix in select fix_sql from nobody_helpers.repairs loop execute fix; end loop; end $$;
        select jsonb_build_object('seen', (select jsonb_agg(to_jsonb(s) || jsonb_build_object('found',
                array(select f.lint from nobody_helpers.found f where f.name = s.name))) from nobody_helpers.seen s),
            'rows', (select count(*) from nobody_helpers.rows),
            'left', (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from restful.lint('{nobody}') l where l.lint = 'policy_null_subject'),
            'repaired', (select coalesce(jsonb_agg(split_part(r.object, ' ON nobody.', 2)), '[]') from nobody_helpers.repairs r),
            'still', (select coalesce(jsonb_agg(r.fix_sql), '[]') from nobody_helpers.repairs r,
                lateral (select nobody_helpers.sees(split_part(r.object, ' ON nobody.', 2)) as seen) s
                -- PostgreSQL cannot plan some comparisons of a function with itself
                where s.seen ->> 'nobody' !~ '^XX000' and not coalesce(s.seen -> 'stranger' @> (s.seen -> 'nobody'), false)));
        drop schema nobody, nobody_helpers cascade; drop role nobody_anon;""")
    report = json.loads(run(*script).strip().splitlines()[-1])
    wrong, counts = [], {}
    for case in report["seen"]:
        found, happened = set(case["found"]), case["happened"]
        if case["lint"] == "null" and str(happened["nobody"]).startswith("XX000"):
            continue
        if case["lint"] == "null":
            more = set(map(str, happened["nobody"])) - set(map(str, happened["stranger"]))
            all_of_them = all(isinstance(rows, list) and len(rows) == report["rows"] for rows in happened.values())
            expected = {"policy_null_subject": bool(more)}
            if "policy_always_true" in found:
                expected["policy_always_true"] = all_of_them
        else:
            recursive = any(str(answer).startswith("42P17") for answer in happened)
            denied = any(str(answer).startswith("42501 permission denied for ") for answer in happened)
            expected = {"policy_recursive": recursive}
            if not recursive:
                # The right may be missing in a table that the policies read. Then the finding is on that table.
                group = case["name"].split("_")[0]
                elsewhere = any("policy_denied" in other["found"] for other in report["seen"]
                                if other["name"].startswith(f"{group}_") and other["name"] != case["name"])
                if not (denied and elsewhere and "policy_denied" not in found):
                    expected["policy_denied"] = denied
        for lint, is_so in expected.items():
            counts[lint, is_so] = counts.get((lint, is_so), 0) + 1
            if (lint in found) != is_so:
                wrong.append(f"{lint} is {'found' if lint in found else 'not found'} on {case['name']}: {case['expression']}\n  {str(happened)[:300]}")
    wrong += [f"still found after the repairs: {finding['object']}" for finding in report["left"]] + [f"the repair does not help: {fix}" for fix in report["still"]]
    for text in wrong[:8]:
        print(f"\n{text}")
    print(f"{len(report['seen'])} policies, {len(wrong)} wrong; {counts}; {len(report['repaired'])} repaired")
    sys.exit(1 if wrong or len(counts) < 5 else 0)


if __name__ == "__main__":
    main()
