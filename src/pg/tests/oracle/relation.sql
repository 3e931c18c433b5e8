SELECT jsonb_build_object(
    'oid', c.oid::int8,
    'schema', n.nspname,
    'name', c.relname,
    'is_view', c.relkind IN ('v', 'm'),
    'has_unique_keys', (c.relkind = 'p' OR c.relkind = 'r' AND NOT c.relhassubclass)
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND NOT (i.indimmediate AND i.indisvalid)),
    -- by ON CONFLICT, which takes no deferrable key, no rules, and no triggers instead of what it does
    'upsertable', pg_relation_is_updatable(c.oid, false) & 12 = 12 AND NOT EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND NOT i.indimmediate
        UNION ALL
        SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type IN ('2', '3')
        UNION ALL
        SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgtype & 64 <> 0),
    'is_partition', c.relispartition,
    'insertable', u.events & 8 <> 0,
    'updatable', u.events & 4 <> 0,
    'deletable', u.events & 16 <> 0,
    -- of a row in a heap without heirs
    'versions', CASE WHEN c.relkind = 'r' AND NOT c.relhassubclass THEN (
        SELECT CASE amname WHEN 'heap' THEN 'stored' ELSE 'contents' END FROM pg_am WHERE oid = c.relam
    ) ELSE 'contents' END,
    'returns_versions', c.relkind IN ('r', 'p') AND NOT c.relhasrules,
    'settings', coalesce((
        SELECT to_jsonb(r) - '{relation}'::text[] FROM restful.resource r WHERE r.relation = c.oid), '{}'),
    'columns', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'name', a.attname,
            'data_type', format_type(a.atttypid, a.atttypmod),
            'class', CASE
                WHEN b.typname IN ('json', 'jsonb') AND b.typnamespace = 'pg_catalog'::regnamespace THEN 'json'
                WHEN b.typname = 'tsvector' AND b.typnamespace = 'pg_catalog'::regnamespace THEN 'tsvector'
                WHEN b.typtype = 'c' OR b.typcategory = 'A' THEN 'structured'
                ELSE 'scalar'
            END,
            'default', CASE
                WHEN a.attgenerated <> '' THEN NULL
                WHEN a.attidentity <> '' THEN format(
                    'pg_catalog.nextval(%L::pg_catalog.regclass)',
                    pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname))
                -- a domain may have one, too
                ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(t.typdefaultbin, 0))
            END,
            'writable', a.attgenerated = '' AND a.attidentity <> 'a',
            'identity', a.attidentity <> '',
            'updatable', pg_column_is_updatable(c.oid, a.attnum, true),
            'not_null', a.attnotnull AND (c.relkind = 'p' OR c.relkind = 'r' AND NOT c.relhassubclass),
            'comparison', CASE
                WHEN b.typtype = 'c' THEN '"Impossible"'
                WHEN b.typtype = 'e' AND t.typtype = 'd' THEN jsonb_build_object('As', format_type(b.oid, -1))
                ELSE '"Inferred"'
            END,
            'representation', CASE WHEN t.typtype = 'd' THEN (
                SELECT jsonb_object_agg(
                    CASE
                        WHEN k.castsource = t.oid THEN 'to_json'
                        WHEN k.castsource = 'pg_catalog.json'::regtype THEN 'from_json'
                        ELSE 'from_text'
                    END, jsonb_build_object('schema', pn.nspname, 'name', p.proname))
                FROM pg_cast k
                JOIN pg_proc p ON p.oid = k.castfunc AND p.pronargs = 1
                JOIN pg_namespace pn ON pn.oid = p.pronamespace
                WHERE k.castcontext = 'i' AND k.castmethod = 'f' AND (
                    k.castsource = t.oid AND k.casttarget = 'pg_catalog.json'::regtype
                    OR k.casttarget = t.oid AND k.castsource IN (
                        'pg_catalog.json'::regtype, 'pg_catalog.text'::regtype))
            ) END
        ) ORDER BY a.attnum)
        FROM pg_attribute a
        JOIN pg_type t ON t.oid = a.atttypid
        CROSS JOIN LATERAL (
            WITH RECURSIVE below AS (
                SELECT t.oid, t.typtype, t.typbasetype
                UNION ALL
                SELECT n.oid, n.typtype, n.typbasetype FROM below d JOIN pg_type n ON n.oid = d.typbasetype WHERE d.typtype = 'd')
            SELECT oid FROM below WHERE typtype <> 'd') base
        JOIN pg_type b ON b.oid = base.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ), '[]'),
    'primary_key', coalesce((
        SELECT jsonb_agg(a.attname ORDER BY k.position)
        FROM pg_index i,
             unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
        JOIN pg_attribute a ON a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND k.position <= i.indnkeyatts
    ), '[]')
)::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT pg_relation_is_updatable(c.oid, true) AS events) u
WHERE n.nspname = $1::name AND c.relname = $2::name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
