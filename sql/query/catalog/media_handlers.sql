-- Aggregates of the schema $1 that make bodies of rows: one argument, a row or anyelement, and a result that is a domain named
-- like a media type.
SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'function', pg_catalog.jsonb_build_object('schema', n.nspname, 'name', p.proname),
    'media', pg_catalog.lower(m.typname),
    'relation', CASE WHEN c.oid IS NOT NULL THEN pg_catalog.jsonb_build_object('schema', cn.nspname, 'name', c.relname) END
) ORDER BY p.oid)::pg_catalog.text
FROM pg_catalog.pg_type m
JOIN pg_catalog.pg_proc p ON p.prorettype = m.oid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_type a ON a.oid = p.proargtypes[0]
LEFT JOIN pg_catalog.pg_class c ON c.oid = a.typrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
WHERE m.typtype = 'd' AND m.typname ~ '^([A-Za-z0-9.-]+/[A-Za-z0-9.+-]+|\*/\*)$'
  AND n.nspname = $1::pg_catalog.name AND p.prokind = 'a' AND p.pronargs = 1
  AND (c.oid IS NOT NULL OR a.oid = 'pg_catalog.anyelement'::pg_catalog.regtype)
