"""Measures requests by routes."""

from measure import LOGIN, Bench, Statement

MANY = 10_000
SETUP = f"""
create function routed_add(a int, b int) returns int language sql immutable as 'select a + b';
grant execute on function routed_add(int, int) to anon, {LOGIN};
select restful.route('POST /sums/{{a}}', 'routed_add');
"""
# Functions of their own would take minutes to make; the routes are what is looked up.
MORE = f"""
do $$ begin
    for i in 1..{MANY} loop
        perform restful.route(format('POST /area%s/thing%s/{{a}}', i % 100, i), 'routed_add');
    end loop;
end $$;
"""
HEADERS = '{"content-type": "application/json"}'


def served(target: str, body: str) -> str:
    return f"select restful.serve('POST', '{target}', '{HEADERS}', '{body}')"


def routes(bench: Bench) -> None:
    """Calls a function by its route, with few routes and with 10,000, and by /rpc/."""
    bench.set_up(SETUP)
    rpc, routed = served("/rpc/routed_add", '{"a": 1, "b": 2}'), served("/sums/1", '{"b": 2}')
    compare(bench, "a route", rpc, routed)
    bench.set_up(MORE)
    compare(bench, f"a route among {MANY}", rpc, served(f"/area{MANY % 100}/thing{MANY}/1", '{"b": 2}'))


def compare(bench: Bench, name: str, rpc: str, routed: str) -> None:
    for sql in (rpc, routed):
        bench.check(f"select convert_from(({sql.removeprefix('select ')}).body, 'UTF8') = '3'")
    statements = {name: Statement(routed, 100, binary=True), "/rpc/": Statement(rpc, 100, binary=True), "control": Statement(rpc, 100, binary=True)}
    rounds = bench.alternate(name, statements, seconds=1)
    bench.report(rounds, name, "/rpc/", bar=1.2, control="control", unit="us", by_cpu=True)
