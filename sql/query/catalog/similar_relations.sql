-- The tables and views of the schema $1 that the role may use, among them those whose name may be similar to $2.
SELECT pg_catalog.jsonb_agg(c.relname ORDER BY c.relname)::pg_catalog.text
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
WHERE n.nspname = $1::pg_catalog.name
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND pg_catalog.abs(pg_catalog.length(c.relname) - pg_catalog.length($2)) * 4
      <= greatest(pg_catalog.length(c.relname), pg_catalog.length($2))
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND (pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')
       OR pg_catalog.has_table_privilege(c.oid, 'DELETE'))
