-- The function $2 of a row of the relation or composite type $1, of the first of the schemas $3 that has one.
SELECT jsonb_build_object(
    'schema', n.nspname,
    'name', p.proname,
    'class', CASE
        WHEN b.typname IN ('json', 'jsonb') AND b.typnamespace = 'pg_catalog'::regnamespace THEN 'json'
        WHEN b.typname = 'tsvector' AND b.typnamespace = 'pg_catalog'::regnamespace THEN 'tsvector'
        WHEN b.typtype = 'c' OR b.typcategory = 'A' THEN 'structured'
        ELSE 'scalar'
    END,
    'relation', (
        SELECT jsonb_build_object('schema', rn.nspname, 'name', r.relname)
        FROM pg_class r
        JOIN pg_namespace rn ON rn.oid = r.relnamespace
        WHERE r.oid = t.typrelid AND r.relkind IN ('r', 'p', 'v', 'm', 'f')),
    'returns_set', p.proretset,
    'returns_one', NOT p.proretset OR p.prorows = 1,
    'is_volatile', p.provolatile = 'v',
    'is_ambiguous', EXISTS (
        SELECT
        FROM pg_proc o
        WHERE o.pronamespace = n.oid AND o.proname = p.proname AND o.proargtypes[0] = c.reltype
          AND o.pronargs > 1 AND o.pronargs - o.pronargdefaults <= 1)
)::text
FROM unnest($3::name[]) WITH ORDINALITY s(name, position)
JOIN pg_namespace n ON n.nspname = s.name
JOIN pg_class c ON c.oid = $1::oid
JOIN pg_proc p
  ON p.pronamespace = n.oid AND p.proname = $2::name AND p.prokind = 'f'
 AND p.pronargs = 1 AND p.proargtypes[0] = c.reltype
JOIN pg_type t ON t.oid = p.prorettype
JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE p.prorettype NOT IN ('pg_catalog.void'::regtype, 'pg_catalog.record'::regtype)
ORDER BY s.position
LIMIT 1
