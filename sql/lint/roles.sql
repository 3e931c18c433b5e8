-- Roles, the database and the server.

CREATE FUNCTION restful.lint_safe_minor(major integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_safe_minor$
    SELECT v.version
    FROM unnest('{14.23,15.18,16.14,17.10,18.4}'::text[]) v (version)
    WHERE split_part(v.version, '.', 1)::integer = major
$lint_safe_minor$;
COMMENT ON FUNCTION restful.lint_safe_minor(integer) IS
    'Internal: the oldest minor version of a major one without known faults that strangers can use';

CREATE FUNCTION restful.lint_role(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_role$
    WITH RECURSIVE authenticators AS MATERIALIZED (
        SELECT a.role, a.name FROM restful.lint_authenticators() a
    ), memberships (authenticator, role) AS (
        SELECT a.role, a.role FROM authenticators a
        UNION
        SELECT m.authenticator, g.roleid FROM memberships m JOIN pg_catalog.pg_auth_members g ON g.member = m.role
    ), faults (authenticator, fault, fix) AS (
        SELECT a.role, w.fault, format('ALTER ROLE %I %s;', a.name, w.fix)
        FROM authenticators a
        JOIN pg_catalog.pg_roles r ON r.oid = a.role,
            LATERAL (VALUES
                (r.rolsuper, 'is a superuser', 'NOSUPERUSER'),
                (r.rolbypassrls, 'passes policies (BYPASSRLS)', 'NOBYPASSRLS'),
                (r.rolcreaterole, 'makes roles (CREATEROLE)', 'NOCREATEROLE'),
                (r.rolinherit, 'inherits the rights of the roles it may take (INHERIT)', 'NOINHERIT')
            ) w (is_so, fault, fix)
        WHERE w.is_so
        UNION
        -- From PostgreSQL 16 on, each grant says whether it is inherited.
        SELECT a.role, format('inherits the rights of %I', g.rolname), format('GRANT %I TO %I WITH INHERIT FALSE;', g.rolname, a.name)
        FROM authenticators a
        JOIN pg_catalog.pg_auth_members m ON m.member = a.role
        JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
        WHERE (to_jsonb(m) ->> 'inherit_option')::boolean
        UNION
        SELECT s.authenticator, format('may become %I', g.rolname), format('REVOKE %I FROM %I;', g.rolname, pg_get_userbyid(m.member))
        FROM memberships s
        JOIN pg_catalog.pg_auth_members m ON m.member = s.role
        JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
        WHERE g.rolname = 'restful_admin' OR g.rolsuper
    )

    -- Whoever steals its password has what it has: it must have nothing but the roles of requests.
    SELECT 'authenticator_inherits_or_super', quote_ident(a.name),
        'logs in for requests of strangers, and ' || string_agg(f.fault, ', ' ORDER BY f.fault), string_agg(f.fix, ' ' ORDER BY f.fix)
    FROM authenticators a JOIN faults f ON f.authenticator = a.role
    GROUP BY a.name

    -- pg_db_role_setting is readable by everybody who may connect.
    UNION ALL
    SELECT 'secret_in_role_setting', format('%s of %s', item.name, whose.who),
        'everybody who may connect reads it in pg_db_role_setting: take it away, and the secret out of use',
        format('ALTER %s RESET %s;', whose.target,
            (SELECT string_agg(quote_ident(part), '.' ORDER BY n) FROM regexp_split_to_table(item.name, '\.') WITH ORDINALITY t (part, n)))
    FROM pg_catalog.pg_db_role_setting s
    LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
        unnest(s.setconfig) setting,
        LATERAL (SELECT split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)) item (name, value),
        LATERAL (
            SELECT CASE
                    WHEN s.setrole = 0 AND d.oid IS NOT NULL THEN format('database %I', d.datname)
                    WHEN s.setrole = 0 THEN 'all roles'
                    ELSE concat(quote_ident(pg_get_userbyid(s.setrole)), ' in database ' || quote_ident(d.datname))
                END,
                CASE
                    WHEN s.setrole = 0 AND d.oid IS NOT NULL THEN format('DATABASE %I', d.datname)
                    WHEN s.setrole = 0 THEN 'ROLE ALL'
                    ELSE concat('ROLE ', quote_ident(pg_get_userbyid(s.setrole)), ' IN DATABASE ' || quote_ident(d.datname))
                END
        ) whose (who, target)
    WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND item.value <> ''
      -- settings of extensions and applications; PostgreSQL's own hold no secret
      AND item.name ~* '\.(.*[._])?(.*secret|.*passwo?r?d|.*token|key)s?$' AND item.name !~* 'public_?key'

    -- It makes tables that come before others in every search path, and that outlive the request.
    UNION ALL
    SELECT 'temp_privilege_public', format('database %I', d.datname), 'PUBLIC may make temporary tables, which outlive a request in a pooled session',
        format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC;', d.datname)
    FROM pg_catalog.pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'TEMPORARY'

    -- What is made there is found by the names that others use.
    UNION ALL
    SELECT 'public_schema_create', format('schema %I', n.nspname),
        string_agg(g.name, ', ' ORDER BY g.name) || ' may make functions and tables there, which others take for theirs',
        format('REVOKE CREATE ON SCHEMA %I FROM %s;', n.nspname, string_agg(g.name, ', ' ORDER BY g.name))
    FROM pg_catalog.pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    JOIN restful.lint_grantees() g ON g.role = a.grantee
    WHERE (n.nspname = 'public' OR n.nspname = ANY (schemas)) AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
    GROUP BY n.nspname

    -- A request runs under the limit of its role alone; without one, for as long as it likes.
    UNION ALL
    SELECT 'no_statement_timeout', quote_ident(a.name), 'requests run as this role for as long as they like',
        format('ALTER ROLE %I SET statement_timeout = %L;', a.name, CASE WHEN a.name ~ '(^|_)anon(ymous)?$' THEN '3s' ELSE '8s' END)
    FROM restful.lint_api_roles() a
    WHERE NOT EXISTS (
        SELECT FROM restful.lint_role_settings() s
        WHERE s.role = a.role AND s.name = 'statement_timeout' AND s.value !~ '^\s*0+(\.0*)?\s*\D*$')

    -- The minor versions of May 2026 repair faults that strangers can use.
    UNION ALL
    SELECT 'outdated_minor', 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1),
        format('install %s or later: the versions before have known security faults', restful.lint_safe_minor(v.number / 10000)), NULL
    FROM (SELECT current_setting('server_version_num')::integer) v (number)
    WHERE v.number % 10000 < split_part(restful.lint_safe_minor(v.number / 10000), '.', 2)::integer

    UNION ALL
    SELECT 'outdated_extension', format('extension %I', x.name),
        format('version %s is in use, %s is installed', x.installed_version, x.default_version), format('ALTER EXTENSION %I UPDATE;', x.name)
    FROM pg_catalog.pg_available_extensions x
    WHERE x.installed_version <> x.default_version
$lint_role$;
COMMENT ON FUNCTION restful.lint_role(text[]) IS 'Internal: the lints about roles, the database and the server';
