-- The columns of the relation $1 that the current user may update.
SELECT coalesce(pg_catalog.jsonb_agg(a.attname ORDER BY a.attnum), '[]')::pg_catalog.text
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE')
