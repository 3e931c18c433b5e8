-- Hooks: functions that run before requests, after them, or when they fail. Functions write them, for administrators.

CREATE TABLE restful.hook_entry (
    event text NOT NULL CHECK (event IN ('before', 'after', 'error')),
    handler text NOT NULL,
    requests text NOT NULL,
    run_order integer NOT NULL DEFAULT 0,
    PRIMARY KEY (event, handler, requests)
);
COMMENT ON TABLE restful.hook_entry IS 'Hooks, declared by restful.hook';
COMMENT ON COLUMN restful.hook_entry.handler IS 'The function with its schema and the types of its parameters. A text, because pg_upgrade refuses columns of the type regprocedure';
REVOKE ALL ON restful.hook_entry FROM PUBLIC;
ALTER TABLE restful.hook_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.hook_entry', '');

CREATE FUNCTION restful.hook_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_hook_changed';
COMMENT ON FUNCTION restful.hook_changed() IS 'Internal: makes every session read the hooks again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER hook_changed AFTER INSERT OR UPDATE OR DELETE ON restful.hook_entry
    FOR EACH ROW EXECUTE FUNCTION restful.hook_changed();
CREATE TRIGGER hook_truncated AFTER TRUNCATE ON restful.hook_entry
    FOR EACH STATEMENT EXECUTE FUNCTION restful.hook_changed();
ALTER TABLE restful.hook_entry ENABLE ALWAYS TRIGGER hook_changed, ENABLE ALWAYS TRIGGER hook_truncated;

CREATE FUNCTION restful.hook_scope(scope text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_hook_scope';
COMMENT ON FUNCTION restful.hook_scope(text) IS 'Internal: an error for malformed requests of a hook';

CREATE FUNCTION restful.hook_is_callable(event text, function oid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT EXISTS (
        SELECT FROM pg_proc p
        CROSS JOIN (VALUES ('restful.http_request'::regtype::oid, 'restful.http_response'::regtype::oid)) AS types (request, response)
        WHERE p.oid = function AND p.prokind = 'f' AND NOT p.proretset
            AND (p.prorettype IN ('void'::regtype, response) OR event = 'before' AND p.prorettype = request)
            AND ARRAY(SELECT unnest(p.proargtypes)) = (CASE event WHEN 'before' THEN ARRAY[request] ELSE ARRAY[request, response] END)[1:p.pronargs]
    )
$function$;
COMMENT ON FUNCTION restful.hook_is_callable(text, oid) IS 'Internal: whether a function can be a hook for an event';

CREATE FUNCTION restful.hook(event text, handler regproc, requests text DEFAULT '*', run_order integer DEFAULT 0) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    called record;
    takes text := '(), (restful.http_request) or (restful.http_request, restful.http_response)';
    returns text := 'void or restful.http_response';
BEGIN
    IF event IS NULL OR event NOT IN ('before', 'after', 'error') OR handler IS NULL OR requests IS NULL OR run_order IS NULL THEN
        RAISE EXCEPTION 'a hook is for before, after or error, and needs a function'
            USING ERRCODE = '22023', HINT = 'restful.hook(''before'', ''app.check_request'')';
    END IF;
    PERFORM restful.hook_scope(requests);
    IF starts_with(requests, 'group ') THEN
        PERFORM FROM restful.route_group_entry g WHERE g.name = substr(requests, 7) FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no group of routes named %', substr(requests, 7)
                USING ERRCODE = '42704', HINT = 'Declare it first, with restful.route_group.';
        END IF;
    END IF;
    SELECT p.oid, p.oid::regprocedure::text AS shown, n.nspname, p.proname INTO called
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = handler;
    IF (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = called.proname AND n.nspname = called.nspname) > 1 THEN
        RAISE EXCEPTION 'there are several functions named %.%', called.nspname, called.proname
            USING ERRCODE = '42725', HINT = 'Give the function of a hook a name of its own.';
    END IF;
    IF NOT restful.hook_is_callable(event, called.oid) THEN
        IF event = 'before' THEN
            takes := '() or (restful.http_request)';
            returns := 'void, restful.http_request or restful.http_response';
        END IF;
        RAISE EXCEPTION '% cannot be a hook for %', called.shown, event
            USING ERRCODE = '42P13', DETAIL = format('Its parameters have to be %s, and it has to return %s.', takes, returns);
    END IF;
    INSERT INTO restful.hook_entry (event, handler, requests, run_order) VALUES (event, called.shown, requests, run_order)
    ON CONFLICT ON CONSTRAINT hook_entry_pkey DO UPDATE SET run_order = EXCLUDED.run_order;
END
$function$;
COMMENT ON FUNCTION restful.hook(text, regproc, text, integer) IS
    'Lets a function run before requests, after them, or when they fail (event: before, after, error). requests: *, a method, a method or * and a path as in routes, such as * /orders/{rest:path}, or a group of routes, such as group blog. run_order: those with a lower one run first';

CREATE FUNCTION restful.drop_hook(event text, handler text, requests text DEFAULT '*') RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    DELETE FROM restful.hook_entry e
    WHERE e.event = event AND handler IN (e.handler, regexp_replace(e.handler, '\([^()]*\)$', '')) AND e.requests = requests;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_hook(text, text, text) IS
    'Drops a hook that was declared with these arguments; false if there is none. handler: the function with its schema, with or without the types of its parameters';

CREATE FUNCTION restful.hooks()
    RETURNS TABLE (event text, number bigint, handler text, requests text, run_order integer, security_definer boolean, is_callable boolean)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT h.event, row_number() OVER (PARTITION BY h.event ORDER BY h.last, h.run_order, h.handler COLLATE "C", h.requests COLLATE "C"),
        h.handler, h.requests, h.run_order, h.prosecdef, h.is_callable
    FROM (
        SELECT e.event, false AS last, e.handler, e.requests, e.run_order, p.prosecdef, restful.hook_is_callable(e.event, p.oid) AS is_callable
        FROM restful.hook_entry e
        LEFT JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
        UNION ALL
        SELECT 'before', true, s.name, '*', NULL, (SELECT bool_or(p.prosecdef) FROM pg_proc p WHERE p.oid = to_regproc(s.name)),
            to_regproc(s.name) IS NOT NULL
        FROM nullif(current_setting('restful.pre_request', true), '') s(name)
        WHERE s.name IS NOT NULL
    ) h
    ORDER BY CASE h.event WHEN 'before' THEN 1 WHEN 'after' THEN 2 ELSE 3 END, 2
$function$;
COMMENT ON FUNCTION restful.hooks() IS
    'The hooks, in the order in which they run. That of the setting restful.pre_request is the last one before a request. Requests fail where a hook is not callable, because its function is missing or has changed';
