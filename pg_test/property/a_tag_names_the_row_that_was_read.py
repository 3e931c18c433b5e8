#!/usr/bin/env python3
"""An ETag is that of the row that was read, and a write under a precondition changes that row or answers 412.

Random reads, writes and plain statements run over tables, partitions, children, views and columns that the role may not read. For each row
the test keeps what was read under which tag, and counts by a trigger how often the row was written. It says:

- two reads of a row that nobody wrote in between have the same tag, whatever they select of its columns;
- two reads with the same tag have the same row, and where PostgreSQL's versions count, a row that nobody wrote;
- a read with If-None-Match is 304 if, and only if, it names the tag;
- a write under If-Match or If-None-Match does what the plain statement does if the condition holds, and otherwise answers 412 (404 for a
  row that is not there) and leaves the table as it was.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    a_tag_names_the_row_that_was_read.py [--seed N] [--steps N]

Everything is made in the schema restful_tags and with the role restful_tags_user, which are dropped before and after. Exits with 1 if a law
is broken.
"""
import argparse
import json
import random
import sys

from _sql import count_outcomes, quote, report, run

CLEAN_UP = """
drop schema if exists restful_tags cascade;
do $$ begin
  if exists (select from pg_roles where rolname = 'restful_tags_user') then drop owned by restful_tags_user cascade; end if;
end $$;
drop role if exists restful_tags_user;
"""

# The relations of requests, each with its table. Of `rights` and `view`, the role does not read the column `hidden`.
RELATIONS = {"plain": "plain", "rights": "rights", "parted": "parted", "parent": "parent", "view": "below"}
COLUMNS = "id int not null, a int, b text, doc jsonb, hidden int default 0"
READABLE = {"rights": "id, a, b, doc", "view": "id, a, b, doc"}

SET_UP = f"""
create role restful_tags_user;
create schema restful_tags;
set restful.schemas = 'restful_tags';
set search_path = restful_tags, public;
create table plain ({COLUMNS}, primary key (id));
create table rights ({COLUMNS}, primary key (id));
create table parted ({COLUMNS}, primary key (id)) partition by range (id);
create table parted_low partition of parted for values from (0) to (3);
create table parted_high partition of parted for values from (3) to (100);
create table parent ({COLUMNS}, primary key (id));
create table child (primary key (id)) inherits (parent);
create table below ({COLUMNS}, primary key (id));
create view view with (security_invoker) as select id, a, b, doc from below;
-- How often the rows with an id were written.
create table writes (relation text, id int, n int default 1, primary key (relation, id));
create function count_write() returns trigger language plpgsql security definer as $$
begin
  insert into restful_tags.writes (relation, id) values (tg_argv[0], coalesce(new.id, old.id))
    on conflict (relation, id) do update set n = writes.n + 1;
  return null;
end $$;
{"".join(f"create trigger count after insert or update or delete on {table} for each row execute function count_write('{name}');" for name, table in
         [("plain", "plain"), ("rights", "rights"), ("parted", "parted"), ("parent", "parent"), ("parent", "child"), ("view", "below")])}
insert into plain select i, i, 'b', '{{"n": 1}}' from generate_series(0, 3) i;
insert into rights select * from plain;
insert into parted select * from plain;
insert into parent select * from plain where id < 2;
insert into child select * from plain where id >= 2;
insert into below select * from plain;
grant usage on schema restful_tags to restful_tags_user;
grant select, insert, update, delete on plain, parted, parent, view to restful_tags_user;
grant select (id, a, b, doc), insert, update, delete on rights to restful_tags_user;
grant select (id, a, b, doc), insert, update, delete on below to restful_tags_user;
create table seen (step int, relation text, id int, tag text, content text, writes int, epoch int);
create table outcomes (number int, outcome text, detail text);
create table epoch as select 0 as n;

-- An answer to the role.
create function ask(method text, target text, headers jsonb, body text) returns table (status int, tag text, reply text) language plpgsql as $$
begin
  set local role restful_tags_user;
  return query select r.status::int, r.headers->>'etag', convert_from(r.body, 'utf8')
    from restful.serve(method, target, headers, convert_to(body, 'utf8')) r;
  reset role;
end $$;

create function content(relation text, columns text, key int) returns text language plpgsql as $$
declare found text;
begin
  execute format('select (select r from (select %s) r)::text from %I t where id = %s', columns, relation, key) into found;
  return found;
end $$;

create function rows_of(relation text) returns text language plpgsql as $$
declare found text;
begin
  execute format('select coalesce(string_agg(t::text, E''\\n'' order by id), '''') from %I t', relation) into found;
  return found;
end $$;

-- Reads a row, and compares it with everything that was read of it before.
create function read(step int, relation text, columns text, stored boolean, key int, selected text, tags jsonb) returns void language plpgsql as $$
declare
  found record; bare record; shown text := content(relation, columns, key); wrong text; what text;
  written int := coalesce((select n from writes w where w.relation = read.relation and w.id = key), 0);
  now int := (select n from epoch);
  asked text := case when jsonb_array_length(tags) > 0 then (select string_agg(t, ', ') from jsonb_array_elements_text(tags) t) end;
begin
  select * into bare from ask('GET', format('/%s/%s?select=id', relation, key), '{{}}', null);
  select * into found from ask('GET', format('/%s/%s%s', relation, key, selected), coalesce(jsonb_build_object('if-none-match', asked), '{{}}'), null);
  if shown is null then
    if found.status <> 404 or found.tag is not null then what := 'a row that does not exist was found'; end if;
  elsif bare.tag is null or found.tag is distinct from bare.tag then
    what := format('the tags of two reads differ: %s and %s', bare.tag, found.tag);
  elsif found.status <> (case when asked is not null and exists (select from jsonb_array_elements_text(tags) t where ltrim(t, 'W/') = found.tag) then 304 else 200 end) then
    what := format('%s for If-None-Match: %s, but the tag is %s', found.status, asked, found.tag);
  else
    select format('the tag at step %s was %s, of %s after %s writes; now it is %s, of %s after %s', s.step, s.tag, s.content, s.writes, found.tag, shown, written)
      into what from seen s
      where s.relation = read.relation and s.id = key
        and (s.writes = written and s.epoch = now and s.tag <> found.tag
          or s.tag = found.tag and (s.content <> shown or stored and s.writes <> written));
    insert into seen values (step, relation, key, found.tag, shown, written, now);
  end if;
  insert into outcomes values (step, 'read ' || coalesce(found.status::text, ''), what);
end $$;

-- A write under a condition, beside the plain statement.
create function write(step int, relation text, source text, method text, key int, field text, tags jsonb, body text, plainly text) returns void language plpgsql as $$
declare
  current record; answer record; before text := rows_of(source); after text; expected text; holds boolean; what text;
  given text := (select string_agg(t, ', ') from jsonb_array_elements_text(tags) t); is_there boolean;
begin
  select * into current from ask('GET', format('/%s/%s?select=id', relation, key), '{{}}', null);
  is_there := current.status = 200;
  holds := case
    when field = 'if-match' and given = '*' then is_there
    when field = 'if-match' then is_there and exists (select from jsonb_array_elements_text(tags) t where t = current.tag)
    when given = '*' then not is_there
    -- PATCH and DELETE do not tell a row that is not there from one that has the version.
    when not is_there and method <> 'PUT' then false
    else not exists (select from jsonb_array_elements_text(tags) t where ltrim(t, 'W/') = current.tag) end;
  begin
    execute plainly;
    expected := rows_of(source);
    raise exception 'undo' using errcode = 'RL000';
  exception when sqlstate 'RL000' then null;
  end;
  select * into answer from ask(method, format('/%s/%s', relation, key), jsonb_build_object(field, given), body);
  after := rows_of(source);
  if not holds then
    if answer.status <> 412 then what := 'the condition does not hold, but it is not 412'; end if;
    if after <> before then what := 'the condition does not hold, but the table was changed'; end if;
  elsif not is_there and method <> 'PUT' then
    if answer.status <> 404 or after <> before then what := 'the row is not there, but it is not 404'; end if;
  elsif answer.status >= 300 then what := 'the condition holds, but it was refused';
  elsif after <> expected then what := 'the statement makes another table';
  end if;
  if what is not null then
    what := format('%s: %s /%s/%s %s: %s: %s %s; the tag was %s. Before: %s, after: %s, by the statement: %s',
      what, method, relation, key, field, given, answer.status, answer.reply, current.tag, before, after, expected);
  end if;
  insert into outcomes values (step, format('%s %s %s', method, field, answer.status), what);
end $$;
grant execute on all functions in schema restful_tags to restful_tags_user;
"""


def literal(value):
    """A value as JSON in a literal."""
    return quote(json.dumps(value, ensure_ascii=False))


def tags(rng, relation, key):
    """An expression of the tags of a condition: some that were read, of this row or of another, weak ones, and others."""
    if rng.random() < 0.15:
        return "'[\"*\"]'::jsonb"
    own = f"(select s.tag from seen s where s.relation = '{relation}' and s.id = {key} order by s.step desc limit 1)"
    earlier = f"(select s.tag from seen s where s.relation = '{relation}' order by md5(s.step || '{rng.random()}') limit 1)"
    choices = [own, own, own, earlier, "'\"other\"'", f"'W/' || {own}"]
    chosen = [rng.choice(choices) for _ in range(rng.choice([1, 1, 2, 3]))]
    return f"(select coalesce(jsonb_agg(t) filter (where t is not null), '[\"none\"]') from unnest(array[{', '.join(chosen)}]) t)".replace('"none"', '"\\"none\\""')


def step(rng, number):
    """A step as SQL."""
    relation = rng.choice(list(RELATIONS))
    table, key = RELATIONS[relation], rng.randint(0, 4)
    columns, stored = READABLE.get(relation, "t.*"), str(relation == "plain").lower()
    kind = rng.random()
    new = rng.randint(0, 3)
    if kind < 0.45:
        names = rng.sample(["id", "a", "b", "doc"], rng.randint(1, 4))
        selected = rng.choice(["?select=" + ",".join(names), f"?select=x:{names[0]}"] + ([] if relation == "rights" else ["", "?select=*"]))
        given = tags(rng, relation, key) if rng.random() < 0.4 else "'[]'"
        if given.startswith("'[\"*"):
            given = "'[]'"
        return f"select read({number}, '{relation}', '{columns}', {stored}, {key}, '{selected}', {given});"
    if kind < 0.65:
        return rng.choice([
            f"update {table} set a = {new} where id = {key};",
            f"update {table} set a = a where id = {key};",
            f"update {table} set hidden = {new} where id = {key};",
            f"update {table} set doc = '{{\"n\": {new}}}' where id = {key};",
            f"delete from {table} where id = {key};",
            f"insert into {table} (id, a, b) select {key}, 1, 'new' where not exists (select from {table} where id = {key});",
            f"insert into {table} (id, a, b) select {key}, {new}, 'b' where not exists (select from {table} where id = {key});",
        ])
    if kind < 0.67:
        return f"update epoch set n = n + 1;\nvacuum full {table};"
    method = rng.choice(["PATCH", "PATCH", "PUT", "DELETE"])
    field = "if-match" if rng.random() < 0.7 else "if-none-match"
    body, b = None, rng.choice(["x", "y"])
    if method == "PATCH":
        body, plainly = {"a": new, "b": b}, f"update {relation} set a = {new}, b = '{b}' where id = {key}"
    elif method == "PUT":
        body = {"id": key, "a": new, "b": b, "doc": {"n": new}}
        given = f"{key}, {new}, '{b}', '{{\"n\": {new}}}'"
        hidden = "" if relation == "view" else ", hidden = default"
        plainly = (f"insert into {relation} (id, a, b, doc) values ({given}) on conflict (id) do update"
                   f" set a = excluded.a, b = excluded.b, doc = excluded.doc{hidden}")
    else:
        plainly = f"delete from {relation} where id = {key}"
    if method == "PUT" and relation == "parent":
        # A child's row is not in the index of the parent.
        return step(rng, number)
    given = tags(rng, relation, key)
    text = quote(json.dumps(body)) if body else "null"
    return f"select write({number}, '{relation}', '{table}', '{method}', {key}, '{field}', {given}, {text}, {quote(plainly)});"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library")
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--steps", type=int, default=4000)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.steps} steps")
    steps = [step(rng, number) for number in range(arguments.steps)]
    # Steps commit one by one: a row version has the transaction that wrote it.
    printed = run(CLEAN_UP, SET_UP, *steps, count_outcomes("outcomes"))
    outcomes, is_broken = report(printed)
    run(CLEAN_UP)
    for needed in ("read 304", "read 200", "read 404", "PATCH if-match 204", "PATCH if-match 412", "PUT if-none-match 204", "PUT if-match 204",
                   "DELETE if-match 204", "DELETE if-none-match 412"):
        if needed not in outcomes and not is_broken:
            print(f"nothing was answered like this: {needed}")
            return 1
    return 1 if is_broken else 0


if __name__ == "__main__":
    sys.exit(main())
