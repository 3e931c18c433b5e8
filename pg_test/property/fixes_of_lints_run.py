"""PostgreSQL accepts the SQL that restful.lint() proposes, and it clears the finding. The schemas are random and have whatever could make
a statement fail: names that need quotes or are as long as possible; tables of types, and tables with children, with partitions, or whose
rows are values in other tables; indexes with every order, operator class and collation; deferrable keys; duplicate indexes that foreign keys
need; functions and aggregates with all kinds of arguments; and grants on columns. Each repair runs alone and is undone."""

import argparse
import json
import os
import random
import sys

from _sql import identifier as ident, quote, run

VERSION = int(os.environ.get("PG_VERSION", "15"))

SET_UP = """
create extension if not exists pg_restful;
drop schema if exists "Mess", mess_types, mess_report cascade;
do $$ declare r text; begin
  foreach r in array array['mess_anon', 'mess_member', 'mess_owner', 'mess_group', 'Mess layer'] loop
    if exists (select from pg_roles where rolname = r) then execute format('drop owned by %I cascade; drop role %1$I', r); end if;
  end loop;
end $$;
create role mess_anon; create role mess_member; create role mess_owner; create role mess_group; create role "Mess layer" login;
grant mess_anon, mess_member to "Mess layer"; grant mess_group to mess_member;
alter role "Mess layer" set restful.anon_role = 'mess_anon';
create schema "Mess"; create schema mess_types; create schema mess_report;
grant usage on schema "Mess" to mess_anon, public; grant create on schema "Mess" to mess_group;
create type mess_types.mood as enum ('glad', 'sad');
create domain mess_types.short as text check (length(value) < 100);
create type mess_types.pair as (a int, b text);
create foreign data wrapper mess_files; create server mess_files foreign data wrapper mess_files;
create function mess_types.me() returns text language sql stable as $$ select restful.claim('sub') $$;
create function mess_types.slow() returns int language plpgsql as $$ begin return 1; end $$;
create function mess_types.closed() returns boolean language sql stable as 'select true'; revoke execute on function mess_types.closed from public;
create function mess_types.may(text) returns boolean language sql stable security definer as 'select true';
create table mess_report.results (repaired text, finding jsonb, problem text);
-- Leaves out what cannot be created. The next statements may do without it.
create procedure mess_report.attempt(statement text) language plpgsql as $$
begin execute statement; exception when others then null; end $$;
create procedure mess_report.check_repairs() language plpgsql as $$
declare
    finding record;
    problem text;
    again text;
begin
    for finding in select l.* from restful.lint('{Mess}') l where l.fix_sql ~ 'Mess|mess_types' or l.fix_sql is not null and not exists (select from mess_report.results) loop
        problem := null;
        again := null;
        begin
            begin
                execute finding.fix_sql;
            exception when others then problem := format('%s %s', sqlstate, sqlerrm);
            end;
            if problem is null then
                -- run only the lints of this category again
                execute format('select l.fix_sql from restful.lint_%s(''{Mess}'') l where l.lint = $1 and l.object = $2', case finding.category
                    when 'exposure' then 'exposure' when 'policies' then 'policy' when 'functions' then 'function' when 'roles' then 'role' else 'table' end)
                    into again using finding.lint, finding.object;
                problem := 'is found again: ' || again;
            end if;
            raise exception using errcode = 'UNDO1';
        exception when sqlstate 'UNDO1' then null;
        end;
        insert into mess_report.results values (finding.lint, to_jsonb(finding), problem);
    end loop;
end $$;
"""
NAMES = ["plain", "Mixed Case", 'with "quotes"', "it's", "select", "id", "row_id", "x" * 63, "é" * 31, "a.b", "100%", "password", "user_id",
         "_", "price $", "back\\slash", "new\nline", "ünïcode", "IS NULL", " AND ", "(x)", "current_setting('request.jwt.claims')"]
TYPES = ["int", "text", "text", "uuid", "jsonb", "json", "point", "text[]", "boolean", "numeric(8,2)", "timestamptz", "varchar(10)", "name",
         "mess_types.mood", "mess_types.short", "mess_types.pair", "int4range", "bytea", "xml", "money", "inet", "point[]", '"char"', "oid", "regclass"]


class Mess:
    def __init__(self, rng, number):
        self.rng, self.number, self.script = rng, number, []
        self.tables = {}
        self.policies = 0

    def add(self, statement):
        self.script.append(f"call mess_report.attempt({quote(statement)});")

    def some(self, items, most=3):
        items = list(items)
        return self.rng.sample(items, self.rng.randrange(1, min(most, len(items)) + 1))

    def name(self):
        name = self.rng.choice(NAMES)
        if self.rng.random() < 0.5:
            name = f"{name}{self.rng.randrange(100)}"
        return name.encode()[:63].decode(errors="ignore")

    def full(self, name):
        return f'"Mess".{ident(name)}'

    def table(self):
        name = self.name()
        columns = {}
        for _ in range(self.rng.randrange(1, 7)):
            columns[self.name()] = self.rng.choice(TYPES + [self.full(t) for t in list(self.tables)[:2]])
        lines = []
        for column, of_type in columns.items():
            rest = self.rng.choice(["", "", " not null", " not null", " default null"])
            if of_type == "int" and self.rng.random() < 0.2:
                rest = self.rng.choice([" generated always as identity", " generated always as (1 + 1) stored"])
            lines.append(f"{ident(column)} {of_type}{rest}")
        keyable = [c for c, t in columns.items() if t in ("int", "text", "uuid", "timestamptz", "varchar(10)", "numeric(8,2)")]
        if keyable and self.rng.random() < 0.4:
            lines.append(f"primary key ({', '.join(map(ident, self.some(keyable, 2)))})")
        if keyable and self.rng.random() < 0.3:
            deferrable = self.rng.choice(["", " deferrable", " deferrable initially deferred"])
            lines.append(f"unique ({', '.join(map(ident, self.some(keyable, 2)))}){deferrable}")
        kind = self.rng.randrange(10)
        made = self.full(name)
        if kind == 0 and keyable:
            by = self.rng.choice(keyable)
            self.add(f"create table {made} ({', '.join(lines)}) partition by {self.rng.choice(['hash', 'list', 'range'])} ({ident(by)})")
            self.add(f"create table {self.full(name[:40] + '_part')} partition of {made} default")
            self.add(f"create table {self.full(name[:40] + '_part')} partition of {made} for values with (modulus 1, remainder 0)")
        elif kind == 1 and self.tables:
            self.add(f"create table {made} ({', '.join(lines)}) inherits ({self.full(self.rng.choice(list(self.tables)))})")
        elif kind == 2:
            self.add(f"create type mess_types.{ident(name)} as ({', '.join(f'{ident(c)} {t}' for c, t in columns.items())})")
            self.add(f"create table {made} of mess_types.{ident(name)}")
        elif kind == 3:
            self.add(f"create foreign table {made} ({', '.join(lines)}) server mess_files")
        else:
            self.add(f"create table {made} ({', '.join(lines)})")
        self.tables[name] = columns

    def index(self):
        table, columns = self.rng.choice(list(self.tables.items()))
        parts = []
        for column in self.some(columns, 2):
            part = ident(column)
            if self.rng.random() < 0.4:
                part += self.rng.choice([" desc", " nulls first", ' collate "C"', " text_pattern_ops", " desc nulls last"])
            elif self.rng.random() < 0.1:
                part = f"(lower({part}))"
            parts.append(part)
        rest = ""
        if self.rng.random() < 0.2:
            rest += f" include ({ident(self.rng.choice(list(columns)))})"
        if VERSION >= 15 and self.rng.random() < 0.1:
            rest += " nulls not distinct"
        if self.rng.random() < 0.3:
            rest += f" where {ident(self.rng.choice(list(columns)))} is {self.rng.choice(['not null', 'not null', 'null'])}"
        method = self.rng.choice(["", "", "", "", " using hash", " using gin", " using gist", " using brin"])
        unique = self.rng.choice(["", "unique "])
        statement = f"index on {self.full(table)}{method} ({', '.join(parts)}){rest}"
        for _ in range(self.rng.choice([1, 1, 2])):
            self.add(f"create {unique}{statement}")
        if self.rng.random() < 0.1:
            self.add(f"alter table {self.full(table)} add exclude ({parts[0]} with =)")

    def foreign_key(self):
        table = self.rng.choice(list(self.tables))
        column = self.name()
        key = self.rng.choice(["id", "b", "c"])
        self.add(f"alter table {self.full(table)} add {ident(column)} {'text' if key == 'c' else 'int'} references \"Mess\".base ({key})")
        if self.rng.random() < 0.5:
            self.add(f"create index on {self.full(table)} ({ident(column)}){self.rng.choice(['', f' where {ident(column)} is not null', f' where {ident(column)} is null'])}")
        if self.rng.random() < 0.3:
            self.add(f"create unique index on \"Mess\".base ({key})")
        (table, columns), (other, others) = self.rng.choice(list(self.tables.items())), self.rng.choice(list(self.tables.items()))
        n = self.rng.choice([1, 1, 2])
        if len(columns) < n or len(others) < n:
            return
        mine, theirs = self.rng.sample(list(columns), n), self.rng.sample(list(others), n)
        self.add(f"alter table {self.full(table)} add foreign key ({', '.join(map(ident, mine))}) references "
                 f"{self.full(other)} ({', '.join(map(ident, theirs))})")

    def condition(self, table, columns):
        column = self.rng.choice(list(columns))
        mine = f"{self.full(table)}.{ident(column)}" if self.rng.random() < 0.1 else ident(column)
        other = self.rng.choice(list(self.tables))
        one = self.rng.choice([
            "true", "1 = 1", "false", f"{mine} is null", f"{mine}::text = restful.user_id()", f"{mine}::text = (select restful.user_id())",
            f"{mine} = restful.uid()", f"{mine}::text is not distinct from restful.user_id()", "restful.uid() is null",
            f"{mine}::text = current_setting('request.jwt.claims', true)::json ->> 'sub'", f"{mine}::text = current_setting('Request.JWT.Claim.Sub', true)",
            "(restful.jwt() -> 'user_metadata' ->> 'role') = 'admin'", f"restful.has_permission('a.b', {mine}::text)", f"restful.has_permission('it''s', {mine}::text)",
            f"mess_types.may({mine}::text)", f"{mine}::text = mess_types.me()", f"{mine} = {mine}", f"coalesce({mine}::text = restful.user_id(), true)",
            f"exists (select from {self.full(other)} o where o::text = restful.user_id())", "mess_types.slow() = 1", "mess_types.closed()",
            f"{mine}::text like '%)%'' ('", f"case when restful.uid() is null then true else {mine}::text = restful.user_id() end",
            f"{mine}::mess_types.mood = 'glad'", f"{mine} = any ('{{a,b}}'::mess_types.short[])", "current_setting('request.method', true) = 'GET'"])
        return one if self.rng.random() < 0.6 else f"({one}) {self.rng.choice(['and', 'or'])} ({self.condition(table, columns)})"

    def policy(self):
        table, columns = self.rng.choice(list(self.tables.items()))
        self.policies += 1
        command = self.rng.choice(["all", "all", "select", "insert", "update", "delete"])
        name = self.rng.choice([f"p{self.policies}", self.name(), "select_1", "all_1", "update_2", f"{'p' * 63}"])
        to = self.rng.choice(["public", "mess_anon", "mess_anon, mess_member", "mess_group", "mess_owner", "mess_anon"])
        kind = self.rng.choice(["permissive", "permissive", "permissive", "restrictive"])
        using = f" using ({self.condition(table, columns)})" if command != "insert" else ""
        check = f" with check ({self.condition(table, columns)})" if command not in ("select", "delete") and self.rng.random() < 0.5 else ""
        self.add(f"create policy {ident(name)} on {self.full(table)} as {kind} for {command} to {to}{using}{check}")

    def rights(self):
        table, columns = self.rng.choice(list(self.tables.items()))
        to = self.rng.choice(["public", "mess_anon", "mess_group", "mess_member, mess_anon"])
        column = ident(self.rng.choice(list(columns)))
        privilege = self.rng.choice(["select", "all", "truncate", "references", f"select ({column})", f"insert ({column}), update ({column})",
                                     f"references ({column})", "delete", "insert"])
        self.add(f"grant {privilege} on {self.full(table)} to {to}")
        if self.rng.random() < 0.5:
            self.add(f"alter table {self.full(table)} enable row level security")
        if self.rng.random() < 0.2:
            self.add(f"alter table {self.full(table)} owner to {self.rng.choice(['mess_owner', 'mess_group'])}")

    def view(self):
        table = self.full(self.rng.choice(list(self.tables)))
        name = self.full(self.name())
        kind = self.rng.choice(["view", "view", "materialized view"])
        self.add(f"create {kind} {name} as select * from {table}")
        self.add(f"grant {self.rng.choice(['select', 'all', 'insert'])} on {name} to {self.rng.choice(['mess_anon', 'public'])}")

    def function(self):
        name = self.full(self.name())
        arguments = self.rng.choice(["", "int", '"a b" int, "IN" text default \'),(\'', "variadic text[]", "inout a int, out b text", "mess_types.pair, uuid[]",
                                     "double precision", "x mess_types.short"])
        returns = "" if "out" in arguments else f" returns {self.rng.choice(['int', 'setof int', 'text', 'void', 'mess_types.pair'])}"
        definer = self.rng.choice(["", "", " security definer"])
        path = self.rng.choice(["", " set search_path = ''", ' set search_path = "Mess", "$user", public', " set search_path = pg_catalog, pg_temp",
                                " set search_path to default", f" set search_path = {ident('a b, ')}"])
        kind = self.rng.randrange(8)
        if kind == 0:
            self.add(f"create procedure {name}({arguments}) language plpgsql{definer}{path} as 'begin end'")
        elif kind == 1:
            self.add(f"create aggregate {name}(int, text) (sfunc = mess_types.add, stype = int)")
            self.add(f"create aggregate {name}(double precision order by anyelement) (sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra)")
        elif kind == 2:
            self.add(f"create function {name}() returns trigger language plpgsql{definer}{path} as 'begin return new; end'")
        elif kind == 3:
            self.add(f"create function {name}({arguments}) returns int language sql window as 'select 1'")
        else:
            body = self.rng.choice(["select null", "select null -- insert", "delete from x"])
            self.add(f"create function {name}({arguments}){returns} language sql{definer}{path} as {quote(body)}")

    def make(self):
        self.add("create function mess_types.add(int, int, text) returns int language sql as 'select 1'")
        self.add('create table "Mess".base (id int primary key, b int unique, c text)')
        self.add(f'create unique index on "Mess".base (c{self.rng.choice(["", " desc", " text_pattern_ops"])})')
        for _ in range(self.rng.randrange(2, 6)):
            self.table()
        for what, most in (self.index, 8), (self.foreign_key, 4), (self.rights, 6), (self.policy, 9), (self.view, 3), (self.function, 4):
            for _ in range(self.rng.randrange(most + 1)):
                what()
        return self.script


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--library", help="not needed")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--schemas", type=int, default=15)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.schemas} schemas", flush=True)
    rng = random.Random(options.seed)
    script = [SET_UP]
    for i in range(options.schemas):
        script += Mess(rng, i).make()
        script.append("call mess_report.check_repairs();")
        script.append('drop schema "Mess", mess_types cascade;')
        script.append("\n".join(line for line in SET_UP.split("\n") if line.startswith(("create schema", "grant usage on schema", "create type",
                                                                                        "create domain", "create function mess_types")))
                      .replace(" create schema mess_report;", ""))
    script.append("select jsonb_build_object('repaired', (select jsonb_object_agg(repaired, n) from (select repaired, count(*) n from "
                  "mess_report.results group by 1) r), 'wrong', (select coalesce(jsonb_agg(to_jsonb(r)), '[]') from mess_report.results r where problem is not null));")
    script.append('drop schema "Mess", mess_types, mess_report cascade; drop foreign data wrapper mess_files cascade;'
                  'drop owned by mess_anon, mess_member, mess_owner, mess_group, "Mess layer" cascade;'
                  'drop role mess_anon, mess_member, mess_owner, mess_group, "Mess layer";')
    report = json.loads(run(*script).strip().splitlines()[-1])
    for wrong in report["wrong"][:12]:
        print(f"\n{wrong['repaired']}: {wrong['problem']}\n  on {wrong['finding']['object']!r}\n  {wrong['finding']['fix_sql']}")
    print(f"{sum(report['repaired'].values())} repairs, {len(report['wrong'])} wrong; {report['repaired']}")
    sys.exit(1 if report["wrong"] or len(report["repaired"]) < 18 else 0)


if __name__ == "__main__":
    main()
