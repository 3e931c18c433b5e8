-- The roles of PostgreSQL that a service needs. The extension's script makes none: roles belong to the whole cluster, and no dump
-- of a database holds them.

-- One row per name of functions that PUBLIC may not execute but administrators may. What auditors may too only reads.
CREATE FUNCTION restful.administration() RETURNS TABLE (function name, auditor boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    VALUES
        ('act_as'::name, false),
        ('audit', false),
        ('create_api_key', false),
        ('create_authorization_code', false),
        ('create_signing_key', false),
        ('dashboard', true),
        ('define_role', false),
        ('deprecated_use', true),
        ('drop_audit', false),
        ('drop_client', false),
        ('drop_hook', false),
        ('drop_limit', false),
        ('drop_role', false),
        ('drop_route', false),
        ('drop_route_group', false),
        ('drop_version', false),
        ('expect', false),
        ('expect_rows', false),
        ('explain_access', false),
        ('explain_access_text', false),
        ('forget_history', false),
        ('forget_limit', false),
        ('health', true),
        ('hook', false),
        ('hooks', true),
        ('jwks', true),
        ('jwt_check', false),
        ('jwt_sign', false),
        ('jwt_verify', false),
        ('limit', false),
        ('limits', true),
        ('list_api_keys', true),
        ('list_clients', true),
        ('list_roles', true),
        ('load_jwks', false),
        ('load_secret', false),
        ('metrics', true),
        ('readiness', true),
        ('register_client', false),
        ('revoke_api_key', false),
        ('revoke_grants', false),
        ('revoke_key', false),
        ('roles_of', true),
        ('rotate_api_key', false),
        ('rotate_client_secret', false),
        ('route', false),
        ('route_group', false),
        ('routes', true),
        ('set_grant', false),
        ('stat_requests', true),
        ('stat_reset', false),
        ('stat_statements', true),
        ('test', false),
        ('test_coverage', false),
        ('test_done', false),
        ('test_junit', false),
        ('test_mutants', false),
        ('test_mutations', false),
        ('test_rows', false),
        ('test_step', false),
        ('version', false)
$function$;
COMMENT ON FUNCTION restful.administration() IS
    'The functions that restful.setup_roles() lets administrators execute, and whether auditors may execute them too';

CREATE FUNCTION restful.setup_roles(
    authenticator name DEFAULT 'authenticator',
    anon name DEFAULT 'anon',
    authenticated name DEFAULT 'authenticated',
    service_role name DEFAULT 'service_role',
    service_authenticator name DEFAULT 'service_authenticator',
    admin name DEFAULT 'restful_admin',
    auditor name DEFAULT 'restful_auditor',
    app_owner name DEFAULT NULL,
    dry_run boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    names name[] := ARRAY[authenticator, anon, authenticated, service_role, service_authenticator, admin, auditor];
    logins name[] := ARRAY[authenticator, service_authenticator];
    options text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
    wrong text;
BEGIN
    IF array_position(names, NULL) IS NOT NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'the name of a role, or dry_run, is null' USING ERRCODE = '22004';
    END IF;
    IF (SELECT count(DISTINCT n) FROM unnest(names) n) < cardinality(names) THEN
        RAISE EXCEPTION 'two of the roles have the same name'
            USING ERRCODE = '22023', HINT = 'Give each role its own name.';
    END IF;
    SELECT n INTO wrong FROM unnest(names) n WHERE starts_with(n::text, 'pg_') OR n IN ('', 'public', 'none', 'current_user', 'current_role', 'session_user');
    IF FOUND THEN
        RAISE EXCEPTION 'a role cannot be named "%"', wrong USING ERRCODE = '42939'; -- reserved_name
    END IF;
    -- A role that can do more than it should is somebody else's, or badly set up: not for this function to change.
    SELECT format('role "%s" cannot be used for this, because it %s', r.rolname, CASE
            WHEN r.rolsuper THEN 'is a superuser'
            WHEN r.rolcreaterole THEN 'may create roles'
            WHEN r.rolcreatedb THEN 'may create databases'
            WHEN r.rolreplication THEN 'may replicate'
            WHEN r.rolbypassrls AND r.rolname <> service_role THEN 'bypasses row-level security'
            WHEN r.oid = d.datdba THEN 'owns the database'
            ELSE format('is a member of "%s"', m.rolname) END)
    INTO wrong
    FROM pg_roles r
    JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN LATERAL (
        SELECT m.rolname
        FROM pg_roles m
        WHERE m.oid <> r.oid AND NOT r.rolsuper AND pg_has_role(r.oid, m.oid, 'MEMBER')
          -- administrators and auditors may be more than that
          AND r.rolname NOT IN (admin, auditor)
          AND (m.rolsuper OR m.rolcreaterole OR m.rolreplication OR starts_with(m.rolname::text, 'pg_') OR m.rolname IN (admin, auditor)
            OR (m.rolbypassrls AND NOT (r.rolname = service_authenticator AND m.rolname = service_role)))
        LIMIT 1
    ) m ON true
    WHERE r.rolname = ANY (names)
      AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR (r.rolbypassrls AND r.rolname <> service_role)
        OR r.oid = d.datdba OR m.rolname IS NOT NULL)
    -- the cause before what it causes
    ORDER BY m.rolname IS NOT NULL,
        NOT EXISTS (SELECT FROM pg_auth_members a WHERE a.member = r.oid AND a.roleid = to_regrole(quote_ident(m.rolname))), r.rolname
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong
            USING ERRCODE = '42501', HINT = 'Take that away from the role, or pass another name to restful.setup_roles().';
    END IF;
    IF app_owner IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = app_owner) THEN
        RAISE EXCEPTION 'role "%" does not exist', app_owner USING ERRCODE = '42704';
    END IF;

    -- All of it follows from what is there before the first statement, so that a dry run prints what a run would do.
    RETURN QUERY SELECT * FROM restful.perform(ARRAY(
        WITH wanted AS (
            SELECT w.name, w.place, w.name = ANY (logins) AS logs_in, w.name = service_role AS bypasses
            FROM unnest(names) WITH ORDINALITY w (name, place)
        ), memberships (role, member) AS (
            VALUES (anon, authenticator), (authenticated, authenticator), (service_role, service_authenticator)
        ), settings (role, setting, value, replace) AS (
            -- time limits of one's own are left alone
            VALUES (anon, 'statement_timeout', '3s', false), (authenticated, 'statement_timeout', '8s', false),
                -- tokens come as parameters
                (authenticator, 'log_parameter_max_length', '0', true), (service_authenticator, 'log_parameter_max_length', '0', true),
                (authenticator, 'restful.anon_role', anon::text, true),
                (service_authenticator, 'restful.bypassrls_roles', quote_ident(service_role), true)
        ), preloads (role, libraries) AS (
            -- A library that is first loaded in the midst of a parallel query cannot take over what is set of it: which
            -- authenticators are trusted, for one.
            SELECT l.name, coalesce(
                (SELECT split_part(one, '=', 2) FROM pg_db_role_setting c, unnest(c.setconfig) one
                 WHERE c.setrole = to_regrole(quote_ident(l.name)) AND c.setdatabase = 0 AND starts_with(one, 'session_preload_libraries=')),
                (SELECT g.setting FROM pg_settings g WHERE g.name = 'session_preload_libraries'))
            FROM unnest(logins) l (name)
            WHERE NOT EXISTS (SELECT FROM pg_settings g WHERE g.name = 'shared_preload_libraries' AND g.setting ~ '[[:<:]]pg_restful[[:>:]]')
        ), callers (role) AS (
            VALUES (authenticator), (anon), (authenticated), (service_role), (service_authenticator)
        ), functions AS (
            SELECT p.oid, p.oid::regprocedure::text AS name, p.proowner,
                coalesce(p.proacl, acldefault('f', p.proowner)) AS acl, a.auditor AS for_auditors
            FROM pg_proc p JOIN restful.administration() a ON a.function = p.proname
            WHERE p.pronamespace = 'restful'::regnamespace
        ), statements (step, place, statement) AS (
            SELECT 1, w.place, format('CREATE ROLE %I %s', w.name, concat_ws(' ',
                CASE WHEN w.logs_in THEN 'LOGIN NOINHERIT' ELSE 'NOLOGIN' END, CASE WHEN w.bypasses THEN 'BYPASSRLS' END))
            FROM wanted w
            WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = w.name)
            UNION ALL
            SELECT 1, w.place, format('ALTER ROLE %I %s', w.name, concat_ws(' ',
                CASE WHEN w.logs_in <> r.rolcanlogin THEN CASE WHEN w.logs_in THEN 'LOGIN' ELSE 'NOLOGIN' END END,
                CASE WHEN w.logs_in AND r.rolinherit THEN 'NOINHERIT' END, CASE WHEN w.bypasses AND NOT r.rolbypassrls THEN 'BYPASSRLS' END))
            FROM wanted w JOIN pg_roles r ON r.rolname = w.name
            WHERE w.logs_in <> r.rolcanlogin OR (w.logs_in AND r.rolinherit) OR (w.bypasses AND NOT r.rolbypassrls)
            UNION ALL
            SELECT 2, 0, format('GRANT %I TO %I%s', m.role, m.member, options)
            FROM memberships m
            WHERE NOT EXISTS (
                SELECT
                FROM pg_auth_members a
                WHERE a.roleid = to_regrole(quote_ident(m.role)) AND a.member = to_regrole(quote_ident(m.member))
                  -- these columns came with PostgreSQL 16
                  AND coalesce((to_jsonb(a) ->> 'set_option')::boolean, true)
                  AND NOT coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, false))
            UNION ALL
            SELECT 3, 0, format('REVOKE %s ON DATABASE %I FROM PUBLIC', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), d.datname)
            FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
            WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type IN ('TEMPORARY', 'CREATE')
            GROUP BY d.datname
            UNION ALL
            SELECT 3, 1, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
            FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
            WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE'
            UNION ALL
            SELECT 3, 2, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC', r.rolname)
            FROM pg_roles r
            WHERE r.rolname = app_owner
              AND NOT EXISTS (
                  SELECT
                  FROM pg_default_acl d
                  WHERE d.defaclrole = r.oid AND d.defaclnamespace = 0 AND d.defaclobjtype = 'f'
                    AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) a WHERE a.grantee = 0))
            UNION ALL
            SELECT 4, 0, format('ALTER ROLE %I SET %s = %L', s.role, s.setting, s.value)
            FROM settings s
            WHERE NOT EXISTS (
                SELECT
                FROM pg_db_role_setting c, unnest(c.setconfig) one
                WHERE c.setrole = to_regrole(quote_ident(s.role))
                  AND c.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
                  AND CASE WHEN s.replace THEN one = s.setting || '=' || s.value ELSE starts_with(one, s.setting || '=') END)
            UNION ALL
            SELECT 4, 1, format('ALTER ROLE %I SET session_preload_libraries = %s', p.role, concat_ws(', ',
                (SELECT string_agg(quote_literal(btrim(l, ' "')), ', ' ORDER BY place)
                 FROM unnest(string_to_array(p.libraries, ',')) WITH ORDINALITY e (l, place) WHERE btrim(l, ' "') <> ''),
                quote_literal('pg_restful')))
            FROM preloads p
            WHERE coalesce(p.libraries, '') !~ '[[:<:]]pg_restful[[:>:]]'
            UNION ALL
            SELECT 5, 0, format('GRANT USAGE ON SCHEMA restful TO %I', c.role)
            FROM callers c
            WHERE NOT has_schema_privilege('public', 'restful', 'USAGE')
              AND NOT coalesce(has_schema_privilege(to_regrole(quote_ident(c.role)), 'restful', 'USAGE'), false)
            UNION ALL
            SELECT 5, 1, format('GRANT EXECUTE ON FUNCTION restful.serve(text,text,jsonb,bytea) TO %I', c.role)
            FROM callers c
            WHERE NOT has_function_privilege('public', 'restful.serve(text,text,jsonb,bytea)', 'EXECUTE')
              AND NOT coalesce(has_function_privilege(to_regrole(quote_ident(c.role)), 'restful.serve(text,text,jsonb,bytea)', 'EXECUTE'), false)
            UNION ALL
            SELECT 6, row_number() OVER (ORDER BY f.name), format('GRANT EXECUTE ON FUNCTION %s TO %s', f.name, string_agg(quote_ident(g.role), ', ' ORDER BY g.role = auditor))
            FROM functions f JOIN (VALUES (admin, false), (auditor, true)) g (role, is_auditor) ON NOT g.is_auditor OR f.for_auditors
            WHERE NOT EXISTS (
                SELECT FROM aclexplode(f.acl) a WHERE a.grantee = to_regrole(quote_ident(g.role)) AND a.privilege_type = 'EXECUTE')
            GROUP BY f.name
        )
        SELECT s.statement FROM statements s ORDER BY s.step, s.place, s.statement), dry_run);
END
$function$;
COMMENT ON FUNCTION restful.setup_roles(name, name, name, name, name, name, name, name, boolean) IS
    'Creates the roles of a service and what they need, where it is missing, and returns the statements; with dry_run, only returns them';
