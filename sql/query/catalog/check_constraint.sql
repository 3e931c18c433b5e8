-- The columns, the rule and the comment of a check constraint ($3) of a table ($1, $2), if the current user may read them.
SELECT json_build_object(
    'columns', array(
        SELECT a.attname FROM pg_attribute a
        WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
        ORDER BY a.attnum),
    'rule', pg_get_constraintdef(c.oid),
    'comment', obj_description(c.oid, 'pg_constraint'))
FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname = $1 AND r.relname = $2 AND c.conname = $3 AND c.contype = 'c'
  AND NOT EXISTS (
      SELECT FROM pg_attribute a
      WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
        AND NOT has_column_privilege(c.conrelid, a.attnum, 'SELECT')
        AND NOT has_column_privilege(c.conrelid, a.attnum, 'INSERT')
        AND NOT has_column_privilege(c.conrelid, a.attnum, 'UPDATE'))
