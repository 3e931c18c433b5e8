-- The routines $2 of the schema $1. Those that requests cannot call are there because PostgreSQL may take a call for one of them.
SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
    'oid', p.oid::pg_catalog.int8,
    'schema', n.nspname,
    'name', p.proname,
    'callable', p.prokind = 'f' AND p.prorettype NOT IN (
        'pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype),
    'volatile', p.provolatile = 'v',
    'returns_set', p.proretset,
    'media', CASE
        WHEN t.typtype = 'd' AND t.typname ~ '^([A-Za-z0-9.-]+/[A-Za-z0-9.+-]+|\*/\*)$' THEN pg_catalog.lower(t.typname)
    END,
    'parameters', coalesce((
        SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', coalesce(a.name, ''),
            -- without a modifier: to SQL, character is character(1)
            'data_type', pg_catalog.format_type(a.type, -1),
            'is_pseudo', (SELECT n.typtype = 'p' FROM pg_catalog.pg_type n WHERE n.oid = a.type),
            'required', a.position <= p.pronargs - p.pronargdefaults,
            'variadic', p.provariadic <> 0 AND a.position = p.pronargs,
            'default', CASE WHEN p.provariadic <> 0
                THEN pg_catalog.pg_get_function_arg_default(p.oid, a.ordinality::pg_catalog.int4) END
        ) ORDER BY a.position)
        FROM (
            SELECT all_arguments.name, all_arguments.type, all_arguments.ordinality,
                   pg_catalog.row_number() OVER (ORDER BY all_arguments.ordinality) AS position
            FROM ROWS FROM (
                pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[])),
                pg_catalog.unnest(p.proargnames),
                pg_catalog.unnest(p.proargmodes)
            ) WITH ORDINALITY all_arguments(type, name, mode, ordinality)
            WHERE all_arguments.type IS NOT NULL AND coalesce(all_arguments.mode, 'i') IN ('i', 'b', 'v')
        ) a
    ), '[]'),
    'result', CASE
        WHEN p.prorettype = 'pg_catalog.void'::pg_catalog.regtype THEN '{"kind": "void"}'::pg_catalog.jsonb
        WHEN b.typtype = 'c' THEN pg_catalog.jsonb_build_object(
            'kind', 'composite',
            'relation', (
                SELECT pg_catalog.jsonb_build_object('schema', cn.nspname, 'name', c.relname)
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
                WHERE c.oid = b.typrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
            'row_type', b.typrelid::pg_catalog.int8,
            'columns', coalesce((
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', a.attname, 'class', CASE
                    WHEN a.atttypid IN ('pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.jsonb'::pg_catalog.regtype) THEN 'json'
                    WHEN a.atttypid = 'pg_catalog.tsvector'::pg_catalog.regtype THEN 'tsvector'
                    WHEN ct.typtype = 'c' OR ct.typcategory = 'A' THEN 'structured'
                    ELSE 'scalar' END) ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type ct ON ct.oid = a.atttypid
                WHERE a.attrelid = b.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '[]'))
        WHEN p.proargmodes && '{o,b,t}'::pg_catalog."char"[] THEN pg_catalog.jsonb_build_object(
            'kind', 'composite',
            'relation', NULL,
            'columns', coalesce((
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', coalesce(nullif(o.name, ''), 'column' || o.ordinality), 'class', CASE
                    WHEN o.type IN ('pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.jsonb'::pg_catalog.regtype) THEN 'json'
                    WHEN o.type = 'pg_catalog.tsvector'::pg_catalog.regtype THEN 'tsvector'
                    WHEN ot.typtype = 'c' OR ot.typcategory = 'A' THEN 'structured'
                    ELSE 'scalar' END) ORDER BY o.ordinality)
                FROM ROWS FROM (
                    pg_catalog.unnest(p.proallargtypes), pg_catalog.unnest(p.proargnames), pg_catalog.unnest(p.proargmodes)
                ) WITH ORDINALITY o(type, name, mode, ordinality)
                JOIN pg_catalog.pg_type ot ON ot.oid = o.type
                WHERE o.mode IN ('o', 'b', 't')), '[]'))
        WHEN p.prorettype = 'pg_catalog.record'::pg_catalog.regtype THEN '{"kind": "record"}'::pg_catalog.jsonb
        ELSE '{"kind": "scalar"}'::pg_catalog.jsonb
    END
) ORDER BY p.oid), '[]')::pg_catalog.text
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_type t ON t.oid = p.prorettype
JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE n.nspname = $1::pg_catalog.name AND p.proname = $2::pg_catalog.name
