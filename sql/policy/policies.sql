-- Policies in the form that costs least. They are created with the caller's rights, by the statements
-- that are returned. A policy's comment marks it as generated; other policies are never changed.

CREATE FUNCTION restful.policy_table(rel regclass) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    class pg_catalog.pg_class;
    name text;
BEGIN
    IF rel IS NULL THEN
        RAISE EXCEPTION 'the table is null' USING ERRCODE = '22004';
    END IF;
    SELECT c.* INTO class FROM pg_catalog.pg_class c WHERE c.oid = rel;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'relation with OID % does not exist', rel::oid USING ERRCODE = '42P01';
    END IF;
    name := format('%I.%I', (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = class.relnamespace), class.relname);
    IF class.relkind = 'v' THEN
        RAISE EXCEPTION '% is a view, which has no policies', name USING ERRCODE = '42809', HINT = concat(
            'Make policies for the tables behind it', CASE WHEN current_setting('server_version_num')::integer >= 150000
                THEN format(', and let it ask for its reader''s rights: ALTER VIEW %s SET (security_invoker = true)', name)
                ELSE '; they hold for the view''s owner, and for its reader only from PostgreSQL 15 on, with security_invoker' END, '.');
    ELSIF class.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is not a table of this database, and PostgreSQL has no row-level security for it', name
            USING ERRCODE = '42809', HINT = 'Let its readers have a view or a function that shows them their rows.';
    ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', name USING ERRCODE = '42501';
    END IF;
    RETURN name;
END
$function$;
COMMENT ON FUNCTION restful.policy_table(regclass) IS
    'Internal: the quoted name of a table; an error unless it can have policies and the caller owns it';

CREATE FUNCTION restful.policy_roles(to_roles text[]) RETURNS oid[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing text;
BEGIN
    IF coalesce(cardinality(to_roles), 0) = 0 OR array_position(to_roles, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the list of roles is empty, or one of them is null' USING ERRCODE = '22004', HINT = 'public stands for every role.';
    END IF;
    SELECT t INTO missing FROM unnest(to_roles) t
    WHERE t <> 'public' AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = t);
    IF FOUND THEN
        RAISE EXCEPTION 'role "%" does not exist', missing USING ERRCODE = '42704',
            HINT = 'Name the roles with to_roles. restful.setup_roles() makes anon and authenticated.';
    END IF;
    RETURN CASE WHEN 'public' = ANY (to_roles) THEN '{0}'::oid[]
        ELSE ARRAY(SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = ANY (to_roles) ORDER BY r.rolname) END;
END
$function$;
COMMENT ON FUNCTION restful.policy_roles(text[]) IS 'Internal: the OIDs of roles, or only 0 for public; an error if a role does not exist';

CREATE FUNCTION restful.policy_commands(commands text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    wrong text;
BEGIN
    IF commands IS NULL OR array_position(commands, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the commands are null, or one of them is' USING ERRCODE = '22004';
    END IF;
    SELECT c INTO wrong FROM unnest(commands) c WHERE lower(c) NOT IN ('select', 'insert', 'update', 'delete', 'all');
    IF FOUND THEN
        RAISE EXCEPTION 'unknown command "%"', wrong
            USING ERRCODE = '22023', HINT = 'It is select, insert, update, delete, or all for the four of them.';
    END IF;
    RETURN ARRAY(
        SELECT c FROM unnest('{select,insert,update,delete}'::text[]) WITH ORDINALITY o (c, place)
        WHERE EXISTS (SELECT FROM unnest(commands) g WHERE lower(g) IN (c, 'all')) ORDER BY place);
END
$function$;
COMMENT ON FUNCTION restful.policy_commands(text[]) IS 'Internal: the commands in lower case, in a fixed order, each once; an error if one is unknown';

CREATE FUNCTION restful.policy_column(rel regclass, "column" name) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    of_table text := restful.policy_table(rel);
    data_type oid;
    base oid;
BEGIN
    SELECT a.atttypid INTO data_type FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = rel AND a.attname = "column" AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of % does not exist', "column", of_table USING ERRCODE = '42703';
    END IF;
    base := data_type;
    WHILE (SELECT t.typtype = 'd' FROM pg_catalog.pg_type t WHERE t.oid = base) LOOP
        base := (SELECT t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = base);
    END LOOP;
    CASE
        WHEN base = 'uuid'::regtype THEN RETURN 'uuid';
        WHEN base IN ('text'::regtype, 'varchar'::regtype) THEN RETURN 'text';
        WHEN base IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) THEN RETURN 'bigint';
        ELSE
            RAISE EXCEPTION 'column "%" is of type %, which cannot be compared with a claim', "column", format_type(data_type, NULL)
                USING ERRCODE = '42804', HINT = 'It can be uuid, text, varchar or an integer; for other conditions use restful.policy_public_read and restful.policy_restrict.';
    END CASE;
END
$function$;
COMMENT ON FUNCTION restful.policy_column(regclass, name) IS
    'Internal: the type in which a column is compared with a claim: uuid, text or bigint; an error if it cannot be compared';

-- A claim that is not a number or UUID matches no row, rather than failing every request.
CREATE FUNCTION restful.policy_cast(reader text, data_type text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE data_type
        WHEN 'text' THEN reader
        ELSE format('CASE WHEN %1$s ~ %2$L THEN %1$s::%3$s END', reader, CASE data_type
            WHEN 'uuid' THEN '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' ELSE '^-?[0-9]{1,18}$' END, data_type)
    END
$function$;
COMMENT ON FUNCTION restful.policy_cast(text, text) IS
    'Internal: the SQL that reads an expression of type text as uuid or bigint; it gives null if the text is not one';

CREATE FUNCTION restful.policy_index(rel regclass, "column" name, make_index boolean) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE
        WHEN make_index THEN format('CREATE INDEX ON %s (%I);', restful.policy_table(rel), "column")
        ELSE format('-- without an index on %I, every statement reads the whole table: CREATE INDEX %sON %s (%I); and then this again', "column",
            CASE c.relkind WHEN 'r' THEN 'CONCURRENTLY ' END, restful.policy_table(rel), "column")
    END
    FROM pg_catalog.pg_class c
    WHERE c.oid = rel AND "column" IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = rel AND a.attname = "column" AND i.indisvalid
          -- whoever compares it finds no nulls
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname)))
$function$;
COMMENT ON FUNCTION restful.policy_index(regclass, name, boolean) IS
    'Internal: the statement that creates an index on a column, or a comment that suggests it; null if there is such an index';

CREATE FUNCTION restful.make_policies(
    rel regclass,
    generator text,
    policy name,
    to_roles text[],
    commands text[], -- and for each of them:
    expressions text[],
    remake text,
    dry_run boolean,
    index_column name DEFAULT NULL,
    make_index boolean DEFAULT false,
    restrictive boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    roles oid[] := restful.policy_roles(to_roles);
    role_list text := (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(o)) END, ', ' ORDER BY place)
        FROM unnest(roles) WITH ORDINALITY r (o, place));
    ours text := format('Made by restful.%s. ', generator);
    remark text;
    there record;
    wanted name;
    shape text;
    tree text;
    made text[] := '{}';
BEGIN
    IF policy IS NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'the name of the policies or dry_run is null' USING ERRCODE = '22004';
    ELSIF octet_length(policy) > 56 OR policy = '' THEN
        RAISE EXCEPTION 'the name "%" is empty or too long', policy
            USING ERRCODE = '42622', HINT = 'With the command appended, it must not exceed 63 bytes.';
    END IF;
    remark := format('%sAgain: %s Undo: SELECT * FROM restful.drop_policies(%L, %L);', ours, remake, of_table, policy);
    FOR i IN 1..cardinality(commands) LOOP
        wanted := concat(policy, '_', commands[i]);
        IF commands[i] <> 'all' AND commands[i] <> ALL (restful.policy_commands(commands[i:i])) THEN
            RAISE EXCEPTION 'unknown command "%"', commands[i] USING ERRCODE = '22023';
        ELSIF expressions[i] IS NULL THEN
            RAISE EXCEPTION 'the expression is null' USING ERRCODE = '22004';
        END IF;
        tree := pg_get_expr(restful.parse_expression(rel, expressions[i]), rel);
        shape := concat('TO ', role_list,
            CASE WHEN commands[i] <> 'insert' THEN format(' USING (%s)', expressions[i]) END,
            CASE WHEN commands[i] NOT IN ('select', 'delete') THEN format(' WITH CHECK (%s)', expressions[i]) END);
        SELECT obj_description(p.oid, 'pg_policy') AS remark,
            p.polpermissive <> restrictive AND p.polcmd = CASE commands[i]
                WHEN 'select' THEN 'r' WHEN 'insert' THEN 'a' WHEN 'update' THEN 'w' WHEN 'delete' THEN 'd' ELSE '*' END AS alike,
            p.polroles @> roles AND p.polroles <@ roles
                AND CASE WHEN commands[i] <> 'insert' THEN pg_get_expr(p.polqual, rel) = tree ELSE true END
                AND CASE WHEN commands[i] NOT IN ('select', 'delete') THEN pg_get_expr(p.polwithcheck, rel) = tree ELSE true END AS same
        INTO there FROM pg_catalog.pg_policy p WHERE p.polrelid = rel AND p.polname = wanted;
        IF NOT FOUND THEN
            made := made || format('CREATE POLICY %I ON %s%s FOR %s %s;', wanted, of_table,
                CASE WHEN restrictive THEN ' AS RESTRICTIVE' END, upper(commands[i]), shape);
        ELSIF NOT coalesce(starts_with(there.remark, ours), false) OR NOT there.alike THEN
            RAISE EXCEPTION 'policy "%" of % was not made by restful.%', wanted, of_table, generator
                USING ERRCODE = '42710', HINT = 'Give another name, or drop or rename that policy.';
        ELSIF there.same IS NOT TRUE THEN
            -- In one statement: a restrictive policy is never missing, not even between two.
            made := made || format('ALTER POLICY %I ON %s %s;', wanted, of_table, shape);
        END IF;
        IF there.remark IS DISTINCT FROM remark THEN
            made := made || format('COMMENT ON POLICY %I ON %s IS %L;', wanted, of_table, remark);
        END IF;
    END LOOP;
    made := made || ARRAY(
        SELECT format('DROP POLICY %I ON %s;', p.polname, of_table)
        FROM pg_catalog.pg_policy p, unnest('{select,insert,update,delete,all}'::text[]) c
        WHERE p.polrelid = rel AND p.polname = concat(policy, '_', c) AND c <> ALL (commands)
          AND starts_with(obj_description(p.oid, 'pg_policy'), ours)
          AND generator <> 'policy_permission' -- each of its commands is a call of its own
        ORDER BY p.polname);
    made := made || array_remove(ARRAY[restful.policy_index(rel, index_column, make_index)], NULL);
    IF NOT EXISTS (SELECT FROM unnest(made) m WHERE m NOT LIKE '--%') THEN
        made := format('-- nothing to do: %s has these policies', of_table) || made;
    END IF;
    IF NOT (SELECT c.relrowsecurity FROM pg_catalog.pg_class c WHERE c.oid = rel) THEN
        made := made || format('-- they have no effect until row-level security is on: SELECT * FROM restful.enable_rls(%L);', of_table);
    END IF;
    IF NOT restrictive AND commands && '{update,delete}' AND NOT 'select' = ANY (commands) AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = rel AND p.polpermissive AND p.polcmd IN ('r', '*'))
    THEN
        made := made || format('-- UPDATE and DELETE find only rows that may be read, and %s has no policy for SELECT', of_table);
    END IF;
    IF restrictive AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = rel AND p.polpermissive) THEN
        made := made || format('-- it narrows what other policies allow, and %s has none that allows anything', of_table);
    END IF;
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;
COMMENT ON FUNCTION restful.make_policies(regclass, text, name, text[], text[], text[], text, boolean, name, boolean, boolean) IS
    'Internal: sets the policies of one name to exactly these, one for each command: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.enable_rls(rel regclass, force boolean DEFAULT true, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    made text[];
BEGIN
    IF force IS NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'force or dry_run is null' USING ERRCODE = '22004';
    END IF;
    SELECT array_remove(ARRAY[
            CASE WHEN NOT c.relrowsecurity THEN format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', of_table) END,
            CASE WHEN c.relforcerowsecurity <> force
                THEN format('ALTER TABLE %s %s ROW LEVEL SECURITY;', of_table, CASE WHEN force THEN 'FORCE' ELSE 'NO FORCE' END) END
        ], NULL)
    INTO made FROM pg_catalog.pg_class c WHERE c.oid = rel;
    IF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: row-level security of %s is on%s', of_table, CASE WHEN force THEN ', for its owner too' END)];
    END IF;
    -- Reading a partition by its own name bypasses the policies of its parent.
    made := made || ARRAY(
        SELECT format('-- %1$s can be reached past the policies of %2$s: SELECT * FROM restful.enable_rls(%3$L);',
            format('%I.%I', n.nspname, c.relname), of_table, format('%I.%I', n.nspname, c.relname))
        FROM restful.tables_of(rel) t
        JOIN pg_catalog.pg_class c ON c.oid = t."table" AND c.oid <> rel AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner)
        ORDER BY n.nspname, c.relname);
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;
COMMENT ON FUNCTION restful.enable_rls(regclass, boolean, boolean) IS
    'Enables row-level security on a table, and forces it for the owner too unless force is false: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.policy_owner(
    rel regclass,
    owner_column name DEFAULT 'user_id',
    commands text[] DEFAULT '{select,insert,update,delete}',
    to_roles text[] DEFAULT '{authenticated}',
    dry_run boolean DEFAULT false,
    policy name DEFAULT 'owner',
    make_index boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    data_type text := restful.policy_column(rel, owner_column);
    asked text[] := restful.policy_commands(commands);
    -- UPDATE and DELETE find only rows that may be read.
    of_commands text[] := restful.policy_commands(CASE WHEN asked && '{update,delete}' THEN asked || '{select}'::text[] ELSE asked END);
    expression text := format('%I = (SELECT %s)', owner_column,
        CASE data_type WHEN 'uuid' THEN 'restful.uid()' ELSE restful.policy_cast('restful.user_id()', data_type) END);
BEGIN
    RETURN QUERY SELECT * FROM restful.make_policies(rel, 'policy_owner', policy, to_roles,
        of_commands, array_fill(expression, ARRAY[cardinality(of_commands)]),
        format('SELECT * FROM restful.policy_owner(%L, %L, %L, %L, policy => %L);', of_table, owner_column, of_commands, to_roles, policy),
        dry_run, owner_column, make_index);
END
$function$;
COMMENT ON FUNCTION restful.policy_owner(regclass, name, text[], text[], boolean, name, boolean) IS
    'Policies that give roles the rows whose column names the request''s subject: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.policy_tenant(
    rel regclass,
    tenant_column name DEFAULT 'tenant_id',
    read text DEFAULT NULL,
    write text DEFAULT NULL,
    to_roles text[] DEFAULT '{authenticated}',
    dry_run boolean DEFAULT false,
    policy name DEFAULT 'tenant',
    make_index boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    data_type text := restful.policy_column(rel, tenant_column);
    -- With a permission to read alone, nobody may write.
    of_commands text[] := restful.policy_commands(CASE WHEN read IS NOT NULL AND write IS NULL THEN '{select}'::text[] ELSE '{all}' END);
    -- An array is looked up in an index, but without one each row is compared with all of it; a subquery is hashed.
    indexed boolean := make_index OR restful.policy_index(rel, tenant_column, true) IS NULL;
    expressions text[] := ARRAY(
        SELECT CASE WHEN permission IS NULL
            THEN format('%I = (SELECT %s)', tenant_column, restful.policy_cast('restful.tenant_id()', data_type))
            ELSE format(CASE WHEN indexed THEN '%I = ANY (ARRAY(SELECT %s))' ELSE '%I IN (SELECT %s)' END, tenant_column, CASE data_type
                WHEN 'uuid' THEN format('restful.tenant_uuids_with(%L)', permission)
                WHEN 'text' THEN format('restful.tenants_with(%L)', permission)
                ELSE format('%s FROM restful.tenants_with(%L) t', restful.policy_cast('t', data_type), permission)
            END)
        END
        FROM unnest(of_commands) WITH ORDINALITY c (command, place),
            LATERAL (SELECT CASE command WHEN 'select' THEN read ELSE write END) p (permission)
        ORDER BY place);
BEGIN
    RETURN QUERY SELECT * FROM restful.make_policies(rel, 'policy_tenant', policy, to_roles, of_commands, expressions,
        format('SELECT * FROM restful.policy_tenant(%L, %L, %L, %L, %L, policy => %L);',
            of_table, tenant_column, read, write, to_roles, policy),
        dry_run, tenant_column, make_index);
END
$function$;
COMMENT ON FUNCTION restful.policy_tenant(regclass, name, text, text, text[], boolean, name, boolean) IS
    'Policies that give roles the rows of the tenants for which the subject has a permission to read or to write, or of the token''s tenant: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.policy_permission(
    rel regclass,
    command text,
    permission text,
    to_roles text[] DEFAULT '{authenticated}',
    dry_run boolean DEFAULT false,
    policy name DEFAULT 'permission'
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    of_commands text[] := restful.policy_commands(ARRAY[command]);
    expression text := format('(SELECT restful.has_permission(%L))', permission);
BEGIN
    IF permission IS NULL THEN
        RAISE EXCEPTION 'the permission is null' USING ERRCODE = '22004';
    END IF;
    RETURN QUERY SELECT * FROM restful.make_policies(rel, 'policy_permission', policy, to_roles, of_commands,
        array_fill(expression, ARRAY[cardinality(of_commands)]),
        format('SELECT * FROM restful.policy_permission(%L, %L, %L, %L, policy => %L);', of_table, command, permission, to_roles, policy),
        dry_run);
END
$function$;
COMMENT ON FUNCTION restful.policy_permission(regclass, text, text, text[], boolean, name) IS
    'A policy that gives roles a command on all rows if the subject has a permission: returns the statements, and runs them unless dry_run';

-- With the tree of an expression that the caller wrote, from here on in words that mean the same under any search path.
CREATE FUNCTION restful.make_policies_of_tree(
    rel regclass,
    generator text,
    policy name,
    to_roles text[],
    commands text[],
    tree pg_node_tree,
    dry_run boolean
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
    -- constants are written the same whoever asks
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1 SET quote_all_identifiers = off
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    restrictive boolean := generator = 'policy_restrict';
    of_commands text[] := restful.policy_commands(commands);
    expression text := pg_get_expr(tree, rel);
BEGIN
    IF expression IS NULL OR policy IS NULL THEN
        RAISE EXCEPTION 'the name or the expression is null' USING ERRCODE = '22004';
    END IF;
    -- What is the same for all rows is asked once.
    IF tree::text LIKE '%:funcid %' AND tree::text NOT LIKE '%{VAR %' AND tree::text NOT LIKE '{SUBLINK%' AND NOT EXISTS (
        SELECT FROM regexp_matches(tree::text, ':funcid (\d+)', 'g') f (called)
        JOIN pg_catalog.pg_proc p ON p.oid = f.called[1]::oid WHERE p.provolatile = 'v')
    THEN
        expression := format('(SELECT %s)', expression);
    ELSE
        -- So is what asks nothing of the row within what does: in a subquery as well, which lint() would ask for.
        expression := restful.lint_wrapped(expression, ARRAY(
                SELECT format('%I.%I', n.nspname, p.proname)
                FROM regexp_matches(tree::text, ':funcid (\d+)', 'g') f (called)
                JOIN pg_catalog.pg_proc p ON p.oid = f.called[1]::oid AND p.provolatile = 's' AND NOT p.proretset
                JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname <> 'pg_catalog'
            ) || '{current_setting}',
            restful.lint_columns(rel, ARRAY(
                SELECT a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped)));
    END IF;
    IF of_commands = restful.policy_commands('{all}') THEN
        of_commands := '{all}';
    END IF;
    RETURN QUERY SELECT * FROM restful.make_policies(rel, generator, policy, to_roles, of_commands,
        array_fill(expression, ARRAY[cardinality(of_commands)]),
        CASE WHEN restrictive
            THEN format('SELECT * FROM restful.policy_restrict(%L, %L, %L, %L);', of_table, policy, expression, of_commands)
            ELSE format('SELECT * FROM restful.policy_public_read(%L, %L, %L, policy => %L);', of_table, to_roles, expression, policy)
        END, dry_run, restrictive => restrictive);
END
$function$;
COMMENT ON FUNCTION restful.make_policies_of_tree(regclass, text, name, text[], text[], pg_node_tree, boolean) IS
    'Internal: like restful.make_policies, with one expression of the caller''s for all commands';

-- These two have no search path of their own: the expression is read under the caller's.
CREATE FUNCTION restful.policy_public_read(
    rel regclass,
    to_roles text[] DEFAULT '{anon,authenticated}',
    using_expr text DEFAULT 'true',
    dry_run boolean DEFAULT false,
    policy name DEFAULT 'public_read'
) RETURNS SETOF text
    LANGUAGE sql VOLATILE
AS $function$
    SELECT * FROM restful.make_policies_of_tree(
        rel, 'policy_public_read', policy, to_roles, '{select}', restful.parse_expression(rel, using_expr), dry_run)
$function$;
COMMENT ON FUNCTION restful.policy_public_read(regclass, text[], text, boolean, name) IS
    'A policy that lets roles read the rows for which an expression is true: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.policy_restrict(
    rel regclass,
    name text,
    using_expr text,
    commands text[] DEFAULT '{all}',
    dry_run boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE sql VOLATILE
AS $function$
    SELECT * FROM restful.make_policies_of_tree(
        rel, 'policy_restrict', name::pg_catalog.name, '{public}', commands, restful.parse_expression(rel, using_expr), dry_run)
$function$;
COMMENT ON FUNCTION restful.policy_restrict(regclass, text, text, text[], boolean) IS
    'A restrictive policy: nobody reaches a row for which its expression is not true, whatever other policies say: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.drop_policies(rel regclass, policy name DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    made text[] := ARRAY(
        SELECT format('DROP POLICY %I ON %s;', p.polname, of_table)
        FROM pg_catalog.pg_policy p
        WHERE p.polrelid = rel AND starts_with(obj_description(p.oid, 'pg_policy'), 'Made by restful.policy_')
          AND (policy IS NULL OR p.polname = ANY (SELECT concat(policy, '_', c) FROM unnest('{select,insert,update,delete,all}'::text[]) c))
        -- those that narrow last
        ORDER BY p.polpermissive DESC, p.polname);
BEGIN
    IF dry_run IS NULL THEN
        RAISE EXCEPTION 'dry_run is null' USING ERRCODE = '22004';
    ELSIF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: %s has no such policy', of_table)];
    END IF;
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;
COMMENT ON FUNCTION restful.drop_policies(regclass, name, boolean) IS
    'Drops the policies that restful.policy_* made for a table, all or those of one name: returns the statements, and runs them unless dry_run';
