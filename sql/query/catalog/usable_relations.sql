-- The tables and views of the schema $1 that the role may use.
SELECT jsonb_agg(c.relname ORDER BY c.relname)::text
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid
WHERE n.nspname = $1::name
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND has_schema_privilege(n.oid, 'USAGE')
  AND (has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')
       OR has_table_privilege(c.oid, 'DELETE'))
