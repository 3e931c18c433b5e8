-- The lints, and who is asked which. Each lint is one SELECT in the file of its category, with the reason above it.

CREATE TABLE restful.lint_exception (
    lint text NOT NULL,
    object text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (lint, object)
);
COMMENT ON TABLE restful.lint_exception IS
    'Findings that are intended: lint and object as restful.lint() names them, and the reason';
SELECT pg_catalog.pg_extension_config_dump('restful.lint_exception', '');

CREATE FUNCTION restful.lints() RETURNS TABLE (lint text, level text, category text, title text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 40 SET search_path = pg_catalog, pg_temp AS $lints$
    VALUES
        ('rls_disabled_exposed', 'ERROR', 'exposure', 'a table that strangers reach has row-level security off'),
        ('policy_without_rls', 'ERROR', 'exposure', 'a table has policies, and row-level security is off'),
        ('definer_view_exposed', 'ERROR', 'exposure', 'a view passes the policies of its tables'),
        ('sensitive_columns_exposed', 'ERROR', 'exposure', 'strangers may read credentials of every row'),
        ('policy_uses_user_editable_claim', 'ERROR', 'policies', 'a policy decides by what users write themselves'),
        ('policy_reads_request_guc', 'ERROR', 'policies', 'a policy decides by a setting that any SQL user can change'),
        ('policy_recursive', 'ERROR', 'policies', 'a policy reads its own table through others, which PostgreSQL refuses'),
        ('policy_denied', 'ERROR', 'policies', 'a policy needs what its roles may not use'),
        ('authenticator_inherits_or_super', 'ERROR', 'roles', 'the role of an HTTP layer has rights of its own'),
        ('secret_in_role_setting', 'ERROR', 'roles', 'a secret is in a setting of a role or database'),
        ('truncate_granted', 'ERROR', 'exposure', 'strangers may empty a table'),
        ('extension_objects_granted', 'ERROR', 'exposure', 'strangers have rights on tables of the extension'),
        ('partition_child_exposed', 'ERROR', 'exposure', 'a partition can be read past the policies of its table'),
        ('definer_function_executable', 'WARN', 'functions', 'strangers may call a SECURITY DEFINER function'),
        ('definer_search_path_mutable', 'WARN', 'functions', 'the caller decides what names mean in a SECURITY DEFINER function'),
        ('policy_not_initplan', 'WARN', 'policies', 'a policy calls for each row what is the same for all'),
        ('policy_always_true', 'WARN', 'policies', 'a policy lets every row be written'),
        ('policy_null_subject', 'WARN', 'policies', 'a policy holds when the subject is not known'),
        ('policy_for_public', 'WARN', 'policies', 'a policy applies to every role'),
        ('policy_per_row_rbac', 'WARN', 'policies', 'a policy asks about rights for each row'),
        ('unindexed_policy_column', 'WARN', 'policies', 'no index begins with a column that a policy compares'),
        ('multiple_permissive', 'WARN', 'policies', 'several permissive policies apply to the same command and role'),
        ('rls_not_forced_owner_exposed', 'WARN', 'exposure', 'requests may run as the owner of a table, past its policies'),
        ('matview_exposed', 'WARN', 'exposure', 'strangers may read a materialized view'),
        ('foreign_table_exposed', 'WARN', 'exposure', 'strangers reach a foreign table'),
        ('volatile_get_function', 'WARN', 'functions', 'a function that only reads is VOLATILE'),
        ('function_public_execute', 'WARN', 'functions', 'PUBLIC may call a function'),
        ('temp_privilege_public', 'WARN', 'roles', 'PUBLIC may make temporary tables'),
        ('public_schema_create', 'WARN', 'roles', 'strangers may make objects where others look for theirs'),
        ('no_statement_timeout', 'WARN', 'roles', 'requests of a role have no time limit'),
        ('queue_exposed', 'WARN', 'exposure', 'strangers reach a job queue'),
        ('outdated_minor', 'WARN', 'roles', 'the server has known security faults'),
        ('outdated_extension', 'WARN', 'roles', 'an extension is older than what is installed'),
        ('references_granted', 'WARN', 'exposure', 'strangers may make foreign keys to a table'),
        ('unindexed_fk', 'INFO', 'tables', 'a foreign key has no index'),
        ('no_primary_key', 'INFO', 'tables', 'a table has no primary key'),
        ('duplicate_index', 'INFO', 'tables', 'two indexes are the same'),
        ('unused_index', 'INFO', 'tables', 'an index is never read'),
        ('rls_no_policy', 'INFO', 'exposure', 'a table is granted and closed: it has no policy'),
        ('parallel_unsafe_policy_function', 'INFO', 'policies', 'a function keeps queries of a table from running in parallel'),
        ('invalid_index', 'INFO', 'tables', 'building an index has failed')
$lints$;
COMMENT ON FUNCTION restful.lints() IS 'The lints of restful.lint(), with level (ERROR, WARN, INFO) and category';

CREATE FUNCTION restful.lint(schemas text[] DEFAULT NULL, min_level text DEFAULT 'INFO')
    RETURNS TABLE (lint text, level text, category text, object text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on SET quote_all_identifiers = off AS $lint$
#variable_conflict use_column
DECLARE
    levels CONSTANT text[] := '{ERROR,WARN,INFO}';
    least integer := array_position(levels, upper(min_level));
    unknown text;
BEGIN
    IF least IS NULL THEN
        RAISE EXCEPTION 'unknown level "%"', min_level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ERROR, WARN or INFO.';
    END IF;
    -- A name misspelt must not read as "nothing found".
    SELECT s INTO unknown FROM unnest(lint.schemas) s WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = s);
    IF FOUND THEN
        RAISE EXCEPTION 'schema "%" does not exist', unknown USING ERRCODE = 'invalid_schema_name';
    END IF;
    schemas := coalesce(lint.schemas, ARRAY(SELECT restful.lint_schemas()::text));
    RETURN QUERY
    SELECT l.lint, l.level, l.category, f.object,
        CASE WHEN c.runs THEN f.detail || '; its policies read literals with code of a user: its owner should change them' ELSE f.detail END,
        CASE WHEN NOT c.runs THEN f.fix_sql END
    FROM (
        SELECT e.* FROM restful.lint_exposure(lint.schemas) e
        UNION ALL
        SELECT p.* FROM restful.lint_policy(lint.schemas) p
        UNION ALL
        SELECT u.* FROM restful.lint_function(lint.schemas) u
        UNION ALL
        SELECT r.* FROM restful.lint_role(lint.schemas) r
        UNION ALL
        -- all of them are INFO
        SELECT t.* FROM restful.lint_table(lint.schemas) t WHERE least = 3
    ) f
    JOIN restful.lints() l ON l.lint = f.lint
    -- A literal is read with the rights of whoever makes the policy: nobody is to be given one whose type is a user's code, as an
    -- array of a domain is. Types of other schemas than pg_catalog are printed with theirs.
    CROSS JOIN LATERAL (
        SELECT f.fix_sql ~ ' POLICY ' AND f.fix_sql ~ '''::' AND EXISTS (
            SELECT FROM regexp_matches(f.fix_sql, '''::((?:"(?:[^"]|"")*"|[\w$]+)\.(?:"(?:[^"]|"")*"|[\w$]+))', 'g') m
            WHERE NOT EXISTS (
                SELECT FROM pg_catalog.pg_type t
                JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                WHERE format('%I.%I', n.nspname, t.typname) = m[1] AND t.typtype IN ('b', 'e') AND t.typelem = 0))
    ) w (runs)
    CROSS JOIN LATERAL (SELECT coalesce(w.runs, false)) c (runs)
    WHERE array_position(levels, l.level) <= least
      AND NOT EXISTS (SELECT FROM restful.lint_exception x WHERE x.lint = f.lint AND x.object = f.object)
    ORDER BY array_position(levels, l.level), l.lint, f.object;
END
$lint$;
COMMENT ON FUNCTION restful.lint(text[], text) IS
    'What is dangerous, slow or left over in the exposed schemas and roles, with the SQL that repairs it; schemas: null for restful.schemas; min_level: ERROR, WARN or INFO';
