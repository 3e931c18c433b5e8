-- What strangers reach past row-level security.

CREATE FUNCTION restful.lint_exposure(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_exposure$
    WITH RECURSIVE relations AS MATERIALIZED (
        SELECT r.* FROM restful.lint_relations(schemas) r
    ), grants AS MATERIALIZED (
        SELECT g.* FROM restful.lint_grants(schemas) g
    ), readers AS MATERIALIZED (
        SELECT g.relation, g.grantee, bool_or(g.attribute = 0) AS of_all, array_agg(g.attribute) AS attributes
        FROM grants g
        WHERE g.privilege = 'SELECT'
        GROUP BY g.relation, g.grantee
    ), children (relation, ancestor) AS (
        SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i
        UNION
        SELECT c.relation, i.inhparent FROM children c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.ancestor
    ), protected_children (relation, ancestor) AS MATERIALIZED (
        SELECT c.relation, min(format('%I.%I', n.nspname, a.relname))
        FROM children c
        JOIN pg_catalog.pg_class a ON a.oid = c.ancestor AND a.relrowsecurity
        JOIN pg_catalog.pg_namespace n ON n.oid = a.relnamespace
        GROUP BY c.relation
    ), behind (view, relation) AS (
        -- what the rules of views refer to, through views
        SELECT r.ev_class, d.refobjid
        FROM pg_catalog.pg_rewrite r
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
        WHERE r.ev_class IN (SELECT v.relation FROM relations v WHERE v.kind = 'v' AND v.reached)
        UNION
        SELECT b.view, d.refobjid
        FROM behind b
        JOIN pg_catalog.pg_class c ON c.oid = b.relation AND c.relkind = 'v'
        JOIN pg_catalog.pg_rewrite r ON r.ev_class = b.relation
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
    )
    -- Every row is everybody's who may read the table at all.
    SELECT 'rls_disabled_exposed', r.object,
        'requests of strangers reach this table, and row-level security is off: every row is theirs',
        format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', r.object)
    FROM relations r
    WHERE r.kind IN ('r', 'p') AND r.reached AND NOT r.rls
      AND r.relation NOT IN (SELECT c.relation FROM protected_children c)

    -- Somebody believes that the policies count.
    UNION ALL
    SELECT 'policy_without_rls', r.object,
        'has policies (' || string_agg(quote_ident(p.polname), ', ' ORDER BY p.polname) || '), which do nothing: row-level security is off',
        format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', r.object)
    FROM relations r JOIN pg_catalog.pg_policy p ON p.polrelid = r.relation
    WHERE NOT r.rls
    GROUP BY r.object

    -- A view reads its tables as its owner, so that the policies of whoever asks do not apply. Before PostgreSQL 15, views can do no
    -- other. A view of tables without row-level security shows no more than it says.
    UNION ALL
    SELECT 'definer_view_exposed', r.object,
        'reads ' || string_agg(format('%I.%I', n.nspname, t.relname), ', ' ORDER BY n.nspname, t.relname)
            || ' as its owner, past the policies of whoever asks (who needs the right to read these tables, once it does not)',
        format('ALTER VIEW %s SET (security_invoker = true);', r.object)
    FROM relations r
    JOIN behind b ON b.view = r.relation
    JOIN pg_catalog.pg_class t ON t.oid = b.relation AND t.relrowsecurity
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_class v ON v.oid = r.relation
    WHERE current_setting('server_version_num')::integer >= 150000
      AND NOT EXISTS (
          SELECT FROM pg_options_to_table(v.reloptions) o
          WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
    GROUP BY r.object

    -- Credentials and numbers of documents, by the names that they usually have, where no policy decides who sees them.
    UNION ALL
    SELECT 'sensitive_columns_exposed', r.object,
        string_agg(format('%s may read %s', g.grantee, c.sensitive), ', ' ORDER BY g.grantee) || ' of every row',
        string_agg(concat(
            format('REVOKE SELECT ON %s FROM %s;', r.object, g.grantee),
            ' GRANT SELECT (' || c.others || format(') ON %s TO %s;', r.object, g.grantee)), ' ' ORDER BY g.grantee)
    FROM relations r
    JOIN readers g ON g.relation = r.relation,
        LATERAL (
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE restful.lint_is_sensitive(a.attname)),
                string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT restful.lint_is_sensitive(a.attname))
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = r.relation AND a.attnum > 0 AND NOT a.attisdropped AND (g.of_all OR a.attnum = ANY (g.attributes))
        ) c (sensitive, others)
    WHERE r.readable AND NOT r.rls AND c.sensitive IS NOT NULL
      AND r.relation NOT IN (SELECT c.relation FROM protected_children c)
      AND NOT (r.kind = 'v' AND EXISTS (
          SELECT FROM pg_catalog.pg_class v, pg_options_to_table(v.reloptions) o
          WHERE v.oid = r.relation AND o.option_name = 'security_invoker' AND o.option_value::boolean))
    GROUP BY r.object

    -- The policies of the parent apply to who reads the parent.
    UNION ALL
    SELECT 'partition_child_exposed', r.object,
        'strangers reach this table by itself, where the policies of ' || c.ancestor || ' do not apply',
        format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', r.object)
    FROM relations r JOIN protected_children c ON c.relation = r.relation
    WHERE r.kind IN ('r', 'p') AND r.reached AND NOT r.rls

    -- TRUNCATE asks no policy: who may see no row empties the table.
    UNION ALL
    SELECT 'truncate_granted', g.object,
        string_agg(g.grantee, ', ' ORDER BY g.grantee) || ' may empty this table, whatever its policies say',
        format('REVOKE TRUNCATE ON %s FROM %s;', g.object, string_agg(g.grantee, ', ' ORDER BY g.grantee))
    FROM grants g
    WHERE g.privilege = 'TRUNCATE' AND g.kind IN ('r', 'p', 'f')
    GROUP BY g.object

    -- A foreign key tells whether a row exists, and keeps it from being deleted, whatever the policies say.
    UNION ALL
    SELECT 'references_granted', g.object,
        string_agg(DISTINCT g.grantee, ', ') || ' may make foreign keys to this table, which see rows that policies hide',
        format('REVOKE REFERENCES ON %s FROM %s;', g.object, string_agg(DISTINCT g.grantee, ', '))
    FROM grants g
    WHERE g.privilege = 'REFERENCES' AND g.kind IN ('r', 'p')
    GROUP BY g.object

    -- What the extension keeps is reached through its functions. What its own script grants, and reading JSON Schemas, is meant so.
    UNION ALL
    SELECT 'extension_objects_granted', format('%I.%I', n.nspname, c.relname),
        format('%s may %s: only administrators should', g.name, string_agg(DISTINCT held.privilege, ', ')),
        format('REVOKE ALL ON %s%I.%I FROM %s;', CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' END, n.nspname, c.relname, g.name)
    FROM pg_catalog.pg_extension x
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e'
        AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class c ON c.oid = d.objid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (
            SELECT a.grantee, a.privilege_type FROM aclexplode(c.relacl) a
            UNION
            SELECT a.grantee, a.privilege_type
            FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
            WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL
            EXCEPT
            SELECT a.grantee, a.privilege_type
            FROM pg_catalog.pg_init_privs i, aclexplode(i.initprivs) a
            WHERE i.classoid = 'pg_catalog.pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = 0
        ) held (grantee, privilege)
    JOIN restful.lint_grantees() g ON g.role = held.grantee
    WHERE x.extname = 'pg_restful' AND held.grantee <> c.relowner
      AND NOT (c.relname = 'json_schema' AND held.privilege = 'SELECT')
    GROUP BY n.nspname, c.relname, c.relkind, g.name

    -- A materialized view holds the rows that its owner saw. Policies cannot be made for it.
    UNION ALL
    SELECT 'matview_exposed', r.object,
        'row-level security does not apply to a materialized view: whoever may read it reads all of it',
        'REVOKE ALL ON ' || r.object || ' FROM '
            || (SELECT string_agg(DISTINCT g.grantee, ', ') FROM grants g WHERE g.relation = r.relation) || ';'
    FROM relations r
    WHERE r.kind = 'm' AND r.readable

    -- Nor for a foreign table, which is read with the rights of the user mapping.
    UNION ALL
    SELECT 'foreign_table_exposed', r.object,
        'row-level security does not apply to a foreign table: whoever may use it has what its user mapping has',
        'REVOKE ALL ON ' || r.object || ' FROM '
            || (SELECT string_agg(DISTINCT g.grantee, ', ') FROM grants g WHERE g.relation = r.relation) || ';'
    FROM relations r
    WHERE r.kind = 'f' AND r.reached

    -- An owner passes the policies of a table that does not force them.
    UNION ALL
    SELECT 'rls_not_forced_owner_exposed', r.object,
        format('requests may run as %I, which owns this table or has its owner''s rights and so passes its policies', min(a.name)),
        format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', r.object)
    FROM relations r JOIN restful.lint_api_roles() a ON pg_has_role(a.role, r.owner, 'USAGE')
    WHERE r.kind IN ('r', 'p') AND r.rls AND NOT r.forced
    GROUP BY r.object

    -- Jobs are code to be run by somebody else: who writes them acts with the worker's rights. Queues are known by the columns
    -- that the usual ones have: pgmq, Oban, River, Que, Graphile Worker, pg-boss.
    UNION ALL
    SELECT 'queue_exposed', r.object, 'looks like the table of a job queue, and strangers reach it',
        'REVOKE ALL ON ' || r.object || ' FROM '
            || (SELECT string_agg(DISTINCT g.grantee, ', ') FROM grants g WHERE g.relation = r.relation) || ';'
    FROM relations r,
        LATERAL (
            SELECT array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = r.relation AND a.attnum > 0 AND NOT a.attisdropped
        ) c (names)
    WHERE r.kind IN ('r', 'p') AND r.reached
      AND (c.names @> '{msg_id,read_ct,vt,message}' OR c.names @> '{queue,worker,args,attempt}'
          OR c.names @> '{queue,kind,args,attempt}' OR c.names @> '{queue,job_class,args,run_at}'
          OR c.names @> '{task_identifier,payload,run_at,attempts}' OR c.names @> '{name,data,state,retrylimit}'
          OR c.names @> '{name,data,state,retry_limit}')

    -- Closed to everybody but its owner. Who grants a role something on it means it to see rows.
    UNION ALL
    SELECT 'rls_no_policy', r.object, 'has row-level security and no policy: nobody sees a row of it, in spite of the grants',
        'REVOKE ALL ON ' || r.object || ' FROM '
            || (SELECT string_agg(DISTINCT g.grantee, ', ') FROM grants g WHERE g.relation = r.relation) || ';'
    FROM relations r
    WHERE r.kind IN ('r', 'p') AND r.rls AND r.reached
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = r.relation)
      AND r.relation NOT IN (SELECT c.relation FROM protected_children c)
$lint_exposure$;
COMMENT ON FUNCTION restful.lint_exposure(text[]) IS 'Internal: the lints about what strangers reach past row-level security';
