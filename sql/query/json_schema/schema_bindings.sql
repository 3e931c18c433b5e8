-- What may bind a schema to the relation $1: its CHECK constraints, and the triggers of restful.enforce_schema.
SELECT pg_catalog.jsonb_agg(b.binding ORDER BY b.name)::pg_catalog.text
FROM (
    SELECT c.conname AS name, pg_catalog.jsonb_build_object(
        'means', 'check',
        'name', c.conname,
        'expression', c.conbin::pg_catalog.text,
        -- a column of PostgreSQL 18
        'enforced', coalesce(pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->) 'conenforced', 'true')
    ) AS binding
    FROM pg_catalog.pg_constraint c
    WHERE c.conrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND c.contype OPERATOR(pg_catalog.=) 'c'
    UNION ALL
    SELECT t.tgname, pg_catalog.jsonb_build_object(
        'means', 'trigger',
        'name', t.tgname,
        'expression', t.tgqual::pg_catalog.text,
        'arguments', pg_catalog.encode(t.tgargs, 'hex'),
        'enforced', t.tgenabled OPERATOR(pg_catalog.=) ANY ('{O,A}'::pg_catalog."char"[])
    )
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) t.tgfoid
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
    WHERE t.tgrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
      AND n.nspname OPERATOR(pg_catalog.=) 'restful'
      AND p.proname OPERATOR(pg_catalog.=) 'enforce_schema'
) b
