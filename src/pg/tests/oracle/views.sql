-- The views of the schema $1 whose rows are made of those of any of the tables $2, [[schema, name], ...]; by way of others too.
-- A view's rule depends on each relation that it reads.
WITH RECURSIVE dependent(oid) AS (
    SELECT c.oid
    FROM jsonb_array_elements($2::jsonb) t(item)
    JOIN pg_namespace n ON n.nspname = t.item ->> 0
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.item ->> 1
    UNION
    SELECT r.ev_class
    FROM dependent d
    JOIN pg_depend p
      ON p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = d.oid
     AND p.classid = 'pg_catalog.pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = p.objid AND r.rulename = '_RETURN'
)
SELECT jsonb_agg(c.relname ORDER BY c.relname)::text
FROM dependent d
JOIN pg_class c ON c.oid = d.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname = $1::name
