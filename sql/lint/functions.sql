-- What functions may do, and who may call them.

CREATE FUNCTION restful.lint_function(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_function$
    WITH functions AS MATERIALIZED (
        SELECT p.oid, p.proname AS name, n.nspname AS schema, p.prosecdef AS definer, p.provolatile AS volatility, p.proconfig AS settings,
            p.proowner AS owner, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl, p.prokind AS kind,
            -- GRANT and ALTER know an aggregate by the types of its arguments alone
            CASE p.prokind WHEN 'a' THEN p.oid::regprocedure::text
                ELSE format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) END AS object,
            -- not ROUTINE, which may find one of either kind and a procedure by its other arguments
            CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS keyword,
            n.nspname = ANY (schemas) AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AS exposed
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE (n.nspname = ANY (schemas) OR p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema'))
          AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend d
              WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    ), called AS MATERIALIZED (
        -- by requests of strangers, under grants to these
        SELECT f.oid, string_agg(g.name, ', ' ORDER BY g.name) AS grantees, bool_or(g.role = 0) AS by_everybody
        FROM functions f, aclexplode(f.acl) a
        JOIN restful.lint_grantees() g ON g.role = a.grantee
        WHERE f.exposed AND a.privilege_type = 'EXECUTE' AND a.grantee <> f.owner
        GROUP BY f.oid
    )

    -- It does with its owner's rights what strangers tell it to do.
    SELECT 'definer_function_executable', f.object,
        format('%s may call it, and it runs as %I: its checks are the only ones', c.grantees, pg_get_userbyid(f.owner)),
        format('REVOKE EXECUTE ON %s %s FROM %s;', f.keyword, f.object, c.grantees)
    FROM functions f JOIN called c ON c.oid = f.oid
    WHERE f.definer

    -- The caller's search path decides what its names mean; unless pg_temp is last, a temporary table does.
    UNION ALL
    SELECT 'definer_search_path_mutable', f.object,
        CASE WHEN path.value IS NULL THEN 'runs as its owner with the search path of its caller, who so decides what its names mean'
            ELSE 'runs as its owner, and temporary tables of its caller come before those it means: pg_temp has to be the last of its search path' END,
        format('ALTER %s %s SET search_path = %s;', f.keyword, f.object,
            (SELECT string_agg(quote_ident(n.name), ', ' ORDER BY n.place)
                FROM restful.lint_names(concat_ws(', ', coalesce(path.value, 'pg_catalog, ' || quote_ident(f.schema)))) WITH ORDINALITY n (name, place)
                WHERE n.name <> 'pg_temp') || ', pg_temp')
    FROM functions f
    LEFT JOIN LATERAL (
        SELECT substr(s, strpos(s, '=') + 1) FROM unnest(f.settings) s WHERE s LIKE 'search_path=%'
    ) path (value) ON true
    WHERE f.definer
      -- without any schema every name but PostgreSQL's own is qualified
      AND NOT coalesce(path.value IN ('', '""') OR path.value ~ '(^|,\s*)"?pg_temp"?$', false)

    -- A default of PostgreSQL's: whoever is given a role later may call it, too.
    UNION ALL
    SELECT 'function_public_execute', f.object, 'PUBLIC may call it: PostgreSQL''s default, not a decision',
        concat(format('REVOKE EXECUTE ON %s %s FROM PUBLIC;', f.keyword, f.object),
            ' GRANT EXECUTE ON ' || f.keyword || ' ' || f.object || ' TO '
                || (SELECT string_agg(quote_ident(a.name), ', ' ORDER BY a.name) FROM restful.lint_api_roles() a WHERE NOT f.definer) || ';')
    FROM functions f JOIN called c ON c.oid = f.oid
    WHERE c.by_everybody

    -- Said to be VOLATILE, a function is called again for each row and cannot become a part of the query.
    UNION ALL
    SELECT 'volatile_get_function', f.object,
        'is VOLATILE, PostgreSQL''s default, though by its text it only reads: GET cannot make it a part of the query',
        format('ALTER FUNCTION %s STABLE;', f.object)
    FROM functions f JOIN called c ON c.oid = f.oid
    WHERE f.volatility = 'v' AND f.kind = 'f' AND restful.lint_reads_only(f.oid)
$lint_function$;
COMMENT ON FUNCTION restful.lint_function(text[]) IS 'Internal: the lints about functions';
