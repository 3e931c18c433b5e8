-- The functions of the schema $1 that the role may call, among them those whose name may be similar to $2, with the names of
-- their parameters.
SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', p.proname, 'parameters', coalesce((
    SELECT pg_catalog.jsonb_agg(coalesce(a.name, '') ORDER BY a.position)
    FROM ROWS FROM (
        pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[])),
        pg_catalog.unnest(p.proargnames),
        pg_catalog.unnest(p.proargmodes)
    ) WITH ORDINALITY a(type, name, mode, position)
    WHERE a.type IS NOT NULL AND coalesce(a.mode, 'i') IN ('i', 'b', 'v')
), '[]')) ORDER BY p.proname, p.oid)::pg_catalog.text
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid
WHERE n.nspname = $1::pg_catalog.name
  AND p.prokind = 'f'
  AND p.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
  AND pg_catalog.abs(pg_catalog.length(p.proname) - pg_catalog.length($2)) * 4
      <= greatest(pg_catalog.length(p.proname), pg_catalog.length($2))
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
  -- those that can be called: by names, or with one argument without
  AND (p.pronargs = 0 OR p.proargnames IS NOT NULL OR p.pronargs = 1 AND p.proargtypes[0] IN (
      'pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.jsonb'::pg_catalog.regtype, 'pg_catalog.text'::pg_catalog.regtype,
      'pg_catalog.xml'::pg_catalog.regtype, 'pg_catalog.bytea'::pg_catalog.regtype))
