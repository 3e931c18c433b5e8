-- The columns of the relation $1 that the current user may update.
SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attnum), '[]')::text
FROM pg_attribute a
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  AND has_column_privilege(a.attrelid, a.attnum, 'UPDATE')
