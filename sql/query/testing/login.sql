-- The role of requests without identity, and the settings that the role of the HTTP layer has and this session does not. If several
-- roles are those of HTTP layers, none counts.
WITH logins AS (
    SELECT s.role, s.value, count(*) OVER () AS number
    FROM restful.lint_role_settings() s
    JOIN pg_roles r ON r.oid = s.role
    WHERE s.name = 'restful.anon_role' AND s.value <> '' AND r.rolcanlogin
)
SELECT json_build_object(
    'anon_role', coalesce(
        nullif(current_setting('restful.anon_role', true), ''),
        (SELECT l.value FROM logins l WHERE l.number = 1)),
    'settings', coalesce((
        SELECT json_agg(json_build_array(s.name, s.value) ORDER BY s.name)
        FROM logins l
        JOIN restful.lint_role_settings() s ON s.role = l.role
        JOIN pg_settings g ON g.name = s.name
        WHERE l.number = 1 AND s.name LIKE 'restful.%' AND s.name <> 'restful.anon_role' AND g.source = 'default'), '[]'))
