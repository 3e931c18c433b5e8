-- Hooks guard each way in which a request reaches what they are for.
CREATE SCHEMA app;
CREATE TABLE app.orders (id int PRIMARY KEY, name text);
CREATE TABLE app.lines (id int PRIMARY KEY, order_id int REFERENCES app.orders, quantity int);
CREATE ROLE guarded_client;
CREATE ROLE guarded_login LOGIN NOINHERIT;
GRANT guarded_client TO guarded_login;
GRANT USAGE ON SCHEMA app TO guarded_client;
GRANT ALL ON ALL TABLES IN SCHEMA app TO guarded_client;
ALTER ROLE guarded_login SET restful.schemas = 'app';
ALTER ROLE guarded_login SET restful.anon_role = 'guarded_client';

-- Rows in rows are guarded as those of a request of their own are.
CREATE FUNCTION app.check_quantity(request restful.http_request) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    line jsonb;
BEGIN
    FOR line IN SELECT * FROM jsonb_path_query(convert_from((request).body, 'UTF8')::jsonb, '$[*]') LOOP
        IF (line->>'quantity')::int > 100 THEN
            RAISE sqlstate 'PT422' USING MESSAGE = format('%s %s is too large', (request).method, (request).path);
        END IF;
    END LOOP;
END $$;
SELECT restful.hook('before', 'app.check_quantity', '* /lines');
\c - guarded_login
SELECT status, body->>'message' FROM restful.post('/lines', '{"id": 1, "quantity": 500}');
SELECT status, body->>'message', body->>'pointer' FROM restful.post('/orders', '{"id": 1, "lines": [{"id": 1, "quantity": 5}, {"id": 2, "quantity": 500}]}');
SELECT status FROM restful.post('/orders', '{"id": 1, "lines": [{"id": 1, "quantity": 5}, {"id": 2, "quantity": 50}]}');
SELECT status, body->>'message' FROM restful.patch('/orders?id=eq.1', '{"lines": [{"id": 2, "quantity": 500}]}');
SELECT status, body->>'message' FROM restful.patch('/orders/1', '{"lines": [{"id": 2, "quantity": 500}, {"id": 3, "quantity": 1}]}');
SELECT status FROM restful.patch('/orders/1', '{"name": "first", "lines": [{"id": 2, "quantity": 51}]}');
SELECT status, body->>'message' FROM restful.post('/lines', '{"id": 4, "quantity": 4, "orders": {"id": 2, "name": "second"}}');
\c - postgres
SELECT * FROM app.lines ORDER BY id;
SELECT * FROM app.orders ORDER BY id;
SELECT restful.drop_hook('before', 'app.check_quantity', '* /lines');

-- A hook that answers refuses rows in rows, with its status; one that changes the request cannot change them.
CREATE FUNCTION app.be_closed(request restful.http_request) RETURNS restful.http_response LANGUAGE sql AS $$
    SELECT ROW(503, '{"retry-after": "60"}', 'closed')::restful.http_response $$;
CREATE FUNCTION app.fix(request restful.http_request) RETURNS restful.http_request LANGUAGE plpgsql AS $$
BEGIN
    request.body := convert_to(replace(convert_from((request).body, 'UTF8'), '7', '8'), 'UTF8');
    RETURN request;
END $$;
SELECT restful.hook('before', 'app.be_closed', 'POST /lines');
\c - guarded_login
SELECT status, body->>'code', body->>'message', body->>'hint' FROM restful.post('/orders', '{"id": 3, "lines": [{"id": 7}]}');
\c - postgres
SELECT restful.drop_hook('before', 'app.be_closed', 'POST /lines'), restful.hook('before', 'app.fix', 'POST /lines');
\c - guarded_login
SELECT status, body->>'code', body->>'message' FROM restful.post('/orders', '{"id": 3, "lines": [{"id": 7}]}');
SELECT status FROM restful.post('/orders', '{"id": 3, "lines": [{"id": 6}]}');
SELECT status FROM restful.post('/lines', '{"id": 7}');
\c - postgres
SELECT id, order_id FROM app.lines WHERE id > 4 ORDER BY id;
SELECT restful.drop_hook('before', 'app.fix', 'POST /lines');

-- A request that a hook has refused in its place has not run, so a retry runs.
CREATE TABLE app.closed ();
INSERT INTO app.closed DEFAULT VALUES;
GRANT SELECT ON app.closed TO guarded_client;
CREATE OR REPLACE FUNCTION app.be_closed(request restful.http_request) RETURNS restful.http_response LANGUAGE sql AS $$
    SELECT ROW(503, NULL, 'closed')::restful.http_response FROM app.closed $$;
SELECT restful.hook('before', 'app.be_closed');
\c - guarded_login
SELECT status FROM restful.post('/orders', '{"id": 10}', '{"idempotency-key": "\"a\""}');
\c - postgres
DELETE FROM app.closed;
\c - guarded_login
SELECT status FROM restful.post('/orders', '{"id": 10}', '{"idempotency-key": "\"a\""}');
SELECT status, headers->>'idempotency-replayed' FROM restful.post('/orders', '{"id": 10}', '{"idempotency-key": "\"a\""}');
\c - postgres
SELECT count(*) FROM app.orders WHERE id = 10;
SELECT restful.drop_hook('before', 'app.be_closed');

-- The settings are those of the login role, with and without hooks, also in a batch.
CREATE FUNCTION app.look() RETURNS void LANGUAGE sql AS 'SELECT';
ALTER ROLE guarded_client SET restful.max_rows = 1;
ALTER ROLE guarded_login SET restful.max_rows = 2;
\c - guarded_login
SELECT jsonb_array_length(body) FROM restful.get('/orders');
SELECT jsonb_array_length(body->0->'body') FROM restful.batch('[{"method": "GET", "target": "/orders"}]');
\c - postgres
SELECT restful.hook('before', 'app.look');
\c - guarded_login
SELECT jsonb_array_length(body) FROM restful.get('/orders');
SELECT jsonb_array_length(body->0->'body') FROM restful.batch('[{"method": "GET", "target": "/orders"}]');
\c - postgres
SELECT restful.drop_hook('before', 'app.look');
ALTER ROLE guarded_login RESET restful.max_rows;

-- A QUERY stays one, with its parameters, when a hook changes something else.
CREATE FUNCTION app.mark(request restful.http_request) RETURNS restful.http_request LANGUAGE plpgsql AS $$
BEGIN
    request.headers := (request).headers || '{"x-marked": "1"}';
    RETURN request;
END $$;
CREATE FUNCTION app.show(request restful.http_request) RETURNS restful.http_request LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% % %', (request).method, (request).path, (request).query;
    RETURN request;
END $$;
SELECT restful.hook('before', 'app.mark', 'QUERY /orders'), restful.hook('before', 'app.show', 'QUERY /orders', 1);
\c - guarded_login
SELECT status, convert_from(body, 'UTF8') FROM restful.serve('QUERY', '/orders?select=id', '{"content-type": "application/json"}', '{"id": {"in": [1, 2]}, "order": "id"}');
\c - postgres
SELECT restful.drop_hook('before', 'app.mark', 'QUERY /orders'), restful.drop_hook('before', 'app.show', 'QUERY /orders');

-- The group of a hook exists, and stays while there are hooks for it.
SELECT restful.hook('before', 'app.look', 'group blog');
SELECT restful.route_group('blog', '/blog');
SELECT restful.hook('before', 'app.look', 'group blog');
SELECT restful.drop_route_group('blog');
SELECT restful.drop_hook('before', 'app.look', 'group blog'), restful.drop_route_group('blog');

-- How a response is framed is not for hooks to say.
CREATE FUNCTION app.frame(request restful.http_request, response restful.http_response) RETURNS restful.http_response LANGUAGE sql AS $$
    SELECT ROW(200, '{"Transfer-Encoding": "chunked"}', NULL)::restful.http_response $$;
SELECT restful.hook('after', 'app.frame', 'GET /orders');
\c - guarded_login
SELECT status, body->>'code', body->>'details' FROM restful.get('/orders');
\c - postgres
SELECT restful.drop_hook('after', 'app.frame', 'GET /orders');
