-- The routes whose functions exist, each with the parameters of its function.
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'function', p.oid::int8,
    'pattern', w.pattern,
    'host', g.host,
    'of_group', e.of_group,
    'query_schema', e.query_schema::text,
    'result_schema', e.result_schema::text,
    'example', e.example,
    'schema', n.nspname,
    'name', p.proname,
    'body_schema', e.body_schema::text,
    'parameters', restful.route_arguments(p.oid, e.sources)) ORDER BY e.key), '[]')
FROM restful.route_entry e
JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN restful.route_group_entry g ON g.name = e.of_group
CROSS JOIN LATERAL restful.route_pattern(e.pattern, g.prefix) w(pattern)
-- Without its group, a route would have neither its prefix nor its host.
WHERE e.of_group IS NULL OR g.name IS NOT NULL
