-- Tests of an API. Nobody may execute these at first: whoever may can act for any subject, in the roles that they may take.
-- None of them has a search path of its own where the names in tests are the caller's.

CREATE FUNCTION restful.expect(
    method text, target text, send jsonb DEFAULT NULL, as_role name DEFAULT NULL, as_claims jsonb DEFAULT NULL,
    with_headers jsonb DEFAULT '{}', status integer DEFAULT NULL, headers jsonb DEFAULT '{}', body jsonb DEFAULT NULL,
    contains jsonb DEFAULT NULL, description text DEFAULT NULL
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_expect';
COMMENT ON FUNCTION restful.expect(text, text, jsonb, name, jsonb, jsonb, integer, jsonb, jsonb, jsonb, text) IS
'For tests: makes a request as a role and with claims, compares status, header fields and body with what is given, and returns the result as TAP. Without a status, any below 400 is right; contains is a part of the body, as for jsonb''s operator @>';

CREATE FUNCTION restful.test_rows(query text, expected jsonb, rows jsonb, description text) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_test_rows';
COMMENT ON FUNCTION restful.test_rows(text, jsonb, jsonb, text) IS
'Internal: compares the rows of a query with those that a test expects';

CREATE FUNCTION restful.expect_rows(query text, rows jsonb, description text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $function$
DECLARE
    found pg_catalog.jsonb;
BEGIN
    EXECUTE pg_catalog.format(E'SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r)) FROM (%s\n) AS r', pg_catalog.rtrim(query, E'; \n'))
        INTO found;
    RETURN restful.test_rows(query, rows, coalesce(found, '[]'), description);
END
$function$;
COMMENT ON FUNCTION restful.expect_rows(text, jsonb, text) IS
'For tests: compares the rows of a query, as an array of objects, with what is given, and returns the result as TAP. The query runs with the rights of the caller';

CREATE FUNCTION restful.test_step(step text, name text DEFAULT NULL) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_test_step';
COMMENT ON FUNCTION restful.test_step(text, text) IS
'Internal: what the functions for tests do with the results that the session keeps';

CREATE FUNCTION restful.test(pattern text DEFAULT 'test.%') RETURNS SETOF text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 100
AS $function$
DECLARE
    one record;
    has_ended boolean;
    message text;
    hint text;
    context text;
BEGIN
    RETURN NEXT restful.test_step('start');
    FOR one IN
        SELECT pg_catalog.concat(n.nspname, '.', p.proname) AS name, pg_catalog.format('SELECT %I.%I()', n.nspname, p.proname) AS call
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
        WHERE pg_catalog.concat(n.nspname, '.', p.proname) OPERATOR(pg_catalog.~~) pattern
          AND p.prokind OPERATOR(pg_catalog.=) 'f' AND p.pronargs OPERATOR(pg_catalog.=) 0
          AND p.prorettype OPERATOR(pg_catalog.<>) ALL (
              ARRAY['pg_catalog.trigger', 'pg_catalog.event_trigger']::pg_catalog.regtype[]::pg_catalog.oid[])
          AND n.nspname OPERATOR(pg_catalog.<>) ALL (ARRAY['restful', 'pg_catalog', 'information_schema'])
        ORDER BY n.nspname, p.proname
    LOOP
        PERFORM restful.test_step('begin', one.name);
        has_ended := false;
        message := NULL;
        BEGIN
            EXECUTE one.call;
            SET CONSTRAINTS ALL IMMEDIATE;
            has_ended := true;
            -- Undoes everything that the test has done.
            RAISE SQLSTATE 'RT000';
        EXCEPTION WHEN OTHERS OR assert_failure THEN
            IF NOT has_ended THEN
                GET STACKED DIAGNOSTICS message := MESSAGE_TEXT, hint := PG_EXCEPTION_HINT, context := PG_EXCEPTION_CONTEXT;
                -- without the lines that are those of this function
                context := pg_catalog.regexp_replace(context, '(^|\n)(SQL statement "SELECT [^\n]*"\n)?PL/pgSQL function restful\.test\(.*$', '');
                message := pg_catalog.concat_ws(E'\n', pg_catalog.concat(message, ' (', SQLSTATE, ')'),
                    CASE WHEN hint OPERATOR(pg_catalog.<>) '' THEN hint END, CASE WHEN context OPERATOR(pg_catalog.<>) '' THEN context END);
            END IF;
        END;
        RETURN QUERY SELECT pg_catalog.regexp_split_to_table(restful.test_step('end', message), '\n');
    END LOOP;
    RETURN NEXT restful.test_step('plan');
END
$function$;
COMMENT ON FUNCTION restful.test(text) IS
'Runs the tests: the functions without arguments whose name, with the schema, is LIKE the pattern, in the order of their names. What each does is undone. Returns the results as TAP 14';

CREATE FUNCTION restful.test_done() RETURNS text
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.test_step('done') $$;
COMMENT ON FUNCTION restful.test_done() IS
'Raises an error if a test of this session has failed, or none has run. For exit codes';

CREATE FUNCTION restful.test_junit() RETURNS text
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.test_step('junit') $$;
COMMENT ON FUNCTION restful.test_junit() IS
'The results of the tests of this session as JUnit XML';

CREATE FUNCTION restful.test_coverage() RETURNS TABLE (kind text, name text, role name, verdict text, detail text)
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
WITH found AS MATERIALIZED (
    SELECT restful.test_step('coverage')::jsonb AS found
), requests AS MATERIALIZED (
    SELECT r.method, r.schema, r.path, r.role, r.answered, r.refused
    FROM found f, jsonb_to_recordset(f.found -> 'requests')
        AS r (method text, schema text, path text, role name, answered bigint, refused bigint)
), seen AS MATERIALIZED (
    SELECT p.relation::oid, p.policy, p.clause, p.verdict, p.detail
    FROM found f, jsonb_to_recordset(f.found -> 'policies') AS p (relation bigint, policy name, clause text, verdict text, detail text)
), schemas AS MATERIALIZED (
    SELECT s.name FROM restful.lint_schemas() s (name)
), roles AS MATERIALIZED (
    SELECT a.name FROM restful.lint_api_roles() a
    UNION
    SELECT r.role FROM requests r
), of_extensions AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.deptype = 'e'
), granted AS MATERIALIZED (
    SELECT n.nspname, c.oid, c.relname, m.role, m.command
    FROM restful.access_matrix(array(SELECT s.name::text FROM schemas s), array(SELECT r.name::text FROM roles r)) m
    JOIN pg_class c ON c.oid = m.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE m.granted AND m.command <> 'TRUNCATE'
      AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
), routes AS (
    SELECT CASE g.command WHEN 'SELECT' THEN 'GET' WHEN 'INSERT' THEN 'POST' WHEN 'UPDATE' THEN 'PATCH' ELSE 'DELETE' END AS method,
        g.nspname, '/' || g.relname AS path, g.role
    FROM granted g
    UNION ALL
    SELECT 'PUT', g.nspname, '/' || g.relname, g.role
    FROM granted g
    WHERE g.command IN ('INSERT', 'UPDATE')
      AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = g.oid AND i.indisprimary)
    GROUP BY g.nspname, g.relname, g.role
    HAVING count(*) = 2
    UNION ALL
    SELECT DISTINCT NULL, n.nspname, '/rpc/' || p.proname, r.name
    FROM schemas s
    JOIN pg_namespace n ON n.nspname = s.name
    JOIN pg_proc p ON p.pronamespace = n.oid
    CROSS JOIN roles r
    WHERE p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND has_schema_privilege(r.name, n.oid, 'USAGE') AND has_function_privilege(r.name, p.oid, 'EXECUTE')
      AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
    UNION ALL
    SELECT DISTINCT d.method, n.nspname, d.path, r.name
    FROM restful.routes() d
    JOIN pg_proc p ON p.oid = to_regprocedure(d.handler)
    JOIN pg_namespace n ON n.oid = p.pronamespace
    CROSS JOIN roles r
    WHERE has_schema_privilege(r.name, n.oid, 'USAGE') AND has_function_privilege(r.name, p.oid, 'EXECUTE')
), requested AS MATERIALIZED (
    SELECT concat_ws(' ', t.method, t.path, CASE WHEN (SELECT count(*) FROM schemas) > 1 THEN 'of ' || t.nspname END) AS name, t.role,
        coalesce(sum(r.answered), 0) AS answered, coalesce(sum(r.refused), 0) AS refused
    FROM routes t
    -- a function is called by several methods
    LEFT JOIN requests r ON r.schema = t.nspname AND r.path = t.path AND r.role = t.role AND r.method = coalesce(t.method, r.method)
    GROUP BY 1, 2
), policies AS (
    SELECT p.polrelid, p.polname, c.relrowsecurity, e.clause
    FROM pg_policy p
    JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT 'USING' WHERE p.polcmd <> 'a' AND p.polqual IS NOT NULL
        UNION ALL
        SELECT 'WITH CHECK' WHERE p.polcmd IN ('*', 'a', 'w') AND num_nonnulls(p.polqual, p.polwithcheck) > 0
    ) e (clause)
    WHERE n.nspname IN (SELECT s.name FROM schemas s) OR c.oid IN (SELECT s.relation FROM seen s)
)
SELECT u.kind, u.name, u.role, u.verdict, u.detail
FROM (
    SELECT 1, 'route', r.name, r.role,
        CASE WHEN r.answered > 0 THEN 'covered' WHEN r.refused > 0 THEN 'only refused' ELSE 'never requested' END,
        CASE WHEN r.answered + r.refused > 0 THEN format('%s answered, %s refused', r.answered, r.refused) END
    FROM requested r
    UNION ALL
    SELECT 2, 'policy', format('%I on %s, %s', p.polname, p.polrelid::regclass, p.clause), NULL,
        coalesce(s.verdict, 'never allowed, never denied'),
        CASE
            WHEN NOT p.relrowsecurity THEN 'row-level security is not enabled'
            WHEN s.verdict IS NULL THEN 'no request to which it applies has touched the table'
            ELSE s.detail
        END
    FROM policies p
    LEFT JOIN seen s ON s.relation = p.polrelid AND s.policy = p.polname AND s.clause = p.clause
    UNION ALL
    SELECT 3, 'role', o.name, o.name,
        CASE WHEN EXISTS (SELECT FROM requests q WHERE q.role = o.name) THEN 'covered' ELSE 'never requested' END,
        (SELECT format('%s of %s routes requested', count(*) FILTER (WHERE r.answered + r.refused > 0), count(*))
         FROM requested r WHERE r.role = o.name)
    FROM roles o
) u (place, kind, name, role, verdict, detail)
ORDER BY u.place, u.name, u.role
$function$;
COMMENT ON FUNCTION restful.test_coverage() IS
'What the tests of this session have covered: each route of each role of requests, each expression of each policy, which should have let a row through and kept one away, and each role; unknown is what could not be found out';

CREATE FUNCTION restful.test_mutants() RETURNS TABLE (policy text, clause text, replaced_by text, statement text)
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
WITH seen AS MATERIALIZED (
    SELECT p.relation::oid
    FROM jsonb_to_recordset(restful.test_step('coverage')::jsonb -> 'policies') AS p (relation bigint)
), policies AS (
    SELECT c.oid AS rel, p.polname, p.polcmd, pg_get_expr(p.polqual, c.oid) AS qual, pg_get_expr(p.polwithcheck, c.oid) AS written
    FROM pg_policy p
    JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relrowsecurity AND (n.nspname IN (SELECT s.name FROM restful.lint_schemas() s (name)) OR c.oid IN (SELECT s.relation FROM seen s))
)
SELECT format('%I on %s', p.polname, p.rel::regclass), e.clause, m.value,
    -- Without an expression of its own, WITH CHECK is what USING is. It stays that.
    format('ALTER POLICY %I ON %s %s (%s)', p.polname, p.rel::regclass, e.clause, m.value)
        || CASE WHEN e.clause = 'USING' AND p.polcmd IN ('*', 'w') THEN format(' WITH CHECK (%s)', coalesce(p.written, p.qual)) ELSE '' END
FROM policies p
CROSS JOIN LATERAL (
    SELECT 'USING', p.qual WHERE p.polcmd <> 'a' AND p.qual IS NOT NULL
    UNION ALL
    SELECT 'WITH CHECK', coalesce(p.written, p.qual) WHERE p.polcmd IN ('*', 'a', 'w') AND num_nonnulls(p.written, p.qual) > 0
) e (clause, expression)
CROSS JOIN (VALUES ('true'), ('false')) m (value)
WHERE e.expression <> m.value
ORDER BY p.rel::regclass::text, p.polname, e.clause, m.value DESC
$function$;
COMMENT ON FUNCTION restful.test_mutants() IS
'Internal: the statements with which restful.test_mutations() changes policies';

CREATE FUNCTION restful.test_mutations(pattern text DEFAULT 'test.%')
RETURNS TABLE (policy text, clause text, replaced_by text, verdict text, failed text[])
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 100
AS $function$
#variable_conflict use_variable
DECLARE
    one record;
BEGIN
    PERFORM restful.test_step('save');
    PERFORM restful.test(pattern);
    failed := pg_catalog.string_to_array(restful.test_step('failed'), E'\n');
    IF pg_catalog.cardinality(failed) OPERATOR(pg_catalog.>) 0 THEN
        PERFORM restful.test_step('restore');
        RAISE assert_failure USING MESSAGE := 'tests fail although no policy is changed', DETAIL := pg_catalog.array_to_string(failed, E'\n');
    END IF;
    FOR one IN SELECT m.policy, m.clause, m.replaced_by, m.statement FROM restful.test_mutants() m LOOP
        policy := one.policy;
        clause := one.clause;
        replaced_by := one.replaced_by;
        BEGIN
            EXECUTE one.statement;
            PERFORM restful.test(pattern);
            -- Undoes the change.
            RAISE SQLSTATE 'RT000';
        EXCEPTION WHEN SQLSTATE 'RT000' THEN
            failed := pg_catalog.string_to_array(restful.test_step('failed'), E'\n');
        END;
        verdict := CASE WHEN pg_catalog.cardinality(failed) OPERATOR(pg_catalog.>) 0 THEN 'noticed' ELSE 'not noticed' END;
        RETURN NEXT;
    END LOOP;
    PERFORM restful.test_step('restore');
END
$function$;
COMMENT ON FUNCTION restful.test_mutations(text) IS
'Runs the tests with each expression of each policy replaced by true, and then by false, and returns which tests fail because of that. If none does, no test depends on the expression. For owners of the tables, where nobody else works: changing a policy locks its table';
