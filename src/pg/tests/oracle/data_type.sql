-- A type of pg_catalog or of the request's schema. Left out are types whose input or output looks into the catalogue
-- (regclass and its like), and pseudo-types.
SELECT quote_ident(n.nspname) || '.' || quote_ident(t.typname)
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typname = $2::name
  AND n.nspname IN ('pg_catalog', $1::name)
  AND t.typtype <> 'p' AND t.typisdefined
  AND t.typname !~ '^_?(reg|pg_|cstring$|xml$|aclitem$)'
ORDER BY n.nspname = 'pg_catalog' DESC
LIMIT 1
