-- Routes: which function answers a method and a path. Functions write them, for administrators.

CREATE TYPE restful.http_request AS (
    method text, path text, path_parameters jsonb, query jsonb, headers jsonb, cookies jsonb, body bytea
);
COMMENT ON TYPE restful.http_request IS
    'A request as the function of a route takes it: query has a list of values for each parameter, headers have names in lower case.';

CREATE TYPE restful.http_file AS (name text, media_type text, content bytea);
COMMENT ON TYPE restful.http_file IS 'A file of a form (multipart/form-data) as the function of a route takes it';

CREATE TABLE restful.route_group_entry (
    name text PRIMARY KEY,
    prefix text NOT NULL,
    host text
);
COMMENT ON TABLE restful.route_group_entry IS 'Groups of routes, declared by restful.route_group';
REVOKE ALL ON restful.route_group_entry FROM PUBLIC;
ALTER TABLE restful.route_group_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.route_group_entry', '');

CREATE TABLE restful.route_entry (
    key text PRIMARY KEY,
    pattern text NOT NULL,
    handler text NOT NULL,
    sources jsonb NOT NULL DEFAULT '{}',
    body_schema json,
    query_schema json,
    result_schema json,
    example jsonb,
    of_group text
);
COMMENT ON TABLE restful.route_entry IS 'Routes, declared by restful.route';
COMMENT ON COLUMN restful.route_entry.key IS 'The method and the path with the converters of its parameters: two routes with the same key take the same requests';
COMMENT ON COLUMN restful.route_entry.handler IS 'The function with its schema and the types of its parameters. A text, because pg_upgrade refuses columns of the type regprocedure';
COMMENT ON COLUMN restful.route_entry.body_schema IS 'The JSON Schema of bodies; a registered one as a reference';
COMMENT ON COLUMN restful.route_entry.query_schema IS 'The JSON Schema of the query parameters as an object';
COMMENT ON COLUMN restful.route_entry.result_schema IS 'The JSON Schema of results';
COMMENT ON COLUMN restful.route_entry.example IS 'An example of a request: an object with the members query, body and result';
COMMENT ON COLUMN restful.route_entry.of_group IS 'The group whose prefix and host are those of the route';
COMMENT ON COLUMN restful.route_entry.sources IS 'Where the values of parameters come from, by the names of the parameters';
REVOKE ALL ON restful.route_entry FROM PUBLIC;
ALTER TABLE restful.route_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.route_entry', '');

CREATE FUNCTION restful.route_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_route_changed';
COMMENT ON FUNCTION restful.route_changed() IS 'Internal: makes every session read the routes again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER route_changed AFTER INSERT OR UPDATE OR DELETE ON restful.route_entry
    FOR EACH ROW EXECUTE FUNCTION restful.route_changed();
CREATE TRIGGER route_truncated AFTER TRUNCATE ON restful.route_entry
    FOR EACH STATEMENT EXECUTE FUNCTION restful.route_changed();
ALTER TABLE restful.route_entry ENABLE ALWAYS TRIGGER route_changed, ENABLE ALWAYS TRIGGER route_truncated;
CREATE TRIGGER route_changed AFTER INSERT OR UPDATE OR DELETE ON restful.route_group_entry
    FOR EACH ROW EXECUTE FUNCTION restful.route_changed();
CREATE TRIGGER route_truncated AFTER TRUNCATE ON restful.route_group_entry
    FOR EACH STATEMENT EXECUTE FUNCTION restful.route_changed();
ALTER TABLE restful.route_group_entry ENABLE ALWAYS TRIGGER route_changed, ENABLE ALWAYS TRIGGER route_truncated;

CREATE FUNCTION restful.route_key(pattern text, types jsonb, sources jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_route_key';
COMMENT ON FUNCTION restful.route_key(text, jsonb, jsonb) IS
    'Internal: what tells the pattern of a route from others; an error for a malformed pattern or source. types: the types of the function''s parameters.';

CREATE FUNCTION restful.route_parameters(handler oid) RETURNS TABLE ("position" bigint, name text, base oid, mode "char")
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH RECURSIVE arguments AS (
        SELECT row_number() OVER (ORDER BY a.ordinality) AS "position", a.name, a.type, coalesce(a.mode, 'i') AS mode
        FROM pg_proc p, ROWS FROM (
            unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])), unnest(p.proargnames), unnest(p.proargmodes)
        ) WITH ORDINALITY a(type, name, mode, ordinality)
        WHERE p.oid = handler AND a.type IS NOT NULL AND coalesce(a.mode, 'i') IN ('i', 'b', 'v')
    ), below AS (
        SELECT a."position", a.name, a.mode, t.oid, t.typtype, t.typbasetype FROM arguments a JOIN pg_type t ON t.oid = a.type
        UNION ALL
        SELECT b."position", b.name, b.mode, t.oid, t.typtype, t.typbasetype FROM below b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
    )
    SELECT b."position", b.name, b.oid, b.mode FROM below b WHERE b.typtype <> 'd' ORDER BY b."position"
$function$;
COMMENT ON FUNCTION restful.route_parameters(oid) IS 'Internal: the input parameters of a function, with their types below domains';

CREATE FUNCTION restful.route_arguments(handler oid, sources jsonb) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'name', coalesce(a.name, ''),
        'of_type', t.typname,
        'kind', CASE
            WHEN t.oid IN ('json'::regtype, 'jsonb'::regtype) THEN 'json'
            WHEN t.oid = 'bytea'::regtype THEN 'bytea'
            WHEN t.oid = 'restful.http_request'::regtype THEN 'request'
            WHEN t.oid = 'restful.http_file'::regtype THEN 'file'
            WHEN t.typelem = 'restful.http_file'::regtype AND t.typcategory = 'A' THEN 'files'
            WHEN t.typcategory = 'A' THEN 'array'
            ELSE 'scalar'
        END,
        'required', a."position" <= p.pronargs - p.pronargdefaults,
        'source', sources ->> a.name) ORDER BY a."position"), '[]')
    FROM pg_proc p, restful.route_parameters(p.oid) a
    JOIN pg_type t ON t.oid = a.base
    WHERE p.oid = handler
$function$;
COMMENT ON FUNCTION restful.route_arguments(oid, jsonb) IS 'Internal: the parameters of a function, with where their values come from';

CREATE FUNCTION restful.try_route_example(pattern text, parameters jsonb, example jsonb, query_schema text) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_try_route_example';
COMMENT ON FUNCTION restful.try_route_example(text, jsonb, jsonb, text) IS
    'Internal: what a route makes of the request that its example stands for';

CREATE FUNCTION restful.route_pattern(pattern text, prefix text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE
        WHEN coalesce(prefix, '') = '' THEN pattern
        ELSE concat(split_part(pattern, ' ', 1), ' ', prefix, CASE WHEN substr(pattern, strpos(pattern, ' ') + 1) <> '/' THEN substr(pattern, strpos(pattern, ' ') + 1) END)
    END
$function$;
COMMENT ON FUNCTION restful.route_pattern(text, text) IS 'Internal: the pattern of a route behind the prefix of its group';

-- What tells a route from others. Two hosts never take the same request.
CREATE FUNCTION restful.route_key_in(pattern text, handler text, sources jsonb, prefix text, host text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT concat(host || ' ', restful.route_key(restful.route_pattern(pattern, prefix), (
        SELECT coalesce(jsonb_object_agg(a.name, t.typname), '{}')
        FROM restful.route_parameters(to_regprocedure(handler)) a JOIN pg_type t ON t.oid = a.base), sources))
$function$;
COMMENT ON FUNCTION restful.route_key_in(text, text, jsonb, text, text) IS 'Internal: the key of a route';

-- An example is refused if the route would refuse the request. Values are read by PostgreSQL's own types only: this runs as the owner of the
-- extension, and what another type does with a text is somebody else's code.
CREATE FUNCTION restful.check_route_example(
    pattern text, prefix text, handler oid, sources jsonb, example jsonb, body_schema json, query_schema json, result_schema json
) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    found text[] := '{}';
    tried jsonb;
    given record;
BEGIN
    IF example IS NULL THEN
        RETURN;
    END IF;
    IF jsonb_typeof(example) <> 'object' OR example - '{query,body,result}'::text[] <> '{}' OR jsonb_typeof(coalesce(example->'query', '{}')) <> 'object'
        OR example ? 'body' AND pattern LIKE 'GET %'
    THEN
        RAISE EXCEPTION 'the example of a route is malformed'
            USING ERRCODE = '22023', HINT = 'Write an object with query, an object of parameters, body, which a GET does not have, and result.';
    END IF;
    tried := restful.try_route_example(restful.route_pattern(pattern, prefix), restful.route_arguments(handler, sources), example, query_schema::text);
    IF body_schema IS NOT NULL THEN
        IF example ? 'body' THEN
            found := found || ARRAY(SELECT 'body: ' || v FROM unnest(restful.jsonschema_validation_errors(body_schema, (example->'body')::json)) v);
        ELSE
            found := found || 'body: it is missing'::text;
        END IF;
    END IF;
    IF query_schema IS NOT NULL THEN
        found := found || ARRAY(
            SELECT 'query: ' || v FROM unnest(restful.jsonschema_validation_errors(query_schema, coalesce(example->'query', '{}')::json)) v
            UNION
            SELECT 'query: ' || v FROM unnest(restful.jsonschema_validation_errors(query_schema, (tried->'query')::json)) v);
    END IF;
    IF result_schema IS NOT NULL AND example ? 'result' THEN
        found := found || ARRAY(SELECT 'result: ' || v FROM unnest(restful.jsonschema_validation_errors(result_schema, (example->'result')::json)) v);
    END IF;
    found := found || ARRAY(SELECT f FROM jsonb_array_elements_text(tried->'faults') f);
    -- What is left are filters and pages of the rows.
    found := found || ARRAY(
        SELECT DISTINCT 'query: no parameter takes ' || r.name FROM jsonb_array_elements_text(tried->'rest') r(name)
        WHERE NOT EXISTS (
            SELECT FROM pg_proc p
            LEFT JOIN pg_type t ON t.oid = p.prorettype
            LEFT JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN LATERAL unnest(p.proargnames, p.proargmodes) o(name, mode) ON o.mode IN ('o', 'b', 't')
            WHERE p.oid = handler AND (t.typrelid <> 0 OR p.prorettype = 'record'::regtype)
              AND (r.name IN (a.attname, o.name) OR r.name IN ('select', 'order', 'limit', 'offset', 'cursor', 'and', 'or') OR r.name ~ '[.>]')));
    FOR given IN
        SELECT a.name, v.value, format_type(t.oid, NULL) AS type
        FROM restful.route_parameters(handler) a
        JOIN jsonb_each(tried->'arguments') v ON v.key = a.name
        JOIN pg_type t ON t.oid = a.base
        JOIN pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END
        WHERE e.typnamespace = 'pg_catalog'::regnamespace AND e.typtype = 'b' OR e.typtype = 'e'
        ORDER BY a."position"
    LOOP
        BEGIN
            EXECUTE format('SELECT FROM jsonb_to_record($1) r(value %s) WHERE r.value IS NULL', given.type) USING jsonb_build_object('value', given.value);
        EXCEPTION WHEN OTHERS THEN
            found := found || format('%s: %s', given.name, SQLERRM);
        END;
    END LOOP;
    IF found <> '{}' THEN
        RAISE EXCEPTION 'the example of a route is not a request that it takes' USING ERRCODE = '23514', DETAIL = array_to_string(found, E'\n');
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.check_route_example(text, text, oid, jsonb, jsonb, json, json, json) IS 'Internal: an error for an example that is not valid';

CREATE FUNCTION restful.route(
    pattern text, handler regproc, sources jsonb DEFAULT '{}', body text DEFAULT NULL, query text DEFAULT NULL, result text DEFAULT NULL,
    example jsonb DEFAULT NULL, of_group text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    called record;
    within record;
    wrong text;
    key text;
    known text;
    body_schema json;
    query_schema json;
    result_schema json;
BEGIN
    IF pattern IS NULL OR handler IS NULL THEN
        RAISE EXCEPTION 'a route needs a pattern and a function' USING ERRCODE = '22004', HINT = 'restful.route(''POST /orders/{id}/cancel'', ''app.cancel_order'')';
    END IF;
    sources := coalesce(sources, '{}');
    IF jsonb_typeof(sources) <> 'object' THEN
        RAISE EXCEPTION 'the sources of a route are an object' USING ERRCODE = '22023', HINT = '{"session": "cookie:sid"}';
    END IF;
    SELECT p.oid, p.oid::regprocedure::text AS shown, p.prokind, p.prorettype, n.nspname, p.proname INTO called
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = handler;
    IF called.oid IS NULL OR called.prokind <> 'f' OR called.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype) THEN
        RAISE EXCEPTION '% is not a function that a request can call', handler
            USING ERRCODE = '42809', HINT = 'Procedures, aggregates and trigger functions cannot answer requests.';
    END IF;
    IF (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = called.proname AND n.nspname = called.nspname) > 1 THEN
        RAISE EXCEPTION 'there are several functions named %.%', called.nspname, called.proname
            USING ERRCODE = '42725', HINT = 'Give the function of a route a name of its own.';
    END IF;
    SELECT CASE WHEN a.mode = 'v' THEN 'is variadic' ELSE 'has no name' END INTO wrong
    FROM restful.route_parameters(handler) a WHERE coalesce(a.name, '') = '' OR a.mode = 'v' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a parameter of % %', called.shown, wrong
            USING ERRCODE = '42P13', HINT = 'Arguments are bound by name. Take several values as an array.';
    END IF;
    -- Until this transaction ends, the group is neither moved nor dropped. FOR KEY SHARE would let it be moved.
    SELECT g.prefix, g.host INTO within FROM restful.route_group_entry g WHERE g.name = of_group FOR SHARE;
    IF of_group IS NOT NULL AND NOT FOUND THEN
        RAISE EXCEPTION 'there is no group of routes named %', of_group USING ERRCODE = '42704', HINT = 'Declare it with restful.route_group.';
    END IF;
    key := restful.route_key_in(pattern, called.shown, sources, within.prefix, within.host);
    IF body IS NOT NULL AND pattern LIKE 'GET %' THEN
        RAISE EXCEPTION 'a GET has no body that a schema could describe' USING ERRCODE = '22023';
    END IF;
    SELECT s.document INTO body_schema FROM restful.read_schema(body) s;
    SELECT s.document INTO query_schema FROM restful.read_schema(query) s;
    SELECT s.document INTO result_schema FROM restful.read_schema(result) s;
    PERFORM restful.check_route_example(pattern, within.prefix, handler, sources, example, body_schema, query_schema, result_schema);
    DELETE FROM restful.route_entry e WHERE e.key = key AND to_regprocedure(e.handler) IS NULL;
    INSERT INTO restful.route_entry (key, pattern, handler, sources, body_schema, query_schema, result_schema, example, of_group)
    VALUES (key, pattern, called.shown, sources, body_schema, query_schema, result_schema, example, of_group)
    ON CONFLICT ON CONSTRAINT route_entry_pkey DO NOTHING;
    IF NOT FOUND THEN
        SELECT format('%s (%s)', e.pattern, e.handler) INTO known FROM restful.route_entry e WHERE e.key = key;
        RAISE EXCEPTION 'the route % takes the same requests as %', pattern, known
            USING ERRCODE = '42710', HINT = 'Change one of the patterns, or drop the other route with restful.drop_route.';
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.route(text, regproc, jsonb, text, text, text, jsonb, text) IS
    'Lets a function answer a method and a path, such as POST /orders/{id}/cancel. sources: where the values of parameters come from, if not from the path, the query and the body by their names: query:name, header:name, cookie:name, body, body:member. body, query, result: the JSON Schemas of bodies, of the query parameters as an object and of results, or the names of registered ones. example: a request and its result, an object with query, body and result, for the description of the API. of_group: the group whose prefix stands before the path';

CREATE FUNCTION restful.drop_route(pattern text, of_group text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    DELETE FROM restful.route_entry e WHERE e.pattern = pattern AND e.of_group IS NOT DISTINCT FROM of_group;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_route(text, text) IS 'Drops the route that was declared with this pattern, in this group if it has one; false if there is none';

CREATE FUNCTION restful.route_group(name text, prefix text DEFAULT '', host text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    clash record;
BEGIN
    IF coalesce(name, '') = '' OR prefix IS NULL THEN
        RAISE EXCEPTION 'a group of routes needs a name and a prefix' USING ERRCODE = '22004', HINT = 'restful.route_group(''blog'', ''/blog'')';
    END IF;
    host := lower(host);
    IF prefix !~ '^(/[^/]+)*$' OR host !~ '^([a-z0-9_-]+([.][a-z0-9_-]+)*|\[[0-9a-f:.]+\])$' THEN
        RAISE EXCEPTION 'the prefix or the host of a group of routes is malformed'
            USING ERRCODE = '22023', HINT = 'A prefix is a path without a slash at its end, such as /blog; a host is a name without a port, such as api.example.com.';
    END IF;
    -- The prefix is checked even if the group has no routes.
    PERFORM restful.hook_scope('* ' || nullif(prefix, ''));
    INSERT INTO restful.route_group_entry (name, prefix, host) VALUES (name, prefix, host)
    ON CONFLICT ON CONSTRAINT route_group_entry_pkey DO UPDATE SET prefix = EXCLUDED.prefix, host = EXCLUDED.host;
    -- A key may become that of another route of the group, so each gets one of its own first.
    UPDATE restful.route_entry e SET key = concat('~ ', e.key) WHERE e.of_group = name;
    SELECT e.pattern, format('%s (%s)', o.pattern, o.handler) AS known INTO clash
    FROM restful.route_entry e
    JOIN restful.route_entry o ON o.key = restful.route_key_in(e.pattern, e.handler, e.sources, prefix, host)
    WHERE e.of_group = name AND to_regprocedure(e.handler) IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'in the group %, the route % takes the same requests as %', name, clash.pattern, clash.known
            USING ERRCODE = '42710', HINT = 'Give the group another prefix or host, or drop one of the routes with restful.drop_route.';
    END IF;
    DELETE FROM restful.route_entry e WHERE e.of_group = name AND to_regprocedure(e.handler) IS NULL;
    UPDATE restful.route_entry e SET key = restful.route_key_in(e.pattern, e.handler, e.sources, prefix, host) WHERE e.of_group = name;
END
$function$;
COMMENT ON FUNCTION restful.route_group(text, text, text) IS
    'Declares a group of routes, or changes it: the prefix stands before the paths of its routes, and they take only requests for the host, if there is one';

CREATE FUNCTION restful.drop_route_group(name text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    -- Routes of the group that are being declared are seen below.
    PERFORM FROM restful.route_group_entry g WHERE g.name = name FOR UPDATE;
    IF EXISTS (SELECT FROM restful.route_entry e WHERE e.of_group = name AND to_regprocedure(e.handler) IS NOT NULL) THEN
        RAISE EXCEPTION 'the group % has routes', name USING ERRCODE = '2BP01', HINT = 'Drop them first with restful.drop_route(pattern, group).';
    END IF;
    IF EXISTS (SELECT FROM restful.hook_entry h WHERE h.requests = concat('group ', name)) THEN
        RAISE EXCEPTION 'the group % has hooks', name USING ERRCODE = '2BP01', HINT = 'Drop them first with restful.drop_hook(event, handler, requests).';
    END IF;
    DELETE FROM restful.route_entry e WHERE e.of_group = name;
    DELETE FROM restful.route_group_entry g WHERE g.name = name;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_route_group(text) IS 'Drops a group that has no routes; false if there is none';

CREATE FUNCTION restful.routes()
    RETURNS TABLE (method text, path text, handler text, host text, of_group text, sources jsonb, body_schema json, query_schema json, result_schema json, only_reads boolean, security_definer boolean, problem text)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT split_part(w.pattern, ' ', 1), substr(w.pattern, strpos(w.pattern, ' ') + 1), e.handler, g.host, e.of_group, e.sources, e.body_schema, e.query_schema, e.result_schema,
        p.provolatile <> 'v', p.prosecdef,
        CASE WHEN e.of_group IS NOT NULL AND g.name IS NULL THEN format('It answers no requests, because its group %s does not exist.', e.of_group) END
    FROM restful.route_entry e
    JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
    LEFT JOIN restful.route_group_entry g ON g.name = e.of_group
    CROSS JOIN LATERAL restful.route_pattern(e.pattern, g.prefix) w(pattern)
    ORDER BY 2, 1, 4
$function$;
COMMENT ON FUNCTION restful.routes() IS 'The routes whose functions exist, with their whole paths: a route goes with its function. problem: why a route answers no requests';

CREATE FUNCTION restful.sent(response restful.http_response) RETURNS bytea
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF (response).status IS NOT NULL THEN
        PERFORM set_config('response.status', (response).status::text, true);
    END IF;
    IF (response).headers IS NOT NULL THEN
        PERFORM set_config('response.headers', coalesce((
            SELECT jsonb_agg(jsonb_build_object(lower(h.key), v.value))
            FROM jsonb_each(CASE jsonb_typeof((response).headers) WHEN 'object' THEN (response).headers END) h,
                jsonb_array_elements_text(CASE jsonb_typeof(h.value) WHEN 'array' THEN h.value ELSE jsonb_build_array(h.value) END) v(value)), '[]')::text, true);
    END IF;
    RETURN (response).body;
END
$function$;
COMMENT ON FUNCTION restful.sent(restful.http_response) IS
    'Internal: makes status and header fields of a value those of the response, and returns its body. Part of the statements of calls.';
