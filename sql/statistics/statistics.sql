-- What requests did, as the sessions of the server count it in shared memory.

CREATE FUNCTION restful.stat_entries() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_stat_entries';
COMMENT ON FUNCTION restful.stat_entries() IS 'Internal: the counters of the requests of this database';

CREATE FUNCTION restful.stat_bounds() RETURNS double precision[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_stat_bounds';
COMMENT ON FUNCTION restful.stat_bounds() IS
    'The upper bounds, in seconds, of what the counts in buckets of restful.stat_requests() count: requests that took at most this long';

CREATE FUNCTION restful.stat_queries() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_stat_queries';
COMMENT ON FUNCTION restful.stat_queries() IS 'Internal: which statements the requests of this database have run';

CREATE FUNCTION restful.stat_reset() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_stat_reset';
COMMENT ON FUNCTION restful.stat_reset() IS 'Forgets the statistics of the requests of this database';

CREATE FUNCTION restful.stat_requests() RETURNS TABLE (
        schema text, route text, method text, status_class text, calls bigint, rows bigint, bytes_in bigint, bytes_out bigint,
        planned bigint, rate_limited bigint, plan_time double precision, execution_time double precision, total_time double precision,
        mean_time double precision, max_time double precision, p50 double precision, p95 double precision, p99 double precision, buckets bigint[])
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT e.schema, e.route, e.method, e.status_class, e.calls, e.rows, e.bytes_in, e.bytes_out, e.planned, e.rate_limited,
        e.plan_time, e.execution_time, e.total_time, e.total_time / e.calls, e.max_time, e.p50, e.p95, e.p99, e.buckets
    FROM jsonb_to_recordset(restful.stat_entries()) e (
        schema text, route text, method text, status_class text, calls bigint, rows bigint, bytes_in bigint, bytes_out bigint,
        planned bigint, rate_limited bigint, plan_time double precision, execution_time double precision, total_time double precision,
        max_time double precision, p50 double precision, p95 double precision, p99 double precision, buckets bigint[])
    ORDER BY e.total_time DESC
$function$;
COMMENT ON FUNCTION restful.stat_requests() IS
    'The requests of this database since the server started or restful.stat_reset() was called, by route, method and class of the status; none is for requests that were cancelled or whose transaction could not go on. Times are in milliseconds';

CREATE FUNCTION restful.stat_statements() RETURNS TABLE (
        schema text, route text, method text, queryid bigint, requests bigint, query text, calls bigint, rows bigint, total_exec_time double precision, mean_exec_time double precision)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    source text;
    statements text := 'SELECT NULL::bigint, NULL::text, NULL::bigint, NULL::bigint, NULL::double precision WHERE false';
BEGIN
    -- The function of the extension, wherever it was installed, and no other of this name.
    SELECT p.oid::regproc::text INTO source
    FROM pg_extension x
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc p ON p.oid = d.objid
    WHERE x.extname = 'pg_stat_statements' AND p.proname = 'pg_stat_statements';
    IF FOUND THEN
        statements := format($$
            SELECT s.queryid, min(s.query), sum(s.calls)::bigint, sum(s.rows)::bigint, sum(s.total_exec_time)
            FROM %s(true) s
            WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND s.toplevel IS NOT NULL
            GROUP BY s.queryid $$, source);
    END IF;
    RETURN QUERY EXECUTE format($$
        WITH templates AS (
            SELECT DISTINCT e.template, e.schema, e.route, e.method
            FROM jsonb_to_recordset(restful.stat_entries()) e (template bigint, schema text, route text, method text)
        )
        SELECT t.schema, t.route, t.method, q.queryid, q.calls, s.query, s.calls, s.rows, s.total_exec_time, s.total_exec_time / nullif(s.calls, 0)
        FROM jsonb_to_recordset(restful.stat_queries()) q (template bigint, queryid bigint, calls bigint)
        JOIN templates t ON t.template = q.template
        LEFT JOIN (%s) s (queryid, query, calls, rows, total_exec_time) ON s.queryid = q.queryid
        ORDER BY s.total_exec_time DESC NULLS LAST, q.calls DESC $$, statements);
END
$function$;
COMMENT ON FUNCTION restful.stat_statements() IS
    'Which statements the requests of a route have run, with what pg_stat_statements knows of them if it is installed. requests counts the requests of the route that have run the statement; calls, rows and times are those of the statement, whoever ran it. Empty unless PostgreSQL computes identifiers of statements (compute_query_id)';

CREATE FUNCTION restful.stat_uses() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_stat_uses';
COMMENT ON FUNCTION restful.stat_uses() IS 'Internal: who has used deprecated versions of the API of this database';

CREATE FUNCTION restful.deprecated_use() RETURNS TABLE (
        version text, subject text, role text, method text, calls bigint, first_at timestamptz, last_at timestamptz)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT u.version, u.subject, u.role, u.method, u.calls, u.first_at, u.last_at
    FROM jsonb_to_recordset(restful.stat_uses()) u (
        version text, subject text, role text, method text, calls bigint, first_at timestamptz, last_at timestamptz)
    ORDER BY u.last_at DESC
$function$;
COMMENT ON FUNCTION restful.deprecated_use() IS
    'Who has used a deprecated version of the API since the server started, and must still be told';
