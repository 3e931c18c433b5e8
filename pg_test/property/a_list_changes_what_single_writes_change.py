#!/usr/bin/env python3
"""A PATCH or DELETE whose body lists rows leaves the table as one UPDATE or DELETE for each row would, or as it was.

Random tables have keys of one to three columns, policies, columns that the role may not write, and rows. Random lists name rows that
exist, that do not, that a policy hides, the same row twice, or leave out a part of a key. This program writes the plain statement for
each row, which the server runs as the same role. A trigger notes which rows are written: never one that the list does not name.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    a_list_changes_what_single_writes_change.py --library /path [--seed N] [--tables M] [--lists N]

Everything is made in the schema restful_list and with the role restful_list_user, which are dropped before and after. Exits with 1 if
a law is broken.
"""
import argparse
import collections
import json
import random
import sys

from _sql import identifier, quote, run

CLEAN_UP = """
drop schema if exists restful_list cascade;
do $$ begin
  if exists (select from pg_roles where rolname = 'restful_list_user') then drop owned by restful_list_user cascade; end if;
end $$;
drop role if exists restful_list_user;
"""

SET_UP = """
create role restful_list_user;
create schema restful_list;
grant usage on schema restful_list to restful_list_user;
create table restful_list.written (keys jsonb);
grant insert on restful_list.written to restful_list_user;
create function restful_list.note() returns trigger language plpgsql as $$
declare keys jsonb := '[]'; name text;
begin
  foreach name in array tg_argv loop keys := keys || jsonb_build_array(to_jsonb(old)->name); end loop;
  insert into restful_list.written values (keys);
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $$;
set restful.schemas = 'restful_list';
set search_path = restful_list, public;

-- Runs the plain statements. Returns 'done' with the number of rows that each changed, or the error, after which nothing is changed.
create function restful_list.plainly(statements text[]) returns jsonb language plpgsql as $$
declare changed int; all_changed int[] := '{}'; statement text;
begin
  foreach statement in array statements loop
    execute statement;
    get diagnostics changed = row_count;
    all_changed := all_changed || changed;
  end loop;
  return jsonb_build_object('done', to_jsonb(all_changed));
exception when others then
  return jsonb_build_object('refused', sqlstate);
end $$;

-- One case: the request, and the plain statements, both as the role, and both undone. Returns what differs.
create function restful_list.one(name text, method text, target text, headers jsonb, body text, statements text[], expected text,
                                 lenient boolean, named jsonb)
returns jsonb language plpgsql as $$
declare
  answer record; outcome jsonb; before jsonb; by_request jsonb; by_hand jsonb; written jsonb; what text; reply text;
begin
  execute format('select coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)), ''[]'') from %I t', name) into before;
  begin
    delete from restful_list.written;
    set local role restful_list_user;
    select r.status, convert_from(r.body, 'utf8') as body into answer from restful.serve(method, target, headers, convert_to(body, 'utf8')) r;
    reset role;
    execute format('select coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)), ''[]'') from %I t', name) into by_request;
    select coalesce(jsonb_agg(w.keys), '[]') into written from restful_list.written w;
    raise exception 'undo' using errcode = 'RL000';
  exception when sqlstate 'RL000' then null;
  end;
  reply := left(answer.body, 600);
  if answer.status >= 500 then what := 'a 5xx';
  elsif (select count(*) from jsonb_array_elements(written) w where not named @> jsonb_build_array(w)) > 0 then
    what := 'a row was written that the list does not name';
  elsif answer.status >= 300 and by_request <> before then what := 'a refused request changed the table';
  elsif expected <> '' then
    -- Another error may come first: a policy's, or a value's.
    if answer.status::text <> expected and (expected < '400' or answer.status < 400) then what := 'the status should be ' || expected; end if;
  else
    begin
      set local role restful_list_user;
      outcome := restful_list.plainly(statements);
      reset role;
      execute format('select coalesce(jsonb_agg(to_jsonb(t) order by to_jsonb(t)), ''[]'') from %I t', name) into by_hand;
      raise exception 'undo' using errcode = 'RL000';
    exception when sqlstate 'RL000' then null;
    end;
    if outcome ? 'done' and not lenient and outcome->'done' @> '0' then
      if answer.status <> 404 then what := 'a row is missing, but the status is not 404'; end if;
    elsif outcome ? 'done' then
      if answer.status >= 300 then what := 'refused, but the statements are not';
      elsif by_hand <> by_request then what := 'the tables differ';
      elsif headers->>'prefer' like '%report%'
        and (select jsonb_agg(case when e->>'status' = '200' then 1 else 0 end) from jsonb_array_elements(answer.body::jsonb) e)
            is distinct from outcome->'done' then what := 'the report differs';
      end if;
    elsif answer.status < 300 then what := 'not refused, but the statements are: ' || (outcome->>'refused');
    end if;
  end if;
  if what is null then return null; end if;
  return jsonb_build_object('what', what, 'status', answer.status, 'reply', reply, 'request', method || ' ' || target, 'headers', headers,
    'body', body, 'statements', to_jsonb(statements), 'outcome', outcome, 'before', before, 'by_request', by_request, 'by_hand', by_hand);
end $$;
grant execute on all functions in schema restful_list to restful_list_user;
"""


class Table:
    """A random table: columns k0.. are its primary key, in any order among c0.., the others."""

    def __init__(self, number, rng):
        self.rng, self.name = rng, f"t{number}"
        self.keys = [(f"k{i}", rng.choice(["int", "text", "numeric(6,2)", "date"])) for i in range(rng.choice([1, 1, 2, 3]))]
        self.others = [(f"c{i}", rng.choice(["int", "text", "jsonb", "int[]", "bool"])) for i in range(rng.randint(2, 5))]
        self.hides = rng.random() < 0.5
        # Columns of the table, and those that the role may write and read. It reads every key.
        self.unwritable = [c for c, _ in self.others if rng.random() < 0.15]
        self.unreadable = [c for c, _ in self.others if rng.random() < 0.15]
        self.rows = {}
        for _ in range(rng.randint(0, 14)):
            self.rows[tuple(self.value(t) for _, t in self.keys)] = [self.value(t) for _, t in self.others]

    def value(self, kind):
        rng = self.rng
        small = rng.randint(0, 9)
        if kind == "int":
            return small
        if kind == "text":
            return rng.choice(["", "a", "A", "ä,", "\"q\"", "it's", "null", "x y", "\n", "\\"]) + (str(small) if rng.random() < 0.5 else "")
        if kind == "numeric(6,2)":
            return rng.choice([small, small + 0.5])
        if kind == "date":
            return f"2024-02-{small + 10}"
        if kind == "bool":
            return rng.random() < 0.5
        if kind == "int[]":
            return [rng.randint(0, 9) for _ in range(rng.randint(0, 3))]
        return rng.choice([{"a": small}, [small, None], small, "text", {"n": {"m": [small]}}])

    def script(self):
        columns = self.keys + self.others
        shuffled = columns[:]
        self.rng.shuffle(shuffled)
        parts = [f"create table {self.name} ({', '.join(f'{c} {t}' for c, t in shuffled)}, hidden bool not null default false, "
                 f"primary key ({', '.join(c for c, _ in self.keys)}));"]
        for key, values in self.rows.items():
            literals = [literal(v, t) for v, (_, t) in zip(list(key) + values, columns)]
            hidden = "true" if self.hides and self.rng.random() < 0.3 else "false"
            parts.append(f"insert into {self.name} ({', '.join(c for c, _ in columns)}, hidden) "
                         f"values ({', '.join(literals)}, {hidden}) on conflict do nothing;")
        names = lambda left_out: ", ".join(c for c, _ in self.others if c not in left_out) or None
        if names(self.unwritable):
            parts.append(f"grant update ({names(self.unwritable)}) on {self.name} to restful_list_user;")
        readable = [c for c, _ in self.keys] + [c for c, _ in self.others if c not in self.unreadable] + ["hidden"]
        parts.append(f"grant select ({', '.join(readable)}), delete on {self.name} to restful_list_user;")
        if self.hides:
            checked = self.others[0][0]
            parts.append(f"alter table {self.name} enable row level security; "
                         f"create policy p on {self.name} using (not hidden) with check ({checked} is not null);")
        keys = ", ".join(quote(c) for c, _ in self.keys)
        parts.append(f"create trigger note before update or delete on {self.name} for each row execute function restful_list.note({keys});")
        return parts

    def new_key(self):
        return tuple(self.value(t) for _, t in self.keys)


def literal(value, kind):
    if value is None:
        return "null"
    if kind == "jsonb":
        return quote(json.dumps(value)) + "::jsonb"
    if kind == "int[]":
        return quote("{" + ",".join(map(str, value)) + "}") + "::int[]"
    if kind == "bool":
        return "true" if value else "false"
    return quote(str(value)) + "::" + kind


def case(table, rng):
    """A random request on the table: arguments of restful_list.one, without the name of the table."""
    deletes = rng.random() < 0.35
    known = list(table.rows)
    count = rng.choice([0, 1, 1, 2, 3, 5, 9])
    keys = []
    for _ in range(count):
        keys.append(rng.choice(known) if known and rng.random() < 0.85 else table.new_key())
    if rng.random() < 0.8:
        keys = list(dict.fromkeys(keys))
    repeated = len(set(keys)) < len(keys)
    named = json.dumps([list(k) for k in keys])
    where = lambda key: " and ".join(f"{c} = {literal(v, t)}" for v, (c, t) in zip(key, table.keys))
    condition, target = "", f"/{table.name}"
    if rng.random() < 0.2:
        column = rng.choice(table.keys)[0]
        condition, target = f" and {column} is not null and not hidden", f"{target}?hidden=is.false&{column}=not.is.null"
    objects = [dict(zip([c for c, _ in table.keys], key)) for key in keys]
    expected, statements = "", []
    if deletes:
        statements = [f"delete from {table.name} where {where(k)}{condition}" for k in keys]
        bare = len(table.keys) == 1 and rng.random() < 0.5
    else:
        bare = False
        writable = [x for x in table.others if x[0] not in table.unwritable or rng.random() < 0.1]
        if not writable:
            return None
        uniform = rng.random() < 0.5
        chosen = rng.sample(writable, rng.randint(1, len(writable)))
        sets = []
        for _ in keys:
            of = chosen if uniform else rng.sample(chosen, rng.randint(0, len(chosen)))
            sets.append({c: None if rng.random() < 0.1 else table.value(t) for c, t in of})
        union = {c for s in sets for c in s}
        if keys and not union:
            expected = "400"
        if union & set(table.unreadable) and any(c not in s for s in sets for c in union & set(table.unreadable)):
            # The column that a row keeps would have to be read.
            return None
        if union & set(table.unwritable):
            return None
        kinds = dict(table.others)
        for key, change in zip(keys, sets):
            assignments = ", ".join(f"{c} = {literal(v, kinds[c])}" for c, v in change.items())
            if not change:
                # Without a change, the row has to be there, and to pass the policies as it is.
                one = next(iter(union), None)
                assignments = f"{one} = {one}"
            statements.append(f"update {table.name} set {assignments} where {where(key)}{condition}")
        for o, change in zip(objects, sets):
            o.update(change)
            items = list(o.items())
            rng.shuffle(items)
            o.clear()
            o.update(items)
    if repeated:
        expected = "400"
    # An array of one object without the whole key is that object, if the URL has filters.
    broken = keys and rng.random() < 0.08 and (deletes or len(keys) > 1 or not condition)
    if broken and not bare:
        rng.choice(objects).pop(rng.choice(table.keys)[0])
        expected = "400"
    lenient = rng.random() < 0.4
    headers = {"prefer": "handling=lenient, return=report" if lenient else rng.choice(["", "return=minimal"])}
    elements = [k[0] for k in keys] if bare else objects
    if rng.random() < 0.3:
        headers["content-type"] = "application/x-ndjson"
        body = "\n".join(json.dumps(e, ensure_ascii=rng.random() < 0.5) for e in elements) + ("\n" if rng.random() < 0.5 else "")
    else:
        body = json.dumps(elements, indent=rng.choice([None, None, 1]))
    if not keys:
        expected = "204" if not (lenient and deletes) else "200"
        statements = []
    method = "DELETE" if deletes else "PATCH"
    return method, target, headers, body, statements, expected, lenient, named


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library")
    arguments.add_argument("--seed", type=int, default=11)
    arguments.add_argument("--tables", type=int, default=25)
    arguments.add_argument("--lists", type=int, default=60)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.tables} tables, {options.lists} lists for each", flush=True)
    rng = random.Random(options.seed)
    script, cases = [CLEAN_UP, SET_UP], collections.Counter()
    for number in range(options.tables):
        table = Table(number, rng)
        script += table.script()
        for _ in range(options.lists):
            made = case(table, rng)
            if made is None:
                cases["left out"] += 1
                continue
            method, target, headers, body, statements, expected, lenient, named = made
            cases[f"{method} {'refused' if expected == '400' else 'lenient' if lenient else 'all or nothing'}"] += 1
            array = "array[" + ", ".join(map(quote, statements)) + "]::text[]"
            script.append(f"select restful_list.one({quote(table.name)}, {quote(method)}, {quote(target)}, {quote(json.dumps(headers))}, "
                          f"{quote(body)}, {array}, {quote(expected)}, {lenient}, {quote(named)}) as broken;")
    script.append(CLEAN_UP)
    broken = [json.loads(line) for line in run(*script).splitlines() if line.strip()]
    print(", ".join(f"{n} {kind}" for kind, n in sorted(cases.items())))
    for found in broken[:5]:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    if broken:
        print(f"{len(broken)} cases break a law: {collections.Counter(f['what'] for f in broken)}")
        sys.exit(1)
    for kind in ["PATCH all or nothing", "PATCH lenient", "PATCH refused", "DELETE all or nothing", "DELETE lenient", "DELETE refused"]:
        if cases[kind] < 10:
            print(f"only {cases[kind]} cases of {kind}")
            sys.exit(1)
    print("OK")


if __name__ == "__main__":
    main()
