-- Limits of requests: their wording, what they count, for whom, and what a refused client is told.
CREATE SCHEMA app;
CREATE TABLE app.notes (id int PRIMARY KEY, body text);
INSERT INTO app.notes SELECT i, 'note ' || i FROM generate_series(1, 20) i;
CREATE FUNCTION app.login(name text) RETURNS text LANGUAGE sql AS 'SELECT name';
CREATE ROLE limit_client;
CREATE ROLE limit_login LOGIN NOINHERIT;
GRANT limit_client TO limit_login;
GRANT USAGE ON SCHEMA app TO limit_client;
GRANT ALL ON app.notes TO limit_client;
ALTER ROLE limit_login SET restful.schemas = 'app';
ALTER ROLE limit_login SET restful.anon_role = 'limit_client';
ALTER ROLE limit_login SET restful.trusted_proxies = 'unix, 127.0.0.1, ::1';

-- Wording.
SELECT restful.limit('100 per hour');
SELECT restful.limit('5/second; 100 per 2 hours', by => 'role', requests => 'GET /notes', name => 'reads');
SELECT restful.limit('200 per hour');
SELECT restful.limit('3', unit => 'concurrent', requests => 'POST /rpc/login');
SELECT restful.limit('many per hour');
SELECT restful.limit('5 per fortnight');
SELECT restful.limit('5', by => 'ip');
SELECT restful.limit('5 per hour', by => 'colour');
SELECT restful.limit('5 per hour', requests => 'notes');
SELECT restful.limit('5 per hour', unit => 'apples');
SELECT restful.limit('5 per hour', burst => 2, cost => 3);
SELECT restful.limit('5 per hour', cost => 0);
SELECT restful.limit('5 per hour', unit => 'rows', cost => 2);
SELECT restful.limit('5 per hour', name => 'Ünit');
SELECT restful.limit(NULL);
SELECT name, rate, key_by, requests, unit, burst, cost, busiest FROM restful.limits();
SELECT restful.drop_limit('reads'), restful.drop_limit('reads'), restful.drop_limit('requests by ip for *'), restful.drop_limit('concurrent by ip for POST /rpc/login');

-- A burst, and what is told of it.
SELECT restful.limit('3 per hour', requests => 'GET /notes', name => 'reads');
\c - limit_login
SELECT status, headers->>'ratelimit-policy' AS policy, headers->>'ratelimit' AS state FROM restful.get('/notes?limit=0');
SELECT status FROM restful.get('/notes?limit=0');
-- A request that fails counts; another one does not.
SELECT status, headers ? 'ratelimit' AS told FROM restful.get('/notes?colour=eq.red');
SELECT status, headers ? 'ratelimit' AS told FROM restful.get('/notes/1');
SELECT status, headers->>'retry-after' = '1200' OR headers->>'retry-after' = '1199' AS "in 20 minutes", headers->>'ratelimit-policy' AS policy, body - 'instance' - 'hint' AS body FROM restful.get('/notes?limit=0');
-- The address is that of the client, as far as trusted proxies tell.
SELECT status FROM restful.get('/notes?limit=0', '{"x-forwarded-for": "6.6.6.6, 192.0.2.7"}');
SELECT status FROM restful.get('/notes?limit=0', '{"x-forwarded-for": "6.6.6.7, 192.0.2.7"}');
SELECT status FROM restful.get('/notes?limit=0', '{"x-forwarded-for": "6.6.6.8, 192.0.2.7"}');
SELECT status FROM restful.get('/notes?limit=0', '{"x-forwarded-for": "6.6.6.9, 192.0.2.7"}');
-- Nobody but administrators sees who is busy, declares limits, or gives back.
SELECT * FROM restful.limits();
SELECT restful.limit('1 per hour');
SELECT restful.forget_limit('reads');
SELECT * FROM restful.limit_entry;
\c - postgres
SELECT name, jsonb_path_query_array(busiest, '$[*].key') AS keys, jsonb_path_query_array(busiest, '$[*].refused') AS refused FROM restful.limits() WHERE name = 'reads';
SELECT restful.forget_limit('reads');
\c - limit_login
SELECT status FROM restful.get('/notes?limit=0');
-- What a transaction has taken is taken, also if it rolls back.
BEGIN;
SELECT status FROM restful.get('/notes?limit=0');
SELECT status FROM restful.get('/notes?limit=0');
ROLLBACK;
SELECT status FROM restful.get('/notes?limit=0');
\c - postgres
SELECT restful.drop_limit('reads');

-- A request that one limit refuses takes nothing of the others.
SELECT restful.limit('1 per hour', name => 'few'), restful.limit('50 per hour', name => 'many');
\c - limit_login
SELECT count(*) FILTER (WHERE status = 200) AS passed, count(*) FILTER (WHERE status = 429) AS refused
FROM (SELECT status FROM generate_series(1, 10) i, LATERAL restful.get('/notes?limit=0&id=neq.' || i) OFFSET 0) r;
\c - postgres
SELECT name, busiest->0->>'taken' AS taken FROM restful.limits() WHERE name IN ('few', 'many');
SELECT restful.drop_limit('few'), restful.drop_limit('many');

-- Rows, bytes and time are counted when they are known, and waited for afterwards.
SELECT restful.limit('10 per hour', unit => 'rows', requests => '* /notes', name => 'rows');
\c - limit_login
SELECT status, headers->>'ratelimit' LIKE '"rows";r=1;t=%' AS told FROM restful.get('/notes?id=lt.10');
SELECT status FROM restful.get('/notes?id=lt.10');
SELECT status, body->>'code' FROM restful.get('/notes?id=lt.10');
\c - postgres
SELECT restful.drop_limit('rows'), restful.limit('100 per hour', unit => 'bytes', requests => '* /notes', name => 'bytes');
\c - limit_login
SELECT status FROM restful.post('/notes', jsonb_build_object('id', 99, 'body', repeat('x', 200)));
SELECT status, headers->>'ratelimit-policy' FROM restful.get('/notes?limit=0');
\c - postgres
SELECT restful.drop_limit('bytes'), restful.limit('20 per hour', unit => 'milliseconds', requests => '* /rpc/login', name => 'time');
CREATE OR REPLACE FUNCTION app.login(name text) RETURNS text LANGUAGE sql AS 'SELECT name FROM pg_sleep(0.05)';
\c - limit_login
SELECT status FROM restful.post('/rpc/login', '{"name": "ann"}');
SELECT status FROM restful.post('/rpc/login', '{"name": "ann"}');
\c - postgres
SELECT restful.drop_limit('time');

-- Requests of a batch count for their own limits, those that functions make for nothing.
SELECT restful.limit('2 per hour', requests => 'GET /notes/{id:int}', name => 'items');
CREATE FUNCTION app.ask() RETURNS text LANGUAGE sql AS $$ SELECT status::text FROM restful.get('/notes/1') $$;
\c - limit_login
SELECT status FROM restful.get('/rpc/ask');
SELECT status FROM restful.get('/rpc/ask');
SELECT status FROM restful.get('/rpc/ask');
SELECT status, body->>'index' AS index, body->>'code' AS code, headers ? 'retry-after' AS "says when" FROM restful.batch('[{"method": "GET", "target": "/notes/1"}, {"method": "GET", "target": "/notes/2"}, {"method": "GET", "target": "/notes/3"}]');
\c - postgres
SELECT restful.drop_limit('items');

-- Requests for what is not there count, too.
SELECT restful.limit('2 per hour', requests => '*', name => 'all');
\c - limit_login
SELECT status FROM restful.get('/nothing');
SELECT status FROM restful.get('/nothing/here/at/all');
SELECT status FROM restful.get('/nothing');
\c - postgres
SELECT restful.drop_limit('all');

-- By role, subject and claim. Without the claim, by address.
SELECT restful.limit('1 per hour', by => 'claim org.id', requests => 'GET /notes', name => 'orgs');
CREATE TABLE answers (who text, status int);
GRANT ALL ON answers TO PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
SELECT set_config('restful.schemas', 'app', false), set_config('restful.trusted_authenticators', 'postgres', false);
CREATE FUNCTION ask_as(claims jsonb) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('request.jwt.claims', claims::text, true);
    SET LOCAL ROLE limit_client;
    RETURN (SELECT status FROM restful.get('/notes?limit=0'));
END $$;
SELECT ask_as('{"role": "limit_client", "sub": "ann", "org": {"id": 1}}');
SELECT ask_as('{"role": "limit_client", "sub": "bea", "org": {"id": 1}}');
SELECT ask_as('{"role": "limit_client", "sub": "bea", "org": {"id": 2}}');
SELECT ask_as('{"role": "limit_client", "sub": "cay"}');
SELECT ask_as('{"role": "limit_client", "sub": "dan"}');
SELECT restful.drop_limit('orgs');

-- Wrong credentials are counted, and right ones never refused.
ALTER ROLE limit_login SET restful.login_limit = '2 per hour';
\c - limit_login
SELECT status, body->>'code' FROM restful.get('/notes?limit=0', '{"apikey": "x"}');
SELECT status FROM restful.get('/notes?limit=0', '{"apikey": "y"}');
SELECT status, body->>'code', body->'violated-policies' FROM restful.get('/notes?limit=0', '{"x-api-key": "z"}');
SELECT status FROM restful.get('/notes?limit=0');
\c - postgres
SELECT restful.forget_limit('failed logins by ip');

-- For PostgREST's db-pre-request.
SELECT restful.limit('1 per hour', by => 'subject', requests => 'GET /notes', name => 'reads');
SET ROLE limit_client;
SELECT set_config('request.method', 'GET', false), set_config('request.path', '/notes', false), set_config('request.headers', '{}', false), set_config('request.jwt.claims', '{"sub": "eve", "role": "limit_client"}', false);
SELECT restful.check_limits();
DO $$
DECLARE
    said text;
    told text;
BEGIN
    PERFORM restful.check_limits();
EXCEPTION WHEN SQLSTATE 'PGRST' THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, told = PG_EXCEPTION_DETAIL;
    RAISE NOTICE '% % %', said::jsonb->>'code', told::jsonb->>'status', (told::jsonb->'headers'->>'retry-after')::int > 3500;
END $$;
RESET ROLE;
SELECT restful.drop_limit('reads');

-- A malformed setting is an error, and loosens nothing.
SELECT restful.limit('1 per hour', name => 'x');
SET restful.trusted_proxies = 'everybody';
SELECT status, body->>'code', body->>'details' FROM restful.get('/notes?limit=0');
SELECT restful.drop_limit('x');
