"""Runs the official JSON-Schema-Test-Suite through SQL, every case as json and as jsonb.

Files in `optional/format` run with restful.assert_formats on, format.json with off, the others as the draft says. The suite's remote documents are
registered under their URIs. EXCEPTIONS are the cases that differ, each with its reason. If one no longer differs, the test fails.
"""
import json
import os
import pathlib
import subprocess
import unittest

SUITE = pathlib.Path(__file__).resolve().parent.parent / "json-schema-test-suite"
DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}

# (form, draft or None for all, file, case, test or None for all): reason
EXCEPTIONS = {
    ("jsonb", None, None, None, NUL): "jsonb cannot hold U+0000" for NUL in (
        "match string with nul",
        "invalid: NUL character after an otherwise valid full-date",
        "additional content after an embedded NUL byte",
        "valid JSON-pointer (control characters allowed after JSON unescaping)",
    )
}

SCRIPT = r"""
\set ON_ERROR_STOP 1
set client_min_messages = error;
set search_path = restful, pg_catalog, pg_temp;
create temp table loaded (document text);
\copy loaded from pstdin with (format csv, quote E'\x01', delimiter E'\x02')
{remotes}
\.
delete from restful.json_schema;
insert into restful.json_schema select d->>'uri', 1, d->'schema', 'none' from (select document::jsonb d from loaded) x;
truncate loaded;
\copy loaded from pstdin with (format csv, quote E'\x01', delimiter E'\x02')
{cases}
\.
create function pg_temp.outcome(form text, schema text, instance text, formats text) returns text language plpgsql as $$
begin
    perform set_config('restful.assert_formats', formats, true);
    return case when form = 'json' then json_matches_schema(schema::json, instance::json)
        else jsonb_matches_schema(schema::json, instance::jsonb) end::text;
exception when others then
    return 'error: ' || sqlerrm;
end $$;
select json_build_object('form', form, 'case', c->'case', 'outcome',
    pg_temp.outcome(form, c->>'schema', c->>'instance', c->>'formats'))
from (select document::json c from loaded) x, unnest(array['json', 'jsonb']) form;
"""


def with_draft(schema, uri):
    """The schema with the draft of the suite's folder, unless the schema names a draft itself."""
    if isinstance(schema, dict) and "$schema" not in schema:
        return {"$schema": uri} | schema
    return schema


def outcomes(draft, uri):
    """Runs every case of a draft. Returns {(form, file, case, test): (expected, outcome)}."""
    remotes = []
    for path in sorted((SUITE / "remotes").rglob("*.json")):
        name = path.relative_to(SUITE / "remotes").as_posix()
        document = with_draft(json.loads(path.read_text()), DRAFTS.get(name.split("/")[0], uri))
        remotes.append(json.dumps({"uri": f"http://localhost:1234/{name}", "schema": document}))
    cases, expected = [], {}
    for path in sorted((SUITE / "tests" / draft).rglob("*.json")):
        file = path.relative_to(SUITE / "tests" / draft).as_posix()
        formats = "on" if file.startswith("optional/format/") else "off" if file == "format.json" else "draft"
        for case in json.loads(path.read_text(), parse_float=Number, parse_int=Number):
            schema = dump(with_draft(case["schema"], uri))
            for test in case["tests"]:
                key = [file, case["description"], test["description"]]
                expected[tuple(key)] = test["valid"]
                cases.append(json.dumps({"case": key, "schema": schema, "instance": dump(test["data"]), "formats": formats}))
    script = SCRIPT.replace("{remotes}", "\n".join(remotes)).replace("{cases}", "\n".join(cases))
    command = [pathlib.Path(os.environ["PG_BINDIR"]) / "psql", "-X", "-q", "-A", "-t", "-f", "-"]
    done = subprocess.run([str(c) for c in command], input=script, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    found = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        found[row["form"], *row["case"]] = (expected[tuple(row["case"])], row["outcome"])
    return found


class Number(str):
    """A number as the suite writes it."""


def dump(value):
    """The value as JSON text, with numbers as the suite writes them."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k) + ":" + dump(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value)


def exception(form, draft, file, case, test):
    for (f, d, *rest), reason in EXCEPTIONS.items():
        if f in (form, None) and d in (draft, None) and all(a in (b, None) for a, b in zip(rest, (file, case, test))):
            return reason
    return None


class JsonSchemaTestSuite(unittest.TestCase):
    maxDiff = None

    def check(self, draft):
        wrong = []
        found = outcomes(draft, DRAFTS[draft])
        for (form, *key), (valid, outcome) in found.items():
            agrees = outcome == str(valid).lower()
            reason = exception(form, draft, *key)
            if agrees != (reason is None):
                wrong.append(f"{form} {key}: expected {valid}, got {outcome}" + (f", though {reason}" if reason else ""))
        print(f"{draft}: {len(found)} cases, {sum(exception(k[0], draft, *k[1:]) is not None for k in found)} of them exceptions")
        self.assertGreater(len(found), 1000)
        self.assertEqual(wrong, [])


def add(draft):
    setattr(JsonSchemaTestSuite, f"test_{draft.replace('-', '_')}", lambda self: self.check(draft))


for folder in (SUITE / "tests").iterdir():
    add(folder.name)
