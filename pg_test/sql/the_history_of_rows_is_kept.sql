-- The history of audited tables: what was written, by whom, in which request; and the rows as of a time.
CREATE ROLE history_owner;
CREATE ROLE history_client;
CREATE ROLE history_auditor;
CREATE ROLE history_login LOGIN NOINHERIT;
GRANT history_client, history_auditor TO history_login;
CREATE SCHEMA app AUTHORIZATION history_owner;
GRANT USAGE ON SCHEMA app TO history_client, history_auditor;
ALTER ROLE history_login SET restful.schemas = 'app';
ALTER ROLE history_login SET restful.anon_role = 'history_client';
SET ROLE history_owner;
CREATE TYPE app.pair AS (a int, b text);
CREATE TABLE app.notes (id int, part text, body text, price numeric, at timestamptz, tags text[], two app.pair, bytes bytea, ratio float8, twice numeric GENERATED ALWAYS AS (price * 2) STORED, PRIMARY KEY (part, id));
INSERT INTO app.notes VALUES (1, 'a', 'old', 1.50, '2026-01-01 12:00+00', '{x,"y z"}', '(1,"b c")', '\xdead', 0.1::float8 + 0.2), (2, 'a', 'other', NULL, NULL, NULL, NULL, NULL, NULL);
GRANT ALL ON app.notes TO history_client;
SELECT restful.audit('app.notes');
RESET ROLE;
SELECT restful.audit('app.notes');
SELECT restful.audit('app.notes');
SELECT operation, key, "row"->>'body' AS body, role FROM app.notes_history ORDER BY id;

-- Requests.
\c - history_login
SELECT status FROM restful.patch('/notes?id=eq.1', '{"body": "new", "price": 2.5}', '{"x-request-id": "r-1"}');
SELECT status FROM restful.post('/notes', '[{"id": 3, "part": "b", "body": "third"}, {"id": 4, "part": "b", "body": null}]');
SELECT status FROM restful.delete('/notes?id=eq.2');
SELECT status FROM restful.post('/notes', '{"id": 4, "part": "b", "body": "again"}', '{"prefer": "resolution=merge-duplicates"}');
-- A key that changes makes another row.
SELECT status FROM restful.patch('/notes?id=eq.3', '{"id": 5}');
-- What fails or is rolled back has no history.
SELECT status FROM restful.post('/notes', '[{"id": 9, "part": "c"}, {"id": 1, "part": "a"}]');
BEGIN;
SELECT status FROM restful.delete('/notes');
ROLLBACK;
-- Writers cannot read or change the history.
SELECT status FROM restful.get('/notes_history');
SELECT status FROM restful.get('/rpc/notes_as_of?at=2030-01-01');
SELECT status FROM restful.delete('/notes_history?id=gt.0');
SET ROLE history_client;
SELECT * FROM restful.row_history;
INSERT INTO restful.row_history (audit, operation, role) VALUES (1, 'INSERT', 'me');
SELECT restful.drop_audit('app.notes');
SELECT restful.forget_history('app.notes_history', now());
CREATE TEMP TABLE forged (id int);
CREATE TRIGGER forged AFTER INSERT ON forged FOR EACH ROW EXECUTE FUNCTION restful.note_row('1');
\c - postgres
-- Outside of requests.
SELECT set_config('request.method', '', false), set_config('request.path', '', false), set_config('request.headers', '', false);
UPDATE app.notes SET body = 'by hand' WHERE id = 1;
SELECT operation, key, "row"->>'body' AS body, role, subject, method, path, request_id FROM app.notes_history WHERE id > 3 ORDER BY id;

-- The owner lets others read it, and they do so over the API.
SET ROLE history_owner;
GRANT SELECT ON app.notes_history TO history_auditor;
RESET ROLE;
ALTER ROLE history_login SET restful.anon_role = 'history_auditor';
SELECT clock_timestamp() AS "then" \gset
SELECT pg_sleep(0.01);
DELETE FROM app.notes WHERE id < 5;
\c - history_login
SELECT set_config('bytea_output', 'escape', false), set_config('datestyle', 'German', false), set_config('extra_float_digits', '-5', false);
SELECT status, body FROM restful.get('/rpc/notes_as_of?select=id,body,twice&order=id&at=' || replace(:'then', '+', '%2B'));
SELECT status, body FROM restful.get('/notes_history?select=operation,key,row->>body&operation=eq.DELETE&order=id');
SELECT status, body->>'code', body->>'hint' FROM restful.get('/rpc/notes_as_of?at=2001-01-01');
\c - postgres
SELECT * FROM app.notes_as_of(:'then') ORDER BY id;
TRUNCATE app.notes;
SELECT count(*) FROM app.notes_as_of(clock_timestamp());
INSERT INTO app.notes (id, part) VALUES (1, 'z');
SELECT id, part FROM app.notes_as_of(clock_timestamp());
SELECT count(*) FROM app.notes_as_of(:'then');
-- Columns come and go.
ALTER TABLE app.notes ADD COLUMN extra int DEFAULT 7, DROP COLUMN bytes;
UPDATE app.notes SET extra = 8;
SELECT id, extra FROM app.notes_as_of(clock_timestamp());
SELECT count(*), count(extra) FROM app.notes_as_of(:'then');

-- What is old is forgotten.
SELECT set_config('restful.schemas', 'app', false);
SELECT restful.forget_history('app.notes_history', :'then') > 0 AS forgotten;
SELECT id, body FROM app.notes_as_of(:'then') ORDER BY id;
SELECT status, body->>'code' FROM restful.get('/rpc/notes_as_of?at=' || replace((:'then'::timestamptz - interval '1 ms')::text, '+', '%2B'));
SELECT restful.forget_history('app.notes', now());
SELECT restful.drop_audit('app.notes'), restful.drop_audit('app.notes');
INSERT INTO app.notes (id, part) VALUES (2, 'z');
SELECT count(*) FROM app.notes_as_of(clock_timestamp());

-- Partitions, quoted names, and what cannot be audited.
CREATE TABLE app."Odd Table" (id int, "Key" text, PRIMARY KEY ("Key", id)) PARTITION BY RANGE (id);
CREATE TABLE app.low ("Key" text NOT NULL, id int NOT NULL);
ALTER TABLE app."Odd Table" ATTACH PARTITION app.low FOR VALUES FROM (0) TO (10);
CREATE TABLE app.high PARTITION OF app."Odd Table" FOR VALUES FROM (10) TO (20);
INSERT INTO app."Odd Table" VALUES (1, 'x'), (11, 'y');
SELECT restful.audit('app."Odd Table"');
UPDATE app."Odd Table" SET id = 12 WHERE id = 1;
INSERT INTO app.low ("Key", id) VALUES ('w', 2);
SELECT * FROM app."Odd Table_as_of"(clock_timestamp()) ORDER BY id;
SELECT * FROM app."Odd Table" ORDER BY id;
SELECT restful.audit('app.low');
SELECT restful.audit('app.notes_history');
SELECT restful.audit('pg_class');
SELECT restful.audit('restful.route_entry');
CREATE TABLE app.keyless (id int);
SELECT restful.audit('app.keyless');

-- Nothing of the owner's runs with more rights than the owner's.
SET ROLE history_owner;
CREATE TYPE app.colour AS ENUM ('red');
CREATE FUNCTION app.spy(app.colour) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'as %', current_user; RETURN '"red"'; END $$;
CREATE CAST (app.colour AS json) WITH FUNCTION app.spy(app.colour);
CREATE TABLE app.spied (id int PRIMARY KEY, colour app.colour);
INSERT INTO app.spied VALUES (1, 'red');
RESET ROLE;
SELECT restful.audit('app.spied');
SET ROLE history_owner;
UPDATE app.spied SET id = 2;
RESET ROLE;
