"""Measures patches of a large document."""

from measure import LOGIN, Bench, Statement

MEMBERS = 10_000
CHANGED = MEMBERS // 2
# About 1 MB: objects with texts and numbers, as documents have them.
SETUP = f"""
create table documents (id int primary key, doc jsonb);
insert into documents select i, (
    select jsonb_object_agg('m' || n, jsonb_build_object('name', md5(n::text), 'n', n * 1.5, 'tags', array[md5((n + i)::text)]))
    from generate_series(1, {MEMBERS}) n) from generate_series(1, 4) i;
grant select, update on documents to {LOGIN}, anon;
vacuum analyze documents;
"""


def served(target: str, media: str, body: str) -> str:
    """A PATCH as a statement. It ends with the status, which has to be 204."""
    headers = f'{{"content-type": "application/{media}+json"}}'
    return f"select (restful.serve('PATCH', '{target}', '{headers}', '{body}')).status"


def patch(bench: Bench) -> None:
    """Changes one member of a document of 1 MB, by both kinds of patches and by jsonb_set."""
    bench.set_up(SETUP)
    merge = served("/documents/1", "merge-patch", f'{{"doc": {{"m{CHANGED}": {{"name": "x"}}}}}}')
    operations = served("/documents/2", "json-patch", f'[{{"op": "replace", "path": "/doc/m{CHANGED}/name", "value": "x"}}]')
    bench.check(f"select ({merge}) = 204 and ({operations}) = 204")
    bench.check(f"select count(*) = 2 from documents where doc->'m{CHANGED}'->>'name' = 'x' and length(doc::text) > 1000000")
    by_hand = "update documents set doc = jsonb_set(doc, '{m%d,name}', '\"x\"') where id = %d"
    statements = {
        "merge patch of a document of 1 MB": Statement(merge),
        "JSON patch of a document of 1 MB": Statement(operations),
        "jsonb_set": Statement(by_hand % (CHANGED, 3)),
        "control": Statement(by_hand % (CHANGED, 4)),
    }
    rounds = bench.alternate("patches", statements, seconds=3)
    for name in list(statements)[:2]:
        bench.report(rounds, name, "jsonb_set", bar=1.5, control="control", by_cpu=True)
