#!/usr/bin/env python3
"""Bulk insert of a JSON body: record_source against json_to_recordset and COPY, in one run, alternating.

    record_source.py [--rows N] [--rounds N] [--library /path/libpg_restful.so]

Needs the server of the PG* environment variables, as a superuser (COPY reads a server file; one is written to the
server's data directory). Prints medians in milliseconds and ratios. Without --library the extension is installed.
"""
import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DATABASE = "record_source_bench"

SETUP = """
CREATE TABLE source AS
SELECT i AS id, i::int8 * 123456789 AS big, 'the text of row number ' || i || ', with "quotes" now and then' AS name, i %% 3 = 0 AS flag,
       (i * 1.37)::numeric(12,2) AS price, timestamptz '2024-01-01 00:00:00Z' + i * interval '97 seconds 123 milliseconds' AS at,
       md5(i::text)::uuid AS token, jsonb_build_object('kind', 'k' || i %% 7, 'tags', jsonb_build_array('a', i, true), 'size', i * 1.5) AS doc
FROM generate_series(1, %d) i;
CREATE TABLE bodies AS SELECT json_agg(row_to_json(source)) AS json, convert_to(json_agg(row_to_json(source))::text, 'UTF8') AS body FROM source;
CREATE TABLE plain (LIKE source);
CREATE TABLE keyed (LIKE source, PRIMARY KEY (id));
COPY source TO PROGRAM 'cat > record_source_bench.copy';
CREATE TABLE timings (target text, method text, milliseconds float8);
"""

DEFINITION = "id int4, big int8, name text, flag bool, price numeric, at timestamptz, token uuid, doc jsonb"

ROUNDS = """
DO $do$
DECLARE body bytea; json_body json; began timestamptz; target text; method text; spent float8;
BEGIN
  FOR round IN 0..%d LOOP
    FOREACH target IN ARRAY ARRAY['plain', 'keyed'] LOOP
      FOREACH method IN ARRAY ARRAY['record_source', 'json_to_recordset', 'copy text'] LOOP
        EXECUTE 'TRUNCATE ' || target;
        COMMIT;
        SELECT b.body || ''::bytea, (b.json::text || '')::json INTO body, json_body FROM bodies b;
        began := clock_timestamp();
        IF method = 'record_source' THEN
          EXECUTE 'INSERT INTO ' || target || ' SELECT * FROM restful.record_source($1, ''{id,big,name,flag,price,at,token,doc}'', 0, NULL) AS r(%s)' USING body;
        ELSIF method = 'json_to_recordset' THEN
          EXECUTE 'INSERT INTO ' || target || ' SELECT * FROM json_to_recordset($1) AS r(%s)' USING json_body;
        ELSE
          EXECUTE 'COPY ' || target || ' FROM ''record_source_bench.copy''';
        END IF;
        spent := extract(epoch FROM clock_timestamp() - began) * 1000;
        IF round > 0 THEN INSERT INTO timings VALUES (target, method, spent); END IF;
        EXECUTE 'SELECT 1 / (count(*) = (SELECT count(*) FROM source))::int FROM (SELECT * FROM ' || target || ' INTERSECT SELECT * FROM source) x';
        COMMIT;
      END LOOP;
    END LOOP;
  END LOOP;
END $do$;
SELECT 'body: ' || pg_size_pretty(octet_length(body)::int8) FROM bodies;
WITH medians AS (SELECT target, method, percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds) AS median FROM timings GROUP BY 1, 2)
SELECT format('%%s: record_source %%s ms; / json_to_recordset %%s ms = %%s; / COPY text %%s ms = %%s', r.target, round(r.median::numeric, 1),
              round(j.median::numeric, 1), round((r.median / j.median)::numeric, 3), round(c.median::numeric, 1), round((r.median / c.median)::numeric, 3))
FROM medians r JOIN medians j USING (target) JOIN medians c USING (target)
WHERE r.method = 'record_source' AND j.method = 'json_to_recordset' AND c.method = 'copy text' ORDER BY 1 DESC;
"""


def psql(database, sql):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"], input=sql, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--library")
    arguments = parser.parse_args()
    psql("postgres", "DROP DATABASE IF EXISTS %s;" % DATABASE)
    psql("postgres", "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8';" % DATABASE)
    try:
        if arguments.library:
            with open(os.path.join(HERE, "../sql/record_source.sql"), encoding="utf-8") as file:
                psql(DATABASE, "CREATE SCHEMA restful; " + file.read().replace("MODULE_PATHNAME", arguments.library))
        else:
            psql(DATABASE, "CREATE EXTENSION pg_restful;")
        psql(DATABASE, SETUP % arguments.rows)
        print(psql(DATABASE, ROUNDS % (arguments.rounds, DEFINITION, DEFINITION)), end="")
    finally:
        psql("postgres", "DROP DATABASE %s;" % DATABASE)


if __name__ == "__main__":
    main()
