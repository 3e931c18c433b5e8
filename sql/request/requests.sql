-- Requests as function calls. All of them run with the rights of the caller, or of the role that the caller may take.

CREATE TYPE restful.http_response AS (status integer, headers jsonb, body bytea);
COMMENT ON TYPE restful.http_response IS 'A response as an HTTP layer needs it: status, header fields (lower-case name to text, or array of texts), body bytes.';

CREATE TYPE restful.response AS (status integer, headers jsonb, body jsonb);
COMMENT ON TYPE restful.response IS 'A response with its body as jsonb: text that is not JSON is a JSON string.';

-- PARALLEL UNSAFE: a request is a subtransaction.
CREATE FUNCTION restful.serve(method text, target text, headers jsonb DEFAULT '{}', body bytea DEFAULT NULL)
RETURNS restful.http_response
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_serve';
COMMENT ON FUNCTION restful.serve(text, text, jsonb, bytea) IS
'Answers an HTTP request: method, target (path and query), header fields, body bytes. For HTTP layers.';

CREATE FUNCTION restful.request(method text, target text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}')
RETURNS restful.response
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_request';
COMMENT ON FUNCTION restful.request(text, text, jsonb, jsonb) IS
'Answers a request whose body is JSON. For people, SQL and PostgREST.';

CREATE FUNCTION restful.get(target text, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('GET', $1, NULL, $2) $$;
COMMENT ON FUNCTION restful.get(text, jsonb) IS 'Answers a GET request.';

CREATE FUNCTION restful.head(target text, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('HEAD', $1, NULL, $2) $$;
COMMENT ON FUNCTION restful.head(text, jsonb) IS 'Answers a HEAD request.';

CREATE FUNCTION restful.query(target text, body jsonb DEFAULT '{}', headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('QUERY', $1, $2, $3) $$;
COMMENT ON FUNCTION restful.query(text, jsonb, jsonb) IS 'Answers a QUERY request: a GET whose parameters are in the body.';

CREATE FUNCTION restful.post(target text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('POST', $1, $2, $3) $$;
COMMENT ON FUNCTION restful.post(text, jsonb, jsonb) IS 'Answers a POST request.';

CREATE FUNCTION restful.put(target text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('PUT', $1, $2, $3) $$;
COMMENT ON FUNCTION restful.put(text, jsonb, jsonb) IS 'Answers a PUT request.';

CREATE FUNCTION restful.patch(target text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('PATCH', $1, $2, $3) $$;
COMMENT ON FUNCTION restful.patch(text, jsonb, jsonb) IS 'Answers a PATCH request.';

CREATE FUNCTION restful.delete(target text, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('DELETE', $1, NULL, $2) $$;
COMMENT ON FUNCTION restful.delete(text, jsonb) IS 'Answers a DELETE request.';

CREATE FUNCTION restful.batch(requests jsonb, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_batch';
COMMENT ON FUNCTION restful.batch(jsonb, jsonb) IS
'Answers a batch of requests in one transaction, all or nothing, as POST /batch does: an array of objects with method, target and optionally id, headers, key, where, body or base64.';

CREATE FUNCTION restful.count_row(counted boolean) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_count_row';
COMMENT ON FUNCTION restful.count_row(boolean) IS
'Internal: true; counts the rows that a write changes or a function returns. Part of the statements that do not answer with all of them.';

CREATE FUNCTION restful.count_update() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_count_update';
COMMENT ON FUNCTION restful.count_update() IS
'Internal: true; counts the rows that an upsert finds in place. Part of the statements of upserts.';

CREATE FUNCTION restful.count_element(number bigint) RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_count_element';
COMMENT ON FUNCTION restful.count_element(bigint) IS
'Internal: its argument; notes that the element of the body with this number, from 1, has named a row that the statement changes. Part of the statements of writes whose body names the rows.';
