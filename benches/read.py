"""Reads: lists as bodies, and one row by its key."""

from measure import Bench, pipeline

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
    """A list of 10,000 rows of 10 columns, and of 100."""
    bench.set_up(LIST_SETUP)
    for rows, page, source, seconds, calls, bar in (
        (LIST_ROWS, "", "list", 2, 1, 0.20),
        (100, "?limit=100", "(select * from list limit 100)", 1, 20, 0.35),
    ):
        serve = f"restful.serve('GET', '/list{page}', '{{}}', null)"
        agg = "coalesce(json_agg(row_to_json(x)), '[]')::text"
        bench.check(f"select convert_from((r).body, 'UTF8')::jsonb = (select {agg} from {source} x)::jsonb and (r).status = 200 "
                    f"from (select {serve} as r) s", f"{rows} rows")
        ours, theirs = f"list of {rows:,} rows", "json_agg(row_to_json(x))"
        select = f"select length({agg}) from {source} x;"
        statements = {ours: f"select length(({serve}).body);", theirs: select, "control": select}
        scripts = {name: pipeline([text] * calls) if calls > 1 else text for name, text in statements.items()}
        rounds = bench.alternate(ours, scripts, seconds)
        bench.report(rounds, ours, theirs, bar=bar, control="control", calls=calls, unit="ms" if calls == 1 else "us")


def point(bench: Bench) -> None:
    """One row of 100,000 by its key."""
    bench.set_up(POINT_SETUP)
    calls = 100
    select = "select row_to_json(point)::text from point where id = :id;"
    theirs = "prepared row_to_json(point)::text"
    filtered, item, sent, floor = "GET /point?id=eq.N", "GET /point/N", "GET /point?id=eq.N, binary", "select of the target alone"
    statements = {
        filtered: "select restful.serve('GET', '/point?id=eq.' || :id, '{}', null);",
        item: "select restful.serve('GET', '/point/' || :id, '{}', null);",
        sent: "select length(record_send(restful.serve('GET', '/point?id=eq.' || :id, '{}', null)));",
        floor: "select '/point?id=eq.' || :id;",
        theirs: select,
        "control": select,
    }
    for target in "/point?id=eq.77", "/point/77":
        bench.check(f"select convert_from((r).body, 'UTF8')::jsonb in (to_jsonb(point), jsonb_build_array(to_jsonb(point))) and (r).status = 200 "
                    f"from (select restful.serve('GET', '{target}', '{{}}', null) as r) s, point where id = 77", target)
    scripts = {name: pipeline([f"\\set id random(1, {POINT_ROWS})", text] * calls) for name, text in statements.items()}
    rounds = bench.alternate("one row by its key", scripts, 3)
    bench.report(rounds, filtered, theirs, bar=1.6, control="control", calls=calls, unit="us")
    bench.report(rounds, item, theirs, bar=1.6, calls=calls, unit="us")
    bench.report(rounds, sent, theirs, calls=calls, unit="us")
    bench.report(rounds, floor, theirs, calls=calls, unit="us")
