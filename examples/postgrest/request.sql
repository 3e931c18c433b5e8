-- REST requests over PostgREST, as POST /rpc/request: PostgREST answers with the status, the fields and the body of the inner request.
-- api is a schema of PostgREST's db-schemas. How to make the logins trusted: docs/how-to/use_with_postgrest.md.
CREATE DOMAIN api."*/*" AS bytea;

CREATE FUNCTION api.request(method text, target text, body json DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS api."*/*"
LANGUAGE sql VOLATILE AS $$
    SELECT restful.forward(method, target, convert_to(body::text, 'UTF8'), headers)
$$;

-- For reads: GET /rpc/read?target=/notes. The fields that decide about the form and about 304 are those of PostgREST's request.
CREATE FUNCTION api.read(target text) RETURNS api."*/*"
LANGUAGE sql STABLE AS $$
    SELECT restful.forward('GET', target, headers => coalesce((
        SELECT jsonb_object_agg(key, value) FROM jsonb_each(nullif(current_setting('request.headers', true), '')::jsonb)
        WHERE key IN ('accept', 'if-none-match', 'if-modified-since', 'prefer', 'range')), '{}'))
$$;

NOTIFY pgrst, 'reload schema';
