-- The deferrable constraints: whether there are any, whether checking one may run code of users, and which are initially deferred.
SELECT jsonb_build_object(
    'any', count(*) > 0,
    'runs_user_code', coalesce(bool_or(c.contype <> 'f'), false),
    'initially_deferred', coalesce(jsonb_agg(DISTINCT jsonb_build_array(n.nspname, c.conname)) FILTER (
        WHERE c.condeferred
          -- SET CONSTRAINTS names them: one that is not deferred must not have the same name, nor may its session drop one meanwhile
          AND NOT pg_is_other_temp_schema(n.oid)
          AND NOT EXISTS (
              SELECT FROM pg_constraint o
              WHERE o.connamespace = c.connamespace AND o.conname = c.conname AND NOT o.condeferred)), '[]'))::text
FROM pg_constraint c
JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.condeferrable
