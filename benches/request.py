"""What one request of each kind costs the backend, compared with the same statement written by hand and prepared.

Each is a transaction of its own. The ratios are of processor time, and the cost of `select 1` is taken off both sides: what is left is
the work itself.
"""

import dataclasses
import random
from collections.abc import Callable

from measure import Bench, Statement

BOOKS, AUTHORS = 100_000, 1_000

SETUP = f"""
create table authors (id int primary key, name text not null);
create table books (id int primary key, title text not null, price numeric(8,2), stock int, published date, meta jsonb,
                    author_id int references authors (id));
insert into authors select i, 'author ' || i from generate_series(1, {AUTHORS}) i;
insert into books
select i, 'title ' || i, (i % 900) / 10.0, i % 50, date '2000-01-01' + i % 9000,
       jsonb_build_object('tags', array['a', 'b'], 'k', i), 1 + i % {AUTHORS}
from generate_series(1, {BOOKS}) i;
create index on books (author_id);
create table log (id bigint generated always as identity primary key, what text, n int);
create table pairs (k int primary key, v text);
insert into pairs select i, 'v' from generate_series(1, 10000) i;
create table tasks (id int primary key, owner text not null default 'ann', title text, done bool default false);
insert into tasks select i, case when i % 2 = 0 then 'ann' else 'bob' end, 'task ' || i from generate_series(1, 10000) i;
alter table tasks enable row level security;
create policy own on tasks to anon, authenticator using (owner = (select coalesce(restful.user_id(), 'ann')));
create function add(a int, b int) returns int language sql immutable as 'select a + b';
grant select on authors, books, tasks to anon, authenticator;
grant select, insert, update, delete on log, pairs to anon, authenticator;
vacuum analyze;
"""

JSON = '{"content-type": "application/json"}'
FLOOR = "select 1"


def serve(method: str, target: str, headers: str = "{}", body: str | None = None) -> str:
    """A request whose target, and whose body if it has one, are SQL expressions."""
    body = "null" if body is None else f"convert_to({body}, 'UTF8')"
    return f"select restful.serve('{method}', {target}, '{headers}', {body})"


def rows(query: str) -> str:
    """A body by hand: the rows of a query."""
    return f"select coalesce(json_agg(row_to_json(x)), '[]')::text from ({query}) x"


@dataclasses.dataclass
class Kind:
    """A kind of request: how it is made, the same by hand, the aim for the ratio, and the parameter that changes with every call."""

    ours: str
    by_hand: str
    bar: float
    status: int = 200
    parameter: Callable[[], tuple[str, ...]] = tuple
    calls: int = 100


def number(most: int, times: int = 1) -> Callable[[], tuple[str, ...]]:
    return lambda: (str(times * random.randint(1, most // times)),)


EMBED = "(select row_to_json(y) from (select name from authors a where a.id = b.author_id) y) as authors"
CHILDREN = "(select coalesce(json_agg(row_to_json(y)), '[]') from (select id, title, price from books b where b.author_id = a.id) y)"

KINDS = {
    "GET /books?id=eq.N": Kind(
        serve("GET", "'/books?id=eq.' || $1"), "select row_to_json(b)::text from books b where id = $1::int", 1.5,
        parameter=number(BOOKS)),
    "GET /books/N": Kind(
        serve("GET", "'/books/' || $1"), "select row_to_json(b)::text from books b where id = $1::int", 1.5,
        parameter=number(BOOKS)),
    "50 rows in order": Kind(
        serve("GET", "'/books?id=gt.40&order=id&limit=50'"), rows("select * from books where id > 40 order by id limit 50"), 0.45),
    "50 rows, each with its author": Kind(
        serve("GET", "'/books?select=id,title,price,authors(name)&order=id.desc&limit=50'"),
        rows(f"select b.id, b.title, b.price, {EMBED} from books b order by id desc limit 50"), 0.70),
    "one author with 100 books": Kind(
        serve("GET", "'/authors?id=eq.7&select=name,books(id,title,price)'"),
        rows(f"select name, {CHILDREN} as books from authors a where id = 7"), 0.60),
    "10,000 rows, each with its author": Kind(
        serve("GET", "'/books?select=id,title,price,authors(name)&id=lte.10000'"),
        rows("select b.id, b.title, b.price, row_to_json(y) as authors from books b "
             "left join lateral (select name from authors a where a.id = b.author_id) y on true where b.id <= 10000"),
        0.30, calls=1),
    "100 authors, each with 100 books": Kind(
        serve("GET", "'/authors?select=name,books(id,title,price)&id=lte.100'"),
        rows(f"select name, {CHILDREN} as books from authors a where id <= 100"), 0.35, calls=1),
    "insert of one row": Kind(
        serve("POST", "'/log'", JSON, """'{"what":"event","n":' || $1 || '}'"""),
        "insert into log (what, n) values ('event', $1::int)", 2.0, 201, number(10)),
    "update by key": Kind(
        serve("PATCH", "'/pairs?k=eq.' || $1", JSON, """'{"v":"x"}'"""),
        "update pairs set v = 'x' where k = $1::int", 2.0, 204, number(10_000)),
    "upsert by key": Kind(
        serve("POST", "'/pairs'", JSON[:-1] + ', "prefer": "resolution=merge-duplicates"}', """'{"k":' || $1 || ',"v":"y"}'"""),
        "insert into pairs values ($1::int, 'y') on conflict (k) do update set v = excluded.v", 2.0, 200, number(10_000)),
    "delete by key": Kind(
        serve("DELETE", "'/pairs?k=eq.' || (10000 + $1::int)"),
        "delete from pairs where k = 10000 + $1::int", 2.0, 204, number(10_000)),
    "read by key under a policy": Kind(
        serve("GET", "'/tasks?id=eq.' || $1"), "select row_to_json(t)::text from tasks t where id = $1::int", 1.6,
        parameter=number(10_000, 2)),
    "20 rows with count=exact": Kind(
        serve("GET", "'/pairs?k=lt.20'", '{"prefer": "count=exact"}'),
        "select (select count(*) from pairs where k < 20), (select json_agg(row_to_json(x))::text from (select * from pairs where k < 20) x)",
        1.4, 206),
}

# Compared with a point read of ours, whose processor time all but the last should not exceed.
COMPARED = {
    "call of a scalar function": (serve("POST", "'/rpc/add'", JSON, """'{"a":1,"b":2}'"""), 200, 1.0),
    "404 of an unknown table": (serve("GET", "'/nope'"), 404, 1.0),
    "400 of an unknown column": (serve("GET", "'/pairs?zz=eq.1'"), 400, 1.0),
    "GET /, unchanged": (serve("GET", "'/'"), 200, 8),
}
POINT = "GET /books?id=eq.N"
# The same write, so that a retry has one effect.
KEYED = serve("POST", "'/log'", JSON, """'{"what":"event","n":' || $1 || '}'""").replace(
    f"'{JSON}'", "jsonb_build_object('content-type', 'application/json', 'idempotency-key', gen_random_uuid())")
NOT_KEYED = KEYED.replace("'idempotency-key'", "'x-request-id'")


def request(bench: Bench) -> None:
    """One request of each kind."""
    bench.set_up(SETUP)
    for kind in KINDS.values():
        check(bench, kind.ours, kind.status)
    for sql, status, _ in COMPARED.values():
        check(bench, sql, status)
    for name, kind in KINDS.items():
        costs(bench, name, "by hand", {
            name: Statement(kind.ours, kind.calls, kind.parameter, binary=True, alone=True),
            "by hand": Statement(kind.by_hand, kind.calls, kind.parameter, alone=True)}, kind.bar)
    point = KINDS[POINT]
    for name, (sql, _, bar) in COMPARED.items():
        costs(bench, name, POINT, {
            name: Statement(sql, 100, binary=True, alone=True),
            POINT: Statement(point.ours, 100, point.parameter, binary=True, alone=True)}, bar)
    check(bench, KEYED, 201)
    costs(bench, "insert with Idempotency-Key", "insert with another field", {
        "insert with Idempotency-Key": Statement(KEYED, 100, number(10), binary=True, alone=True),
        "insert with another field": Statement(NOT_KEYED, 100, number(10), binary=True, alone=True)}, 1.4)


def check(bench: Bench, sql: str, status: int) -> None:
    """Fails unless a request has this status."""
    one = sql.removeprefix("select ").replace("$1", "'7'")
    bench.check(f"select ({one}).status in ({status}, {201 if status == 200 else status}, {200 if status == 206 else status})")


def costs(bench: Bench, ours: str, theirs: str, statements: dict[str, Statement], bar: float) -> None:
    """Measures two statements, and reports the ratio of what they cost beyond the cheapest statement."""
    calls = statements[ours].calls
    rounds = bench.alternate(ours, statements | {FLOOR: Statement(FLOOR, calls, alone=True)}, 0.5)
    bench.report([{name: found[name].beyond(found[FLOOR]) for name in (ours, theirs)} for found in rounds], ours, theirs,
                 bar=bar, unit="us", by_cpu=True)
