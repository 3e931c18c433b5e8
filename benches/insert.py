"""Measures the bulk insert of a JSON array: a POST, compared with json_to_recordset and COPY."""

import random

from client import Connection, Time
from harness import Failure
from measure import DATABASE, Bench, Rounds, median

ROWS = 10_000
# How often each method runs in a round.
REPEATS = 3
DEFINITION = "id int4, big int8, name text, flag bool, price numeric, at timestamptz, token uuid, doc jsonb"
SERVE, SOURCE, RECORDSET, COPY, NOTHING = "POST", "record_source", "json_to_recordset", "COPY text", "nothing"

SETUP = f"""
create table source as
select i as id, i::int8 * 123456789 as big, 'the text of row number ' || i || ', with "quotes" now and then' as name,
       i % 3 = 0 as flag, (i * 1.37)::numeric(12,2) as price,
       timestamptz '2024-01-01 00:00:00Z' + i * interval '97 seconds 123 milliseconds' as at, md5(i::text)::uuid as token,
       jsonb_build_object('kind', 'k' || i % 7, 'tags', jsonb_build_array('a', i, true), 'size', i * 1.5) as doc
from generate_series(1, {ROWS}) i;
-- Two bodies: one has all rows, the other a single row.
create table bodies as
select count(*) > 1 as whole, json_agg(row_to_json(source)) as json, convert_to(json_agg(row_to_json(source))::text, 'UTF8') as body
from source group by grouping sets ((), (id)) having count(*) > 1 or id = 1;
create table plain (like source);
create table keyed (like source, primary key (id));
copy source to program 'cat > bench.copy';
grant select on source, bodies, plain, keyed to authenticator;
grant insert, truncate on plain, keyed to authenticator;
grant insert on plain, keyed to anon;
vacuum analyze;

-- The login role may read no files of the server.
create function copy_rows(target text) returns void security definer language plpgsql as $$
begin
    execute 'copy ' || target || ' from ''bench.copy''';
end $$;

-- Inserts a body and returns the milliseconds.
create function insert_ms(method text, target text, whole boolean) returns float8 language plpgsql as $$
declare
    body bytea; json_body json; began timestamptz; status int; insert text := 'insert into ' || target || ' select * from ';
begin
    -- Copy the bodies out of their table first, so that reading it is not measured.
    select b.body || '', (b.json::text || '')::json into body, json_body from bodies b where b.whole = insert_ms.whole;
    began := clock_timestamp();
    case method
        when '{SERVE}' then
            status := (restful.serve('POST', '/' || target, '{{}}', body)).status;
            if status <> 201 then raise exception 'status %', status; end if;
        when '{SOURCE}' then
            execute insert || 'restful.record_source($1, ''{{id,big,name,flag,price,at,token,doc}}'', 0, null) r({DEFINITION})' using body;
        when '{RECORDSET}' then
            execute insert || 'json_to_recordset($1) r({DEFINITION})' using json_body;
        when '{COPY}' then
            perform copy_rows(target);
        when '{NOTHING}' then
    end case;
    return extract(epoch from clock_timestamp() - began) * 1000;
end $$;

-- Fills the caches as in a connection that has inserted before, because truncating the table has emptied them.
create function warm(method text, target text) returns void language plpgsql as $$
begin
    if method not in ('{COPY}', '{NOTHING}') then perform insert_ms(method, target, false); end if;
    raise exception using errcode = 'UUUUU';
exception when sqlstate 'UUUUU' then null;
end $$;
"""


def insert(bench: Bench) -> None:
    """Inserts 10,000 rows of 8 columns into a table without an index and into one with a primary key."""
    bench.set_up(SETUP)
    size = bench.cluster.sql("select pg_size_pretty(length(body)::int8) from bodies where whole", DATABASE)
    rounds: dict[str, Rounds] = {"plain": [], "keyed": []}
    methods = {name: name for name in (NOTHING, SERVE, SOURCE, RECORDSET, COPY)} | {"control": RECORDSET}
    with bench.connect() as session:
        for number in bench.each_round(f"insert of {ROWS:,} rows, {size}"):
            for target, results in rounds.items():
                times: dict[str, list[Time]] = {name: [] for name in methods}
                for name, method in random.sample(sorted(methods.items()) * REPEATS, len(methods) * REPEATS):
                    session.query(f"truncate {target}")
                    session.query(f"select warm('{method}', '{target}')")
                    spent, [answer] = session.query(f"select insert_ms('{method}', '{target}', true)")
                    times[name].append(Time(float(answer), spent.cpu))
                    if not number and method != NOTHING:
                        check_rows(session, target, name)
                if number:
                    results.append(net({name: median(found) for name, found in times.items()}))
    for target, title in ("plain", "no index"), ("keyed", "primary key"):
        named = [{f"{name}, {title}" if name in (SERVE, SOURCE) else name: t for name, t in r.items()} for r in rounds[target]]
        for work, bars in (SERVE, (0.35, 0.95)), (SOURCE, (None, None)):
            bench.report(named, f"{work}, {title}", RECORDSET, bar=bars[0], control="control")
            bench.report(named, f"{work}, {title}", COPY, bar=bars[1])


def net(times: dict[str, Time]) -> dict[str, Time]:
    """The times without the processor time of finding the body in its table. The clock times do not include it anyway."""
    spare = times[NOTHING].cpu
    return times if spare is None else {name: Time(t.wall, t.cpu - spare) for name, t in times.items()}


def check_rows(session: Connection, target: str, method: str) -> None:
    """Fails unless the table holds the rows of the body."""
    if session.query(f"select count(*) from (select * from {target} intersect select * from source) x")[1] != [str(ROWS)]:
        raise Failure(f"{method} does not insert the rows of the body")
