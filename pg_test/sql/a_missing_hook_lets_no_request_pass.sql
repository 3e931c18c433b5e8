-- A hook may be a guard: if its function is renamed, dropped or replaced by one of another kind, the requests that it is for fail.
CREATE SCHEMA app;
CREATE TABLE app.notes (id int PRIMARY KEY, body text NOT NULL);
INSERT INTO app.notes VALUES (1, 'one');
CREATE ROLE hook_client;
CREATE ROLE hook_login LOGIN NOINHERIT;
GRANT USAGE ON SCHEMA app TO hook_client, hook_login;
GRANT ALL ON app.notes TO hook_client, hook_login;
ALTER ROLE hook_client SET restful.schemas = 'app';
ALTER ROLE hook_login SET restful.schemas = 'app';

CREATE FUNCTION app.guard(request restful.http_request) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE sqlstate 'PT403' USING MESSAGE = 'closed';
END $$;
SELECT restful.hook('before', 'app.guard', 'POST /notes');
SELECT restful.hook('after', 'app.guard', 'PATCH');
SELECT restful.hook('error', 'app.guard', 'DELETE');
PREPARE requests AS
    SELECT 'GET' AS asked, status, body->>'code' AS code, body->>'message' AS message FROM restful.get('/notes')
    UNION ALL SELECT 'POST', status, body->>'code', body->>'message' FROM restful.post('/notes', '{"id": 2, "body": "two"}')
    UNION ALL SELECT 'PATCH', status, body->>'code', body->>'message' FROM restful.patch('/notes?id=eq.1', '{"body": "changed"}')
    UNION ALL SELECT 'DELETE', status, body->>'code', body->>'message' FROM restful.delete('/notes/9');
SET restful.schemas = 'app';
SET ROLE hook_client;
EXECUTE requests;
RESET ROLE;

-- Renamed.
ALTER FUNCTION app.guard(restful.http_request) RENAME TO guardian;
SELECT event, handler, requests, security_definer, is_callable FROM restful.hooks();
SET ROLE hook_client;
EXECUTE requests;
SELECT body->'hint' FROM restful.post('/notes', '{"id": 2, "body": "two"}');
RESET ROLE;
TABLE app.notes;

-- Back again.
ALTER FUNCTION app.guardian(restful.http_request) RENAME TO guard;
SET ROLE hook_client;
EXECUTE requests;
RESET ROLE;

-- Dropped, and replaced by a function that could not be declared.
DROP FUNCTION app.guard(restful.http_request);
SET ROLE hook_client;
EXECUTE requests;
RESET ROLE;
CREATE FUNCTION app.guard(request restful.http_request) RETURNS boolean LANGUAGE sql AS 'SELECT false';
SET ROLE hook_client;
EXECUTE requests;
RESET ROLE;
DROP FUNCTION app.guard(restful.http_request);
CREATE FUNCTION app.guard(request restful.http_request) RETURNS SETOF restful.http_response LANGUAGE sql AS $$ SELECT NULL::restful.http_response $$;
SELECT event, is_callable FROM restful.hooks();
DROP FUNCTION app.guard(restful.http_request);
-- A hook before a request may return the request, and one after it may not.
CREATE FUNCTION app.guard(request restful.http_request) RETURNS restful.http_request LANGUAGE sql AS 'SELECT request';
SELECT event, is_callable FROM restful.hooks();
SET ROLE hook_client;
EXECUTE requests;
RESET ROLE;
TABLE app.notes;

-- Whoever drops the hooks lets the requests pass.
SELECT restful.drop_hook('before', 'app.guard', 'POST /notes'), restful.drop_hook('after', 'app.guard', 'PATCH'), restful.drop_hook('error', 'app.guard', 'DELETE');
SET ROLE hook_client;
EXECUTE requests;
RESET ROLE;
TABLE app.notes;

-- Hooks for errors do not change what a request is told whose role may not be taken.
CREATE FUNCTION app.note() RETURNS void LANGUAGE sql AS '';
SELECT restful.hook('error', 'app.note');
ALTER ROLE hook_login SET restful.anon_role = 'postgres';
\c - hook_login
SELECT status, body->>'code' FROM restful.get('/notes');
\c - postgres
SET restful.schemas = 'app';
SELECT restful.drop_hook('error', 'app.note');

-- Names that need quotes are names.
CREATE SCHEMA "app; DROP";
GRANT USAGE ON SCHEMA "app; DROP" TO hook_client;
CREATE FUNCTION "app; DROP"."a ""hook"" (1)"(request restful.http_request) RETURNS restful.http_response LANGUAGE sql AS
    $$ SELECT ROW(299, NULL, 'quoted'::bytea)::restful.http_response $$;
SELECT restful.hook('before', '"app; DROP"."a ""hook"" (1)"', 'GET');
SET ROLE hook_client;
SELECT status, body FROM restful.get('/notes');
RESET ROLE;
ALTER SCHEMA "app; DROP" RENAME TO other;
SET ROLE hook_client;
SELECT status, body->>'code' FROM restful.get('/notes');
RESET ROLE;
SELECT restful.drop_hook('before', '"app; DROP"."a ""hook"" (1)"', 'GET');
DROP OWNED BY hook_client, hook_login CASCADE;
DROP ROLE hook_client, hook_login;
