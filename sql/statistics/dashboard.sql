-- What the dashboard of the gateway draws.

CREATE FUNCTION restful.dashboard() RETURNS restful.http_response
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT ROW(200, '{"content-type": "application/json", "cache-control": "no-store"}', convert_to(jsonb_build_object(
        'at', floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
        'database', current_database(),
        'bounds', to_jsonb(restful.stat_bounds()),
        'requests', (SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM restful.stat_requests() r),
        'statements', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM (SELECT s.* FROM restful.stat_statements() s ORDER BY s.requests DESC LIMIT 50) s),
        'checks', (SELECT coalesce(jsonb_agg(to_jsonb(h)), '[]') FROM restful.health() h),
        'limits', (SELECT coalesce(jsonb_agg(to_jsonb(l)), '[]') FROM restful.limits() l)
    )::text, 'UTF8'))::restful.http_response
$function$;
COMMENT ON FUNCTION restful.dashboard() IS
    'For the route GET /dashboard.json, which the dashboard of the gateway reads: statistics, statements, checks and limits as one JSON document';
