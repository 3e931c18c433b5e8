-- A role ($1), and whether it is one that requests run as: a login role that is an HTTP layer may take it.
SELECT json_build_object(
    'oid', r.oid::int8,
    'is_of_requests', r.rolname NOT LIKE 'pg\_%' AND EXISTS (
        SELECT
        FROM pg_db_role_setting s
        JOIN pg_roles l ON l.oid = s.setrole
        CROSS JOIN LATERAL unnest(s.setconfig) AS c (setting)
        WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
          AND lower(split_part(c.setting, '=', 1)) = 'restful.anon_role'
          AND NOT l.rolsuper
          AND pg_has_role(l.oid, r.oid,
              CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)))
FROM pg_roles r
WHERE r.rolname = $1
