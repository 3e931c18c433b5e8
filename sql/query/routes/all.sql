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
    'parameters', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
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
            'required', a.position <= p.pronargs - p.pronargdefaults,
            'source', e.sources ->> a.name) ORDER BY a.position)
        FROM restful.route_parameters(p.oid) a
        JOIN pg_type t ON t.oid = a.base
    ), '[]')) ORDER BY e.key), '[]')
FROM restful.route_entry e
JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN restful.route_group_entry g ON g.name = e.of_group
CROSS JOIN LATERAL restful.route_pattern(e.pattern, g.prefix) w(pattern)
