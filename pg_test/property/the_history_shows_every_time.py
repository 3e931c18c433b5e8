#!/usr/bin/env python3
"""The history of a table shows it as it was at any time, and who has written it.

Random writes by random roles, over the API and in SQL, some of which fail or are rolled back, also to savepoints. After each of them this program may copy the
table and take the time. At the end, TABLE_as_of(time) must be that copy for every time, and the history must have exactly the
changes that plain SQL finds between copies, with the role, the subject and the request of the write.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    the_history_shows_every_time.py [--seed N] [--writes N]

Everything is made in the schema restful_audited. Exits with 1 if the law is broken.
"""
import argparse
import json
import random
import sys

from _sql import quote, run

CLEAN_UP = """
drop schema if exists restful_audited cascade;
do $$ begin if to_regrole('audit_ann') is not null then drop owned by audit_ann, audit_bea; end if; end $$;
drop role if exists audit_ann;
drop role if exists audit_bea;
"""
SET_UP = """
create role audit_ann;
create role audit_bea;
create schema restful_audited;
create table restful_audited.one (id int, part int, v text, n numeric, a int[], unique (v), primary key (part, id));
insert into restful_audited.one select i, i % 2, 'v' || i, i / 7.0, array[i, null] from generate_series(1, 6) i;
create table restful_audited.copies (number int, at timestamptz, id int, part int, v text, n numeric, a int[]);
create table restful_audited.times (number int primary key, at timestamptz);
create table restful_audited.writes (number int, changes int, role text, subject text, request text);
grant usage on schema restful_audited to audit_ann, audit_bea;
grant all on restful_audited.one to audit_ann, audit_bea;
select restful.audit('restful_audited.one');
set restful.schemas = 'restful_audited';
set restful.trusted_authenticators = 'postgres';
create procedure pg_temp.copy(which int) language plpgsql as $f$
begin
  insert into restful_audited.times values (which, clock_timestamp());
  insert into restful_audited.copies select which, clock_timestamp(), id, part, v, n, a from restful_audited.one;
  perform pg_sleep(0.0005);
end $f$;
create function pg_temp.noted() returns bigint language sql as $f$ select count(*) from restful_audited.one_history $f$;
"""


def new_write(rng, number):
    """A write as a script, and who makes it: role, subject, and the request's identifier."""
    role, n = rng.choice(["audit_ann", "audit_bea"]), rng.randint(1, 9)
    part, value = rng.randint(0, 1), f"w{rng.randint(1, 12)}"
    subject, request = rng.choice([None, "s1", "s2"]), f"r{number}"
    in_sql = rng.choice([
        f"insert into one values ({n}, {part}, '{value}', {n}.50, '{{{n}}}')",
        f"insert into one values ({n}, {part}, '{value}') on conflict (part, id) do update set n = excluded.id",
        f"update one set v = v || '{n}' where id < {n}",
        f"update one set id = id + {n} where part = {part}",
        f"update one set n = null, a = null where id = {n}",
        f"delete from one where id = {n}",
        f"delete from one where part = {part} and id > {n + 2}",
        "truncate one" if rng.random() < 0.3 else f"delete from one where v = '{value}'",
    ])
    method, target, body = rng.choice([
        ("POST", "/one", [{"id": n, "part": part, "v": value}]),
        ("POST", "/one", [{"id": n, "part": part, "v": value}, {"id": n + 20, "part": part, "v": value + "x"}]),
        ("PATCH", f"/one?id=lt.{n}", {"n": n / 4}),
        ("PATCH", f"/one?id=eq.{n}", {"id": n + 30}),
        ("DELETE", f"/one?id=eq.{n}", None),
        ("PATCH", f"/one/{part},{n}", {"a": [n]}),
    ])
    if rng.random() < 0.5:
        text = "null" if body is None else quote(json.dumps(body))
        claims = json.dumps({"role": role, **({"sub": subject} if subject else {})})
        script = f"""
            perform set_config('request.jwt.claims', {quote(claims)}, true), set_config('role', '{role}', true);
            perform restful.serve('{method}', {quote(target)}, '{{"x-request-id": "{request}", "content-type": "application/json"}}', convert_to({text}, 'UTF8'));
            perform set_config('role', 'none', true);"""
        return script, role, subject, request
    script = f"""
        perform set_config('role', '{role}', true), set_config('search_path', 'restful_audited', true), set_config('request.headers', '', true);
        begin
            {in_sql};
            if {str(rng.random() < 0.2).lower()} then raise sqlstate 'RT000'; end if;
        exception when others then null;
        end;
        perform set_config('role', 'none', true), set_config('search_path', '"$user", public', true);"""
    return script, role, None, None


CHECK = """
with changed as (
  -- What differs between a copy and the next one, by plain SQL.
  select w.number, w.role, w.subject, w.request, coalesce(a.part, b.part) part, coalesce(a.id, b.id) id, to_jsonb(b) - 'number' - 'at' as now_is
  from restful_audited.writes w
  join lateral (
    select coalesce(a.part, b.part) part, coalesce(a.id, b.id) id
    from (select * from restful_audited.copies where number = w.number - 1) a
    full join (select * from restful_audited.copies where number = w.number) b on (a.part, a.id) = (b.part, b.id)
    where (a.v, a.n, a.a, a.id) is distinct from (b.v, b.n, b.a, b.id)
  ) k on true
  left join restful_audited.copies a on a.number = w.number - 1 and (a.part, a.id) = (k.part, k.id)
  left join restful_audited.copies b on b.number = w.number and (b.part, b.id) = (k.part, k.id)
), told as (
  -- What the history says in the same time: the last change of each row.
  select distinct on (w.number, h.key) w.number, h.role, h.subject, h.request_id, h.key, h."row"
  from restful_audited.writes w
  join restful_audited.times since on since.number = w.number - 1
  join restful_audited.times until on until.number = w.number
  join restful_audited.one_history h on h.at > since.at and h.at <= until.at and h.key is not null
  order by w.number, h.key, h.id desc
)
select coalesce(jsonb_agg(x order by number), '[]') from (
  select t.number, 'as of the time, the table is another one' as wrong
  from restful_audited.times t
  where exists (
    (select id, part, v, n, a from restful_audited.one_as_of(t.at) except all select id, part, v, n, a from restful_audited.copies c where c.number = t.number)
    union all
    (select id, part, v, n, a from restful_audited.copies c where c.number = t.number except all select id, part, v, n, a from restful_audited.one_as_of(t.at)))
  union all
  select c.number, format('%s,%s was changed by %s %s %s; the history says %s', c.part, c.id, c.role, c.subject, c.request, to_jsonb(t))
  from changed c
  left join told t on t.number = c.number and t.key = jsonb_build_array(c.id, c.part)
  where not exists (select from restful_audited.one_history h join restful_audited.times u on u.number = c.number join restful_audited.times s on s.number = c.number - 1
      where h.operation = 'TRUNCATE' and h.at > s.at and h.at <= u.at and h.role = c.role)
    and ((t.role, t.subject, t.request_id) is distinct from (c.role, c.subject, c.request) or (t."row" is null) <> (c.now_is is null))
) x;
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--writes", type=int, default=250)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.writes} writes")
    script = [SET_UP, "call pg_temp.copy(0);"]
    for number in range(1, arguments.writes + 1):
        write, role, subject, request = new_write(rng, number)
        text = lambda value: "null" if value is None else quote(value)
        script.append(f"""
            begin;
            do $do$ begin {write} end $do$;
            {rng.choice(["commit", "commit", "commit", "rollback"])};
            call pg_temp.copy({number});
            insert into restful_audited.writes values ({number}, 0, {text(role)}, {text(subject)}, {text(request)});""")
    run(CLEAN_UP)
    printed = run(*script, CHECK, "select count(*) || ' changes, ' || count(distinct role) || ' roles, ' || count(subject) || ' with a subject' from restful_audited.one_history;").strip().splitlines()
    run(CLEAN_UP)
    broken = json.loads(printed[-2])
    print(printed[-1])
    for one in broken[:5]:
        print(one)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
