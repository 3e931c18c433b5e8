#!/usr/bin/env python3
"""A table that is read as CSV and posted again is the same table.

Random tables over all kinds of types are read as text/csv and posted as text/csv to an empty table with the same columns: the whole
table, and each column alone, where a null is an empty line. The server compares the rows of both tables.

Needs psql and a connection in the PG* variables (a superuser, the extension in the database):

    csv_goes_back_in.py [--seed N] [--tables M] [--rows N]

Everything is made in the schema restful_property, which is dropped before and after. Exits with 1 if a table differs.
"""
import argparse
import json
import random
import sys

import _ways
import bodies_equal_row_to_json as bodies
from _sql import identifier, quote
from bodies_equal_row_to_json import Table, Values, scalar_types

# Texts that CSV could take for null, for nothing or for a line of its own.
bodies.ODD_TEXT += ["NULL", "NULL", "Null", "\r", "\r\n", "\n", ",", '""', '"NULL"', '",\n"', "\ufeff", "a\n\nb", " NULL"]

SET_UP = """
create function goes_back(source text, target text, columns text) returns text language plpgsql as $$
declare
  answer record; status int; refusal text; before text; after text;
begin
  select r.status, r.body into answer from ways.serve('GET', format('/%s?select=%s', source, columns), '{"accept": "text/csv"}', null) r;
  if answer.status <> 200 then
    return format('the answer is %s %s', answer.status, convert_from(answer.body, 'UTF8'));
  end if;
  select r.status, convert_from(r.body, 'UTF8') into status, refusal
  from ways.serve('POST', '/' || target, '{"content-type": "text/csv"}', answer.body) r;
  if status <> 201 then
    return format('the post is %s %s', status, refusal);
  end if;
  execute format('select json_agg(t::text order by t::text collate "C") from %I t', source) into before;
  execute format('select json_agg(t::text order by t::text collate "C") from %I t', target) into after;
  execute format('truncate %I', target);
  if before is distinct from after then
    return format(E'was %s\\nis  %s\\ncsv %s', left(before, 2000), left(after, 2000), left(convert_from(answer.body, 'UTF8'), 2000));
  end if;
  return null;
end $$;
set restful.schemas = 'restful_property';
set restful.max_body_bytes = '1GB';
set restful.max_response_bytes = '1GB';
"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--library", required=True, help="built with the feature pg_test")
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--tables", type=int, default=30)
    arguments.add_argument("--rows", type=int, default=25)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.tables} tables of {options.rows} rows", flush=True)
    v = Values(random.Random(options.seed))
    types = scalar_types(v)
    # Rounding up the fraction of a timestamp can put it out of range, so that it cannot be read again.
    for name in "timestamp(3)", "timestamptz(0)":
        types[name] = lambda: v.pick("2024-02-29 23:59:59.9996", "0044-03-15 12:00:00.4 BC", "infinity")
    script = [bodies.SET_UP, SET_UP]

    def compare(source, target, note):
        script.append(f"insert into results values ({quote(note)}, 'csv', {quote(source)}, "
                      f"goes_back({quote(source)}, {quote(target)}, '*'));")

    for number in range(options.tables):
        table = Table(number, types, v, options.rows)
        script += table.script
        script += [f"create table copy{number} (like t{number});",
                   f"set bytea_output = {v.rng.choice(['hex', 'escape'])};"]
        compare(table.name, f"copy{number}", json.dumps(table.columns))
        for index, (name, base, array) in enumerate(table.columns):
            script += [f"create table one{index} as select {identifier(name)} from {table.name};",
                       f"create table back{index} (like one{index});"]
            compare(f"one{index}", f"back{index}", json.dumps([name, base, array]))
            script.append(f"drop table one{index}, back{index};")
        script.append(f"drop table {table.name}, copy{number};")
    script.append("select json_build_object('compared', count(*), 'notable', "
                  "coalesce(json_agg(results) filter (where result is not null), '[]')) from results;")
    script.append("drop schema restful_property cascade;")
    printed, taken = _ways.run(options.library, *script, messages="warning")
    report = json.loads(printed)
    for row in report["notable"]:
        print(f"\n{row['note']}\n  {row['result']}")
    print(f"{report['compared']} tables compared, {len(report['notable'])} differ")
    if seldom := _ways.seldom(taken, {"read": report["compared"] // 2}):
        print(f"too seldom to prove anything: {seldom}")
    sys.exit(1 if report["notable"] or seldom or not report["compared"] else 0)


if __name__ == "__main__":
    main()
