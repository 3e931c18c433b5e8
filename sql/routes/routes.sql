-- Routes: which function answers a method and a path. Functions write them, for administrators.

CREATE TYPE restful.http_request AS (
    method text, path text, path_parameters jsonb, query jsonb, headers jsonb, cookies jsonb, body bytea
);
COMMENT ON TYPE restful.http_request IS
    'A request as the function of a route takes it: query has a list of values for each parameter, headers have names in lower case.';

CREATE TYPE restful.http_file AS (name text, media_type text, content bytea);
COMMENT ON TYPE restful.http_file IS 'A file of a form (multipart/form-data) as the function of a route takes it';

CREATE TABLE restful.route_entry (
    key text PRIMARY KEY,
    pattern text NOT NULL,
    handler text NOT NULL,
    sources jsonb NOT NULL DEFAULT '{}',
    body_schema json
);
COMMENT ON TABLE restful.route_entry IS 'Routes, declared by restful.route';
COMMENT ON COLUMN restful.route_entry.key IS 'The method and the path with the converters of its parameters: two routes with the same key take the same requests';
COMMENT ON COLUMN restful.route_entry.handler IS 'The function with its schema and the types of its parameters. A text, because pg_upgrade refuses columns of the type regprocedure';
COMMENT ON COLUMN restful.route_entry.body_schema IS 'The JSON Schema of bodies; a registered one as a reference';
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

CREATE FUNCTION restful.route(pattern text, handler regproc, sources jsonb DEFAULT '{}', body text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    called record;
    wrong text;
    key text;
    known text;
    body_schema json;
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
    key := restful.route_key(pattern, (
        SELECT coalesce(jsonb_object_agg(a.name, t.typname), '{}') FROM restful.route_parameters(handler) a JOIN pg_type t ON t.oid = a.base), sources);
    IF body IS NOT NULL AND pattern LIKE 'GET %' THEN
        RAISE EXCEPTION 'a GET has no body that a schema could describe' USING ERRCODE = '22023';
    END IF;
    SELECT s.document INTO body_schema FROM restful.read_schema(body) s;
    DELETE FROM restful.route_entry e WHERE e.key = key AND to_regprocedure(e.handler) IS NULL;
    INSERT INTO restful.route_entry (key, pattern, handler, sources, body_schema)
    VALUES (key, pattern, called.shown, sources, body_schema)
    ON CONFLICT ON CONSTRAINT route_entry_pkey DO NOTHING;
    IF NOT FOUND THEN
        SELECT format('%s (%s)', e.pattern, e.handler) INTO known FROM restful.route_entry e WHERE e.key = key;
        RAISE EXCEPTION 'the route % takes the same requests as %', pattern, known
            USING ERRCODE = '42710', HINT = 'Change one of the patterns, or drop the other route with restful.drop_route.';
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.route(text, regproc, jsonb, text) IS
    'Lets a function answer a method and a path, such as POST /orders/{id}/cancel. sources: where the values of parameters come from, if not from the path, the query and the body by their names: query:name, header:name, cookie:name, body, body:member. body: the JSON Schema of bodies, or the name of a registered one';

CREATE FUNCTION restful.drop_route(pattern text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    DELETE FROM restful.route_entry e WHERE e.pattern = pattern;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_route(text) IS 'Drops the route that was declared with this pattern; false if there is none';

CREATE FUNCTION restful.routes()
    RETURNS TABLE (method text, path text, handler text, sources jsonb, body_schema json, only_reads boolean, security_definer boolean)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT split_part(e.pattern, ' ', 1), split_part(e.pattern, ' ', 2), e.handler, e.sources, e.body_schema, p.provolatile <> 'v', p.prosecdef
    FROM restful.route_entry e
    JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
    ORDER BY 2, 1
$function$;
COMMENT ON FUNCTION restful.routes() IS 'The routes whose functions exist: a route goes with its function';

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
