"""A plan that was made for some values answers for all of them. Requests of few shapes with random values, in one session, against plain
SQL, and against the general way, which keeps no plans: skewed columns, ranges, lists of one and of many, pages, partitions, partial indexes, patterns and full text."""

import argparse
import random
import sys

import _ways
from _sql import quote

SETUP = """
create extension if not exists pg_restful;
drop schema if exists kept cascade;
create schema kept;
create table kept.skewed (id int primary key, kind text, n int, at date, words tsvector);
insert into kept.skewed
select i, case when i % 100 > 0 then 'common' when i % 1000 > 0 then 'rare ' || i % 7 end, i * i % 1000, date '2026-01-01' + i % 300,
       to_tsvector('english', case when i % 500 = 0 then 'needle in a haystack' else 'hay ' || i % 50 end)
from generate_series(1, 5000) i;
create index on kept.skewed (kind);
create index on kept.skewed (n) where kind = 'rare 1';
create index on kept.skewed (at);
create index on kept.skewed using gin (words);
create table kept.parts (id int, day date, primary key (id, day)) partition by range (day);
do $$ begin
    for i in 0..9 loop
        execute format('create table kept.parts_%s partition of kept.parts for values from (%L) to (%L)', i, date '2026-01-01' + i * 10,
                       date '2026-01-01' + i * 10 + 10);
    end loop;
end $$;
insert into kept.parts select i, date '2026-01-01' + i % 100 from generate_series(1, 2000) i;
analyze;
do $$ begin if not exists (select from pg_roles where rolname = 'kept_reader') then create role kept_reader; end if; end $$;
grant usage on schema kept, restful to kept_reader;
grant select on all tables in schema kept to kept_reader;
set restful.schemas = 'kept';
set role kept_reader;
"""


def requests(rng):
    """A target, and the query whose rows it must return in this order. Each shape is a line; the values are random."""
    kind = rng.choice(["common", "common", "rare 1", "rare 3", "unknown"])
    n = rng.choice([0, 1, 500, 998, 999, rng.randrange(1000)])
    identifier = rng.choice([0, 1, 4990, rng.randrange(5000)])
    limit, offset = rng.choice([0, 1, 10, 60, 200, 20_000]), rng.choice([0, 1, 50, 4900, 10_000])
    day = f"2026-{rng.choice(['01', '04', '10'])}-{rng.randint(1, 28):02}"
    many = sorted(rng.sample(range(5200), rng.choice([1, 2, 90, 1000])))
    word = rng.choice(["needle", "hay", "nothing", "hay & 7"])
    prefix = rng.choice(["rare", "common", "c", "x"])
    listed = ",".join(map(str, many))
    return rng.choice([
        (f"/skewed?kind=eq.{kind}&order=id", f"from skewed where kind = {quote(kind)} order by id"),
        (f"/skewed?kind=eq.{kind}&order=id&limit={limit}&offset={offset}",
         f"from skewed where kind = {quote(kind)} order by id limit {limit} offset {offset}"),
        (f"/skewed?n=gt.{n}&order=n,id&limit={limit}", f"from skewed where n > {n} order by n, id limit {limit}"),
        (f"/skewed?kind=eq.{kind}&n=lt.{n}&order=id", f"from skewed where kind = {quote(kind)} and n < {n} order by id"),
        (f"/skewed?id=gte.{identifier}&order=id&limit={limit}", f"from skewed where id >= {identifier} order by id limit {limit}"),
        (f"/skewed?id=in.({listed})&order=id", f"from skewed where id in ({listed}) order by id"),
        (f"/skewed?kind=like.{prefix}*&order=id&limit={limit}", f"from skewed where kind like '{prefix}%' order by id limit {limit}"),
        (f"/skewed?words=fts(english).{word.replace('&', '%26')}&order=id",
         f"from skewed where words @@ to_tsquery('english', {quote(word)}) order by id"),
        (f"/skewed?kind=is.null&at=gte.{day}&order=at,id&offset={offset}",
         f"from skewed where kind is null and at >= '{day}' order by at, id offset {offset}"),
        (f"/parts?day=eq.{day}&order=id", f"from parts where day = '{day}' order by id"),
        (f"/parts?day=gte.{day}&order=day.desc,id&limit={limit}", f"from parts where day >= '{day}' order by day desc, id limit {limit}"),
    ])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--requests", type=int, default=2500)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.requests} requests", flush=True)
    rng = random.Random(options.seed)
    chosen = [requests(rng) for _ in range(options.requests)]
    script = [SETUP]
    for number, (target, query) in enumerate(chosen):
        rows = query.replace("from ", "select * from kept.", 1)
        script.append(
            f"select {number}, (r).status in (200, 206, 416), coalesce(convert_from((r).body, 'UTF8')::jsonb = "
            f"(select coalesce(jsonb_agg(to_jsonb(x)), '[]') from ({rows}) x), false) or (r).status = 416 and not exists ({rows}) "
            f"from (select ways.serve('GET', {quote(target)}, '{{}}', null) as r offset 0) s;")
    printed, taken = _ways.run(options.library, *script)
    answers = printed.split()
    wrong = [line for line in answers if not line.endswith("|t|t")]
    for line in wrong[:20]:
        print(f"{line}: {chosen[int(line.split('|')[0])][0][:200]}")
    if len(answers) != options.requests:
        print(f"{len(answers)} answers to {options.requests} requests")
    if seldom := _ways.seldom(taken, {"read": options.requests // 2, "kept": options.requests // 4}):
        print(f"too seldom to prove anything: {seldom}")
    return 1 if wrong or seldom or len(answers) != options.requests else 0


if __name__ == "__main__":
    sys.exit(main())
