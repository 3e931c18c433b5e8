-- What policies say, and what they cost.

CREATE FUNCTION restful.lint_policy(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_policy$
    WITH policies AS MATERIALIZED (
        SELECT p.*, restful.lint_masked(p."using") AS masked FROM restful.lint_policies(schemas) p
    )
    -- Whoever signs up writes user_metadata: a policy that reads it asks the attacker.
    SELECT 'policy_uses_user_editable_claim', p.object,
        'decides by user_metadata, which users write themselves; keep what decides in app_metadata or in a table',
        CASE
            WHEN found.in_columns THEN format('ALTER POLICY %s%s%s;', p.object, CASE WHEN p."using" IS NOT NULL THEN ' USING (false)' END,
                CASE WHEN p."check" IS NOT NULL THEN ' WITH CHECK (false)' END)
            ELSE restful.lint_alter_policy(p.object, said."using", said."check")
        END
    FROM policies p,
        LATERAL (
            SELECT restful.lint_trusted_metadata(p."using"), restful.lint_trusted_metadata(p."check")
            OFFSET 0
        ) said ("using", "check"),
        LATERAL (
            SELECT EXISTS (
                SELECT FROM pg_catalog.pg_depend d
                JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy
                  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND a.attname IN ('user_metadata', 'raw_user_meta_data'))
        ) found (in_columns)
    WHERE concat(p."using", ' ', p."check") LIKE '%user_meta%'
      AND (found.in_columns OR (said."using", said."check") IS DISTINCT FROM (p."using", p."check"))

    -- Any SQL user sets request.*: only verified claims say who asks.
    UNION ALL
    SELECT 'policy_reads_request_guc', p.object,
        CASE WHEN concat(said."using", said."check") ~* '\mcurrent_setting\(''(request|rest)\.'
            THEN 'decides by a setting that any SQL user can change, other than the claims: decide by restful.claim() or by a function of yours that checks it'
            ELSE 'decides by a setting that any SQL user can change; restful.jwt() and restful.claim() are the verified claims' END,
        CASE WHEN concat(said."using", said."check") !~* '\mcurrent_setting\(''(request|rest)\.'
            THEN restful.lint_alter_policy(p.object, said."using", said."check") END
    FROM policies p,
        LATERAL (SELECT restful.lint_verified_claims(p."using"), restful.lint_verified_claims(p."check")) said ("using", "check")
    WHERE concat(p."using", ' ', p."check") ~* '\mcurrent_setting\(''(request|rest)\.'

    -- PostgreSQL refuses every statement that such a policy applies to.
    UNION ALL
    SELECT 'policy_recursive', p.object,
        'reads ' || r.way || ': PostgreSQL refuses that as infinite recursion (42P17). Let a SECURITY DEFINER function of an owner '
            || 'who passes the policies read it', NULL
    FROM restful.lint_recursion(ARRAY(SELECT p.policy FROM policies p)) r
    JOIN policies p ON p.policy = r.policy

    -- It fails for whoever may not: a policy runs with the rights of the role that asks.
    UNION ALL
    SELECT 'policy_denied', p.object,
        concat_ws('; ',
            'calls what roles may not execute: '
                || string_agg(DISTINCT format('%s (%s)', lacks.routine::regprocedure, lacks.role_name), ', ') FILTER (WHERE lacks.routine IS NOT NULL),
            'reads what roles may not: '
                || string_agg(DISTINCT format('%s (%s)', lacks.relation::regclass, lacks.role_name), ', ') FILTER (WHERE lacks.relation IS NOT NULL)
                || '; let a SECURITY DEFINER function read it for them'),
        CASE WHEN count(lacks.relation) = 0 THEN
            string_agg(DISTINCT format('GRANT EXECUTE ON FUNCTION %s TO %s;', lacks.routine::regprocedure, lacks.role_name), ' ') END
    FROM policies p
    JOIN restful.lint_policy_roles(ARRAY(SELECT p.policy FROM policies p)) a ON a.policy = p.policy,
        LATERAL (
            SELECT d.refobjid::oid, NULL::oid
            FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy AND d.refclassid = 'pg_catalog.pg_proc'::regclass
              AND NOT has_function_privilege(a.role, d.refobjid, 'EXECUTE')
            UNION
            SELECT o.oprcode::oid, NULL
            FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy AND d.refclassid = 'pg_catalog.pg_operator'::regclass
              AND NOT has_function_privilege(a.role, o.oprcode::oid, 'EXECUTE')
            UNION
            SELECT NULL, d.refobjid
            FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy AND d.refclassid = 'pg_catalog.pg_class'::regclass
              AND d.refobjid <> p.relation AND d.deptype = 'n'
              AND NOT CASE d.refobjsubid WHEN 0 THEN has_any_column_privilege(a.role, d.refobjid, 'SELECT')
                  ELSE has_column_privilege(a.role, d.refobjid, d.refobjsubid::smallint, 'SELECT') END
        ) denied (routine, relation),
        LATERAL (SELECT denied.routine, denied.relation, quote_ident(pg_get_userbyid(a.role))) lacks (routine, relation, role_name)
    -- who has no rights on the table is refused anyway
    WHERE has_schema_privilege(a.role, (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = p.relation), 'USAGE')
      AND CASE p.command
          WHEN 'r' THEN has_any_column_privilege(a.role, p.relation, 'SELECT')
          WHEN 'a' THEN has_any_column_privilege(a.role, p.relation, 'INSERT')
          WHEN 'w' THEN has_any_column_privilege(a.role, p.relation, 'UPDATE')
          WHEN 'd' THEN has_table_privilege(a.role, p.relation, 'DELETE')
          ELSE has_any_column_privilege(a.role, p.relation, 'SELECT, INSERT, UPDATE') OR has_table_privilege(a.role, p.relation, 'DELETE')
      END
    GROUP BY p.policy, p.object

    -- 3.7 s became 0.1 s on 2 million rows: a function in a sub-select runs once, otherwise for each row.
    UNION ALL
    SELECT 'policy_not_initplan', p.object, 'calls a function for each row whose result is the same for all of them',
        restful.lint_alter_policy(p.object, said."using", said."check")
    FROM policies p,
        LATERAL (
            SELECT restful.lint_wrapped(p."using", p.stable || '{current_setting}', p.columns),
                restful.lint_wrapped(p."check", p.stable || '{current_setting}', p.columns)
            OFFSET 0 -- once each
        ) said ("using", "check")
    WHERE (p.stable <> '{}' OR concat(p."using", p."check") LIKE '%current_setting(%')
      AND (said."using", said."check") IS DISTINCT FROM (p."using", p."check")

    -- Who may write any row may write those of others.
    UNION ALL
    SELECT 'policy_always_true', p.object,
        CASE WHEN holds."check" AND NOT holds."using" THEN 'lets rows be written that it would not let be seen'
            ELSE 'lets everybody it applies to write every row' END,
        CASE
            WHEN holds."check" AND NOT holds."using" THEN restful.lint_alter_policy(p.object, NULL, p."using")
            WHEN p.command = 'w' AND NOT holds."check" THEN restful.lint_alter_policy(p.object, p."check", NULL)
            WHEN p.command = '*' AND NOT holds."check" THEN
                -- reading stays as it was, writing is for the rows that may be written
                format('ALTER POLICY %s USING (%s); CREATE POLICY %I ON %s FOR SELECT TO %s USING (true);',
                    p.object, p."check", restful.lint_policy_name(p.relation, p.name, '_select'), p.on_table, restful.lint_role_list(p.roles))
            WHEN p.command = '*' THEN
                format('DROP POLICY %s; CREATE POLICY %I ON %s FOR SELECT TO %s USING (true);',
                    p.object, p.name, p.on_table, restful.lint_role_list(p.roles))
            ELSE format('DROP POLICY %s;', p.object)
        END
    FROM policies p,
        LATERAL (
            SELECT array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = p.relation AND a.attnum > 0 AND a.attnotnull
        ) n (columns),
        LATERAL (
            SELECT restful.lint_is_always_true(p."using", coalesce(n.columns, '{}')), restful.lint_is_always_true(p."check", coalesce(n.columns, '{}'))
            OFFSET 0
        ) holds ("using", "check")
    WHERE p.permissive AND p.to_strangers AND p.command <> 'r' AND (holds."using" OR holds."check")
      -- whose conditions are in restrictive ones
      AND NOT EXISTS (SELECT FROM policies o WHERE o.relation = p.relation AND NOT o.permissive AND o.command IN ('*', p.command))

    -- Of an anonymous request the subject is NULL, and so is the owner of a row that has none.
    UNION ALL
    SELECT 'policy_null_subject', p.object, 'holds when the subject is not known: NULL is nobody, and not an owner',
        restful.lint_alter_policy(p.object, said."using", said."check")
    FROM policies p,
        LATERAL (
            SELECT restful.lint_of_subjects(p."using", p.subjects), restful.lint_of_subjects(p."check", p.subjects)
            OFFSET 0
        ) said ("using", "check")
    WHERE p.permissive AND (p.subjects <> '{current_setting}' OR concat(p."using", p."check") ~* '\mcurrent_setting\(''request\.')
      AND (said."using", said."check") IS DISTINCT FROM (p."using", p."check")

    -- Without TO, a policy is planned and evaluated for every role, and a grant by mistake is open at once. One that restricts is meant
    -- for everybody.
    UNION ALL
    SELECT 'policy_for_public', p.object, 'applies to every role: say TO whom it is meant for',
        'ALTER POLICY ' || p.object || ' TO ' || coalesce(
            -- whoever the table is granted to; PUBLIC stands for the roles of requests
            (SELECT string_agg(DISTINCT quote_ident(r.rolname), ', ')
                FROM pg_catalog.pg_class c,
                    LATERAL (
                        SELECT a.grantee FROM aclexplode(c.relacl) a
                        UNION
                        SELECT a.grantee FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
                        WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL
                    ) held
                JOIN pg_catalog.pg_roles r ON r.oid = held.grantee
                    OR held.grantee = 0 AND r.oid IN (SELECT a.role FROM restful.lint_api_roles() a)
                WHERE c.oid = p.relation AND r.oid <> c.relowner),
            (SELECT string_agg(quote_ident(a.name), ', ' ORDER BY a.name) FROM restful.lint_api_roles() a),
            quote_ident(pg_get_userbyid((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = p.relation)))) || ';'
    FROM policies p
    WHERE p.roles = '{0}' AND p.permissive

    -- 3.1 s became 1 ms: one question about the rights of a subject per row, instead of one for the set of what they cover.
    UNION ALL
    SELECT 'policy_per_row_rbac', p.object,
        'asks about the rights of the subject for each row: compare the column with the set of what the subject may reach, '
            || 'column = ANY (ARRAY(SELECT restful.tenants_with(...))), or a function of your own that returns such a set',
        CASE WHEN NOT restful.lint_calls_with(said."using", p.asking, p.columns) AND NOT restful.lint_calls_with(said."check", p.asking, p.columns)
            THEN restful.lint_alter_policy(p.object, said."using", said."check") END
    FROM policies p,
        LATERAL (SELECT restful.lint_by_set(p."using", p.relation), restful.lint_by_set(p."check", p.relation)) said ("using", "check")
    WHERE p.asking <> '{}'
      AND (restful.lint_calls_with(p."using", p.asking, p.columns) OR restful.lint_calls_with(p."check", p.asking, p.columns))

    -- The condition of a policy is part of every query: without an index every query reads the whole table.
    UNION ALL
    SELECT 'unindexed_policy_column', format('%s.%I', p.on_table, a.attname),
        'is compared by ' || string_agg(DISTINCT 'policy ' || quote_ident(p.name), ', ') || ', and no index begins with it',
        format('CREATE INDEX ON %s (%I);', p.on_table, a.attname)
    FROM policies p
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = p.relation
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    JOIN pg_catalog.pg_class c ON c.oid = p.relation AND c.relkind IN ('r', 'p'),
        LATERAL (SELECT regexp_replace(restful.lint_masked(quote_ident(a.attname)), '([^\w])', '\\\1', 'g')) n (pattern)
    -- a boolean column is no reason for an index
    WHERE a.atttypid <> 'boolean'::regtype
      AND p.masked LIKE '% = %' AND p.masked ~ ('\(\(?' || n.pattern || '\)?(::\w+)? = | = \(?' || n.pattern || '\)')
      AND restful.lint_is_indexable(a.atttypid)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = p.relation AND restful.lint_serves(i.indexrelid, ARRAY[a.attnum]))
    GROUP BY p.on_table, a.attname

    -- Permissive policies are alternatives: each is evaluated for each row, and the widest one counts.
    UNION ALL
    SELECT 'multiple_permissive', m.on_table,
        'has several permissive policies for ' || string_agg(DISTINCT format('%s of %s', restful.lint_command(m.command), m.role_name), ', ')
            || ', each of which is evaluated for each row',
        restful.lint_merged_policies(m.relation)
    FROM (
        SELECT p.relation, p.on_table, commands.command, CASE r.role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r.role) END AS role_name
        FROM policies p, unnest(p.roles) r (role),
            unnest(CASE p.command WHEN '*' THEN '{r,a,w,d}'::"char"[] ELSE ARRAY[p.command] END) commands (command)
        WHERE p.permissive
        GROUP BY p.relation, p.on_table, commands.command, r.role
        HAVING count(*) > 1
    ) m
    GROUP BY m.relation, m.on_table

    -- One such function keeps every query of the table from running in parallel.
    UNION ALL
    SELECT 'parallel_unsafe_policy_function', f.oid::regprocedure::text,
        'is PARALLEL UNSAFE, and so are all queries of ' || string_agg(DISTINCT p.on_table, ', ') || ', whose policies call it'
            || CASE WHEN f.provolatile = 'v' AND NOT restful.lint_reads_only(f.oid)
                THEN ': a policy should not call what writes' ELSE '' END,
        CASE
            WHEN f.provolatile <> 'v' THEN format('ALTER FUNCTION %s PARALLEL RESTRICTED;', f.oid::regprocedure)
            WHEN restful.lint_reads_only(f.oid) THEN format('ALTER FUNCTION %s STABLE PARALLEL RESTRICTED;', f.oid::regprocedure)
        END
    FROM policies p
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy
        AND d.refclassid = 'pg_catalog.pg_proc'::regclass
    JOIN pg_catalog.pg_proc f ON f.oid = d.refobjid
    WHERE f.proparallel = 'u'
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend e
          WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = f.oid AND e.deptype = 'e')
    GROUP BY f.oid, f.provolatile
$lint_policy$;
COMMENT ON FUNCTION restful.lint_policy(text[]) IS 'Internal: the lints about policies';
