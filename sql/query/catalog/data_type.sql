-- A type of pg_catalog or of the request's schema. Left out are types whose input or output looks into the catalogue
-- (regclass and its like), and pseudo-types.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.typname)
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typname = $2::pg_catalog.name
  AND n.nspname IN ('pg_catalog', $1::pg_catalog.name)
  AND t.typtype <> 'p' AND t.typisdefined
  AND t.typname !~ '^_?(reg|pg_|cstring$|xml$|aclitem$)'
ORDER BY n.nspname = 'pg_catalog' DESC
LIMIT 1
