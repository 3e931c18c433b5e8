-- The routines $2 of the schema $1. Those that requests cannot call are there because PostgreSQL may take a call for one of them.
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'oid', p.oid::int8,
    'schema', n.nspname,
    'name', p.proname,
    'callable', p.prokind = 'f' AND p.prorettype NOT IN (
        'pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype),
    'volatile', p.provolatile = 'v',
    'returns_set', p.proretset,
    'media', CASE
        WHEN t.typtype = 'd' AND t.typname ~ '^([A-Za-z0-9.-]+/[A-Za-z0-9.+-]+|\*/\*)$' THEN lower(t.typname)
    END,
    'parameters', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'name', coalesce(a.name, ''),
            -- without a modifier: to SQL, character is character(1)
            'data_type', format_type(a.type, -1),
            'is_pseudo', (SELECT n.typtype = 'p' FROM pg_type n WHERE n.oid = a.type),
            'required', a.position <= p.pronargs - p.pronargdefaults,
            'variadic', p.provariadic <> 0 AND a.position = p.pronargs,
            'default', CASE WHEN p.provariadic <> 0
                THEN pg_get_function_arg_default(p.oid, a.ordinality::int4) END
        ) ORDER BY a.position)
        FROM (
            SELECT all_arguments.name, all_arguments.type, all_arguments.ordinality,
                   row_number() OVER (ORDER BY all_arguments.ordinality) AS position
            FROM ROWS FROM (
                unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])),
                unnest(p.proargnames),
                unnest(p.proargmodes)
            ) WITH ORDINALITY all_arguments(type, name, mode, ordinality)
            WHERE all_arguments.type IS NOT NULL AND coalesce(all_arguments.mode, 'i') IN ('i', 'b', 'v')
        ) a
    ), '[]'),
    'result', CASE
        WHEN p.prorettype = 'pg_catalog.void'::regtype THEN '{"kind": "void"}'::jsonb
        WHEN p.prorettype = 'restful.http_response'::regtype AND NOT p.proretset THEN '{"kind": "response"}'::jsonb
        WHEN b.typtype = 'c' THEN jsonb_build_object(
            'kind', 'composite',
            'relation', (
                SELECT jsonb_build_object('schema', cn.nspname, 'name', c.relname)
                FROM pg_class c JOIN pg_namespace cn ON cn.oid = c.relnamespace
                WHERE c.oid = b.typrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
            'row_type', b.typrelid::int8,
            'columns', coalesce((
                SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'class', CASE
                    WHEN a.atttypid IN ('pg_catalog.json'::regtype, 'pg_catalog.jsonb'::regtype) THEN 'json'
                    WHEN a.atttypid = 'pg_catalog.tsvector'::regtype THEN 'tsvector'
                    WHEN ct.typtype = 'c' OR ct.typcategory = 'A' THEN 'structured'
                    ELSE 'scalar' END) ORDER BY a.attnum)
                FROM pg_attribute a JOIN pg_type ct ON ct.oid = a.atttypid
                WHERE a.attrelid = b.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '[]'))
        WHEN p.proargmodes && '{o,b,t}'::"char"[] THEN jsonb_build_object(
            'kind', 'composite',
            'relation', NULL,
            'columns', coalesce((
                SELECT jsonb_agg(jsonb_build_object('name', coalesce(nullif(o.name, ''), 'column' || o.ordinality), 'class', CASE
                    WHEN o.type IN ('pg_catalog.json'::regtype, 'pg_catalog.jsonb'::regtype) THEN 'json'
                    WHEN o.type = 'pg_catalog.tsvector'::regtype THEN 'tsvector'
                    WHEN ot.typtype = 'c' OR ot.typcategory = 'A' THEN 'structured'
                    ELSE 'scalar' END) ORDER BY o.ordinality)
                FROM ROWS FROM (
                    unnest(p.proallargtypes), unnest(p.proargnames), unnest(p.proargmodes)
                ) WITH ORDINALITY o(type, name, mode, ordinality)
                JOIN pg_type ot ON ot.oid = o.type
                WHERE o.mode IN ('o', 'b', 't')), '[]'))
        WHEN p.prorettype = 'pg_catalog.record'::regtype THEN '{"kind": "record"}'::jsonb
        ELSE '{"kind": "scalar"}'::jsonb
    END
) ORDER BY p.oid), '[]')::text
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_type t ON t.oid = p.prorettype
JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE n.nspname = $1::name AND p.proname = $2::name
