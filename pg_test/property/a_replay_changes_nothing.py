#!/usr/bin/env python3
"""A sequence of random requests with keys, among them retries and other requests with the same key, compared with a model of what a key
promises:

- the first request with a key does what the same request without a key does to another, equal table
- a retry changes nothing in any table, and its answer equals the first one byte for byte, but for the field that says so
- another request with the key is 422, or if the client is another one, it is that client's first
- a request that fails leaves no record: its key can be used again

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    a_replay_changes_nothing.py [--seed N] [--sequences N]

Everything is made in the schema replayed, and the roles replayed_a and replayed_b, which are dropped before and after. Exits with 1 if a
promise is broken.
"""
import argparse
import json
import random
import sys

from _sql import quote, run

ROLES = "replayed_a", "replayed_b"
CLEAN_UP = """
reset role;
drop schema if exists replayed cascade;
""" + "".join(f"""select exists (select from pg_roles where rolname = '{role}') as made \\gset
\\if :made
drop owned by {role}; drop role {role};
\\endif
""" for role in ROLES) + "select restful.forget_idempotency_keys(false) is null;\n"

TABLE = """create table replayed.{0} (id int generated always as identity primary key, k int not null unique, v text check (v <> 'bad'), n int default 0);
insert into replayed.{0} (k, v) select i, 'v' || i from generate_series(1, 10) i;
create table replayed.{0}_log (id int generated always as identity, what text);
create function replayed.{0}_call(k int, v text) returns setof replayed.{0} language plpgsql as $$
begin
    insert into replayed.{0}_log (what) values (k || v);
    perform set_config('response.headers', json_build_array(json_build_object('X-Call', v))::text, true);
    return query update replayed.{0} t set n = t.n + 1, v = $2 where t.k = $1 returning t.*;
end $$;
create trigger logged after insert or update or delete on replayed.{0} for each row execute function replayed.logged();
"""
SET_UP = CLEAN_UP + f"""
create role replayed_a;
create role replayed_b;
create schema replayed;
create function replayed.logged() returns trigger language plpgsql security definer as $$
begin
    execute format('insert into replayed.%I_log (what) values ($1)', tg_table_name) using concat(tg_op, old, new);
    return null;
end $$;
{TABLE.format("keyed")}
{TABLE.format("plain")}
grant usage on schema replayed to {", ".join(ROLES)};
grant all on all tables in schema replayed to {", ".join(ROLES)};
create function replayed.content(name text) returns text language plpgsql security definer as $$
declare rows text; log text;
begin
    execute format('select string_agg(t::text, %L order by id) from replayed.%I t', e'\\n', name) into rows;
    execute format('select string_agg(t::text, %L order by id) from replayed.%I t', e'\\n', name || '_log') into log;
    return md5(concat(rows, '/', log));
end $$;
create function replayed.kept() returns text language sql security definer as $$
    select md5(string_agg(r::text, '/' order by id)) || ' ' || count(*) from restful.idempotency_record r $$;
-- the answer, as JSON
create function replayed.ask(method text, target text, headers jsonb, body text) returns jsonb language sql volatile as $$
    select jsonb_build_object('status', r.status, 'headers', r.headers, 'body', encode(r.body, 'hex'))
    from restful.serve(method, target, headers, convert_to(body, 'utf8')) r $$;
set restful.schemas = 'replayed';
"""


def random_request(source):
    """Method, target with {} for the table, header fields and body."""
    k, v = source.randint(1, 14), source.choice(["a", "é", "b", "", "x" * 3000, "bad"])
    prefer = source.choice(["return=representation", "return=minimal", "return=headers-only", "count=exact, return=representation"])
    fields = {"prefer": prefer}
    if source.random() < 0.1:
        fields["accept"] = source.choice(["text/csv", "application/vnd.pgrst.object+json", "image/png"])
    return source.choice([
        ("POST", "/{}", fields, json.dumps({"k": k, "v": v})),
        ("POST", "/{}", fields, json.dumps([{"k": k, "v": v}, {"k": k + 1, "v": v}])),
        ("POST", "/{}", fields | {"prefer": f"{prefer}, resolution=merge-duplicates"}, json.dumps({"k": k, "v": v})),
        ("POST", "/{}?on_conflict=k", fields | {"prefer": f"{prefer}, resolution=merge-duplicates"}, json.dumps({"k": k, "v": v})),
        ("PATCH", f"/{{}}?k=lt.{k}", fields, json.dumps({"v": v})),
        ("PATCH", f"/{{}}/{k}", fields, json.dumps({"v": v})),
        ("DELETE", f"/{{}}?k=eq.{k}", fields, None),
        ("POST", "/rpc/{}_call", fields, json.dumps({"k": k, "v": v})),
        ("POST", "/nowhere", fields, "{}"),
        ("POST", "/{}", fields, json.dumps({"k": k, "v": v})[:-1]),
    ])


def statement(request, table, key=None):
    method, target, fields, body = request
    fields = fields | ({} if key is None else {"idempotency-key": key})
    arguments = [quote(method), quote(target.format(table)), quote(json.dumps(fields)) + "::jsonb", "null" if body is None else quote(body)]
    return f"select replayed.ask({', '.join(arguments)});"


def make_sequence(source, length):
    """Steps: role, key, request, and whether the key comes in quotes."""
    steps, keys = [], [f"key {source.random()}" if source.random() < 0.3 else f"{source.getrandbits(64):x}" for _ in range(length // 4)]
    for _ in range(length):
        role, key = source.choice(ROLES), source.choice(keys)
        earlier = [step for step in steps if step[1] == key]
        request = source.choice(earlier)[2] if earlier and source.random() < 0.8 else random_request(source)
        steps.append((role, key, request, " " in key or source.random() < 0.5))
    return steps


def without_mark(answer):
    headers = {name: value for name, value in answer["headers"].items() if name != "idempotency-replayed"}
    return answer | {"headers": headers}


def check(steps, before, answers):
    """Compares a sequence with the model. `before`: the content of the table, and what is kept. `answers`: for each step the keyed answer and
    the states after it; then those without a key, if the model says that the request runs. Returns what was seen."""
    kept, seen = {}, {"first": 0, "failed": 0, "replayed": 0, "refused": 0}
    content, kept_state = before
    for number, (role, key, request, quoted) in enumerate(steps):
        keyed, keyed_content, kept_now, plain, plain_content = answers(number, role, key, request, quoted, (role, key) not in kept)
        words = f"step {number}: {role} {key} {request}: {keyed}"
        if (role, key) in kept:
            first_request, first = kept[role, key]
            if first_request == request:
                seen["replayed"] += 1
                assert keyed["headers"].get("idempotency-replayed") == "true" and without_mark(keyed) == first, f"{words}\nbut first it was {first}"
            else:
                seen["refused"] += 1
                assert keyed["status"] == 422 and b"REST453" in bytes.fromhex(keyed["body"]), words
            assert (keyed_content, kept_now) == (content, kept_state), f"{words} has changed a table"
        else:
            assert "idempotency-replayed" not in keyed["headers"], words
            assert keyed["status"] == plain["status"], f"{words}\nwithout a key: {plain}"
            assert keyed["status"] >= 400 or keyed["body"] == plain["body"], f"{words}\nwithout a key: {plain}"
            assert keyed_content == plain_content, f"{words} does not do what the request does without a key"
            if keyed["status"] < 300:
                seen["first"] += 1
                kept[role, key] = request, keyed
                assert kept_now != kept_state, f"{words} is not recorded"
            else:
                seen["failed"] += 1
                assert (keyed_content, kept_now) == (content, kept_state), f"{words} has failed, but changed a table"
        content, kept_state = keyed_content, kept_now
    return seen


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments.add_argument("--sequences", type=int, default=10)
    arguments.add_argument("--library")
    given = arguments.parse_args()
    total = {}
    for number in range(given.sequences):
        source = random.Random(f"{given.seed} {number}")
        steps = make_sequence(source, 120)
        # Whether a step runs depends on earlier answers alone: of each role and key, the first that succeeds. Those that run are sent
        # without a key, too, so each step is one script of psql with a condition.
        script = [SET_UP, "select 'begin'; select replayed.content('keyed'); select replayed.kept();"]
        script.append("create temp table runs (role text, key text, primary key (role, key)); grant all on runs to public;")
        for role, key, request, quoted in steps:
            field = f'"{key}"' if quoted else key
            script += [
                f"set role {role};",
                f"select exists (select from runs where role = {quote(role)} and key = {quote(key)}) as kept \\gset",
                statement(request, "keyed", field).rstrip(";") + " as answer \\gset",
                "select :'answer'; select replayed.content('keyed'); select replayed.kept();",
                "\\if :kept", "select 'none'; select 'none';", "\\else",
                f"insert into runs select {quote(role)}, {quote(key)} where (:'answer'::jsonb->>'status')::int < 300;",
                statement(request, "plain"), "select replayed.content('plain');", "\\endif",
            ]
        script.append(CLEAN_UP)
        lines = run("\n".join(script)).splitlines()
        content, kept_state, *lines = lines[lines.index("begin") + 1:]

        def answers(step, role, key, request, quoted, runs):
            keyed, keyed_content, kept_now, plain, plain_content = lines[5 * step:5 * step + 5]
            assert runs == (plain != "none"), f"step {step}: the model and the script disagree"
            return (json.loads(keyed), keyed_content, kept_now, None if plain == "none" else json.loads(plain),
                    None if plain_content == "none" else plain_content)

        try:
            seen = check(steps, (content, kept_state), answers)
        except AssertionError as broken:
            print(f"seed {given.seed}, sequence {number}: {broken}")
            sys.exit(1)
        total = {kind: total.get(kind, 0) + count for kind, count in seen.items()}
    assert min(total.values()) > 5 * given.sequences, total
    print(f"seed {given.seed}: {total}")


if __name__ == "__main__":
    main()
