-- The expressions for missing values of the columns of the table or view $1, by the names of those that have one.
SELECT jsonb_object_agg(e.name, e.expression)::text
FROM (
    SELECT a.attname AS name, CASE
        WHEN a.attgenerated <> '' THEN NULL
        WHEN a.attidentity <> '' THEN format(
            'pg_catalog.nextval(%L::pg_catalog.regclass)',
            pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname))
        -- a domain may have one, too
        ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(t.typdefaultbin, 0))
    END AS expression
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.oid = $1::oid
) e
WHERE e.expression IS NOT NULL
