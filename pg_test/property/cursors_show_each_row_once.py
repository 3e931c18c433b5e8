#!/usr/bin/env python3
"""Pages by cursor show each row once and in order, whatever else is inserted, deleted and changed between them.

Random tables with keys of every orderable type, nulls and ties are walked from the first page to the last and back, under orders of any
directions, with filters and inner joins, in pages of any size. Between two pages other rows come, go and move, and the settings by which
sessions write values change. The rows that nobody touched must be those that plain SQL lists, in its order. A cursor that was changed, or
is used for another request, role or table, must be refused.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    cursors_show_each_row_once.py --library FILE [--seed N] [--tables M] [--walks N]

Exits with 1 if a walk differs.
"""
import argparse
import random
import sys

import _ways
from _sql import identifier, quote
from bodies_equal_row_to_json import SET_UP as TYPES
from bodies_equal_row_to_json import Values, scalar_types

ORDERABLE = """bool int2 int4 int8 oid regclass float4 float8 numeric numeric(20,5) text varchar varchar(20) char(7) name uuid jsonb date
    timestamp timestamptz timestamptz(0) time timetz interval bytea inet cidr macaddr macaddr8 tsvector tid pg_lsn int4range numrange
    daterange tstzrange int4multirange odd_enum d_int d_numeric d_timestamptz d_enum d_array d_text""".split() \
    + ["bit varying", "bit(5)", "oidvector", "int4[]", "text[]", "float8[]", "timestamptz[]", "money"]
ARRAYS = {"int4[]": ["{}", "{1,2}", "{1,NULL}", "{3}"], "text[]": ["{}", '{"a,b"}', '{"\\"",NULL}'],
          "float8[]": ["{0.1}", "{0.30000000000000004}", "{NaN,1e-300}"], "timestamptz[]": ["{2020-01-01}", "{}", "{infinity}"]}
SETTINGS = {"datestyle": ["ISO, MDY", "SQL, DMY", "German", "Postgres, MDY"], "intervalstyle": ["postgres", "sql_standard", "iso_8601"],
            "timezone": ["UTC", "America/St_Johns", "Asia/Kathmandu"], "extra_float_digits": ["-15", "0", "3"],
            "bytea_output": ["hex", "escape"]}

SET_UP = TYPES + """
create table restful_property.walks (number int, verdict text);
create procedure restful_property.change(tab text, columns text, key text, moved text, inout touched int[]) language plpgsql as $$
declare
  one int; what int := floor(random() * 3);
begin
  if what = 0 then
    execute format('delete from %I where rid = (select rid from %1$I order by random() limit 1) returning rid', tab) into one;
  elsif what = 1 then
    execute format('insert into %I (rid, k, %s) select nextval(''rids''), nextval(''rids''), %2$s from %1$I order by random() limit 1
      returning rid', tab, columns) into one;
  else
    -- a row moves to the place of another
    execute format('update %I t set %s where rid = (select rid from %1$I order by random() limit 1) returning rid', tab, moved) into one;
  end if;
  if one is not null then touched := touched || one; end if;
end $$;
-- Walks from one end to the other.
create procedure restful_property.walk(number int, tab text, columns text, key text, moved text, target text, size int, backward bool,
  changes bool, settings text[], expected text) language plpgsql as $$
declare
  answer record; page int[]; seen int[] := '{}'; touched int[] := '{}'; should int[]; link text; ahead text; pages int := 0; verdict text;
  parameter text := case when backward then 'last' else 'first' end; style text; earlier int[]; back text; turn record;
begin
  link := target || '&cursor=' || parameter || '&limit=' || size;
  loop
    -- each setting with some of its values
    foreach style in array settings loop
      if random() < 0.3 then perform set_config(split_part(style, '=', 1), split_part(style, '=', 2), false); end if;
    end loop;
    select r.status, r.headers, convert_from(r.body, 'utf8') as body into answer from ways.serve('GET', link, '{}', null) r;
    if answer.status <> 200 then
      verdict := format('%s of %s: %s', answer.status, link, answer.body);
      exit;
    end if;
    page := array(select (x->>'rid')::int from jsonb_array_elements(answer.body::jsonb) with ordinality j (x, n) order by n);
    seen := case when backward then page || seen else seen || page end;
    ahead := substring(answer.headers->>'link' from case when backward then '<([^<>]*)>; rel="prev"' else '<([^<>]*)>; rel="next"' end);
    back := substring(answer.headers->>'link' from case when backward then '<([^<>]*)>; rel="next"' else '<([^<>]*)>; rel="prev"' end);
    if (back is null) <> (pages = 0) or coalesce(array_length(page, 1), 0) > size or ahead is not null and array_length(page, 1) <> size then
      verdict := format('links or rows are wrong: %s %s %s', link, page, answer.headers);
      exit;
    end if;
    if back is not null and not changes then
      -- the way back shows the page before
      select convert_from(r.body, 'utf8') as body into turn from ways.serve('GET', '/' || tab || back, '{}', null) r;
      if earlier is distinct from array(select (x->>'rid')::int from jsonb_array_elements(turn.body::jsonb) with ordinality j (x, n) order by n) then
        verdict := format('the way back shows %s and not %s: %s', turn.body, earlier, back);
        exit;
      end if;
    end if;
    earlier := page;
    pages := pages + 1;
    exit when ahead is null or pages > 500;
    link := '/' || tab || ahead;
    if changes then
      for i in 1..floor(random() * 4) loop call restful_property.change(tab, columns, key, moved, touched); end loop;
      commit;
    end if;
  end loop;
  execute 'select array(' || expected || ')' into should using touched;
  seen := array(select x from unnest(seen) with ordinality s (x, n) where x <> all (touched) order by n);
  if verdict is null and seen is distinct from should then
    verdict := format('%s in pages of %s%s: %s and not %s', target, size, case when backward then ' from the last' else '' end, seen, should);
  end if;
  insert into restful_property.walks values (number, verdict);
  commit;
end $$;
-- Uses a cursor for what it was not made for. Returns what was not refused.
create function restful_property.misused(tab text, target text, other text) returns setof text language plpgsql as $$
declare
  token text; changed text; r record; at int;
begin
  select substring(s.headers->>'link' from 'cursor=([^&>]*)&limit=1>; rel="next"') into token
  from restful.serve('GET', target || '&cursor=first&limit=1') s;
  if token is null then return; end if;
  for i in 1..40 loop
    at := 1 + floor(random() * length(token));
    changed := overlay(token placing (array['A', 'Q', '-', '9', ''])[1 + floor(random() * 5)] from at for 1);
    select s.status, convert_from(s.body, 'utf8')::jsonb->>'code' as code into r from restful.serve('GET', target || '&limit=1&cursor=' || changed) s;
    if changed <> token and (r.status, r.code) is distinct from (400, 'REST460') then return next 'changed: ' || changed; end if;
  end loop;
  foreach changed in array array[target || '&rid=gt.0', target || '&f=neq.77', '/' || tab || '?order=rid', other || '?order=rid'] loop
    select s.status, convert_from(s.body, 'utf8')::jsonb->>'code' as code into r from restful.serve('GET', changed || '&limit=1&cursor=' || token) s;
    if (r.status, r.code) is distinct from (400, 'REST460') then return next 'of another request: ' || changed; end if;
  end loop;
  perform set_config('role', 'cursor_other', false);
  select s.status, convert_from(s.body, 'utf8')::jsonb->>'code' as code into r from restful.serve('GET', target || '&limit=1&cursor=' || token) s;
  perform set_config('role', 'cursor_reader', false);
  if (r.status, r.code) is distinct from (400, 'REST460') then return next 'of another role'; end if;
  select s.status into r from restful.serve('GET', target || '&limit=1&cursor=' || token) s;
  if r.status is distinct from 200 then return next 'its own: ' || token; end if;
end $$;
create sequence restful_property.rids start 100000;
do $$ declare name text; begin
  foreach name in array array['cursor_reader', 'cursor_other'] loop
    if not exists (select from pg_roles where rolname = name) then execute 'create role ' || name; end if;
  end loop;
end $$;
grant cursor_reader, cursor_other to current_user;
"""


class Table:
    """A table of random types, and how its rows can be told apart."""

    def __init__(self, rng, number):
        self.rng, self.name = rng, f"t{number}"
        values = Values(rng)
        make = scalar_types(values)
        self.columns = {}
        for i in range(rng.randrange(1, 5)):
            data_type = rng.choice(ORDERABLE)
            texts = ARRAYS.get(data_type) or [make[data_type]() for _ in range(rng.choice([2, 3, 8]))]
            # Longer keys have no cursor.
            self.columns[f"c{i}"] = data_type, [text if len(text) < 300 else text[:30] for text in texts]
        self.not_null = {c for c in self.columns if rng.random() < 0.4}
        self.key = rng.choice([["k"], ["k"], ["f", "k"], ["k", "rid"]])
        self.kind = rng.choice(["primary key", "primary key", "unique", "view", "partitioned"])

    def create(self):
        rng, name = self.rng, self.name
        base = f"{name}_base" if self.kind == "view" else name
        columns = ", ".join(f"{c} {t}{' not null' if c in self.not_null else ''}" for c, (t, _) in self.columns.items())
        kind = "unique" if self.kind == "unique" else "primary key"
        split = " partition by hash (k)" if self.kind == "partitioned" else ""
        yield f"create table {base} (rid int not null, k int not null, f int not null default 1, {columns}, {kind} ({', '.join(self.key)})){split};"
        if split:
            for i in range(3):
                yield f"create table {base}_{i} partition of {base} for values with (modulus 3, remainder {i});"
        if self.kind == "primary key":
            yield f"alter table {base} add unique (rid); create table {name}_tags (owner int references {base} (rid) on delete cascade);"
        if self.kind == "view":
            yield f"create view {name} as select * from {base};"
        for i in range(rng.choice([0, 1, 15, 40])):
            cells = []
            for column, (data_type, texts) in self.columns.items():
                null = column not in self.not_null and rng.random() < 0.3
                valid = f"coalesce(value_of({quote(rng.choice(texts))}, {quote(data_type)}), {quote(self.fallback(data_type))})"
                cells.append("null" if null else f"{valid}::{data_type}")
            yield f"insert into {base} values ({i}, {rng.randrange(10**6) * 50 + i}, {rng.randrange(3)}, {', '.join(cells)});"
            for _ in range(rng.choice([0, 1, 2]) if self.kind == "primary key" else 0):
                yield f"insert into {name}_tags values ({i});"
        if rng.random() < 0.5:
            yield f"create index on {base} ({', '.join(rng.sample(list(self.columns), 1) + ['k'])});"

    @staticmethod
    def fallback(data_type):
        """A text that every type takes which refuses some of its random texts."""
        zero = {"uuid": "00000000-0000-0000-0000-000000000000", "jsonb": "1", "inet": "::1", "cidr": "::1", "tid": "(0,1)", "bit(5)": "00000",
                "macaddr": "00:00:00:00:00:00", "macaddr8": "00:00:00:00:00:00:00:00", "pg_lsn": "0/0",
                "odd_enum": "plain", "d_enum": "plain", "bool": "t", "bytea": "", "tsvector": "", "bit varying": "", "oidvector": ""}
        if data_type in zero:
            return zero[data_type]
        if "range" in data_type:
            return "{}" if "multi" in data_type else "empty"
        if "[]" in data_type or data_type == "d_array":
            return "{}"
        if data_type.startswith(("time(", "timetz")) or data_type == "time":
            return "00:00"
        if data_type.startswith(("date", "timestamp", "d_timestamptz")):
            return "2000-01-01"
        return "" if "text" in data_type or "char" in data_type or data_type == "name" else "0"

    def walk(self, number):
        """The SQL of a walk."""
        rng = self.rng
        terms = rng.sample([*self.columns, "k", "f"], rng.randrange(0, min(4, len(self.columns) + 2)))
        order, sql, descending = [], [], False
        for column in terms:
            direction, nulls = rng.choice(["", ".asc", ".desc"]), rng.choice(["", "", ".nullsfirst", ".nullslast"])
            descending = direction == ".desc"
            order.append(column + direction + nulls)
            first = {".nullsfirst": True, ".nullslast": False, "": descending}[nulls]
            sql.append(f"x.{column} {'desc' if descending else 'asc'} nulls {'first' if first else 'last'}")
        sql += [f"x.{column} {'desc' if descending else 'asc'}" for column in self.key if column not in terms]
        target, where = f"/{self.name}?order={','.join(order) or self.key[0]}", ["x.rid <> all ($1)"]
        if rng.random() < 0.3:
            target, where = target + "&f=gte.1", where + ["f >= 1"]
        changes = rng.random() < 0.6
        select = "rid"
        if self.kind == "primary key" and rng.random() < 0.3:
            select, where = f"rid,{self.name}_tags!inner(owner)", where + [f"exists (select from {self.name}_tags where owner = x.rid)"]
        elif rng.random() < 0.3:
            select = "*"
        target += f"&select={select}"
        expected = f"select x.rid from {self.name} x where {' and '.join(where)} order by {', '.join(sql)}"
        settings = rng.sample([f"{name}={value}" for name, values in SETTINGS.items() for value in values], 4)
        columns = ", ".join([*self.columns, "f"])
        moved = ", ".join(f"{c} = (select o.{c} from {self.name} o order by random() limit 1)" for c in self.columns)
        backward, size = rng.random() < 0.5, rng.choice([1, 2, 3, 7, 10, 39, 40, 41, 100])
        listed = "array[" + ", ".join(map(quote, settings)) + "]"
        return (f"call walk({number}, {quote(self.name)}, {quote(columns)}, {quote(','.join(self.key))}, {quote(moved)}, {quote(target)}, "
                f"{size}, {backward}, {changes}, {listed}, {quote(expected)});"), target


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--tables", type=int, default=40)
    arguments.add_argument("--walks", type=int, default=12, help="of each table")
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.tables} tables, {options.walks} walks of each", flush=True)
    rng = random.Random(options.seed)
    script = [SET_UP, f"select setseed({rng.random()});"]
    tables = [Table(rng, number) for number in range(options.tables)]
    for table in tables:
        script += table.create()
    script += ["grant usage on schema restful_property, restful to cursor_reader, cursor_other;",
               "grant all on all tables in schema restful_property to cursor_reader;",
               "grant all on all sequences in schema restful_property to cursor_reader;",
               "grant select on all tables in schema restful_property to cursor_other;",
               "set restful.schemas = 'restful_property'; set role cursor_reader;"]
    walks, misused = 0, []
    for i, table in enumerate(tables):
        for _ in range(options.walks):
            call, target = table.walk(walks)
            script.append(call)
            walks += 1
        other = f"/{tables[i - 1].name}"
        script.append(f"select 'misused', x from misused({quote(table.name)}, {quote(target)}, {quote(other)}) x;")
    script += ["reset role;", "select count(*) from walks;", "select number, verdict from walks where verdict is not null;",
               "drop schema restful_property cascade;"]
    printed, taken = _ways.run(options.library, *script)
    lines = printed.splitlines()
    count = next((line for line in lines if line.isdigit()), "no")
    wrong = [line for line in lines if line and not line.isdigit()]
    for line in wrong[:10]:
        print(line[:1500])
    if count != str(walks):
        print(f"{count} verdicts on {walks} walks")
    seldom = _ways.seldom(taken, {"read": walks})
    if seldom:
        print(f"too seldom to prove anything: {seldom}")
    return 1 if wrong or seldom or count != str(walks) else 0


if __name__ == "__main__":
    sys.exit(main())
