#!/usr/bin/env python3
"""Requests take the faster ways that they qualify for, and no way that would keep a user's code from reading the request.

The answers of both ways are equal, too.

Needs psql, a connection in the PG* variables (a superuser, the extension in the database), and a library that is built with the feature
pg_test:

    requests_take_the_ways_they_may.py --library /path/libpg_restful.so

Everything is made in the schemas taken and ways, and the role taken_user, which are dropped before and after. Exits with 1 if a request
takes other ways.
"""
import argparse
import json
import sys

import _ways
from _sql import quote

CLEAN_UP = """
reset role;
drop schema if exists taken cascade;
select exists (select from pg_roles where rolname = 'taken_user') as made \\gset
\\if :made
drop owned by taken_user; drop role taken_user;
\\endif
"""

SET_UP = f"""{CLEAN_UP}
create role taken_user;
create schema taken;
create table taken.authors (id int primary key, name text);
create table taken.books (id int primary key, author int references taken.authors, title text);
create index on taken.books (author);
insert into taken.authors select i, 'author ' || i from generate_series(1, 20) i;
insert into taken.books select i, i % 20 + 1, 'book ' || i from generate_series(1, 100) i;

-- policies that ask who it is
create table taken.notes (id int primary key, book int references taken.books, owner text);
insert into taken.notes select i, i, case when i % 2 = 0 then 'taken_user' else 'other' end from generate_series(1, 50) i;
alter table taken.notes enable row level security;
create policy own on taken.notes using (owner = (select restful.role()));
-- and one that asks for more
create function taken.path() returns text language sql stable as $$ select current_setting('request.path', true) $$;
create table taken.asked (id int primary key, book int references taken.books);
insert into taken.asked select i, i from generate_series(1, 50) i;
alter table taken.asked enable row level security;
create policy asked on taken.asked using (taken.path() like '/%');

-- a type that a cast of a user turns into JSON, and one that a function of a user writes
create type taken.colour as enum ('red', 'green');
create function taken.to_json(taken.colour) returns json language sql stable as $$ select to_json(taken.path()) $$;
create cast (taken.colour as json) with function taken.to_json(taken.colour);
create table taken.paints (id int primary key, book int references taken.books, colour taken.colour);
insert into taken.paints select i, i, 'red' from generate_series(1, 50) i;
create type taken.word;
create function taken.word_in(cstring) returns taken.word language internal immutable strict as 'textin';
create function taken.word_out(taken.word) returns cstring language internal immutable strict as 'textout';
create type taken.word (input = taken.word_in, output = taken.word_out, like = text);
create table taken.words (id int primary key, book int references taken.books, word taken.word);
insert into taken.words select i, i, 'w' from generate_series(1, 50) i;
-- an enum without a cast is plain
create type taken.mood as enum ('good', 'bad');
create table taken.moods (id int primary key, book int references taken.books, mood taken.mood);
insert into taken.moods select i, i, 'good' from generate_series(1, 50) i;

-- tables on which code of users runs when they are written
create function taken.keep() returns trigger language plpgsql as $$ begin return new; end $$;
create table taken.triggered (id int primary key, n int);
create trigger keep before insert or update on taken.triggered for each row execute function taken.keep();
create function taken.is_asked(int) returns boolean language sql as $$ select taken.path() is not null $$;
create table taken.checked (id int primary key, n int check (taken.is_asked(n)));
create table taken.plain (id int primary key, n int);
insert into taken.plain values (1, 1);
insert into taken.triggered values (1, 1);

create function taken.sum(a int, b int) returns int language sql immutable as $$ select a + b $$;
create function taken.told(a int) returns text language plpgsql stable as $$ begin return taken.path(); end $$;

grant usage on schema taken to taken_user;
grant all on all tables in schema taken to taken_user;
analyze;
set restful.schemas = 'taken';
set role taken_user;
"""

READS = {"read", "unpublished"}

# A request, the faster ways that it takes when it is repeated, and those that it must not take.
CASES = [
    ("a row", "GET", "/books?id=eq.1", None, READS | {"kept"}, set()),
    ("an embedded row", "GET", "/books?id=eq.1&select=title,authors(name)", None, READS, set()),
    ("whole embedded rows", "GET", "/authors?select=*,books(*)&order=id", None, READS, set()),
    ("embedded rows of embedded rows", "GET", "/authors?id=lt.5&select=*,books(title,notes(id))&order=id", None, READS, set()),
    ("a spread", "GET", "/authors?select=name,...books(title)&order=id", None, READS, set()),
    ("rows under a policy that asks who it is", "GET", "/notes?order=id", None, READS, set()),
    ("embedded rows under it", "GET", "/books?select=id,notes(id,owner)&order=id", None, READS, set()),
    ("whole embedded rows under it", "GET", "/books?select=id,notes(*)&order=id", None, READS, set()),
    ("rows embedded in rows under it", "GET", "/notes?select=id,books(title)&order=id", None, READS, set()),
    ("rows under a policy that asks for more", "GET", "/asked?order=id", None, set(), READS),
    ("embedded rows under it", "GET", "/books?select=id,asked(id)&order=id", None, set(), READS),
    ("a function of a user in the filter", "GET", "/books?select=id,asked(*)&asked=not.is.null", None, set(), READS),
    ("an enum", "GET", "/moods?id=eq.1", None, READS, set()),
    ("an embedded enum", "GET", "/books?select=id,moods(mood)&order=id", None, READS, set()),
    ("whole embedded rows with an enum", "GET", "/books?select=id,moods(*)&order=id", None, READS, set()),
    ("a type with a cast to JSON", "GET", "/paints?id=eq.1", None, set(), READS),
    ("the same in embedded rows", "GET", "/books?select=id,paints(colour)&order=id", None, set(), READS),
    ("the same in whole embedded rows", "GET", "/books?select=id,paints(*)&order=id", None, set(), READS),
    ("the same in an embedded row", "GET", "/paints?select=id,books(id,paints(colour))&id=eq.1", None, set(), READS),
    ("the same, spread", "GET", "/books?select=id,...paints(colour)&order=id", None, set(), READS),
    ("a type with an output function of a user", "GET", "/words?id=eq.1", None, set(), READS),
    ("the same in embedded rows", "GET", "/books?select=id,words(word)&order=id", None, set(), READS),
    ("the same in whole embedded rows", "GET", "/books?select=id,words(*)&order=id", None, set(), READS),
    ("an insert", "POST", "/plain", {"id": 2, "n": 3}, {"write", "unpublished"}, set()),
    ("an update", "PATCH", "/plain?id=eq.1", {"n": 3}, {"write", "unpublished"}, set()),
    ("an upsert", "POST", "/plain?on_conflict=id", {"id": 1, "n": 3}, {"write", "unpublished"}, set()),
    ("a delete", "DELETE", "/plain?id=eq.1", None, {"write", "unpublished"}, set()),
    ("an update under a policy that asks who it is", "PATCH", "/notes?id=eq.2", {"book": 3}, {"write", "unpublished"}, set()),
    ("an update under one that asks for more", "PATCH", "/asked?id=eq.2", {"book": 3}, set(), {"write", "unpublished"}),
    ("an insert with a trigger", "POST", "/triggered", {"id": 2, "n": 3}, set(), {"write", "unpublished"}),
    ("an update with a trigger", "PATCH", "/triggered?id=eq.1", {"n": 3}, set(), {"write", "unpublished"}),
    ("an insert with a check", "POST", "/checked", {"id": 2, "n": 3}, set(), {"write", "unpublished"}),
    ("a call", "POST", "/rpc/sum", {"a": 1, "b": 2}, {"call", "unpublished"}, set()),
    ("a call of what asks", "POST", "/rpc/told", {"a": 1}, {"call"}, {"unpublished"}),
]


def script(case):
    """Makes the request in both ways, then as usual until it is known, and prints which ways it took before the last time and after."""
    _, method, target, body, _, _ = case
    prefer = json.dumps({"prefer": "resolution=merge-duplicates"}) if "on_conflict" in target else "{}"
    text = f"convert_to({quote(json.dumps(body))}, 'utf8')" if body else "null"
    call = f"serve('{method}', {quote(target)}, {quote(prefer)}, {text})"
    again = f"begin; select status from restful.{call} \\g /dev/null\nrollback;\n"
    return (f"begin; select status from ways.{call};\nrollback;\nselect ways.take('') \\g /dev/null\n{again * 3}"
            f"select ways.take('');\n{again}select ways.take('');")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    options = arguments.parse_args()
    printed, _ = _ways.run(options.library, SET_UP, *map(script, CASES), CLEAN_UP)
    lines, wrong = iter(printed.splitlines()), 0
    for case in CASES:
        what, method, target, _, must, must_not = case
        status, before, after = int(next(lines)), json.loads(next(lines)), json.loads(next(lines))
        taken = {way for way, count in after.items() if count > before[way]}
        if status >= 300 or must - taken or must_not & taken:
            wrong += 1
            print(f"{what}: {method} {target} answers {status} and takes {sorted(taken)}; "
                  f"it must take {sorted(must)} and must not take {sorted(must_not)}")
    print(f"{len(CASES)} requests, {wrong} take other ways than they should")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
