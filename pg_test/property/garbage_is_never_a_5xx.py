#!/usr/bin/env python3
"""Whatever a client sends as a value of any type, the answer is never a 5xx, and no error is raised instead.

Each type of the database, including those of available extensions, gets a table and a function. Values that mostly do not belong to the
type are sent as JSON, CSV, forms, filters, keys in a path and arguments.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    garbage_is_never_a_5xx.py [--seed N] [--values M]

Everything is made in the schema garbage, which is dropped before and after; so are the extensions that it creates. Exits with 1 if an
answer is a 5xx or an error is raised.
"""
import argparse
import json
import sys
from urllib.parse import quote as encode

import _ways
from _sql import quote, run

EXTENSIONS = ["citext", "cube", "hstore", "intarray", "isn", "lo", "ltree", "pg_trgm", "postgis", "seg", "vector"]
JSON_VALUES = [{"a": 1}, {}, [], [1], [[1]], [[1], [2, 3]], [None], [{"a": []}], {"a": {"b": [1, None]}}, True, False, 0, 1, -1, 0.1, 1e300,
               -1e-300, 10 ** 30, 2 ** 31, 2 ** 63, {"id": "x", "": []}, {"n": {"n": "x"}}, "{\"a\": 1}", {"lower": 1}, [[[[[[[1]]]]]]]]
TEXTS = ["", " ", "x", "null", "NULL", "NaN", "infinity", "-", "+", "0", "1", "-1", "1.5", "1e400", "9" * 400, "{", "}", "[", "]", "(", ")", "(,)",
         "{}", "[]", "()", "{{1},{2,3}}", "{1,{2}}", "{\"a", "(1", "[1,2", "[2,1)", "empty", "\"", "\\", "'", "\\x0", "\\xzz", "0x1", "a=>", "=>",
         "\"a\"=>", "a=>b=>c", "a,b", "a b", "a & | b", "!", ":", "a:1:2", "<", "<(0,0),-1>", "((0,0),(1", "1/0", "12:99", "2024-02-30", "999999-01-01",
         "1 fortnight", "-178000000 years 99999999 mons", "1.2.3.4.5", "::::", "a.b.c..d", "$.a[", "%", "*", "~", "x" * 3000, "x " * 3000, "," * 3000,
         "{" * 3000, "(" * 20000, "[" * 20000, "{\"a\":" * 5000, "a|" * 20000, "!" * 30000, "((0,0)," * 2000, "1" * 70000, "\x01", "日本",
         "😀", "a\u00a0b", "<a>", "<a/><b/>", "<!DOCTYPE x [<!ENTITY a '&a;'>]><x>&a;</x>", "POINT(", "POINT(1 2)", "POLYGON((0 0))", "0101", "pg_class"]

SET_UP = """
set client_min_messages = error;
drop schema if exists garbage cascade;
create schema garbage;
set restful.schemas = 'garbage';
create table garbage.failures (type text, request text, answer text);
create table garbage.counted (status int);
create procedure garbage.try_to(command text) language plpgsql as $$ begin execute command; exception when others then null; end $$;
create procedure garbage.ask(type text, method text, target text, headers jsonb, body text) language plpgsql as $$
declare r record;
begin
  begin
    -- PostgreSQL finds an invalid query of a full text search when it plans the statement, or when it looks at a row.
    if target like '%=fts.%' then
      select * into r from restful.serve(method, target, headers, convert_to(body, 'UTF8'));
    else
      select * into r from ways.serve(method, target, headers, convert_to(body, 'UTF8'));
    end if;
    insert into garbage.counted values (r.status);
    if r.status >= 500 then
      insert into garbage.failures values (type, left(concat_ws(' ', method, target, headers, body), 300), r.status || ' ' || left(convert_from(r.body, 'UTF8'), 400));
    end if;
  exception when others then
    insert into garbage.failures values (type, left(concat_ws(' ', method, target, headers, body), 300), 'raised ' || sqlstate || ' ' || left(sqlerrm, 3000));
  end;
end $$;
create type garbage.row_type as (a int, b text[]);
create type garbage.mood as enum ('good', 'bad');
create domain garbage.small as int check (value < 10);
create domain garbage.facts as jsonb not null;
create type garbage.floats as range (subtype = float8);
create procedure garbage.test_types(documents jsonb, texts jsonb, of_each int) language plpgsql as $$
declare t record; v jsonb; x jsonb; encoded text; field text;
begin
  for t in select p.oid, format_type(p.oid, null) as name from pg_type p
           where p.typisdefined and p.typtype in ('b', 'd', 'e', 'r', 'm', 'c') and p.typname !~ '^pg_toast'
             and (p.typnamespace <> 'information_schema'::regnamespace or p.typtype = 'd')
             and (p.typtype <> 'c' or p.typnamespace = 'garbage'::regnamespace)
             and (p.typcategory <> 'A' or p.typname in ('_text', '_int4', '_jsonb', '_hstore', '_row_type', '_numeric', '_tsvector', 'int2vector'))
           order by p.oid loop
    call garbage.try_to(format('create table garbage.t%s (id int, v %s, primary key (v))', t.oid, t.name));
    call garbage.try_to(format('create table if not exists garbage.t%s (id int, v %s)', t.oid, t.name));
    call garbage.try_to(format('create function garbage.f%s(v %s) returns int language sql as ''select 1''', t.oid, t.name));
    call garbage.try_to(format('create function garbage.g%s(variadic v %s[]) returns int language sql as ''select 1''', t.oid, t.name));
    continue when to_regclass('garbage.t' || t.oid) is null;
    for v in select e from jsonb_array_elements(documents) e order by random() limit of_each loop
      call garbage.ask(t.name, 'POST', '/t' || t.oid, '{}', jsonb_build_object('v', v)::text);
      call garbage.ask(t.name, 'POST', '/rpc/f' || t.oid, '{}', jsonb_build_object('v', v)::text);
      call garbage.ask(t.name, 'PATCH', '/t' || t.oid, '{}', jsonb_build_object('v', v)::text);
    end loop;
    for x in select e from jsonb_array_elements(texts) e order by random() limit of_each loop
      encoded := x ->> 'encoded';
      field := x ->> 'field';
      call garbage.ask(t.name, 'POST', '/t' || t.oid, '{}', jsonb_build_object('v', x -> 'text')::text);
      call garbage.ask(t.name, 'POST', '/t' || t.oid, '{"content-type": "text/csv"}', E'v\\n' || field);
      call garbage.ask(t.name, 'POST', '/t' || t.oid, '{"content-type": "application/x-www-form-urlencoded"}', 'v=' || encoded);
      call garbage.ask(t.name, 'POST', '/rpc/f' || t.oid, '{"content-type": "text/csv"}', E'v\\n' || field);
      call garbage.ask(t.name, 'GET', '/rpc/f' || t.oid || '?v=' || encoded, '{}', null);
      call garbage.ask(t.name, 'GET', '/rpc/g' || t.oid || '?v=' || encoded || '&v=', '{}', null);
      call garbage.ask(t.name, 'GET', '/t' || t.oid || '?v=eq.' || encoded, '{}', null);
      call garbage.ask(t.name, 'GET', '/t' || t.oid || '?v=in.(' || (x ->> 'item') || ')', '{}', null);
      call garbage.ask(t.name, 'GET', '/t' || t.oid || '?v=eq(any).' || encoded, '{}', null);
      call garbage.ask(t.name, 'GET', '/t' || t.oid || '?v=cs.' || encoded, '{}', null);
      call garbage.ask(t.name, 'GET', '/t' || t.oid || '?v=fts.' || encoded, '{}', null);
      call garbage.ask(t.name, 'GET', '/t' || t.oid || '/' || encoded, '{}', null);
    end loop;
    call garbage.try_to('drop table garbage.t' || t.oid);
    call garbage.try_to('drop function garbage.f' || t.oid);
    call garbage.try_to('drop function garbage.g' || t.oid);
    commit;
  end loop;
end $$;
"""


def forms(text):
    """A text as it stands in JSON, in a target, in a field of CSV and in a list."""
    item = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return {"text": text, "encoded": encode(text[:30000], safe=""), "field": '"' + text.replace('"', '""') + '"', "item": encode(item, safe="")}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--values", type=int, default=30)
    options = arguments.parse_args()
    made = run(f"select name from pg_available_extensions where installed_version is null and name in ({', '.join(map(quote, EXTENSIONS))})").split()
    run("".join(f"create extension {name} cascade;" for name in made))
    try:
        printed, taken = _ways.run(options.library, f"""{SET_UP}
            select set_config('garbage.seed', setseed({options.seed % 1000} / 1000.0)::text, false) \\gset
            call garbage.test_types({quote(json.dumps(JSON_VALUES))}, {quote(json.dumps([forms(text) for text in TEXTS]))}, {options.values});
            select json_build_object('counts', (select json_object_agg(status, n) from (select status, count(*) as n from garbage.counted group by 1) c),
                'failures', coalesce((select json_agg(f) from (select distinct on (type, answer) * from garbage.failures order by type, answer) f), '[]'));
            drop schema garbage cascade;""")
    finally:
        run("".join(f"drop extension if exists {name} cascade;" for name in made))
    report = json.loads(printed)
    for failure in report["failures"]:
        print(f"{failure['type']}: {failure['request']}\n  {failure['answer']}")
    print(f"seed {options.seed}, {', '.join(made)}: {report['counts']}, {len(report['failures'])} different failures")
    if seldom := _ways.seldom(taken, {"write": report["counts"].get("201", 0) // 2}):
        print(f"too seldom to prove anything: {seldom}")
    sys.exit(1 if report["failures"] or seldom or not report["counts"] else 0)


if __name__ == "__main__":
    main()
