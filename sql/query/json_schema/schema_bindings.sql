-- What may bind a schema to the relation $1: its CHECK constraints, and the triggers of restful.enforce_schema.
SELECT jsonb_agg(b.binding ORDER BY b.name)::text
FROM (
    SELECT c.conname AS name, jsonb_build_object(
        'means', 'check',
        'name', c.conname,
        'expression', c.conbin::text,
        -- a column of PostgreSQL 18
        'enforced', coalesce(to_jsonb(c) -> 'conenforced', 'true')
    ) AS binding
    FROM pg_constraint c
    WHERE c.conrelid = $1::oid AND c.contype = 'c'
    UNION ALL
    SELECT t.tgname, jsonb_build_object(
        'means', 'trigger',
        'name', t.tgname,
        'expression', t.tgqual::text,
        'arguments', encode(t.tgargs, 'hex'),
        'enforced', t.tgenabled = ANY ('{O,A}'::"char"[])
    )
    FROM pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE t.tgrelid = $1::oid
      AND n.nspname = 'restful'
      AND p.proname = 'enforce_schema'
) b
