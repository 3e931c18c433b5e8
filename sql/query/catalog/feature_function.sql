-- PostGIS's function of any row that needs no other argument.
SELECT pg_catalog.jsonb_build_object(
    'schema', n.nspname,
    'name', p.proname,
    'defaults', coalesce((
        SELECT pg_catalog.jsonb_agg(pg_catalog.format('CAST(%s AS %s)',
            pg_catalog.pg_get_function_arg_default(p.oid, i), pg_catalog.format_type(p.proargtypes[i - 1], NULL)) ORDER BY i)
        FROM pg_catalog.generate_series(2, p.pronargs::pg_catalog.int4) i), '[]')
)::pg_catalog.text
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
 AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
JOIN pg_catalog.pg_proc p ON p.oid = d.objid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE e.extname = 'postgis' AND p.proname = 'st_asgeojson' AND p.prokind = 'f' AND NOT p.proretset
  AND p.proargtypes[0] = 'pg_catalog.record'::pg_catalog.regtype AND p.pronargs - p.pronargdefaults = 1
