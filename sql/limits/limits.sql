-- Limits of requests. Functions write them, for administrators. What clients have taken is in shared memory.

CREATE TABLE restful.limit_entry (
    name text PRIMARY KEY CHECK (name ~ '^[ -~]{1,120}$'),
    rate text NOT NULL,
    key_by text NOT NULL,
    requests text NOT NULL,
    unit text NOT NULL,
    burst bigint CHECK (burst > 0),
    cost bigint NOT NULL DEFAULT 1 CHECK (cost > 0)
);
COMMENT ON TABLE restful.limit_entry IS 'Limits of requests, declared by restful.limit';
REVOKE ALL ON restful.limit_entry FROM PUBLIC;
ALTER TABLE restful.limit_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.limit_entry', '');

CREATE FUNCTION restful.limit_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_limit_changed';
COMMENT ON FUNCTION restful.limit_changed() IS 'Internal: makes every session read the limits again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER limit_changed AFTER INSERT OR UPDATE OR DELETE ON restful.limit_entry
    FOR EACH ROW EXECUTE FUNCTION restful.limit_changed();
CREATE TRIGGER limit_truncated AFTER TRUNCATE ON restful.limit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION restful.limit_changed();
ALTER TABLE restful.limit_entry ENABLE ALWAYS TRIGGER limit_changed, ENABLE ALWAYS TRIGGER limit_truncated;

CREATE FUNCTION restful.check_limit(rate text, key_by text, unit text, burst bigint, cost bigint) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_check_limit';
COMMENT ON FUNCTION restful.check_limit(text, text, text, bigint, bigint) IS 'Internal: an error for a malformed limit';

CREATE FUNCTION restful.limit_keys() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_limit_keys';
COMMENT ON FUNCTION restful.limit_keys() IS 'Internal: the busiest keys of each limit';

CREATE FUNCTION restful.forget_limit(name text) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_forget_limit';
COMMENT ON FUNCTION restful.forget_limit(text) IS 'Gives all clients back what they have taken of a limit, at once and whatever becomes of the transaction';

CREATE FUNCTION restful.limit_problem(method text, path text, headers jsonb, claims jsonb) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_limit_problem';
COMMENT ON FUNCTION restful.limit_problem(text, text, jsonb, jsonb) IS 'Internal: counts a request of another HTTP layer; what to tell its client if a limit refuses it';

CREATE FUNCTION restful.limit(
    rate text,
    by text DEFAULT 'ip',
    requests text DEFAULT '*',
    unit text DEFAULT 'requests',
    burst bigint DEFAULT NULL,
    cost bigint DEFAULT 1,
    name text DEFAULT NULL
) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    IF rate IS NULL OR by IS NULL OR requests IS NULL OR unit IS NULL OR cost IS NULL THEN
        RAISE EXCEPTION 'a limit needs a rate' USING ERRCODE = '22004', HINT = 'restful.limit(''100 per hour'', by => ''ip'', requests => ''POST /orders'')';
    END IF;
    PERFORM restful.check_limit(rate, by, unit, burst, cost);
    PERFORM restful.hook_scope(requests);
    name := coalesce(name, format('%s by %s for %s', unit, by, requests));
    IF name !~ '^[ -~]{1,120}$' THEN
        RAISE EXCEPTION 'the name of a limit is malformed' USING ERRCODE = '22023', HINT = 'Give it a name of at most 120 printable ASCII characters, with name => ''orders''.';
    END IF;
    IF name = 'failed logins by ip' THEN
        RAISE EXCEPTION 'the name % is taken', name USING ERRCODE = '42710', HINT = 'Set restful.login_limit, or give the limit another name.';
    END IF;
    INSERT INTO restful.limit_entry (name, rate, key_by, requests, unit, burst, cost) VALUES (name, rate, by, requests, unit, burst, cost)
    ON CONFLICT ON CONSTRAINT limit_entry_pkey DO UPDATE
    SET rate = EXCLUDED.rate, key_by = EXCLUDED.key_by, requests = EXCLUDED.requests, unit = EXCLUDED.unit, burst = EXCLUDED.burst, cost = EXCLUDED.cost;
    RETURN name;
END
$function$;
COMMENT ON FUNCTION restful.limit(text, text, text, text, bigint, bigint, text) IS
    'Declares a limit of requests, such as 100 per hour or 5/second; 1000 per day, or changes that of the same name. by: ip, role, subject, api_key, tenant, all, or claim and a path. requests: as of restful.hook. unit: requests, rows, bytes, milliseconds or concurrent. burst: how much may be taken at once, if not the amount of the rate. cost: of one request. Returns the name';

CREATE FUNCTION restful.drop_limit(name text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    DELETE FROM restful.limit_entry e WHERE e.name = name;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_limit(text) IS 'Drops a limit; false if there is none of this name';

CREATE FUNCTION restful.limits()
    RETURNS TABLE (name text, rate text, key_by text, requests text, unit text, burst bigint, cost bigint, busiest jsonb)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH keys AS MATERIALIZED (SELECT restful.limit_keys() AS of_limit)
    SELECT l.*, k.of_limit->l.name
    FROM (
        SELECT e.name, e.rate, e.key_by, e.requests, e.unit, e.burst, e.cost FROM restful.limit_entry e
        UNION ALL
        SELECT 'failed logins by ip', nullif(current_setting('restful.login_limit', true), ''), 'ip', 'with wrong credentials', 'requests', NULL, 1
        WHERE nullif(current_setting('restful.login_limit', true), '') IS NOT NULL
    ) l
    CROSS JOIN keys k
    ORDER BY l.name COLLATE "C"
$function$;
COMMENT ON FUNCTION restful.limits() IS
    'The limits of requests, each with its busiest keys: how many requests were refused and units taken since the key was last idle, how many requests are running, and in how many seconds all of it is free again';

CREATE FUNCTION restful.check_limits() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    problem jsonb := restful.limit_problem(
        current_setting('request.method', true), current_setting('request.path', true),
        nullif(current_setting('request.headers', true), '')::jsonb, nullif(current_setting('request.jwt.claims', true), '')::jsonb);
BEGIN
    IF problem IS NOT NULL THEN
        RAISE SQLSTATE 'PGRST' USING MESSAGE = (problem->'message')::text, DETAIL = (problem->'detail')::text;
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.check_limits() IS
    'For PostgREST''s db-pre-request: counts the request for the limits that count requests, and refuses it beyond one. Requests of restful.serve need no such function';
