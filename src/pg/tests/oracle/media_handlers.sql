-- Aggregates of the schema $1 that make bodies of rows: one argument, a row or anyelement, and a result that is a domain named
-- like a media type.
SELECT jsonb_agg(jsonb_build_object(
    'function', jsonb_build_object('schema', n.nspname, 'name', p.proname),
    'media', lower(m.typname),
    'relation', CASE WHEN c.oid IS NOT NULL THEN jsonb_build_object('schema', cn.nspname, 'name', c.relname) END
) ORDER BY p.oid)::text
FROM pg_type m
JOIN pg_proc p ON p.prorettype = m.oid
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_type a ON a.oid = p.proargtypes[0]
LEFT JOIN pg_class c ON c.oid = a.typrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace
WHERE m.typtype = 'd' AND m.typname ~ '^([A-Za-z0-9.-]+/[A-Za-z0-9.+-]+|\*/\*)$'
  AND n.nspname = $1::name AND p.prokind = 'a' AND p.pronargs = 1
  AND (c.oid IS NOT NULL OR a.oid = 'pg_catalog.anyelement'::regtype)
