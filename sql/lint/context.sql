-- What lints look at: which roles requests run as, what of the exposed schemas they reach, what policies say. All of it reads the
-- catalogue alone, which everybody may read, with the caller's rights.

CREATE FUNCTION restful.lint_names(list text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 3 SET search_path = pg_catalog, pg_temp AS $lint_names$
    SELECT unnest(restful.setting_names(list))
$lint_names$;
COMMENT ON FUNCTION restful.lint_names(text) IS
    'Internal: the names in a list like search_path: separated by commas, in double quotes or folded to lower case';

CREATE FUNCTION restful.lint_role_settings() RETURNS TABLE (role oid, name text, value text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_role_settings$
    SELECT DISTINCT ON (s.setrole, n.name) s.setrole, n.name, substr(item, strpos(item, '=') + 1)
    FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) item,
        LATERAL (SELECT lower(split_part(item, '=', 1))) n (name)
    WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
    -- what is said for the database prevails
    ORDER BY s.setrole, n.name, s.setdatabase DESC
$lint_role_settings$;
COMMENT ON FUNCTION restful.lint_role_settings() IS
    'Internal: the settings that ALTER ROLE and ALTER DATABASE give to sessions of this database; role 0: to all roles';

CREATE FUNCTION restful.lint_authenticators() RETURNS TABLE (role oid, name name)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_authenticators$
    SELECT r.oid, r.rolname
    FROM pg_catalog.pg_roles r
    WHERE r.rolcanlogin
      AND (EXISTS (
              SELECT FROM restful.lint_role_settings() s
              WHERE s.role = r.oid AND s.name = 'restful.anon_role' AND s.value <> '')
          OR r.rolname IN (
              SELECT n FROM restful.lint_role_settings() s, restful.lint_names(s.value) n
              WHERE s.name = 'restful.trusted_authenticators'
              UNION ALL
              SELECT restful.lint_names(current_setting('restful.trusted_authenticators', true))))
$lint_authenticators$;
COMMENT ON FUNCTION restful.lint_authenticators() IS
    'Internal: the roles that HTTP layers log in as: those with restful.anon_role, and those in restful.trusted_authenticators';

CREATE FUNCTION restful.lint_api_roles() RETURNS TABLE (role oid, name name)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_api_roles$
    WITH RECURSIVE taken (role) AS (
        SELECT a.role FROM restful.lint_authenticators() a
        UNION
        SELECT m.roleid
        FROM taken t
        JOIN pg_catalog.pg_auth_members m ON m.member = t.role
        -- the column is there from PostgreSQL 16 on
        WHERE coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
    )
    SELECT r.oid, r.rolname
    FROM pg_catalog.pg_roles r
    WHERE (r.oid IN (SELECT t.role FROM taken t EXCEPT SELECT a.role FROM restful.lint_authenticators() a)
          -- also behind a prefix, as web_anon
          OR r.rolname ~ '(^|_)(anon|anonymous|authenticated)$'
          OR r.rolname IN (SELECT s.value FROM restful.lint_role_settings() s WHERE s.name = 'restful.anon_role')
          OR r.rolname = current_setting('restful.anon_role', true))
      -- No policy and no missing grant holds these; that they can be taken at all is a finding of its own.
      AND NOT r.rolsuper AND NOT r.rolbypassrls AND r.rolname !~ '^pg_'
$lint_api_roles$;
COMMENT ON FUNCTION restful.lint_api_roles() IS
    'Internal: the roles that requests of strangers run as: those that an HTTP layer''s role may take, and those named anon, anonymous or authenticated, also with a prefix (web_anon); without superusers and roles with BYPASSRLS';

CREATE FUNCTION restful.lint_grantees() RETURNS TABLE (role oid, name text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_grantees$
    SELECT 0::oid, 'PUBLIC'
    UNION ALL
    SELECT r.oid, quote_ident(r.rolname)
    FROM pg_catalog.pg_roles r
    WHERE EXISTS (SELECT FROM restful.lint_api_roles() a WHERE pg_has_role(a.role, r.oid, 'USAGE'))
$lint_grantees$;
COMMENT ON FUNCTION restful.lint_grantees() IS
    'Internal: the roles whose grants apply to strangers: PUBLIC (0), the roles of lint_api_roles(), and the roles that these inherit from';

CREATE FUNCTION restful.lint_schemas() RETURNS SETOF name
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 3 SET search_path = pg_catalog, pg_temp AS $lint_schemas$
    WITH of_authenticators (list) AS (
        -- in the order in which they prevail at login
        SELECT coalesce(
            (SELECT s.value FROM restful.lint_role_settings() s WHERE s.role = a.role AND s.name = 'restful.schemas'),
            (SELECT s.value FROM restful.lint_role_settings() s WHERE s.role = 0 AND s.name = 'restful.schemas'))
        FROM restful.lint_authenticators() a
    ), lists (list) AS (
        SELECT o.list FROM of_authenticators o
        UNION
        -- The default says nothing when those who serve requests have a setting of their own.
        SELECT coalesce(current_setting('restful.schemas', true), 'public')
        WHERE coalesce(current_setting('restful.schemas', true), 'public') <> 'public'
           OR NOT EXISTS (SELECT FROM of_authenticators o WHERE o.list IS NOT NULL)
    )
    SELECT DISTINCT n.nspname
    FROM lists l, unnest(restful.exposed_schemas(l.list)) listed, pg_catalog.pg_namespace n
    WHERE n.nspname = listed AND l.list IS NOT NULL
    UNION
    SELECT v.schema FROM restful.api_version v JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema
$lint_schemas$;
COMMENT ON FUNCTION restful.lint_schemas() IS
    'Internal: the schemas that lint() examines by default: restful.schemas of this session and of the roles that HTTP layers log in as, and the versions of the API';

-- `reached`: an API role may do something to its rows; `readable`: read a column of them.
CREATE FUNCTION restful.lint_relations(schemas text[])
    RETURNS TABLE (relation oid, object text, kind "char", owner oid, rls boolean, forced boolean, reached boolean, readable boolean)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_relations$
    WITH roles (role) AS MATERIALIZED (
        SELECT a.role FROM restful.lint_api_roles() a
        UNION ALL
        SELECT 0::oid -- PUBLIC
    ), used (schema, role) AS MATERIALIZED (
        SELECT n.oid, r.role
        FROM pg_catalog.pg_namespace n, roles r
        WHERE n.nspname = ANY (schemas)
          AND has_schema_privilege(r.role, n.oid, 'USAGE')
    )
    SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
        may.reach, may.read
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (
            SELECT coalesce(bool_or(p.read), false),
                coalesce(bool_or(p.read OR has_table_privilege(u.role, c.oid, 'DELETE')
                    OR has_any_column_privilege(u.role, c.oid, 'INSERT, UPDATE')), false)
            FROM used u, LATERAL (SELECT has_any_column_privilege(u.role, c.oid, 'SELECT')) p (read)
            WHERE u.schema = c.relnamespace
        ) may (read, reach)
    WHERE n.nspname = ANY (schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      -- What an extension brings along is its author's.
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
$lint_relations$;
COMMENT ON FUNCTION restful.lint_relations(text[]) IS
    'Internal: tables and views of the schemas, and whether strangers reach (readable: read) them by their grants';

CREATE FUNCTION restful.lint_grants(schemas text[])
    RETURNS TABLE (relation oid, object text, kind "char", attribute smallint, grantee text, privilege text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_grants$
    WITH grantees AS MATERIALIZED (SELECT g.role, g.name FROM restful.lint_grantees() g)
    SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, held.attribute, g.name, held.privilege
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (
            SELECT 0::smallint, a.grantee, a.privilege_type FROM aclexplode(c.relacl) a
            UNION ALL
            SELECT t.attnum, a.grantee, a.privilege_type
            FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
            WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped AND t.attacl IS NOT NULL
        ) held (attribute, grantee, privilege)
    JOIN grantees g ON g.role = held.grantee
    WHERE n.nspname = ANY (schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND held.grantee <> c.relowner
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
$lint_grants$;
COMMENT ON FUNCTION restful.lint_grants(text[]) IS
    'Internal: what strangers are granted on tables and views of the schemas, and on their columns (attribute; 0 for the whole relation)';

CREATE FUNCTION restful.lint_columns(relation oid, columns smallint[]) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_columns$
    SELECT concat('(?<![\w."$:])(?:',
        '(?:' || (
            SELECT string_agg(regexp_replace(restful.lint_masked(quote_ident(a.attname)), '([^\w])', '\\\1', 'g'), '|')
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = relation AND a.attnum = ANY (columns)
        ) || ')(?![\w"$(.])|',
        regexp_replace(restful.lint_masked(quote_ident(c.relname)), '([^\w])', '\\\1', 'g'), '\.)')
    FROM pg_catalog.pg_class c
    WHERE c.oid = relation
$lint_columns$;
COMMENT ON FUNCTION restful.lint_columns(oid, smallint[]) IS
    'Internal: a regular expression for these columns of a table in an expression that lint_masked() gave';

-- Policies as they are written. `columns` is a regular expression for a column of the policy's table in an expression that
-- lint_masked() gave; `stable` are the functions called that give the same result throughout a statement, `asking` those with
-- arguments that look something up with more than the caller's rights, `subjects` those that tell who asks; names as they are printed.
CREATE FUNCTION restful.lint_policies(schemas text[]) RETURNS TABLE (
        policy oid, relation oid, object text, on_table text, name name, command "char", permissive boolean, roles oid[],
        to_strangers boolean, "using" text, "check" text, columns text, stable text[], asking text[], subjects text[])
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_policies$
    WITH api AS MATERIALIZED (SELECT a.role FROM restful.lint_api_roles() a)
    SELECT p.oid, c.oid, format('%I ON %I.%I', p.polname, n.nspname, c.relname), format('%I.%I', n.nspname, c.relname), p.polname,
        p.polcmd, p.polpermissive, p.polroles,
        0 = ANY (p.polroles) OR EXISTS (SELECT FROM api, unnest(p.polroles) r WHERE pg_has_role(api.role, r, 'USAGE')),
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
        used.columns, calls.stable, calls.asking, calls.subjects
    FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (
            SELECT restful.lint_columns(c.oid, ARRAY(
                SELECT d.refobjsubid::smallint FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid
                  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid <> 0))
        ) used (columns),
        LATERAL (
            SELECT coalesce(array_agg(format('%I.%I', fn.nspname, f.proname)) FILTER (WHERE f.provolatile = 's'), '{}'),
                coalesce(array_agg(format('%I.%I', fn.nspname, f.proname))
                    FILTER (WHERE f.pronargs > 0 AND (f.prosecdef OR fn.nspname = 'restful')), '{}'),
                -- the extension's, Supabase's and Neon's; and functions of users' own that hand on what one of these says
                coalesce(array_agg(format('%I.%I', fn.nspname, f.proname)) FILTER (WHERE fn.nspname IN ('restful', 'auth')
                    OR f.pronargs = 0 AND l.lanname IN ('sql', 'plpgsql') AND coalesce(pg_get_function_sqlbody(f.oid), f.prosrc)
                        ~* '\mrequest\.jwt|\m(restful\.(uid|user_id|email|jwt|claims?|tenant_id)|auth\.(uid|user_id|email|jwt|session))\M'), '{}')
                    || '{current_setting}'
            FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_proc f ON f.oid = d.refobjid
            JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
            JOIN pg_catalog.pg_language l ON l.oid = f.prolang
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid
              AND d.refclassid = 'pg_catalog.pg_proc'::regclass AND NOT f.proretset
        ) calls (stable, asking, subjects)
    WHERE n.nspname = ANY (schemas)
$lint_policies$;
COMMENT ON FUNCTION restful.lint_policies(text[]) IS 'Internal: the policies on tables of the schemas, as they are written';

CREATE FUNCTION restful.lint_has_sub_select(policy oid) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_has_sub_select$
    SELECT concat(p.polqual::text, p.polwithcheck::text) ~ '(?<!\\)\{SUBLINK ' FROM pg_catalog.pg_policy p WHERE p.oid = policy
$lint_has_sub_select$;
COMMENT ON FUNCTION restful.lint_has_sub_select(oid) IS 'Internal: whether there is a sub-select in the expressions of a policy';

CREATE FUNCTION restful.lint_is_under_policies(role oid, relation oid) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_is_under_policies$
    SELECT c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE'))
    FROM pg_catalog.pg_class c, pg_catalog.pg_roles r
    WHERE c.oid = relation AND r.oid = role
$lint_is_under_policies$;
COMMENT ON FUNCTION restful.lint_is_under_policies(oid, oid) IS 'Internal: whether the policies of a table apply to a role';

-- A restrictive policy counts where a permissive one lets something pass.
CREATE FUNCTION restful.lint_is_read(role oid, relation oid, command "char") RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_is_read$
    SELECT restful.lint_is_under_policies(role, relation) AND EXISTS (
        SELECT FROM pg_catalog.pg_policy p, unnest(p.polroles) named
        WHERE p.polrelid = relation AND p.polpermissive AND (command = '*' OR p.polcmd IN ('*', command))
          AND CASE named WHEN 0 THEN true ELSE pg_has_role(role, named, 'USAGE') END)
$lint_is_read$;
COMMENT ON FUNCTION restful.lint_is_read(oid, oid, "char") IS
    'Internal: whether PostgreSQL reads the policies of a table for a role''s command, *: for any';

-- Whom policies apply to: the roles that they name; for PUBLIC, those of requests and those that have rights on the table.
CREATE FUNCTION restful.lint_policy_roles(policies oid[]) RETURNS TABLE (policy oid, role oid)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $lint_policy_roles$
    WITH api AS MATERIALIZED (SELECT a.role FROM restful.lint_api_roles() a)
    SELECT p.oid, r.role
    FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid,
        LATERAL (
            SELECT named FROM unnest(p.polroles) named WHERE named <> 0
            UNION
            SELECT api.role FROM api, unnest(p.polroles) named WHERE named = 0 OR pg_has_role(api.role, named, 'USAGE')
            UNION
            SELECT a.grantee FROM aclexplode(c.relacl) a WHERE 0 = ANY (p.polroles) AND a.grantee NOT IN (0, c.relowner)
            UNION
            SELECT a.grantee FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
            WHERE 0 = ANY (p.polroles) AND t.attrelid = c.oid AND t.attacl IS NOT NULL AND a.grantee NOT IN (0, c.relowner)
        ) r (role)
    WHERE p.oid = ANY (policies) AND restful.lint_is_read(r.role, c.oid, p.polcmd)
$lint_policy_roles$;
COMMENT ON FUNCTION restful.lint_policy_roles(oid[]) IS 'Internal: the roles that policies apply to';

-- PostgreSQL expands the policies of each table that a policy reads, as those of SELECT. It gives up when it comes to a table that it
-- is expanding, if there is a sub-select in these policies: whatever that reads.
CREATE FUNCTION restful.lint_recursion(policies oid[]) RETURNS TABLE (policy oid, way text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_recursion$
    WITH RECURSIVE reading AS MATERIALIZED (
        -- The tables in the trees of expressions are those of sub-selects. Dependencies do not tell a sub-select on the policy's own
        -- table from its columns.
        SELECT DISTINCT p.oid AS policy, p.polrelid AS relation, p.polcmd AS command, p.polroles AS roles, m[1]::oid AS reads
        FROM pg_catalog.pg_policy p, regexp_matches(concat(p.polqual::text, ' ', p.polwithcheck::text), ' :relid (\d+)', 'g') m
    ), views AS MATERIALIZED (
        SELECT DISTINCT v.oid AS view, d.refobjid AS reads,
            CASE WHEN coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(v.reloptions) o WHERE o.option_name = 'security_invoker'), false)
                THEN NULL ELSE v.relowner END AS reads_as
        FROM pg_catalog.pg_class v
        JOIN pg_catalog.pg_rewrite w ON w.ev_class = v.oid
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.oid
        WHERE v.relkind = 'v' AND EXISTS (SELECT FROM reading r)
    ), walk (policy, role, relation, path, expanded) AS (
        SELECT r.policy, a.role, r.reads, ARRAY[r.relation, r.reads], ARRAY[r.relation]
        FROM restful.lint_policy_roles(policies) a JOIN reading r ON r.policy = a.policy
        UNION
        SELECT w.policy, next.role, next.relation, w.path || next.relation, next.expanded
        FROM walk w,
            LATERAL (
                SELECT w.role, r.reads, w.expanded || w.relation
                FROM reading r
                WHERE r.relation = w.relation AND r.command IN ('*', 'r')
                  AND EXISTS (SELECT FROM unnest(r.roles) named WHERE CASE named WHEN 0 THEN true ELSE pg_has_role(w.role, named, 'USAGE') END)
                  AND restful.lint_is_read(w.role, w.relation, 'r')
                UNION ALL
                SELECT coalesce(v.reads_as, w.role), v.reads, w.expanded FROM views v WHERE v.view = w.relation
            ) next (role, relation, expanded)
        -- a table that is being expanded is the end, and no path goes through a relation for ever
        WHERE w.relation <> ALL (w.expanded) AND cardinality(w.path) < 20
    )
    SELECT DISTINCT ON (w.policy) w.policy,
        (SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', which reads ' ORDER BY p.place)
            FROM unnest(w.path) WITH ORDINALITY p (relation, place)
            JOIN pg_catalog.pg_class c ON c.oid = p.relation
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE p.place > 1)
    FROM walk w
    WHERE w.relation = ANY (w.expanded) AND restful.lint_is_read(w.role, w.relation, 'r')
      AND EXISTS (
          SELECT FROM pg_catalog.pg_policy o, unnest(o.polroles) named
          WHERE o.polrelid = w.relation AND o.polcmd IN ('*', 'r') AND restful.lint_has_sub_select(o.oid)
            AND CASE named WHEN 0 THEN true ELSE pg_has_role(w.role, named, 'USAGE') END)
    ORDER BY w.policy, cardinality(w.path), w.path
$lint_recursion$;
COMMENT ON FUNCTION restful.lint_recursion(oid[]) IS
    'Internal: which of these policies read a table whose policies are already being read, and by which path';

CREATE FUNCTION restful.lint_alter_policy(object text, "using" text, "check" text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_alter_policy$
    SELECT concat('ALTER POLICY ', object, ' USING (' || "using" || ')', ' WITH CHECK (' || "check" || ')', ';')
$lint_alter_policy$;
COMMENT ON FUNCTION restful.lint_alter_policy(text, text, text) IS
    'Internal: the statement that gives a policy these expressions; null stays as it is';

-- Names are cut at 63 bytes.
CREATE FUNCTION restful.lint_policy_name(relation oid, name name, suffix text) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_policy_name$
    SELECT c.name
    FROM generate_series(1, 1000) n,
        LATERAL (SELECT suffix || CASE n WHEN 1 THEN '' ELSE '_' || n END) s (suffix),
        LATERAL (
            SELECT left(name::text, k) || s.suffix FROM generate_series(length(name::text), 0, -1) k
            WHERE octet_length(left(name::text, k) || s.suffix) <= 63
            LIMIT 1
        ) c (name)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = relation AND p.polname = c.name)
    ORDER BY n
    LIMIT 1
$lint_policy_name$;
COMMENT ON FUNCTION restful.lint_policy_name(oid, name, text) IS 'Internal: a name that no other policy of the table has';

CREATE FUNCTION restful.lint_command(command "char") RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_command$
    SELECT CASE command WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END
$lint_command$;
COMMENT ON FUNCTION restful.lint_command("char") IS 'Internal: the command of a policy, as CREATE POLICY names it';

CREATE FUNCTION restful.lint_role_list(roles oid[]) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_role_list$
    SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY pg_get_userbyid(r))
    FROM unnest(roles) r
$lint_role_list$;
COMMENT ON FUNCTION restful.lint_role_list(oid[]) IS 'Internal: roles as a policy names them';

-- For each command and role the alternatives of all policies in one. Where a policy for PUBLIC meets others, there is no such form.
CREATE FUNCTION restful.lint_merged_policies(relation oid) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_merged_policies$
    WITH policies AS (
        SELECT p.polname AS name, p.polcmd AS command, p.polroles AS roles, pg_get_expr(p.polqual, p.polrelid) AS "using",
            coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid)) AS "check"
        FROM pg_catalog.pg_policy p
        WHERE p.polrelid = relation AND p.polpermissive
    ), cells AS (
        SELECT c.command, r.role,
            string_agg(DISTINCT p."using", ' OR ') FILTER (WHERE c.command <> 'a') AS "using",
            string_agg(DISTINCT p."check", ' OR ') FILTER (WHERE c.command IN ('a', 'w')) AS "check"
        FROM policies p, unnest(p.roles) r (role),
            unnest(CASE p.command WHEN '*' THEN '{r,a,w,d}'::"char"[] ELSE ARRAY[p.command] END) c (command)
        GROUP BY c.command, r.role
    ), merged AS (
        SELECT c.command, array_agg(c.role) AS roles, c."using", nullif(c."check", c."using") AS "check",
            -- behind the numbers of restrictive policies of such a name
            row_number() OVER (PARTITION BY c.command ORDER BY min(c.role)) + coalesce((
                SELECT max(substring(o.polname FROM '^' || lower(restful.lint_command(c.command)) || '_(\d{1,9})$')::bigint)
                FROM pg_catalog.pg_policy o
                WHERE o.polrelid = relation AND NOT o.polpermissive), 0) AS n
        FROM cells c
        WHERE CASE c.command WHEN 'a' THEN c."check" ELSE c."using" END IS NOT NULL
        GROUP BY c.command, c."using", c."check"
    ), target (name) AS (
        SELECT format('%I.%I', n.nspname, t.relname)
        FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        WHERE t.oid = relation
    )
    SELECT (SELECT string_agg(format('DROP POLICY %I ON %s;', p.name, t.name), ' ' ORDER BY p.name) FROM policies p) || ' '
        || (SELECT string_agg(concat(
                format('CREATE POLICY %I ON %s FOR %s TO %s', lower(restful.lint_command(m.command)) || '_' || m.n, t.name,
                    restful.lint_command(m.command), restful.lint_role_list(m.roles)),
                ' USING (' || m."using" || ')', ' WITH CHECK (' || m."check" || ')', ';'), ' ' ORDER BY m.command, m.n)
            FROM merged m)
    FROM target t
    WHERE NOT (EXISTS (SELECT FROM policies p WHERE 0 = ANY (p.roles)) AND EXISTS (SELECT FROM policies p WHERE p.roles <> '{0}'))
$lint_merged_policies$;
COMMENT ON FUNCTION restful.lint_merged_policies(oid) IS
    'Internal: statements that merge the permissive policies of a table into one for each command; null if PUBLIC has one among others';
