-- Hooks run before and after requests, and when they fail: in their order, as the role of the request, and within its transaction.
CREATE SCHEMA app;
CREATE TABLE app.notes (id int PRIMARY KEY, body text NOT NULL, editor text DEFAULT current_setting('app.editor', true));
INSERT INTO app.notes VALUES (1, 'one', NULL), (2, 'two', NULL);
CREATE TABLE app.trail (id int GENERATED ALWAYS AS IDENTITY, line text);
CREATE FUNCTION app.add(line text) RETURNS void LANGUAGE sql AS 'INSERT INTO app.trail (line) VALUES (line)';
CREATE FUNCTION app.echo(request restful.http_request) RETURNS restful.http_response LANGUAGE sql IMMUTABLE AS
    $$ SELECT ROW(200, '{"content-type": "text/plain"}', (request).body)::restful.http_response $$;
CREATE FUNCTION app.shout(name text, request restful.http_request) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT upper(name) || ' ' || convert_from((request).body, 'UTF8') $$;
SELECT restful.route('PUT /echo/{name}', 'app.shout');
CREATE ROLE hook_client;
GRANT USAGE ON SCHEMA app TO hook_client;
GRANT SELECT, INSERT, UPDATE, DELETE ON app.notes, app.trail TO hook_client;
SET restful.schemas = 'app';

-- What cannot be a hook.
CREATE FUNCTION app.of_int(i int) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION app.many() RETURNS SETOF restful.http_response LANGUAGE sql AS 'SELECT NULL::restful.http_response';
SELECT restful.hook('before', 'app.of_int');
SELECT restful.hook('after', 'app.many');
SELECT restful.hook('during', 'app.of_int');
SELECT restful.hook('before', NULL);

-- Before: a check, a change, and an answer.
CREATE FUNCTION app.check_agent(request restful.http_request) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM app.add(format('check %s %s', (request).method, (request).path));
    IF (request).headers->>'user-agent' = 'bad robot' THEN
        RAISE sqlstate 'PT403' USING MESSAGE = 'Robots have to be good', HINT = 'Say who you are.';
    END IF;
END $$;
CREATE FUNCTION app.set_editor(request restful.http_request) RETURNS void LANGUAGE sql AS
    $$ SELECT app.add('editor'), set_config('app.editor', coalesce((request).headers->>'x-editor', 'nobody'), true) $$;
CREATE FUNCTION app.redirect_old(request restful.http_request) RETURNS restful.http_request LANGUAGE plpgsql AS $$
BEGIN
    request.path := replace(request.path, '/old_notes', '/notes');
    RETURN request;
END $$;
CREATE FUNCTION app.maintenance(request restful.http_request) RETURNS restful.http_response LANGUAGE sql AS $$
    SELECT ROW(503, '{"retry-after": "120", "content-type": "application/json"}', convert_to('{"down": true}', 'UTF8'))::restful.http_response
    WHERE (request).query->'maintenance' IS NOT NULL $$;
SELECT restful.hook('before', 'app.set_editor', 'POST /notes', 10);
SELECT restful.hook('before', 'app.check_agent', '* /notes/{rest:path}');
SELECT restful.hook('before', 'app.check_agent', 'POST /notes');
SELECT restful.hook('before', 'app.redirect_old', '* /old_notes');
SELECT restful.hook('before', 'app.maintenance', 'GET');
SELECT restful.hook('before', 'app.redirect_old', 'PATCH /{');
SELECT event, number, handler, requests, run_order FROM restful.hooks();

GRANT EXECUTE ON FUNCTION restful.stat_requests() TO hook_client;
SET ROLE hook_client;
SELECT status, body FROM restful.post('/notes?select=id,editor', '{"id": 3, "body": "three"}', '{"prefer": "return=representation", "x-editor": "ann"}');
SELECT line FROM app.trail ORDER BY id;
-- A refusal undoes what was done before it.
SELECT status, body FROM restful.post('/notes', '{"id": 4, "body": "four"}', '{"user-agent": "bad robot"}');
-- So does the failure of the request.
SELECT status, body->>'code' FROM restful.post('/notes', '{"id": 3, "body": "again"}');
SELECT count(*) FROM app.trail;
-- A read stays a read.
SELECT status, body->>'code', body->>'message' FROM restful.get('/notes/1');
-- The changed request is answered, and checked, like any other.
SELECT status, body FROM restful.get('/old_notes?id=eq.1&select=id,body');
SELECT status, body->>'code' FROM restful.get('/old_notes?colour=eq.1');
SELECT status, headers->>'content-range' FROM restful.head('/old_notes?select=id');
SELECT status, headers, body FROM restful.get('/notes?maintenance=1');
SELECT status FROM restful.get('/notes?select=id&limit=1');
RESET ROLE;
SELECT restful.drop_hook('before', 'app.check_agent', '* /notes/{rest:path}'), restful.drop_hook('before', 'app.check_agent'), restful.drop_hook('before', 'app.maintenance(restful.http_request)', 'GET');

-- After: the response is what the hook makes of it.
CREATE FUNCTION app.sign(request restful.http_request, response restful.http_response) RETURNS restful.http_response LANGUAGE plpgsql AS $$
BEGIN
    response.headers := (response).headers || jsonb_build_object('x-length', length((response).body)::text, 'set-cookie', '["a=1", "b=2"]'::jsonb);
    RETURN response;
END $$;
CREATE FUNCTION app.wrap(request restful.http_request, response restful.http_response) RETURNS restful.http_response LANGUAGE sql AS $$
    SELECT ROW((response).status, (response).headers, '{"data": '::bytea || (response).body || '}'::bytea)::restful.http_response
    WHERE (response).headers->>'content-type' LIKE 'application/json%' $$;
CREATE FUNCTION app.note_done() RETURNS void LANGUAGE sql AS $$ SELECT app.add('done') $$;
SELECT restful.hook('after', 'app.sign', 'GET /notes', 2);
SELECT restful.hook('after', 'app.wrap', 'GET /notes', 1);
SELECT restful.hook('after', 'app.note_done', 'DELETE');
SET ROLE hook_client;
SELECT status, headers - 'vary', convert_from(body, 'UTF8') FROM restful.serve('GET', '/notes?select=id&order=id', '{"accept": "application/json"}');
SELECT status, headers->'x-length', body FROM restful.serve('HEAD', '/notes?select=id');
SELECT status, headers ? 'x-length', convert_from(body, 'UTF8') FROM restful.serve('GET', '/notes?select=id', '{"accept": "text/csv"}');
SELECT status FROM restful.delete('/notes?id=eq.3');
SELECT line FROM app.trail ORDER BY id DESC LIMIT 1;
-- A transaction that is rolled back takes what hooks have written with it.
RESET ROLE;
SET restful.tx_end = 'commit-allow-override';
SET ROLE hook_client;
SELECT status, headers->>'preference-applied' FROM restful.delete('/notes?id=eq.2', '{"prefer": "tx=rollback"}');
SELECT count(*) FILTER (WHERE line = 'done') FROM app.trail;
RESET ROLE;
RESET restful.tx_end;

-- Routes of one's own have hooks too, and hooks see what was sent.
CREATE FUNCTION app.rename(request restful.http_request) RETURNS restful.http_request LANGUAGE plpgsql AS $$
BEGIN
    PERFORM app.add((request).path_parameters::text || ' ' || convert_from((request).body, 'UTF8'));
    request.path := '/echo/renamed';
    request.body := 'new body'::bytea;
    RETURN request;
END $$;
SELECT restful.hook('before', 'app.rename', 'PUT /echo/old');
SET ROLE hook_client;
SELECT status, convert_from(body, 'UTF8') FROM restful.serve('PUT', '/echo/old', '{"content-type": "text/plain"}', 'sent');
SELECT status, convert_from(body, 'UTF8') FROM restful.serve('PUT', '/echo/other', '{"content-type": "text/plain"}', 'sent');
SELECT line FROM app.trail ORDER BY id DESC LIMIT 1;
RESET ROLE;

-- On error: the hook sees the problem, what it writes is kept, and it may answer something else.
CREATE FUNCTION app.note_error(request restful.http_request, response restful.http_response) RETURNS void LANGUAGE sql AS $$
    SELECT app.add(format('%s %s: %s %s', (request).method, (request).path, (response).status, convert_from((response).body, 'UTF8')::jsonb->>'code')) $$;
CREATE FUNCTION app.friendly(response_of restful.http_request, response restful.http_response) RETURNS restful.http_response LANGUAGE sql AS $$
    SELECT ROW(404, '{"content-type": "text/html"}', '<p>Not here</p>'::bytea)::restful.http_response WHERE (response).status = 404 $$;
SELECT restful.hook('error', 'app.note_error', run_order => 1);
SELECT restful.hook('error', 'app.friendly', 'DELETE', run_order => 2);
SET ROLE hook_client;
SELECT status, body->>'code' FROM restful.post('/notes', '{"id": 1, "body": "again"}');
SELECT status, headers->>'content-type', convert_from(body, 'UTF8') FROM restful.serve('DELETE', '/notes/77');
SELECT line FROM app.trail ORDER BY id DESC LIMIT 2;
-- Failed reads can be noted too.
SELECT status, body->>'code' FROM restful.get('/notes?colour=eq.red');
SELECT line FROM app.trail ORDER BY id DESC LIMIT 1;
-- A request without a role has no hooks.
SELECT status FROM restful.get('/notes', '{"authorization": "Bearer x"}');
RESET ROLE;
SELECT restful.drop_hook('error', 'app.note_error'), restful.drop_hook('error', 'app.friendly', 'DELETE');

-- The failure of a hook for errors hides the first error, which it may be there to hide.
CREATE FUNCTION app.fail() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
SELECT restful.hook('error', 'app.fail');
SET ROLE hook_client;
SELECT status, body->>'code', body->>'message', body->>'hint' FROM restful.get('/notes?colour=eq.red');
RESET ROLE;
SELECT restful.drop_hook('error', 'app.fail()');

-- A hook that the role may not call is no way around it.
REVOKE EXECUTE ON FUNCTION app.set_editor(restful.http_request) FROM PUBLIC;
SET ROLE hook_client;
SELECT status, body->>'code' FROM restful.post('/notes', '{"id": 5, "body": "five"}');
SELECT count(*) FROM app.notes WHERE id = 5;
RESET ROLE;
GRANT EXECUTE ON FUNCTION app.set_editor(restful.http_request) TO PUBLIC;

-- Each request of a batch has its hooks, and a replay has none.
TRUNCATE app.trail;
SET ROLE hook_client;
SELECT status, body->0->'status', body->1->'body', body->'message', body->'details' FROM restful.batch('[
    {"method": "POST", "target": "/notes", "body": {"id": 6, "body": "six"}},
    {"method": "GET", "target": "/old_notes?id=eq.6&select=id,editor"}]');
SELECT status, headers->'idempotency-replayed' FROM restful.post('/notes', '{"id": 7, "body": "seven"}', '{"idempotency-key": "\"k1\""}');
SELECT status, headers->'idempotency-replayed' FROM restful.post('/notes', '{"id": 7, "body": "seven"}', '{"idempotency-key": "\"k1\""}');
SELECT line FROM app.trail ORDER BY id;
RESET ROLE;

-- The requests that a hook makes have no hooks.
CREATE FUNCTION app.asks_itself() RETURNS void LANGUAGE sql AS $$ SELECT app.add('asked ' || (restful.get('/notes?limit=0')).status) $$;
SELECT restful.hook('before', 'app.asks_itself', '* /notes');
SET ROLE hook_client;
SELECT status FROM restful.delete('/notes?id=eq.7');
SELECT line FROM app.trail ORDER BY id DESC LIMIT 2;
RESET ROLE;
SELECT restful.drop_hook('before', 'app.asks_itself', '* /notes');
-- A function sees the errors of the requests that it makes, without hooks for errors.
CREATE FUNCTION app.careful() RETURNS text LANGUAGE sql AS $$ SELECT body->>'code' FROM restful.get('/notes?colour=eq.red') $$;
SELECT restful.hook('error', 'app.note_error');
SET ROLE hook_client;
SELECT status, body FROM restful.post('/rpc/careful');
SELECT status FROM restful.batch('[{"method": "GET", "target": "/nothing"}]');
SELECT line FROM app.trail ORDER BY id DESC LIMIT 1;
RESET ROLE;
SELECT restful.drop_hook('error', 'app.note_error');

-- What a hook may not return.
CREATE FUNCTION app.wrong(request restful.http_request) RETURNS restful.http_request LANGUAGE plpgsql AS $$
BEGIN
    CASE (request).query->'wrong'->>0
        WHEN 'cookies' THEN request.cookies := '{"sid": "stolen"}';
        WHEN 'method' THEN request.method := 'DELETE';
        WHEN 'batch' THEN request.path := '/batch';
        WHEN 'path' THEN request.path := '/';
        WHEN 'target' THEN request.path := '/notes#x';
        ELSE NULL;
    END CASE;
    request.query := (request).query - 'wrong';
    RETURN request;
END $$;
SELECT restful.hook('before', 'app.wrong', 'GET /notes');
SELECT restful.drop_hook('after', 'app.sign', 'GET /notes'), restful.drop_hook('after', 'app.wrap', 'GET /notes');
SET ROLE hook_client;
SELECT w, status, coalesce(r.body->>'details', r.body->>'message', left(r.body::text, 20)) FROM unnest(ARRAY['cookies', 'method', 'batch', 'target', 'nothing']) w, restful.get('/notes?select=id&limit=1&wrong=' || w) r;
RESET ROLE;
SELECT count(*) FROM app.notes;

SELECT restful.drop_hook('before', 'app.wrong', 'GET /notes');
SELECT event, number, handler, requests FROM restful.hooks();

-- The setting's hook is one of them.
CREATE FUNCTION app.guard() RETURNS void LANGUAGE sql AS $$ SELECT set_config('response.headers', '[{"x-guard": "1"}]', true) $$;
SET restful.pre_request = 'app.guard';
SELECT event, number, handler, requests, run_order FROM restful.hooks() WHERE event = 'before';
SET ROLE hook_client;
SELECT headers->'x-guard' FROM restful.get('/old_notes?select=id');
