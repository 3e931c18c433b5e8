SELECT jsonb_agg(DISTINCT jsonb_build_array(n.nspname, c.conname))::text
FROM pg_constraint c
JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.condeferred
  -- SET CONSTRAINTS names them: one that is not deferred must not have the same name, nor may its session drop one meanwhile
  AND NOT pg_is_other_temp_schema(n.oid)
  AND NOT EXISTS (
      SELECT FROM pg_constraint o
      WHERE o.connamespace = c.connamespace AND o.conname = c.conname AND NOT o.condeferred)
