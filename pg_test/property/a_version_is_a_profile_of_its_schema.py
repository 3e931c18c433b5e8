#!/usr/bin/env python3
"""A request below the path of a version answers as the same request to its schema, and changes the same rows.

Requests are random: reads, writes, calls, rows in rows, batches, and garbage. Each is made three times, and rolled back: to the schema by
its profile while no version is declared; below the path of a version that the schema is declared to be, with random dates and a
successor; and by the version's name as the profile. Status, fields, body and the rows that are in the tables afterwards have to be the
same, apart from the prefix in targets, the name of the profile, and the fields by which a version tells of its end. These have to be
those that the test computes from the declaration. Once the version is gone, each request is answered with 410 and changes nothing.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    a_version_is_a_profile_of_its_schema.py [--seed N] [--requests M]

The schemas vers, vnext and vother and the role v_asker are dropped before and after. Exits with 1 if an answer differs.
"""
import argparse
import collections
import email.utils
import json
import random
import sys
import time
import urllib.parse

from _sql import quote, run

NAMES = ["v1", "2026-01", "V.2", "~x", "a", "vers", "new_version-3"]
WORDS = ["a", "", " ", "a,b", '"', "\\", "é", "null", "%", "/", "v1", "a.b", "'"]
DOCS = "https://example.com/v?x=1"

CLEAN = """
drop schema if exists vers, vnext, vother cascade;
do $$ begin if exists (select from pg_roles where rolname = 'v_asker') then drop owned by v_asker; drop role v_asker; end if; end $$;
delete from restful.api_version;
"""
SET_UP = CLEAN + """
create role v_asker;
create schema vers; create schema vnext; create schema vother;
create table vers.notes (id int primary key, word text, n int default 7, secret int);
create table vers.tags (id int primary key, note int references vers.notes, label text not null);
create view vers.view as select id, word from vers.notes;
create table vers."odd name/é" (id int primary key, "a b" text);
create table vnext.notes (id int primary key);
create function vers.plus(a int, b int default 1) returns int language sql stable as 'select a + b';
create function vers.add(word text) returns setof vers.notes language sql as
    'insert into vers.notes select max(id) + 1, $1 from vers.notes returning *';
create function vers.seen() returns text language sql stable as
    $$ select concat_ws(' ', current_setting('request.method'), current_setting('request.path'), current_schema()) $$;
insert into vers.notes select i, chr(96 + i), i from generate_series(1, 6) i;
insert into vers.tags select i, i, 'l' || i from generate_series(1, 3) i;
insert into vers."odd name/é" values (1, 'x');
grant usage on schema vers, vnext, vother to v_asker;
grant select (id, word, n), insert, update, delete on vers.notes to v_asker;
grant all on vers.tags, vers.view, vers."odd name/é" to v_asker;
-- Declares, asks, and undoes both.
create function vother.ask(version json, method text, target text, headers jsonb, body text) returns jsonb language plpgsql as $$
declare
    answer record;
    rows jsonb;
begin
    begin
        if version is not null then
            insert into restful.api_version (name, schema) values ('next', 'vnext');
            insert into restful.api_version
            select * from json_populate_record(null::restful.api_version, version);
        end if;
        set local role v_asker;
        answer := restful.serve(method, target, headers, convert_to(body, 'UTF8'));
        reset role;
        rows := jsonb_build_array((select jsonb_agg(t order by id) from vers.notes t), (select jsonb_agg(t order by id) from vers.tags t),
            (select jsonb_agg(t order by id) from vers."odd name/é" t));
        raise exception sqlstate 'UNDO1';
    exception when sqlstate 'UNDO1' then
    end;
    return jsonb_build_object('status', answer.status, 'headers', answer.headers, 'body', convert_from(answer.body, 'UTF8'), 'rows', rows);
end $$;
"""


def path_of(rng):
    name = rng.choice(["notes", "notes", "notes", "tags", "view", "odd name/é", "nothing", "batch"])
    path = "/" + urllib.parse.quote(name, safe="")
    if rng.random() < 0.3:
        path += "/" + rng.choice(["1", "2", "99", "x", "1,2", ""])
    return path


def a_request(rng):
    """Method, target, fields and body."""
    kind = rng.random()
    word = rng.choice(WORDS)
    if kind < 0.40:
        pairs = [("select", rng.choice(["*", "id", "id,word", "id,tags(label)", "id,notes(word)", "secret"]))] if rng.random() < 0.5 else []
        pairs += [rng.choice([("id", "gt.2"), ("word", f"eq.{word}"), ("id", "in.(1,2)"), ("nothing", "eq.1")])] if rng.random() < 0.5 else []
        pairs += [("order", "id"), ("limit", rng.choice("013"))] if rng.random() < 0.4 else []
        pairs += [("cursor", "first")] if rng.random() < 0.1 else []
        fields = {"prefer": rng.choice(["count=exact", "handling=strict, odd"])} if rng.random() < 0.3 else {}
        if rng.random() < 0.2:
            fields["accept"] = rng.choice(["text/csv", "image/png", "application/vnd.pgrst.object+json"])
        method = rng.choice(["GET", "GET", "HEAD", "OPTIONS", "QUERY"])
        query = urllib.parse.urlencode(pairs)
        if method == "QUERY":
            return method, path_of(rng), fields | {"content-type": "application/x-www-form-urlencoded"}, query
        return method, path_of(rng) + ("?" + query if query else ""), fields, None
    if kind < 0.70:
        prefer = rng.choice(["return=representation", "return=headers-only", "return=minimal", "resolution=merge-duplicates, return=headers-only"])
        method = rng.choice(["POST", "POST", "PATCH", "PUT", "DELETE"])
        row = {"word": word} if method == "PATCH" else {"id": rng.choice([1, 9, 10]), "word": word}
        body = rng.choice([row, row, row, row, [row, {"id": 20, "word": "z"}], {"id": 11, "tags": [{"id": 30, "label": word}]}, {"nothing": 1}, {"secret": 1}])
        if rng.random() < 0.3:
            return method, path_of(rng) + rng.choice(["", "?id=gt.4"]), {"prefer": prefer}, json.dumps(body)
        target = {"POST": "/notes?select=id", "PUT": f"/notes?id=eq.{row.get('id')}&select=id"}.get(
            method, rng.choice(["/notes", "/view", "/tags"]) + f"?id={rng.choice(['eq.1', 'gt.4', 'lt.3'])}&select=id")
        body = row if method == "PUT" else body
        return method, target, {"prefer": prefer}, None if method == "DELETE" else json.dumps(body)
    if kind < 0.82:
        if rng.random() < 0.5:
            return "GET", rng.choice(["/rpc/plus?a=1", "/rpc/plus?a=x", "/rpc/seen", "/rpc/add?word=x", "/rpc/none"]), {}, None
        return "POST", rng.choice(["/rpc/add", "/rpc/seen", "/rpc/plus"]), {}, rng.choice(['{"word": "q"}', '{"a": 1}', "{}", "{"])
    if kind < 0.92:
        requests = []
        for _ in range(rng.randrange(1, 4)):
            method, target, fields, body = a_request(rng)
            if method in ("GET", "POST", "PATCH", "DELETE") and "batch" not in target and target != "/":
                fields = {name: text for name, text in fields.items() if name in ("prefer", "accept")}
                request = {"method": method, "target": target, "headers": fields}
                try:
                    requests.append(request | ({"body": json.loads(body)} if body else {}))
                except ValueError:
                    pass
        return "POST", "/batch", {}, json.dumps(requests)
    method = rng.choice(["GET", "POST", "TRACE", "get"])
    return method, rng.choice(["/", "//", "/notes/1/2", "/notes/", "/oauth/token", "/%zz", "/notes?id=eq.%ff", "/rpc", "/rpc/"]), {}, None


def declared(rng):
    """A version of the schema, as its row."""
    version = {"name": rng.choice(NAMES), "schema": "vers"}
    if rng.random() < 0.6:
        version["deprecated_at"] = rng.randrange(10**9, 3 * 10**9)
    if rng.random() < 0.4:
        version["sunset_at"] = rng.randrange(4 * 10**9, 5 * 10**9)
    if rng.random() < 0.5:
        version["successor"] = "next"
    if rng.random() < 0.5:
        version["docs"] = DOCS
    return version


def row_of(version):
    dates = {name: email.utils.format_datetime(email.utils.datetime.datetime.fromtimestamp(version[name], email.utils.datetime.timezone.utc))
             for name in ("deprecated_at", "sunset_at") if name in version}
    return version | dates


def code_of(answer):
    """The code of an error, which HEAD tells too."""
    return answer["headers"].get("proxy-status", "").rpartition("error=")[2]


def told(version, path, has_route):
    """The fields by which answers tell of the version's end, and the links. `path`: that of the request, as it was sent."""
    fields, links = {}, []
    if "deprecated_at" not in version and "sunset_at" not in version:
        return fields, links
    if "successor" in version:
        rest = path.removeprefix("/" + version["name"])
        segments = rest.split("/")[1:]
        same = has_route and len(segments) in (1, 2) and segments[0] == "notes"
        links.append(f"<{'../' * (path.count('/') - 1)}next{rest if same else '/'}>; rel=\"successor-version\"")
    if "deprecated_at" in version:
        fields["deprecation"] = f"@{version['deprecated_at']}"
        links += [f"<{DOCS}>; rel=\"deprecation\""] if "docs" in version else []
    if "sunset_at" in version:
        fields["sunset"] = email.utils.formatdate(version["sunset_at"], usegmt=True)
        links += [f"<{DOCS}>; rel=\"sunset\""] if "docs" in version else []
    return fields, links


def without_version(answer, version, path, prefix, is_known):
    """The answer as it would be without the version, or what is wrong with it. `prefix`: what the path begins with for the version."""
    headers = dict(answer["headers"])
    problem = json.loads(answer["body"] or "{}") if answer["status"] >= 400 else {}
    fields, links = told(version, path, code_of(answer) not in ("PGRST101", "PGRST125", "REST405"))
    wrong = []
    if "index" in problem and links:
        # The request of the batch that failed has told where its successor is.
        if ("successor-version" in headers.get("link", "")) != ("successor" in version):
            wrong.append("the link of a batch")
        links = [headers["link"]] if "link" in headers else []
    if is_known:
        for name, value in fields.items():
            if headers.pop(name, None) != value:
                wrong.append(f"{name} is not {value}")
        if links:
            all_links = headers.pop("link", "")
            text = ", ".join(links)
            if not all_links.endswith(text):
                wrong.append(f"link does not end with {text}")
            if before := all_links[:-len(text)].removesuffix(", "):
                headers["link"] = before
    for name in ("location", "content-location"):
        if name in headers and prefix:
            if not headers[name].startswith(prefix + "/"):
                wrong.append(f"{name} is not below {prefix}")
            headers[name] = headers[name].removeprefix(prefix)
    if "content-profile" in headers:
        if headers["content-profile"] != version["name"]:
            wrong.append("content-profile is not the version")
        headers["content-profile"] = "vers"
    return answer | {"headers": headers}, wrong


def body_of(answer, version, prefix, path):
    """The body, in the form that it has without the version, with the key "wrong" where the version is not told as it should."""
    text = answer["body"]
    if text is None:
        return None
    if answer["headers"].get("content-type", "").startswith("application/problem"):
        problem = json.loads(text)
        if prefix and not problem["instance"].startswith(prefix):
            problem["wrong"] = "instance"
        problem["instance"] = problem["instance"].removeprefix(prefix)
        return problem
    if path.endswith("/batch") and answer["status"] == 200 and text:
        answers = json.loads(text)
        for one in answers:
            headers = one["headers"]
            headers.pop("deprecation", None), headers.pop("sunset", None)
            headers.pop("etag", None)
            links = [link for link in headers.pop("link", "").split(", ") if link and not any(r in link for r in ("successor-v", '"deprec', '"sunset'))]
            headers["link"] = links
            for name in ("location", "content-location"):
                if name in headers and prefix and not headers[name].startswith(prefix + "/"):
                    headers["wrong"] = name
                headers[name] = headers.get(name, "").removeprefix(prefix)
            if "content-profile" in headers:
                headers["content-profile"] = headers["content-profile"].replace(version["name"], "vers")
        return answers
    if text and '"openapi"' in text:
        document = json.loads(text)
        is_deprecated = [operation.pop("deprecated", False) for path in document["paths"].values() for operation in path.values()
                         if isinstance(operation, dict)]
        expected = version.get("deprecated_at", 10**11) <= time.time()
        if prefix is not None and version.get("declared") and ({bool(d) for d in is_deprecated} - {expected}):
            document["wrong"] = "deprecated"
        document["info"].pop("version"), document.pop("servers")
        return document
    return text


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", help="not needed")
    arguments.add_argument("--seed", type=int, default=15)
    arguments.add_argument("--requests", type=int, default=1200)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.requests} requests", flush=True)
    rng = random.Random(options.seed)
    run(SET_UP)
    cases, asked = [], ["set timezone = 'UTC';"]

    def ask(version, method, target, fields, body, schemas):
        row = "null" if version is None else quote(json.dumps(row_of(version)))
        asked.append(f"set restful.schemas = {quote(schemas)};")
        asked.append(f"select vother.ask({row}, {quote(method)}, {quote(target)}, {quote(json.dumps(fields))}, {'null' if body is None else quote(body)});")

    for _ in range(options.requests):
        method, target, fields, body = a_request(rng)
        version = declared(rng)
        gone = version | {"sunset_at": 1_600_000_000, "deprecated_at": 1_500_000_000}
        both = lambda name: {"accept-profile": name, "content-profile": name}
        # The paths "/" and "" name the same root.
        below = "/" + version["name"] + target
        cases.append((method, target, fields, body, version, below))
        ask(None, method, target, fields | both("vers"), body, "vother, vers")
        ask(version, method, below, fields, body, "vother, vers")
        ask(version, method, target, fields | both(version["name"]), body, rng.choice(["vother", "vother, vers"]))
        ask(gone, *rng.choice([(method, below, fields), (method, target, fields | both(version["name"])), (method, target, fields | both("vers"))]),
            body, "vother")
    answers = [json.loads(line) for line in run(*asked).splitlines()]
    start = json.loads(run("select jsonb_build_array((select jsonb_agg(t order by id) from vers.notes t), (select jsonb_agg(t order by id) "
                           "from vers.tags t), (select jsonb_agg(t order by id) from vers.\"odd name/é\" t));"))
    run(CLEAN)
    outcomes, broken = collections.Counter(), 0
    for number, case in enumerate(cases):
        method, target, fields, body, version, below = case
        plain, by_path, by_name, gone = answers[4 * number:4 * number + 4]
        # What is malformed is refused before anybody knows which version it names.
        problem = json.loads(plain["body"] or "{}") if plain["status"] >= 400 else {}
        is_known = "index" in problem or code_of(plain) not in ("PGRST122", "PGRST117") and not problem.get("message", "").startswith(
            ("The request target is malformed", "A QUERY needs a body"))
        wrong = []
        for sent, answer, prefix in ((below, by_path, "/" + version["name"]), (target, by_name, "")):
            path = sent.split("?")[0]
            clean, faults = without_version(answer, version, path, prefix, is_known)
            wrong += faults
            for name in ("status", "rows"):
                if clean[name] != plain[name]:
                    wrong.append(f"{name}: {clean[name]} instead of {plain[name]}")
            mine, theirs = (dict(a["headers"]) for a in (clean, plain))
            if method not in ("GET", "HEAD", "QUERY"):
                mine.pop("etag", None), theirs.pop("etag", None)
            if mine != theirs:
                wrong.append(f"fields: {mine} instead of {theirs}")
            now, before = (body_of(a, v, p, path) for a, v, p in ((answer, version | {"declared": 1}, prefix), (plain, version, "")))
            if now != before:
                wrong.append(f"body: {str(now)[:1500]} instead of {str(before)[:1500]}")
        if gone["rows"] != start or is_known and gone["status"] != 410:
            wrong.append(f"gone: {gone['status']} {gone['body']}")
        outcomes[plain["status"]] += 1
        if wrong:
            broken += 1
            if broken <= 3:
                print(f"\n{number}: {json.dumps(case)}")
                print("\n".join(wrong))
    print(f"requests by status {dict(sorted(outcomes.items()))}")
    changed = sum(a["rows"] != start for a in answers[::4])
    print(f"{changed} requests changed rows")
    if broken or changed < options.requests / 20 or outcomes[200] < options.requests / 10:
        print(f"{broken} requests differ" if broken else "too few requests of some kind")
        sys.exit(1)


if __name__ == "__main__":
    main()
