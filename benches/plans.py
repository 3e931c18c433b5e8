"""Kept plans on data where the best plan depends on the value, compared with a plan of its own for each execution.

A kept plan must never take more than twice as long as a plan of its own for the value.
"""

import random

from measure import Bench, Statement
from request import rows, serve

ROWS = 200_000
BAR = 2
CALLS = 10

SETUP = f"""
create table skewed (id int primary key, kind text not null, n int not null, at date not null, words tsvector not null);
insert into skewed
select i, case when i % 1000 > 0 then 'common' else 'rare ' || i % 7 end, i, date '2000-01-01' + i % 9000,
       to_tsvector('english', case when i % 2 = 0 then 'hay' else 'straw' end || case when i % 5000 = 0 then ' needle' else '' end)
from generate_series(1, {ROWS}) i;
create index on skewed (kind);
create index on skewed (n);
create index on skewed using gin (words);
create table parts (id int, day date not null) partition by range (day);
do $$ begin
    for i in 0..29 loop
        execute format('create table parts_%s partition of parts for values from (%L) to (%L)', i, date '2026-01-01' + i, date '2026-01-02' + i);
    end loop;
end $$;
insert into parts select i, date '2026-01-01' + i % 30 from generate_series(1, {ROWS}) i;
create index on parts (day);
create table owners (id int primary key, name text not null);
insert into owners select i, 'owner ' || i from generate_series(1, 10000) i;
create table owned (id int primary key, owner int references owners);
insert into owned select i, 1 + i % 4 from generate_series(1, {ROWS}) i;
create index on owned (owner);
create table loose (id int primary key, owner int references owners);
insert into loose select i, 1 + i % 10000 from generate_series(1, 20000) i;
grant select on skewed, parts, owners, owned, loose to anon, authenticator;
vacuum analyze;
"""


def values(*choices: str):
    """One of these values for each call."""
    return lambda: (random.choice(choices),)


def numbers(many: int):
    """A list of this many keys for each call."""
    return lambda: (",".join(str(random.randint(1, ROWS)) for _ in range(many)),)


RARE = [f"rare {i}" for i in range(7)]
BY_KIND = serve("GET", "'/skewed?kind=eq.' || $1 || '&order=id&limit=100'"), rows("select * from skewed where kind = $1 order by id limit 100")
BY_RANGE = serve("GET", "'/skewed?n=gt.' || $1 || '&select=id'"), rows("select id from skewed where n > $1::int")
BY_LIST = serve("GET", "'/skewed?select=id&id=in.(' || $1 || ')'"), rows("select id from skewed where id = any (('{' || $1 || '}')::int[])")
BY_WORDS = serve("GET", "'/skewed?select=id&words=fts(english).' || $1"), rows("select id from skewed where words @@ to_tsquery('english', $1)")
BY_DAY = serve("GET", "'/parts?day=eq.' || $1 || '&limit=10'"), rows("select * from parts where day = $1::date limit 10")


def with_owned(table: str, most: int):
    """Owners, each with what it owns."""
    owned = f"select coalesce(json_agg(row_to_json(y)), '[]') from (select id from {table} t where t.owner = o.id) y"
    return (serve("GET", f"'/owners?select=name,{table}(id)&limit={most}&order=id&id=gt.' || $1"),
            rows(f"select name, ({owned}) as {table} from owners o where id > $1::int order by id limit {most}"))


CASES = {
    "skew: a rare value": (BY_KIND, values(*RARE)),
    "skew: one value in a hundred is common": (BY_KIND, values(*RARE * 14, "common")),
    "skew: every other value is common": (BY_KIND, values("common", *RARE[:1])),
    "range: a few rows": (BY_RANGE, values(*(str(ROWS - i) for i in range(20)))),
    "range: few rows or nearly all": (BY_RANGE, values("10", *(str(ROWS - i) for i in range(9)))),
    "list of 1": (BY_LIST, numbers(1)),
    "list of 1,000": (BY_LIST, numbers(1000)),
    "full text: rare or common": (BY_WORDS, values("needle", "needle", "hay")),
    "owners: none of 5,000 has any of the many rows of four": (with_owned("owned", 5000), values("4000", "5000")),
    "owners: 20, without an index on what refers to them": (with_owned("loose", 20), values("4000", "5000")),
    "partitions by day": (BY_DAY, values(*(f"2026-01-{day:02}" for day in range(1, 31)))),
}


def plans(bench: Bench) -> None:
    """Reads whose best plan depends on the value."""
    bench.set_up(SETUP)
    for name, ((ours, by_hand), parameters) in CASES.items():
        rounds = bench.alternate(name, {
            name: Statement(ours, CALLS, parameters, binary=True),
            "a plan for each": Statement(by_hand, CALLS, parameters, fresh=True)}, 1)
        bench.report(rounds, name, "a plan for each", bar=BAR, unit="us", by_cpu=True)
