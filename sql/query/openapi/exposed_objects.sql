-- What the description of an API tells of the schema $1: the relations and functions that the role may use, or all of them if
-- $2. What relations' columns and types are is told by schema_of.sql.
SELECT jsonb_build_object(
    'schema', n.nspname,
    'comment', obj_description(n.oid, 'pg_namespace'),
    'relations', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'oid', c.oid::int8,
            'readable', rights.to_select,
            'insertable', rights.to_insert AND events.events & 8 <> 0,
            'updatable', rights.to_update AND events.events & 4 <> 0,
            'deletable', rights.to_delete AND events.events & 16 <> 0,
            'foreign_keys', coalesce((
                SELECT jsonb_agg(jsonb_build_object(
                    'column', a.attname, 'table', r.relname, 'referenced', ra.attname) ORDER BY k.conname)
                FROM pg_constraint k
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
                JOIN pg_class r ON r.oid = k.confrelid
                JOIN pg_attribute ra ON ra.attrelid = k.confrelid AND ra.attnum = k.confkey[1]
                WHERE k.conrelid = c.oid AND k.contype = 'f' AND cardinality(k.conkey) = 1
                  AND r.relnamespace = n.oid AND NOT r.relispartition
                  AND ($2 OR has_column_privilege(ra.attrelid, ra.attnum, 'SELECT'))
            ), '[]')
        ))
        FROM pg_class c
        CROSS JOIN LATERAL (
            SELECT
                $2 OR has_any_column_privilege(c.oid, 'SELECT') AS to_select,
                $2 OR has_any_column_privilege(c.oid, 'INSERT') AS to_insert,
                $2 OR has_any_column_privilege(c.oid, 'UPDATE') AS to_update,
                $2 OR has_table_privilege(c.oid, 'DELETE') AS to_delete
            OFFSET 0
        ) rights
        CROSS JOIN LATERAL (
            SELECT CASE WHEN rights.to_insert OR rights.to_update OR rights.to_delete
                THEN pg_relation_is_updatable(c.oid, true) ELSE 0 END AS events
            OFFSET 0
        ) events
        WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
          AND (rights.to_select OR rights.to_insert OR rights.to_update OR rights.to_delete)
    ), '[]'),
    'functions', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'oid', p.oid::int8,
            'name', p.proname,
            'is_exposed', p.pronamespace = n.oid,
            'comment', obj_description(p.oid, 'pg_proc'),
            'volatile', p.provolatile = 'v',
            'returns_set', p.proretset,
            'parameters', arguments.parameters,
            'result', p.prorettype::int8,
            'columns', arguments.columns,
            'relation', (
                SELECT c.oid::int8
                FROM pg_type t
                JOIN pg_class c ON c.oid = t.typrelid
                WHERE t.oid = p.prorettype AND c.relkind <> 'c')
        ) ORDER BY p.proname, p.oid)
        FROM pg_proc p
        CROSS JOIN LATERAL (
            SELECT
                coalesce(jsonb_agg(jsonb_build_object(
                    'name', a.name,
                    'type_oid', a.type::int8,
                    'required', a.input_position <= p.pronargs - p.pronargdefaults,
                    'variadic', a.mode = 'v'
                ) ORDER BY a.position) FILTER (WHERE a.is_input), '[]') AS parameters,
                coalesce(jsonb_agg(jsonb_build_object(
                    'name', coalesce(nullif(a.name, ''), 'column' || a.position),
                    'type_oid', a.type::int8
                ) ORDER BY a.position) FILTER (WHERE a.mode IN ('o', 'b', 't')), '[]') AS columns,
                count(*) FILTER (WHERE a.is_input) AS inputs,
                count(*) FILTER (WHERE a.is_input AND a.name = '') AS unnamed,
                bool_and(a.type = ANY (
                    '{json,jsonb,text,xml,bytea}'::regtype[]::oid[])) FILTER (WHERE a.is_input) AS whole
            FROM (
                SELECT e.type, coalesce(e.name, '') AS name, coalesce(e.mode, 'i') AS mode, e.position,
                       coalesce(e.mode, 'i') IN ('i', 'b', 'v') AS is_input,
                       count(*) FILTER (WHERE coalesce(e.mode, 'i') IN ('i', 'b', 'v'))
                           OVER (ORDER BY e.position) AS input_position
                FROM ROWS FROM (
                    unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])),
                    unnest(p.proargnames),
                    unnest(p.proargmodes)
                ) WITH ORDINALITY e(type, name, mode, position)
                WHERE e.type IS NOT NULL
            ) a
        ) arguments
        WHERE (p.pronamespace = n.oid OR p.oid = ANY ($3::oid[]) AND ($2 OR has_schema_privilege(p.pronamespace, 'USAGE'))) AND p.prokind = 'f'
          AND p.prorettype <> 'pg_catalog.trigger'::regtype
          AND p.prorettype <> 'pg_catalog.event_trigger'::regtype
          -- an argument without a name can only be the whole body
          AND (arguments.unnamed = 0 OR arguments.inputs = 1 AND arguments.whole)
          AND ($2 OR has_function_privilege(p.oid, 'EXECUTE'))
    ), '[]')
)::text
FROM pg_namespace n
WHERE n.nspname = $1::name AND ($2 OR has_schema_privilege(n.oid, 'USAGE'))
