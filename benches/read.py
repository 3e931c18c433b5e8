"""Measures reads: lists as bodies, and one row by its key."""

import random

from measure import Bench, Statement

LIST_ROWS = 10_000
POINT_ROWS = 100_000

LIST_SETUP = f"""
create table list as
select i as id, i::int8 * 123456789 as big, 'the text of row number ' || i || ', with "quotes" now and then' as name,
       i % 3 = 0 as flag, (i * 1.37)::numeric(12,2) as price,
       timestamptz '2024-01-01 00:00:00Z' + i * interval '97 seconds 123 milliseconds' as at, md5(i::text)::uuid as token,
       jsonb_build_object('kind', 'k' || i % 7, 'tags', jsonb_build_array('a', i, true)) as doc,
       array['red', 'green ' || i, null] as words, i / 7.0::float8 as ratio
from generate_series(1, {LIST_ROWS}) i;
grant select on list to anon, authenticator;
vacuum analyze list;
"""

POINT_SETUP = f"""
create table point as
select i as id, 'name ' || i as name, i % 1000 as quantity, (i * 1.37)::numeric(12,2) as price, i % 3 = 0 as flag,
       timestamptz '2024-01-01 00:00:00Z' + i * interval '97 seconds' as at
from generate_series(1, {POINT_ROWS}) i;
alter table point add primary key (id);
grant select on point to anon, authenticator;
vacuum analyze point;
"""


def lists(bench: Bench) -> None:
    """Reads a list of 10,000 rows and one of 100 rows, with 10 columns each."""
    bench.set_up(LIST_SETUP)
    for rows, page, source, calls, seconds, bar in (
        (LIST_ROWS, "", "list", 1, 1.5, 0.20),
        (100, "?limit=100", "(select * from list limit 100)", 20, 0.7, 0.35),
    ):
        serve = f"restful.serve('GET', '/list{page}', '{{}}', null)"
        agg = "coalesce(json_agg(row_to_json(x)), '[]')::text"
        bench.check(f"select convert_from((r).body, 'UTF8')::jsonb = (select {agg} from {source} x)::jsonb and (r).status = 200 "
                    f"from (select {serve} as r) s")
        ours, theirs = f"list of {rows:,} rows", "json_agg(row_to_json(x))"
        # Select the length, so that we do not measure the text form of bytea. A client fetches the body in binary.
        select = f"select length({agg}) from {source} x"
        statements = {ours: f"select length(({serve}).body)", theirs: select, "control": select}
        rounds = bench.alternate(ours, {name: Statement(sql, calls) for name, sql in statements.items()}, seconds)
        bench.report(rounds, ours, theirs, bar=bar, control="control", unit="ms" if calls == 1 else "us")


def point(bench: Bench) -> None:
    """Reads one of 100,000 rows by its key, a random one each time."""
    bench.set_up(POINT_SETUP)
    for target in "/point?id=eq.77", "/point/77":
        bench.check("select convert_from((r).body, 'UTF8')::jsonb in (to_jsonb(point), jsonb_build_array(to_jsonb(point))) "
                    f"and (r).status = 200 from (select restful.serve('GET', '{target}', '{{}}', null) as r) s, point where id = 77")
    select = "select row_to_json(point)::text from point where id = $1::int"
    by_filter = "select restful.serve('GET', '/point?id=eq.' || $1, '{}', null)"
    theirs = "row_to_json(point)::text"
    filtered, item, binary, floor = "GET /point?id=eq.N", "GET /point/N", "GET /point?id=eq.N, in binary", "only the target"
    statements = {
        filtered: by_filter,
        item: "select restful.serve('GET', '/point/' || $1, '{}', null)",
        binary: by_filter,
        floor: "select '/point?id=eq.' || $1",
        theirs: select,
        "control": select,
    }
    rounds = bench.alternate("one row by its key", {
        name: Statement(sql, 100, lambda: (str(random.randint(1, POINT_ROWS)),), binary=name == binary)
        for name, sql in statements.items()}, 2)
    bench.report(rounds, filtered, theirs, bar=1.6, control="control", unit="us")
    bench.report(rounds, item, theirs, bar=1.6, unit="us")
    bench.report(rounds, binary, theirs, unit="us")
    bench.report(rounds, floor, theirs, unit="us")
