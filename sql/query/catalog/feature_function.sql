-- PostGIS's function of any row that needs no other argument.
SELECT jsonb_build_object(
    'schema', n.nspname,
    'name', p.proname,
    'defaults', coalesce((
        SELECT jsonb_agg(format('CAST(%s AS %s)',
            pg_get_function_arg_default(p.oid, i), format_type(p.proargtypes[i - 1], NULL)) ORDER BY i)
        FROM generate_series(2, p.pronargs::int4) i), '[]')
)::text
FROM pg_extension e
JOIN pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
 AND d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e'
JOIN pg_proc p ON p.oid = d.objid
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE e.extname = 'postgis' AND p.proname = 'st_asgeojson' AND p.prokind = 'f' AND NOT p.proretset
  AND p.proargtypes[0] = 'pg_catalog.record'::regtype AND p.pronargs - p.pronargdefaults = 1
