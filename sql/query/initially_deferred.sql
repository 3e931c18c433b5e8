SELECT pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_array(n.nspname, c.conname))::pg_catalog.text
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE c.condeferred
