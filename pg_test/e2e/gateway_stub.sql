-- A stand-in for the extension with the signature of restful.serve, for the tests of the gateway alone.
-- The first path segment names the behaviour; what is not named echoes the request.
CREATE SCHEMA restful;

CREATE TYPE restful.http_response AS (status int, headers jsonb, body bytea);

-- Rows here outlive a rolled back call only if it was not rolled back: used to see whether a call took effect.
CREATE TABLE restful.stub_call (target text);

-- Two equal rows are noticed at COMMIT, after the response row was sent.
CREATE TABLE restful.stub_deferred (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);

CREATE FUNCTION restful.serve(method text, target text, headers jsonb, body bytea) RETURNS restful.http_response
LANGUAGE plpgsql AS $$
DECLARE
    json_type CONSTANT jsonb := '{"content-type": "application/json"}';
    path CONSTANT text := split_part(target, '?', 1);
    behaviour CONSTANT text := split_part(path, '/', 2);
    argument CONSTANT text := split_part(path, '/', 3);
BEGIN
    IF path = '/const' THEN
        RETURN (200, json_type, '\x7b226964223a317d'::bytea)::restful.http_response;
    END IF;

    CASE behaviour
    WHEN 'status' THEN
        RETURN (argument::int, '{}', NULL)::restful.http_response;
    WHEN 'status-with-body' THEN
        RETURN (argument::int, '{}', '\x626f6479'::bytea)::restful.http_response;
    WHEN 'sleep' THEN
        PERFORM pg_sleep(argument::float);
        RETURN (200, json_type, '\x22736c65707422'::bytea)::restful.http_response;
    WHEN 'sleep-then-record' THEN
        PERFORM pg_sleep(argument::float);
        INSERT INTO restful.stub_call VALUES (target);
        RETURN (201, '{}', NULL)::restful.http_response;
    WHEN 'raise' THEN
        RAISE EXCEPTION 'stub-secret-message' USING ERRCODE = argument, DETAIL = 'stub-secret-detail';
    WHEN 'fail-at-commit' THEN
        INSERT INTO restful.stub_deferred VALUES (1), (1);
        RETURN (201, '{}', NULL)::restful.http_response;
    WHEN 'terminate' THEN
        -- A backend that ends before it answers. What it did before is rolled back; the sequence tells that it ran.
        PERFORM nextval('restful.stub_terminate');
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(10);
    WHEN 'pid' THEN
        RETURN (200, '{}', convert_to(pg_backend_pid()::text, 'UTF8'))::restful.http_response;
    WHEN 'bytes' THEN
        RETURN (200, '{"content-type": "application/octet-stream"}', body)::restful.http_response;
    WHEN 'large' THEN
        RETURN (200, '{}', convert_to(repeat('x', argument::int), 'UTF8'))::restful.http_response;
    WHEN 'repeated' THEN
        RETURN (200, '{"set-cookie": ["a=1; Path=/", "b=2"], "vary": "accept"}', '\x'::bytea)::restful.http_response;
    WHEN 'head-length' THEN
        RETURN (200, '{"content-length": "1234"}', NULL)::restful.http_response;
    WHEN 'wrong-length' THEN
        RETURN (200, '{"content-length": "9999", "connection": "close", "transfer-encoding": "chunked"}',
            '\x616263'::bytea)::restful.http_response;
    WHEN 'header' THEN
        RETURN (200, jsonb_build_object('x-test', E'a\r\nx-injected: 1'), NULL)::restful.http_response;
    WHEN 'header-type' THEN
        RETURN (200, '{"x-test": 1}', NULL)::restful.http_response;
    WHEN 'null' THEN
        RETURN NULL;
    WHEN 'setting' THEN
        RETURN (200, '{}', convert_to(current_setting(argument), 'UTF8'))::restful.http_response;
    ELSE
        RETURN (
            200,
            json_type || jsonb_build_object('x-request-id', 'from-the-database'),
            convert_to(jsonb_build_object(
                'method', method,
                'target', target,
                'headers', headers,
                'body', encode(body, 'hex')
            )::text, 'UTF8')
        )::restful.http_response;
    END CASE;
END
$$;

CREATE SEQUENCE restful.stub_terminate;
