"""Measures JSON Schema: validation of values where they are stored, compared with the same validator on parsed values; and CHECK constraints."""

import json
import pathlib

from harness import run
from measure import DATABASE, Bench, Rounds, Statement
from client import Time

TINY_ROWS, ORDERS, LARGE, INSERTS = 200_000, 4_000, 100, 20_000

TINY = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "count": {"type": "integer", "minimum": 0}}}
CODE = {"type": "string", "pattern": "^[A-Z]{2,3}-[0-9]{4,8}$"}
ORDER = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "number", "placed", "customer", "status", "currency", "lines", "total"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "number": {"$ref": "#/$defs/code"},
        "placed": {"type": "string", "format": "date-time"},
        "status": {"enum": ["draft", "placed", "paid", "sent", "returned"]},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "customer": {"$ref": "#/$defs/party"},
        "recipient": {"$ref": "#/$defs/party"},
        "lines": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/line"}},
        "total": {"type": "number", "minimum": 0},
        "notes": {"type": ["string", "null"], "maxLength": 2000},
        "tags": {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"}},
    },
    "$defs": {
        "code": CODE,
        "party": {
            "type": "object",
            "required": ["name", "email", "address"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 100},
                "email": {"type": "string", "format": "email"},
                "phone": {"type": "string", "pattern": "^\\+[0-9 ]{6,20}$"},
                "address": {"$ref": "#/$defs/address"},
            },
            "additionalProperties": False,
        },
        "address": {
            "type": "object",
            "required": ["street", "city", "postcode", "country"],
            "properties": {
                "street": {"type": "string"}, "city": {"type": "string"},
                "postcode": {"type": "string", "pattern": "^[A-Z0-9 -]{3,10}$"},
                "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
            },
            "additionalProperties": False,
        },
        "line": {
            "type": "object",
            "required": ["sku", "quantity", "price"],
            "properties": {
                "sku": {"$ref": "#/$defs/code"}, "title": {"type": "string", "maxLength": 200},
                "quantity": {"type": "integer", "minimum": 1}, "price": {"type": "number", "minimum": 0},
                "discount": {"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "gift": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
    },
}
MANY = {"$schema": ORDER["$schema"], "$defs": ORDER["$defs"], "type": "array",
        "items": {key: value for key, value in ORDER.items() if key not in ("$schema", "$defs")}}

SETUP = f"""
create function by_value(schema jsonb, instance jsonb) returns boolean language c immutable strict parallel safe
    as '{{library}}', 'restful_bench_by_value';
create function recompiled(schema jsonb, instance jsonb) returns boolean language c immutable strict parallel safe
    as '{{library}}', 'restful_bench_recompiled';
create function json_by_value(schema json, instance json) returns boolean language c immutable strict parallel safe
    as '{{library}}', 'restful_bench_json_by_value';

create table tiny as select jsonb_build_object('name', 'number ' || i, 'count', i) as doc from generate_series(1, {TINY_ROWS}) i;
create function party(i int) returns jsonb language sql as $$
    select jsonb_build_object('name', 'Person Number ' || i, 'email', 'person' || i || '@example.com', 'phone', '+49 30 ' || 100000 + i,
        'address', jsonb_build_object('street', 'Long Street ' || i, 'city', 'Middleton', 'postcode', 'AB' || i, 'country', 'DE'))
$$;
create table orders (doc jsonb);
-- in the row and not compressed, as documents just below the threshold of TOAST are
alter table orders alter doc set storage plain;
insert into orders
select jsonb_build_object('id', md5(i::text)::uuid, 'number', 'OR-' || 10000 + i, 'placed', '2026-03-01T12:30:00Z', 'status', 'paid',
    'currency', 'EUR', 'customer', party(i), 'recipient', party(i + 1), 'total', i * 1.25, 'notes', repeat('Please leave it with the neighbours. ', 9),
    'tags', jsonb_build_array('web', 'first', 'gift-' || i),
    'lines', (select jsonb_agg(jsonb_build_object('sku', 'AB-' || 1000 + n, 'title', 'An article that has a name of some length ' || n,
        'quantity', n, 'price', n * 2.5, 'discount', 0.1, 'gift', n % 2 = 0)) from generate_series(1, 8) n))
from generate_series(1, {ORDERS}) i;
create table large as
select jsonb_agg(doc) as doc from (select doc, row_number() over () % {LARGE} as g from orders, generate_series(1, 2)) x group by g;
create table texts as select doc::text::json as doc from orders;
create table tiny_in (doc jsonb);
create table tiny_checked (doc jsonb check (restful.jsonb_matches_schema('{json.dumps(TINY)}', doc)));
create table orders_in (doc jsonb);
create table orders_checked (doc jsonb check (restful.jsonb_matches_schema('{json.dumps(ORDER)}', doc)));
grant select on tiny, orders, large, texts to authenticator;
grant insert, truncate on tiny_in, tiny_checked, orders_in, orders_checked to authenticator;
vacuum analyze;

-- Inserts into a table and returns the milliseconds.
create function fill_ms(target text, what text) returns float8 language plpgsql as $$
declare
    began timestamptz;
begin
    began := clock_timestamp();
    execute 'insert into ' || target || ' ' || what;
    return extract(epoch from clock_timestamp() - began) * 1000;
end $$;
"""


def validation(bench: Bench) -> None:
    """Validates documents of three sizes, and inserts rows with a CHECK constraint."""
    library = pathlib.Path(run(bench.cluster.bin / "pg_config", "--pkglibdir").strip()) / "pg_restful.so"
    bench.set_up(SETUP.replace("{library}", str(library)))
    for table, schema, title, recompiled in (("tiny", TINY, "tiny documents", 20_000), ("orders", ORDER, "documents of 2 KB", 200),
                                             ("large", MANY, "documents of 100 KB", 20)):
        literal = json.dumps(schema)
        bench.check(f"select bool_and(restful.jsonb_matches_schema('{literal}', doc)) and bool_and(by_value('{literal}', doc)) from {table}")
        ours, value, again = f"validation of {title}", f"{title}, parsed values", f"{title}, compiled per row"
        statements = {
            ours: f"select count(*) from {table} where restful.jsonb_matches_schema('{literal}', doc)",
            value: f"select count(*) from {table} where by_value('{literal}', doc)",
            "control": f"select count(*) from {table} where by_value('{literal}', doc)",
        }
        rounds = bench.alternate(title, {name: Statement(sql) for name, sql in statements.items()}, 2)
        bench.report(rounds, ours, value, bar=0.30, control="control")
        some = f"(select doc from {table} limit {recompiled} offset 0) x"
        statements = {
            ours: f"select count(*) from {some} where restful.jsonb_matches_schema('{literal}', doc)",
            again: f"select count(*) from {some} where recompiled('{literal}', doc)",
        }
        rounds = bench.alternate(f"{title}, some", {name: Statement(sql) for name, sql in statements.items()}, 1)
        # There is no bar for large documents, because validating one takes longer than compiling its schema.
        bench.report(rounds, ours, again, bar=None if table == "large" else 0.03)
    literal = json.dumps(ORDER)
    statements = {
        "validation of json texts of 2 KB": f"select count(*) from texts where restful.json_matches_schema('{literal}', doc)",
        "json texts, parsed values": f"select count(*) from texts where json_by_value('{literal}', doc)",
    }
    rounds = bench.alternate("json texts", {name: Statement(sql) for name, sql in statements.items()}, 1.5)
    bench.report(rounds, *statements, bar=0.6)
    inserts(bench)


def inserts(bench: Bench) -> None:
    """Inserts the same rows into a table with a CHECK constraint and into one without."""
    build = f"select json_build_object(''name'', ''number '' || i, ''count'', i)::jsonb from generate_series(1, {INSERTS}) i"
    for table, what, title, bar in (("tiny", build, f"{INSERTS:,} tiny documents", 1.12),
                                    ("orders", "select doc from orders", f"{ORDERS:,} documents of 2 KB", 1.4)):
        names = {f"insert of {title}, CHECK": f"{table}_checked", f"insert of {title}, none": f"{table}_in", "control": f"{table}_in"}
        rounds: Rounds = []
        with bench.connect() as session:
            for number in bench.each_round(f"inserts of {title}"):
                best: dict[str, list[float]] = {name: [] for name in names}
                for _ in range(7):
                    for name, target in names.items():
                        session.query(f"truncate {target}")
                        best[name].append(float(session.query(f"select fill_ms('{target}', '{what}')")[1][0]))
                if number:
                    rounds.append({name: Time(sorted(found)[len(found) // 2], None) for name, found in best.items()})
        work, against, _ = names
        bench.report(rounds, work, against, bar=bar, control="control")
