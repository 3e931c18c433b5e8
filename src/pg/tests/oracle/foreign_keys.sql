-- Foreign keys of a table by pg_constraint's index on conrelid; those that refer to it by the triggers that enforce
-- them there (pg_constraint has no index on confrelid).
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'name', f.conname,
    'tables', jsonb_build_array(f.conrelid::int8, f.confrelid::int8),
    'table', jsonb_build_object('schema', tn.nspname, 'name', t.relname),
    'columns', (
        SELECT jsonb_agg(a.attname ORDER BY k.position)
        FROM unnest(f.conkey) WITH ORDINALITY k(attnum, position)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
    'referenced_table', jsonb_build_object('schema', rn.nspname, 'name', r.relname),
    'referenced_columns', (
        SELECT jsonb_agg(a.attname ORDER BY k.position)
        FROM unnest(f.confkey) WITH ORDINALITY k(attnum, position)
        JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum),
    'unique', EXISTS (
        SELECT FROM pg_index i
        WHERE i.indrelid = f.conrelid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
          AND i.indnkeyatts = cardinality(f.conkey)
          AND (i.indkey::int2[])[0 : i.indnkeyatts - 1] <@ f.conkey)
) ORDER BY f.conname, f.oid), '[]')::text
FROM (
    SELECT o.oid FROM pg_constraint o WHERE o.conrelid = $1::oid AND o.contype = 'f'
    UNION
    SELECT g.tgconstraint FROM pg_trigger g WHERE g.tgrelid = $1::oid AND g.tgconstraint <> 0
) found
JOIN pg_constraint f ON f.oid = found.oid
JOIN pg_class t ON t.oid = f.conrelid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_class r ON r.oid = f.confrelid
JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE f.contype = 'f'
  -- Of a partitioned table's key, each partition has a copy: the one on the named table is meant. A key that refers to a
  -- partitioned table has a copy for each partition, too: they are one key.
  AND (f.conparentid = 0 OR f.conrelid = $1::oid AND NOT EXISTS (
      SELECT FROM pg_constraint o WHERE o.oid = f.conparentid AND o.conrelid = f.conrelid))
