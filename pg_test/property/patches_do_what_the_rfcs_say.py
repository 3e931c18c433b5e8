#!/usr/bin/env python3
"""A patched column is what the RFCs make of it.

Random documents in jsonb, json and array columns get random merge patches (RFC 7396) and JSON patches (RFC 6902). This program computes
the result by itself, on Python's values, from the words of the RFCs. A patch that does not apply must leave the row as it was.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    patches_do_what_the_rfcs_say.py --library /path [--seed N] [--cases N]

Everything is made in the schema restful_patch, which is dropped before and after. Exits with 1 if a row differs.
"""
import argparse
import collections
import copy
import json
import random
import sys

from _sql import quote, run

SET_UP = """
drop schema if exists restful_patch cascade;
create schema restful_patch;
set restful.schemas = 'restful_patch';
set search_path = restful_patch, public;
create table t (id int primary key, doc jsonb, raw json, tags int[], name text);

-- Sends a patch, compares the row with the expected one, and undoes both. `expected`: null if the patch must be refused with `refusal`.
create function one(before jsonb, media text, body text, expected jsonb, refusal int) returns jsonb language plpgsql as $$
declare answer record; after jsonb; what text;
begin
  begin
    insert into t select * from jsonb_populate_record(null::t, before || '{"id": 1}');
    select r.status, convert_from(r.body, 'utf8') as body into answer
    from restful.serve('PATCH', '/t/1', jsonb_build_object('content-type', media), convert_to(body, 'utf8')) r;
    select to_jsonb(t) - 'id' into after from t;
    raise exception 'undo' using errcode = 'RP000';
  exception when sqlstate 'RP000' then null;
  end;
  if expected is null then
    if answer.status <> refusal then what := 'the status should be ' || refusal;
    elsif after <> before then what := 'refused, but the row is changed'; end if;
  elsif answer.status <> 204 then what := 'refused';
  elsif after <> expected then what := 'the row differs'; end if;
  if what is null then return null; end if;
  return jsonb_build_object('what', what, 'before', before, 'body', body, 'after', after, 'expected', expected,
    'status', answer.status, 'answer', answer.body);
end $$;
"""

KEYS = ["a", "b", "c", "a/b", "m~n", "", "é", "0", "-", "\"q\""]
COLUMNS = ["doc", "raw", "tags", "name"]


class Refused(Exception):
    pass


def document(rng, depth=3):
    kind = rng.random()
    if depth and kind < 0.4:
        return {rng.choice(KEYS): document(rng, depth - 1) for _ in range(rng.randint(0, 4))}
    if depth and kind < 0.6:
        return [document(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    return rng.choice([None, True, False, 0, 1, 2, 1.5, -3, 12345678901234567890, "", "a", "ä\n", "\\", "1"])


# RFC 7396, section 2
def merged(target, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


# RFC 6901
def tokens(pointer):
    return [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]


def index(array, token, end):
    if not (token == "0" or (token[:1] != "0" and token.isascii() and token.isdigit())):
        raise Refused
    if int(token) >= len(array) + end:
        raise Refused
    return int(token)


def get(value, path):
    for token in path:
        if isinstance(value, dict):
            if token not in value:
                raise Refused
            value = value[token]
        elif isinstance(value, list):
            value = value[index(value, token, 0)]
        else:
            raise Refused
    return value


def equal(a, b):
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    return a == b


def add(doc, path, value):
    parent = get(doc, path[:-1])
    if isinstance(parent, dict):
        parent[path[-1]] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if path[-1] == "-" else index(parent, path[-1], 1), value)
    else:
        raise Refused


def remove(doc, path):
    parent = get(doc, path[:-1])
    if isinstance(parent, dict):
        if path[-1] not in parent:
            raise Refused
        return parent.pop(path[-1])
    if isinstance(parent, list):
        return parent.pop(index(parent, path[-1], 0))
    raise Refused


# RFC 6902, section 4
def patched(row, operations):
    doc = copy.deepcopy(row)
    for o in operations:
        path, kind = tokens(o["path"]), o["op"]
        if kind == "add":
            add(doc, path, copy.deepcopy(o["value"]))
        elif kind == "remove":
            remove(doc, path)
        elif kind == "replace":
            get(doc, path)
            add(doc, path, copy.deepcopy(o["value"])) if not isinstance(get(doc, path[:-1]), list) else \
                get(doc, path[:-1]).__setitem__(int(path[-1]), copy.deepcopy(o["value"]))
        elif kind == "move":
            add(doc, path, remove(doc, tokens(o["from"])))
        elif kind == "copy":
            add(doc, path, copy.deepcopy(get(doc, tokens(o["from"]))))
        elif not equal(get(doc, path), o["value"]):
            raise Refused
    return {c: doc.get(c) for c in row}


def places(value, pointer=""):
    """The pointers to all values, without the row itself."""
    if pointer:
        yield pointer
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, inner in items:
        yield from places(inner, pointer + "/" + str(key).replace("~", "~0").replace("/", "~1"))


def operation(rng, row):
    known = [p for p in places({c: row[c] for c in ("doc", "raw")})] + ["/doc", "/raw"]
    def place(exists):
        pointer = rng.choice(known)
        if not exists or rng.random() < 0.1:
            pointer += "/" + rng.choice(["-", "0", "1", "x", "a", "~1", "01"])
        return pointer
    kind = rng.choice(["add", "add", "remove", "replace", "move", "copy", "test", "test"])
    o = {"op": kind, "path": place(kind in ("remove", "replace", "test") or rng.random() < 0.4)}
    if kind in ("move", "copy"):
        o["from"] = place(True)
    if kind in ("add", "replace"):
        o["value"] = document(rng, 2)
    if kind == "test":
        try:
            o["value"] = copy.deepcopy(get(row, tokens(o["path"]))) if rng.random() < 0.8 else document(rng, 1)
        except Refused:
            o["value"] = None
    return o


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library")
    arguments.add_argument("--seed", type=int, default=3)
    arguments.add_argument("--cases", type=int, default=3000)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.cases} patches", flush=True)
    rng, script, kinds = random.Random(options.seed), [SET_UP], collections.Counter()
    for _ in range(options.cases):
        row = {"doc": document(rng), "raw": document(rng), "tags": [rng.randint(0, 9) for _ in range(rng.randint(0, 3))],
               "name": rng.choice(["", "a", "ä"])}
        refusal, expected = 0, None
        if rng.random() < 0.4:
            media = "application/merge-patch+json"
            body = {c: document(rng) for c in rng.sample(["doc", "raw"], rng.randint(0, 2))}
            if rng.random() < 0.3:
                body["name"] = rng.choice(["b", None, "c"])
            expected = {c: merged(row, body).get(c) for c in row}
            kinds["merge patch"] += 1
        else:
            media, body, state = "application/json-patch+json", [], row
            for _ in range(rng.randint(0, 5)):
                o = operation(rng, state)
                body.append(o)
                try:
                    state = patched(state, [o])
                except Refused:
                    break
            malformed = any(o["op"] == "move" and len(tokens(o["path"])) > len(tokens(o["from"]))
                            and tokens(o["path"])[:len(tokens(o["from"]))] == tokens(o["from"]) for o in body)
            try:
                if malformed:
                    refusal = 400
                else:
                    expected = patched(row, body)
                    if body and all(o["op"] == "test" for o in body):
                        kinds["only tests"] += 1
            except Refused:
                refusal = 409
            kinds[f"JSON patch {refusal or 'done'}"] += 1
        literal = lambda value: "null" if value is None else quote(json.dumps(value)) + "::jsonb"
        script.append(f"select one({literal(row)}, {quote(media)}, {quote(json.dumps(body, ensure_ascii=rng.random() < 0.5))}, "
                      f"{literal(expected)}, {refusal});")
    script.append("drop schema restful_patch cascade;")
    broken = [json.loads(line) for line in run(*script).splitlines() if line.strip()]
    print(", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())))
    for found in broken[:5]:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    if broken or min(kinds[k] for k in ("merge patch", "only tests", "JSON patch 400", "JSON patch 409", "JSON patch done")) < 10:
        print(f"{len(broken)} patches break the law: {collections.Counter(f['what'] for f in broken)}")
        sys.exit(1)
    print("OK")


if __name__ == "__main__":
    main()
