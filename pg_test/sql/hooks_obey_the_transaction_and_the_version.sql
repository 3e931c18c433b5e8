-- What hooks write and set is part of the request: of its transaction, of its response, and of its version.
CREATE SCHEMA app;
CREATE TABLE app.trail (id int GENERATED ALWAYS AS IDENTITY, line text);
CREATE TABLE app.notes (id int PRIMARY KEY, body text NOT NULL);
INSERT INTO app.notes VALUES (1, 'one'), (2, 'two');
CREATE FUNCTION app.add(line text) RETURNS void LANGUAGE sql AS 'INSERT INTO app.trail (line) VALUES (line)';
CREATE ROLE hook_client;
CREATE ROLE hook_member IN ROLE hook_client;
CREATE ROLE hook_login LOGIN NOINHERIT;
GRANT hook_client, hook_member TO hook_login;
GRANT USAGE ON SCHEMA app TO hook_client;
GRANT ALL ON app.notes, app.trail TO hook_client;
ALTER ROLE hook_login SET restful.schemas = 'app';
ALTER ROLE hook_login SET restful.anon_role = 'hook_client';

-- A hook that answers in the place of a request ends the transaction as the request would.
CREATE FUNCTION app.answer(request restful.http_request) RETURNS restful.http_response LANGUAGE plpgsql AS $$
BEGIN
    PERFORM app.add('answered');
    RETURN ROW(299, NULL, 'instead'::bytea)::restful.http_response;
END $$;
SELECT restful.hook('before', 'app.answer', 'POST /notes');
\c - hook_login
SELECT status, headers FROM restful.post('/notes', '{"id": 3, "body": "three"}', '{"prefer": "tx=rollback"}');
\c - postgres
SELECT count(*) AS kept FROM app.trail;
ALTER ROLE hook_login SET restful.tx_end = 'commit-allow-override';
\c - hook_login
SELECT status, headers FROM restful.post('/notes', '{"id": 3, "body": "three"}', '{"prefer": "tx=rollback"}');
\c - postgres
SELECT count(*) AS kept FROM app.trail;
ALTER ROLE hook_login SET restful.tx_end = 'rollback-allow-override';
\c - hook_login
SELECT status, headers FROM restful.post('/notes', '{"id": 3, "body": "three"}');
SELECT status, headers FROM restful.post('/notes', '{"id": 3, "body": "three"}', '{"prefer": "tx=commit"}');
-- A batch decides for its requests.
SELECT status, headers->'preference-applied', body FROM restful.batch('[{"method": "POST", "target": "/notes", "body": {}}]', '{"prefer": "tx=commit"}');
SELECT status, body FROM restful.batch('[{"method": "POST", "target": "/notes", "body": {}}]');
\c - postgres
SELECT count(*) AS kept FROM app.trail;
ALTER ROLE hook_login RESET restful.tx_end;
SELECT restful.drop_hook('before', 'app.answer', 'POST /notes');

-- The settings response.status and response.headers set those of the response, from every kind of hook.
CREATE FUNCTION app.set_before() RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('response.headers', '[{"x-before": "1"}]', true), set_config('response.status', '203', true) $$;
CREATE FUNCTION app.set_after() RETURNS void LANGUAGE sql AS $$ SELECT set_config('response.headers', '[{"x-after": "2"}]', true) $$;
CREATE FUNCTION app.set_on_error() RETURNS void LANGUAGE sql AS $$ SELECT set_config('response.headers', '[{"x-error": "3"}]', true) $$;
CREATE FUNCTION app.own_headers() RETURNS int LANGUAGE sql AS $$ SELECT length(set_config('response.headers', '[{"x-own": "4"}]', true)) $$;
SELECT restful.hook('before', 'app.set_before', '* /notes'), restful.hook('before', 'app.set_before', '* /rpc/own_headers'),
    restful.hook('after', 'app.set_after', 'GET /notes'), restful.hook('error', 'app.set_on_error');
\c - hook_login
SELECT status, headers - 'vary' - 'content-range' - 'content-location' - 'etag' FROM restful.get('/notes?limit=0');
SELECT status, headers->'x-before', headers->'x-after', headers->'x-own' FROM restful.post('/rpc/own_headers');
SELECT status, headers->'x-before', headers->'x-after', headers->'x-error', body->>'code' FROM restful.get('/notes?colour=eq.red');
-- What cannot be a header is an error, as in the function of a request.
\c - postgres
CREATE OR REPLACE FUNCTION app.set_before() RETURNS void LANGUAGE sql AS $$ SELECT set_config('response.headers', '{"x": 1}', true) $$;
SELECT restful.drop_hook('error', 'app.set_on_error');
\c - hook_login
SELECT status, body->>'code' FROM restful.get('/notes?limit=0');
\c - postgres
CREATE OR REPLACE FUNCTION app.set_before() RETURNS void LANGUAGE sql AS $$ SELECT set_config('response.headers', '[{"x-before": "1"}]', true) $$;
-- A hook that answers has them too.
CREATE OR REPLACE FUNCTION app.answer(request restful.http_request) RETURNS restful.http_response LANGUAGE sql AS
    $$ SELECT ROW(299, '{"x-answer": "5"}', 'instead'::bytea)::restful.http_response $$;
SELECT restful.hook('before', 'app.answer', 'GET /notes', 1);
\c - hook_login
SELECT status, headers - 'vary' FROM restful.get('/notes');
\c - postgres
SELECT restful.drop_hook('before', 'app.answer', 'GET /notes'), restful.drop_hook('before', 'app.set_before', '* /notes'), restful.drop_hook('after', 'app.set_after', 'GET /notes');

-- A changed request is one of the same version, unless it names another one.
CREATE SCHEMA two;
CREATE TABLE two.notes (id int PRIMARY KEY, title text);
INSERT INTO two.notes VALUES (1, 'of two');
GRANT USAGE ON SCHEMA two TO hook_client;
GRANT ALL ON two.notes TO hook_client;
SELECT restful.version('v1', 'app', deprecated_at => '2020-01-01'), restful.version('v2', 'two');
CREATE FUNCTION app.move(request restful.http_request) RETURNS restful.http_request LANGUAGE plpgsql AS $$
BEGIN
    request.path := coalesce((request).headers->>'x-to', replace((request).path, '/old', '/notes'));
    RETURN request;
END $$;
SELECT restful.hook('before', 'app.move', '* /old');
\c - hook_login
SELECT status, headers ? 'deprecation', body FROM restful.get('/v2/old?id=eq.1');
SELECT status, headers ? 'deprecation', body FROM restful.get('/v1/old?id=eq.1');
SELECT status, body FROM restful.get('/old?id=eq.1', '{"accept-profile": "two"}');
SELECT status, headers->'location' FROM restful.post('/v2/old', '{"id": 7, "title": "seven"}', '{"prefer": "return=headers-only"}');
SELECT status, body FROM restful.get('/v1/old?id=eq.7', '{"x-to": "/v2/notes"}');
SELECT status, body FROM restful.get('/old?id=eq.7', '{"x-to": "/v2/notes"}');
-- The links of a batch under a version lead there, also those of a changed request.
SELECT status, convert_from(body, 'UTF8')::jsonb->0->'headers'->'location' FROM restful.serve('POST', '/v2/batch', '{"content-type": "application/json"}', '[{"method": "POST", "target": "/old", "headers": {"prefer": "return=headers-only"}, "body": {"id": 8, "title": "eight"}}]');
\c - postgres
TABLE two.notes;
SELECT restful.drop_hook('before', 'app.move', '* /old');

-- A request that is sent on to a route is told what the route takes, whoever asks and however.
CREATE FUNCTION app.double(n int, times int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * times';
SELECT restful.route('GET /doubled/{n}', 'app.double');
CREATE FUNCTION app.to_route(request restful.http_request) RETURNS restful.http_request LANGUAGE plpgsql AS $$
BEGIN
    request.path := replace((request).path, '/twice', '/doubled');
    RETURN request;
END $$;
SELECT restful.hook('before', 'app.to_route', '* /twice/{n}');
SELECT restful.create_signing_key(kid => 'one');
CREATE FUNCTION public.token() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT restful.jwt_sign('{"role": "hook_member", "sub": "ann"}') $$;
\c - hook_login
SELECT status, body FROM restful.get('/twice/4?times=2', jsonb_build_object('authorization', 'Bearer ' || token()));
SELECT status, body->>'code', body->>'details' FROM restful.get('/twice/4', jsonb_build_object('authorization', 'Bearer ' || token()));
SELECT status, body->>'code', body->>'details' FROM restful.get('/twice/4');
\c - postgres
REVOKE EXECUTE ON FUNCTION app.double(int, int) FROM PUBLIC;
\c - hook_login
SELECT status, body->>'code' FROM restful.get('/twice/4', jsonb_build_object('authorization', 'Bearer ' || token()));
SELECT status, body->>'code' FROM restful.get('/twice/4');
\c - postgres
SELECT restful.drop_hook('before', 'app.to_route', '* /twice/{n}');

-- Bodies are bytes, however large they are; restful.max_response_bytes limits what hooks make, too.
CREATE DOMAIN app."application/octet-stream" AS bytea;
CREATE FUNCTION app.large() RETURNS app."application/octet-stream" LANGUAGE sql IMMUTABLE AS $$ SELECT convert_to(repeat('x', 140000000), 'UTF8') $$;
CREATE FUNCTION app.length_of(request restful.http_request, response restful.http_response) RETURNS restful.http_response LANGUAGE plpgsql AS $$
BEGIN
    response.headers := (response).headers || jsonb_build_object('x-length', length((response).body)::text);
    RETURN response;
END $$;
SELECT restful.hook('after', 'app.length_of', '* /rpc/large');
SET restful.schemas = 'app';
SET restful.max_response_bytes = '200MB';
SELECT status, headers->'x-length', length(body) FROM restful.serve('POST', '/rpc/large', '{"accept": "application/octet-stream"}');
SET restful.max_response_bytes = '1kB';
CREATE OR REPLACE FUNCTION app.answer(request restful.http_request) RETURNS restful.http_response LANGUAGE sql AS
    $$ SELECT ROW(200, NULL, convert_to(repeat('x', 1025), 'UTF8'))::restful.http_response $$;
SELECT restful.hook('before', 'app.answer', 'GET /notes');
SELECT status, body->>'code', body->>'message', body->>'hint' FROM restful.get('/notes');
SELECT restful.drop_hook('before', 'app.answer', 'GET /notes');
RESET restful.max_response_bytes;
DROP OWNED BY hook_client, hook_login CASCADE;
DROP ROLE hook_client, hook_login, hook_member;
