-- The role ($1) that looks for rows, if the current user may execute restful.explain_access.
SELECT r.oid::int8
FROM pg_roles r
WHERE r.rolname = $1 AND r.rolbypassrls AND NOT r.rolsuper
  AND has_function_privilege('restful.explain_access(regclass, text, name, jsonb, jsonb, jsonb)', 'EXECUTE')
