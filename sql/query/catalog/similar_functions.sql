-- The functions of the schema $1 that the role may call, among them those whose name may be similar to $2, with the names of
-- their parameters.
SELECT jsonb_agg(jsonb_build_object('name', p.proname, 'parameters', coalesce((
    SELECT jsonb_agg(coalesce(a.name, '') ORDER BY a.position)
    FROM ROWS FROM (
        unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])),
        unnest(p.proargnames),
        unnest(p.proargmodes)
    ) WITH ORDINALITY a(type, name, mode, position)
    WHERE a.type IS NOT NULL AND coalesce(a.mode, 'i') IN ('i', 'b', 'v')
), '[]')) ORDER BY p.proname, p.oid)::text
FROM pg_namespace n
JOIN pg_proc p ON p.pronamespace = n.oid
WHERE n.nspname = $1::name
  AND p.prokind = 'f'
  AND p.prorettype NOT IN ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
  AND abs(length(p.proname) - length($2)) * 4
      <= greatest(length(p.proname), length($2))
  AND has_schema_privilege(n.oid, 'USAGE')
  AND has_function_privilege(p.oid, 'EXECUTE')
  -- those that can be called: by names, or with one argument without
  AND (p.pronargs = 0 OR p.proargnames IS NOT NULL OR p.pronargs = 1 AND p.proargtypes[0] IN (
      'pg_catalog.json'::regtype, 'pg_catalog.jsonb'::regtype, 'pg_catalog.text'::regtype,
      'pg_catalog.xml'::regtype, 'pg_catalog.bytea'::regtype))
