-- What the JSON Schema of relations' rows needs to know: of the relations $1, the columns that the role may use (all, if $3),
-- the constraints that hold for every row, and the types that they and $2 are made of.
WITH RECURSIVE
used_columns AS (
    SELECT
        a.*,
        $3 OR has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS readable,
        $3 OR has_column_privilege(a.attrelid, a.attnum, 'INSERT') AS insertable,
        $3 OR has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS updatable
    FROM pg_attribute a
    WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
      AND ($3 OR has_column_privilege(a.attrelid, a.attnum, 'SELECT, INSERT, UPDATE'))
),
-- Elements of arrays, bases of domains, attributes of composite types. A type cannot be made of itself.
used_types (oid) AS (
    (SELECT c.atttypid FROM used_columns c UNION SELECT unnest($2))
    UNION
    SELECT part.oid
    FROM used_types u
    JOIN pg_type t ON t.oid = u.oid
    CROSS JOIN LATERAL (
        SELECT t.typelem WHERE t.typsubscript = 'pg_catalog.array_subscript_handler'::regproc
        UNION ALL
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL
        SELECT a.atttypid
        FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) part (oid)
),
-- Tables whose rows are among those of a relation, and which may lack what is declared for it.
heirs (relation, oid) AS (
    SELECT i.inhparent, i.inhrelid
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhparent
    WHERE i.inhparent = ANY ($1) AND c.relkind = 'r'
    UNION
    SELECT h.relation, i.inhrelid
    FROM heirs h
    JOIN pg_inherits i ON i.inhparent = h.oid
),
-- Collations that are not as most: case is ignored, or \d knows the digits of all scripts (ICU). The default one has the
-- provider of the database, which PostgreSQL 14 cannot choose.
odd_collations AS (
    SELECT
        l.oid,
        jsonb_build_object(
            'deterministic', l.collisdeterministic,
            'ascii_digits', p.provider = 'c'
        ) AS collation
    FROM pg_collation l
    CROSS JOIN LATERAL (
        SELECT CASE l.collprovider
            WHEN 'd' THEN coalesce((
                SELECT to_jsonb(d) ->> 'datlocprovider'
                FROM pg_database d
                WHERE d.datname = current_database()), 'c')
            ELSE l.collprovider::text
        END AS provider
    ) p
    WHERE NOT l.collisdeterministic OR p.provider <> 'c'
),
described_columns AS (
    SELECT a.attrelid, jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'name', a.attname,
        'type_oid', a.atttypid::int8,
        'modifier', a.atttypmod,
        'collation', l.collation,
        'not_null', a.attnotnull
            -- declared and not yet true of all rows (PostgreSQL 18)
            AND NOT EXISTS (
                SELECT FROM pg_constraint k
                WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey[1] = a.attnum AND NOT k.convalidated)
            AND NOT EXISTS (
                SELECT FROM heirs h
                JOIN pg_attribute o ON o.attrelid = h.oid
                WHERE h.relation = a.attrelid AND o.attname = a.attname AND NOT o.attnotnull),
        'default', CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END,
        'generated', a.attgenerated <> '',
        'identity', nullif(a.attidentity, ''),
        'comment', col_description(a.attrelid, a.attnum),
        'readable', a.readable,
        'insertable', a.insertable,
        'updatable', a.updatable
    )) ORDER BY a.attnum) AS columns
    FROM used_columns a
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN odd_collations l ON l.oid = a.attcollation
    GROUP BY a.attrelid
)
SELECT jsonb_build_object(
    'tables', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'oid', c.oid::int8,
            'schema', n.nspname,
            'name', c.relname,
            'kind', c.relkind,
            'comment', obj_description(c.oid, 'pg_class'),
            'schema_usable', has_schema_privilege(n.oid, 'USAGE'),
            'permitted', $3 OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE'),
            'may_be_bound', c.relchecks > 0 OR EXISTS (
                SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
            'columns', coalesce(columns.columns, '[]'),
            'checks', coalesce((
                SELECT jsonb_agg(pg_get_expr(k.conbin, k.conrelid) ORDER BY k.conname)
                FROM pg_constraint k
                WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated
                  AND NOT (k.connoinherit AND EXISTS (SELECT FROM heirs h WHERE h.relation = c.oid))
            ), '[]'),
            'primary_key', coalesce((
                SELECT jsonb_agg(a.attname ORDER BY k.position)
                FROM pg_index i,
                     unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
                JOIN pg_attribute a ON a.attnum = k.attnum
                WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND k.position <= i.indnkeyatts
            ), '[]')
        ) ORDER BY c.relname)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN described_columns columns ON columns.attrelid = c.oid
        WHERE c.oid = ANY ($1)
    ), '[]'),
    'types', jsonb_build_object(
        'bytea_is_hex', current_setting('bytea_output') = 'hex',
        'by_oid', coalesce((
            SELECT jsonb_object_agg(t.oid::text, jsonb_strip_nulls(jsonb_build_object(
                'schema', s.nspname,
                'name', t.typname,
                'sql', format_type(t.oid, NULL),
                'kind', t.typtype,
                'element', CASE t.typsubscript
                    WHEN 'pg_catalog.array_subscript_handler'::regproc THEN t.typelem::int8
                END,
                'base', CASE t.typtype WHEN 'd' THEN jsonb_build_object(
                    'type_oid', t.typbasetype::int8, 'modifier', t.typtypmod) END,
                'not_null', t.typnotnull,
                'default', CASE t.typtype WHEN 'd' THEN pg_get_expr(t.typdefaultbin, 0) END,
                'checks', (
                    SELECT jsonb_agg(pg_get_expr(k.conbin, 0) ORDER BY k.conname)
                    FROM pg_constraint k
                    WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated),
                'labels', (
                    SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
                    FROM pg_enum e
                    WHERE e.enumtypid = t.oid),
                'attributes', (
                    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                        'name', a.attname,
                        'type_oid', a.atttypid::int8,
                        'modifier', a.atttypmod,
                        'collation', l.collation
                    )) ORDER BY a.attnum)
                    FROM pg_attribute a
                    LEFT JOIN odd_collations l ON l.oid = a.attcollation
                    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
                -- only those of types that came after PostgreSQL's own count (its json.c)
                'casts_to_json', t.oid >= 16384 AND EXISTS (
                    SELECT FROM pg_cast k
                    WHERE k.castsource = t.oid AND k.casttarget = 'pg_catalog.json'::regtype AND k.castmethod = 'f')
            )))
            FROM used_types u
            JOIN pg_type t ON t.oid = u.oid
            JOIN pg_namespace s ON s.oid = t.typnamespace
        ), '{}')
    )
)::text
