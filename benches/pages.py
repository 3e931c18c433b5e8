"""Measures pages by cursors."""

from measure import Bench, Statement

LIMIT, PAGE = 20, 10_000
# Titles that repeat, so that the order needs the primary key, and nulls.
SETUP = f"""
create table paged (id int primary key, title text);
insert into paged select i, case when i % 50 <> 0 then 't' || lpad((i % 100000)::text, 6, '0') end from generate_series(1, {LIMIT * PAGE * 2}) i;
create index on paged (title, id);
grant select on paged to anon, authenticator;
vacuum analyze paged;
create function next_page(target text) returns text language sql as $$
    select '/paged' || substring(headers->>'link' from '<([^>]*)>; rel="next"') from restful.get(target)
$$;
create function page(number int) returns text language plpgsql as $$
declare
    target text := '/paged?order=title,id&limit={LIMIT}&cursor=first';
begin
    for i in 2..number loop
        target := next_page(target);
    end loop;
    return target;
end $$;
"""


def pages(bench: Bench) -> None:
    """Reads page 10,000 of a list, and page 2: both begin beside a row."""
    bench.set_up(SETUP)
    with bench.connect() as session:
        second, last = (session.query(f"select page({number})")[1][0] for number in (2, PAGE))
    by_hand = f"select json_agg(p)::text from (select * from paged order by title, id limit {LIMIT} offset {LIMIT * (PAGE - 1)}) p"

    def served(target: str) -> str:
        return f"select convert_from((restful.serve('GET', '{target}')).body, 'utf8')"

    bench.check(f"select ({served(last)})::jsonb = ({by_hand})::jsonb")
    statements = {
        f"page {PAGE} by cursor": Statement(served(last), calls=20),
        "page 2 by cursor": Statement(served(second), calls=20),
        "control": Statement(served(second), calls=20),
        "OFFSET by hand": Statement(by_hand),
    }
    rounds = bench.alternate("pages", statements, seconds=2)
    bench.report(rounds, f"page {PAGE} by cursor", "page 2 by cursor", bar=1.1, control="control", unit="us", by_cpu=True)
    bench.report(rounds, f"page {PAGE} by cursor", "OFFSET by hand", unit="us", by_cpu=True)
