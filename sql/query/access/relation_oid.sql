-- A relation ($2) of a schema ($1).
SELECT c.oid::int8
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
