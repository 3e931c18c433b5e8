-- What Prometheus reads.

CREATE FUNCTION restful.metric(name text, type text, help text, samples text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT concat('# HELP ', name, ' ', help, E'\n# TYPE ', name, ' ', type, E'\n', array_to_string(samples, ''))
    WHERE cardinality(samples) > 0
$function$;
COMMENT ON FUNCTION restful.metric(text, text, text, text[]) IS 'Internal: a metric in the text format of Prometheus; null without samples';

CREATE FUNCTION restful.metric_sample(name text, labels jsonb, value double precision) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT concat(name, '{' || (
            SELECT string_agg(format('%s="%s"', l.key, replace(replace(replace(coalesce(l.value, ''), '\', '\\'), '"', '\"'), E'\n', '\n')), ',' ORDER BY l.ordinality)
            FROM jsonb_each_text(labels) WITH ORDINALITY l
        ) || '}', ' ', value, E'\n')
$function$;
COMMENT ON FUNCTION restful.metric_sample(text, jsonb, double precision) IS 'Internal: a sample in the text format of Prometheus';

CREATE FUNCTION restful.metrics() RETURNS restful.http_response
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH requests AS MATERIALIZED (
        SELECT r.*, jsonb_build_object('db_namespace', current_database(), 'schema', r.schema, 'http_request_method', r.method, 'http_route', r.route, 'status_class', r.status_class) AS labels
        FROM restful.stat_requests() r
    ), histogram AS (
        SELECT array_agg(
            (SELECT string_agg(restful.metric_sample('http_server_request_duration_seconds_bucket', r.labels || jsonb_build_object('le', b.bound), b.number), '' ORDER BY b.ordinality)
             FROM unnest(restful.stat_bounds(), r.buckets) WITH ORDINALITY b (bound, number, ordinality))
            || restful.metric_sample('http_server_request_duration_seconds_bucket', r.labels || '{"le": "+Inf"}', r.calls)
            || restful.metric_sample('http_server_request_duration_seconds_sum', r.labels, r.total_time / 1000)
            || restful.metric_sample('http_server_request_duration_seconds_count', r.labels, r.calls)) AS samples
        FROM requests r
    ), counters AS (
        SELECT c.place, c.name, c.help, array_agg(restful.metric_sample(c.name, r.labels, c.value)) AS samples
        FROM requests r
        CROSS JOIN LATERAL (VALUES
            (2, 'pg_restful_response_rows_total', 'Rows in the bodies of responses.', r.rows::double precision),
            (3, 'pg_restful_request_body_bytes_total', 'Bytes of the bodies of requests.', r.bytes_in),
            (4, 'pg_restful_response_body_bytes_total', 'Bytes of the bodies of responses.', r.bytes_out),
            (5, 'pg_restful_planned_requests_total', 'Requests whose statement had to be planned.', r.planned),
            (6, 'pg_restful_limited_requests_total', 'Requests that were answered with 429.', r.rate_limited),
            (7, 'pg_restful_planning_seconds_total', 'Time that planning took.', r.plan_time / 1000),
            (8, 'pg_restful_execution_seconds_total', 'Time that executing took, without planning.', r.execution_time / 1000)
        ) c (place, name, help, value)
        GROUP BY c.place, c.name, c.help
    ), others (place, name, type, help, samples) AS (
        SELECT 9, 'pg_restful_deprecated_requests_total', 'counter', 'Requests to deprecated versions of the API.', array_agg(restful.metric_sample('pg_restful_deprecated_requests_total', u.labels, u.calls))
        FROM (SELECT jsonb_build_object('db_namespace', current_database(), 'version', d.version), sum(d.calls) FROM restful.deprecated_use() d GROUP BY d.version) u (labels, calls)
        UNION ALL
        SELECT 10, 'pg_restful_check_degraded', 'gauge', '1 for what needs attention, with the names of restful.health().',
            array_agg(restful.metric_sample('pg_restful_check_degraded', jsonb_build_object('db_namespace', current_database(), 'check', h."check"), (h.state <> 'ok')::int))
        FROM restful.health() h
        UNION ALL
        SELECT 11, 'pg_restful_idempotency_records_bytes', 'gauge', 'The size of the kept answers to requests with an Idempotency-Key.',
            ARRAY[restful.metric_sample('pg_restful_idempotency_records_bytes', jsonb_build_object('db_namespace', current_database()), pg_total_relation_size('restful.idempotency_record'))]
        UNION ALL
        SELECT 12, 'pg_restful_build_info', 'gauge', 'The version of the extension in the database.',
            ARRAY[restful.metric_sample('pg_restful_build_info', jsonb_build_object('version', (SELECT x.extversion FROM pg_extension x WHERE x.extname = 'pg_restful')), 1)]
    ), metrics (place, text) AS (
        SELECT 1, restful.metric('http_server_request_duration_seconds', 'histogram', 'Duration of requests.', h.samples) FROM histogram h
        UNION ALL
        SELECT c.place, restful.metric(c.name, 'counter', c.help, c.samples) FROM counters c
        UNION ALL
        SELECT o.place, restful.metric(o.name, o.type, o.help, o.samples) FROM others o
    )
    SELECT ROW(200, '{"content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store"}', convert_to(string_agg(m.text, '' ORDER BY m.place), 'UTF8'))::restful.http_response
    FROM metrics m
$function$;
COMMENT ON FUNCTION restful.metrics() IS
    'For a route such as GET /metrics: the statistics of requests and the checks of restful.health() in the text format of Prometheus, with the names of OpenTelemetry';
