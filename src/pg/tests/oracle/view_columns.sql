-- The columns of the view $1 that are columns of tables, by name, and the primary keys that are whole among them.
-- $2: their numbers as [[column of the view, oid of the table, column of the table], ...]
WITH sources AS (
    SELECT
        (o.item ->> 0)::int2 AS attnum,
        (o.item ->> 1)::oid AS source_table,
        (o.item ->> 2)::int2 AS source
    FROM jsonb_array_elements($2::jsonb) o(item)
),
keys AS (
    SELECT k.position, shown.attnum, i.indrelid, i.indnkeyatts
    FROM (SELECT DISTINCT s.source_table FROM sources s) t
    JOIN pg_index i ON i.indrelid = t.source_table AND i.indisprimary
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
    -- of a column that is shown several times, the first
    CROSS JOIN LATERAL (
        SELECT min(s.attnum) AS attnum
        FROM sources s
        WHERE s.source_table = t.source_table AND s.source = k.attnum
    ) shown
    WHERE k.position <= i.indnkeyatts AND shown.attnum IS NOT NULL
)
SELECT jsonb_build_object(
    'sources', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'column', v.attname,
            'table', jsonb_build_object('schema', n.nspname, 'name', c.relname),
            'source', a.attname,
            'default', CASE
                WHEN a.attgenerated <> '' THEN NULL
                WHEN a.attidentity <> '' THEN format(
                    'pg_catalog.nextval(%L::pg_catalog.regclass)',
                    pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname))
                ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(t.typdefaultbin, 0))
            END,
            'writable', a.attgenerated = '' AND a.attidentity <> 'a',
            'identity', a.attidentity <> '',
            'not_null', a.attnotnull AND (c.relkind = 'p' OR c.relkind = 'r' AND NOT c.relhassubclass)
        ) ORDER BY s.attnum)
        FROM sources s
        JOIN pg_attribute v ON v.attrelid = $1::oid AND v.attnum = s.attnum
        JOIN pg_class c ON c.oid = s.source_table
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.source
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    ), '[]'),
    'has_deferrable_key', EXISTS (
        SELECT
        FROM sources s
        JOIN pg_index i ON i.indrelid = s.source_table AND i.indisprimary AND NOT i.indimmediate),
    'primary_key', coalesce((
        SELECT jsonb_agg(v.attname ORDER BY whole.first, k.position)
        FROM (
            SELECT k.indrelid, min(k.attnum) AS first
            FROM keys k
            GROUP BY k.indrelid
            HAVING count(*) = min(k.indnkeyatts)
        ) whole
        JOIN keys k ON k.indrelid = whole.indrelid
        JOIN pg_attribute v ON v.attrelid = $1::oid AND v.attnum = k.attnum
    ), '[]')
)::text
