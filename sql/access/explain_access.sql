-- Who may do what, and why.

CREATE FUNCTION restful.access_matrix(schemas text[] DEFAULT NULL, roles text[] DEFAULT NULL)
RETURNS TABLE (
    relation regclass, role name, command text, granted boolean, policies text[], columns name[],
    restrictive text[], rows text, why text
)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
WITH exposed AS (
    SELECT DISTINCT s.name FROM unnest(coalesce(access_matrix.schemas, restful.exposed_schemas())) AS s (name)
), relations AS (
    SELECT c.oid, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relnamespace, c.relispartition,
        coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'security_invoker'), false)
            AS invoker
    FROM exposed e
    JOIN pg_namespace n ON n.nspname = e.name
    JOIN pg_class c ON c.relnamespace = n.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
), asked AS (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolbypassrls
    FROM pg_roles r
    WHERE CASE WHEN access_matrix.roles IS NULL THEN r.rolname NOT LIKE 'pg\_%' ELSE r.rolname = ANY (access_matrix.roles) END
), cells AS (
    SELECT c.oid AS relation, c.relkind, c.invoker, c.relowner, a.rolname, v.command,
        has_schema_privilege(a.oid, c.relnamespace, 'USAGE') AS usable,
        has_table_privilege(a.oid, c.oid, v.command) AS whole,
        k.columns,
        CASE
            WHEN v.command = 'TRUNCATE' THEN 'policies do not apply to TRUNCATE'
            WHEN c.relkind IN ('v', 'm', 'f') OR NOT c.relrowsecurity THEN CASE
                WHEN c.relkind = 'v' AND c.invoker THEN 'view that reads as its caller'
                WHEN c.relkind = 'v' THEN 'view that reads as ' || pg_get_userbyid(c.relowner)
                WHEN c.relkind = 'm' THEN 'materialized views have no row-level security'
                WHEN c.relkind = 'f' THEN 'foreign tables have no row-level security'
                WHEN p.names IS NOT NULL THEN 'partition without row-level security, that of ' || p.names || ' does not apply'
                ELSE 'row-level security is not enabled' END
            WHEN a.rolsuper THEN 'superuser'
            WHEN a.rolbypassrls THEN 'BYPASSRLS'
            WHEN pg_has_role(a.oid, c.relowner, 'USAGE') AND NOT c.relforcerowsecurity THEN 'owner, row-level security is not forced'
        END AS unprotected,
        q.permissive, q.restrictive
    FROM relations c
    CROSS JOIN asked a
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS v (command)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN v.command IN ('SELECT', 'INSERT', 'UPDATE') THEN array(
            SELECT t.attname FROM pg_attribute t
            WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
              AND has_column_privilege(a.oid, c.oid, t.attnum, v.command)
            ORDER BY t.attnum) END) AS k (columns)
    CROSS JOIN LATERAL (
        SELECT string_agg(l.relid::text, ', ')
        FROM pg_partition_ancestors(c.oid) l
        JOIN pg_class g ON g.oid = l.relid
        WHERE c.relispartition AND l.relid <> c.oid AND g.relrowsecurity) AS p (names)
    CROSS JOIN LATERAL (
        SELECT array_agg(o.polname::text ORDER BY o.polname) FILTER (WHERE o.polpermissive),
            array_agg(o.polname::text ORDER BY o.polname) FILTER (WHERE NOT o.polpermissive)
        FROM pg_policy o
        WHERE o.polrelid = c.oid
          AND o.polcmd IN ('*', CASE v.command WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' WHEN 'DELETE' THEN 'd' END)
          AND EXISTS (
              SELECT FROM unnest(o.polroles) AS u (oid)
              WHERE CASE u.oid WHEN 0 THEN true ELSE pg_has_role(a.oid, u.oid, 'USAGE') END)) AS q (permissive, restrictive)
    WHERE v.command <> 'TRUNCATE' OR c.relkind IN ('r', 'p', 'f')
)
SELECT c.relation::regclass, c.rolname, c.command, g.granted,
    CASE WHEN c.unprotected IS NULL THEN coalesce(c.permissive, '{}') END,
    c.columns,
    CASE WHEN c.unprotected IS NULL THEN coalesce(c.restrictive, '{}') END,
    CASE
        WHEN NOT g.granted THEN 'none'
        WHEN c.relkind = 'v' THEN 'of the view'
        WHEN c.unprotected IS NOT NULL THEN 'all'
        WHEN c.permissive IS NULL THEN 'none'
        ELSE 'by policy'
    END,
    CASE
        WHEN NOT c.usable THEN 'no USAGE on the schema'
        WHEN NOT g.granted THEN 'no ' || c.command || ' privilege'
        WHEN c.unprotected IS NOT NULL THEN c.unprotected
        WHEN c.permissive IS NULL THEN 'no permissive policy for ' || c.command
        ELSE 'row-level security'
    END
FROM cells c
CROSS JOIN LATERAL (
    SELECT c.usable AND (c.whole OR coalesce(cardinality(c.columns), 0) > 0)) AS g (granted)
ORDER BY c.relation::regclass::text, c.rolname, array_position('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}', c.command)
$function$;
COMMENT ON FUNCTION restful.access_matrix(text[], text[]) IS
    'For each relation, role and command: whether it is granted, on which columns, which rows it reaches (all, none, by policy, of the view), through which permissive and restrictive policies, and why; by default for the exposed schemas and all roles except PostgreSQL''s own';

-- PARALLEL UNSAFE: a frame is a subtransaction. VOLATILE: policies may call functions that are.
CREATE FUNCTION restful.explain_access(
    rel regclass, command text, role name, claims jsonb DEFAULT '{}', key jsonb DEFAULT NULL, new_row jsonb DEFAULT NULL
) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_explain_access';
COMMENT ON FUNCTION restful.explain_access(regclass, text, name, jsonb, jsonb, jsonb) IS
    'Why a role with these claims can or cannot SELECT, INSERT, UPDATE or DELETE one row: the row that key names, as the caller sees it, and the values to be written; each policy with its value, and the verdict. INSERT may be followed by ON CONFLICT DO NOTHING or DO UPDATE, and by RETURNING';

CREATE FUNCTION restful.explain_access_text(
    rel regclass, command text, role name, claims jsonb DEFAULT '{}', key jsonb DEFAULT NULL, new_row jsonb DEFAULT NULL
) RETURNS TABLE (explanation text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'restful_explain_access_text';
COMMENT ON FUNCTION restful.explain_access_text(regclass, text, name, jsonb, jsonb, jsonb) IS
    'Like restful.explain_access, but as lines of text';
