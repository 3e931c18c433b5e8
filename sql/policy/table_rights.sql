-- Who may touch a table, and which columns the database fills in. Grants and defaults are the caller's own, as policies are.

-- The mark of a preset lies in the default itself: it is dumped, renamed and dropped with its column.
-- Without a search path, so that it is inlined; there is no name in it.
CREATE FUNCTION restful.preset(value anyelement) RETURNS anyelement
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$ SELECT value $function$;
COMMENT ON FUNCTION restful.preset(anyelement) IS
    'Returns its argument. In the default of a column it marks what restful.column_preset made, so that nobody else can write the value';

CREATE FUNCTION restful.preset_columns(rel regclass) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT ARRAY(
        SELECT a.attname
        FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE d.adrelid = rel AND pg_get_expr(d.adbin, d.adrelid) LIKE 'restful.preset(%'
        ORDER BY a.attnum)
$function$;
COMMENT ON FUNCTION restful.preset_columns(regclass) IS 'Internal: the columns of a table for which restful.column_preset made a preset';

-- What a role may write of a table that has presets, as a list of columns; null when it is all of them.
CREATE FUNCTION restful.writable_columns(rel regclass, presets name[]) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN presets <> '{}' THEN ARRAY(
        SELECT a.attname FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attname <> ALL (presets)
        ORDER BY a.attnum) END
$function$;
COMMENT ON FUNCTION restful.writable_columns(regclass, name[]) IS
    'Internal: the columns of a table without presets and generated ones; null if there are no presets';

CREATE FUNCTION restful.granted_columns(rel regclass, to_role oid, privilege text) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT ARRAY(
        SELECT a.attname
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped AND EXISTS (
            SELECT FROM aclexplode(a.attacl) x
            WHERE x.grantee = to_role AND x.grantor = c.relowner AND x.privilege_type = upper(privilege))
        ORDER BY a.attnum)
$function$;
COMMENT ON FUNCTION restful.granted_columns(regclass, oid, text) IS 'Internal: the columns on which a table''s owner has granted a role a privilege';

CREATE FUNCTION restful.column_list(columns name[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$ SELECT string_agg(quote_ident(c), ', ' ORDER BY place) FROM unnest(columns) WITH ORDINALITY u (c, place) $function$;
COMMENT ON FUNCTION restful.column_list(name[]) IS 'Internal: the names of columns as SQL, separated by commas; null if there are none';

CREATE FUNCTION restful.make_grants(
    rel regclass,
    to_roles text[],
    commands text[],
    columns name[],
    dry_run boolean
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    class pg_catalog.pg_class;
    of_table text;
    schema name;
    roles oid[] := restful.policy_roles(to_roles);
    of_commands text[] := restful.policy_commands(commands);
    presets name[] := restful.preset_columns(rel);
    missing name;
    role oid;
    role_name text;
    command text;
    is_whole boolean;
    is_columns name[];
    wanted name[];
    granted text[];
    revoked text[];
    made text[] := '{}';
BEGIN
    IF dry_run IS NULL THEN
        RAISE EXCEPTION 'dry_run is null' USING ERRCODE = '22004';
    END IF;
    SELECT c.* INTO class FROM pg_catalog.pg_class c WHERE c.oid = rel;
    schema := (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = class.relnamespace);
    of_table := format('%I.%I', schema, class.relname);
    IF class.relkind IS NULL OR class.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '% is not a table or view', coalesce(rel::text, 'null') USING ERRCODE = '42809';
    ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of %', of_table USING ERRCODE = '42501';
    END IF;
    SELECT c INTO missing FROM unnest(columns) c WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of % does not exist', missing, of_table USING ERRCODE = '42703';
    ELSIF columns = '{}' THEN
        RAISE EXCEPTION 'the list of columns is empty' USING ERRCODE = '22023', HINT = 'null stands for all columns.';
    END IF;

    FOREACH role IN ARRAY roles LOOP
        role_name := CASE role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(role)) END;
        IF role = class.relowner THEN
            RAISE EXCEPTION '% is the owner of %', role_name, of_table
                USING ERRCODE = '22023', HINT = 'Expose the table to a role that does not own it.';
        END IF;
        IF of_commands <> '{}' AND NOT has_schema_privilege(CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role) END, schema, 'USAGE') THEN
            made := made || format('GRANT USAGE ON SCHEMA %I TO %s;', schema, role_name);
        END IF;
        granted := '{}';
        revoked := '{}';
        FOREACH command IN ARRAY '{select,insert,update,delete}'::text[] LOOP
            is_whole := EXISTS (SELECT FROM aclexplode(class.relacl) a
                WHERE a.grantee = role AND a.grantor = class.relowner AND a.privilege_type = upper(command));
            is_columns := restful.granted_columns(rel, role, command);
            IF NOT command = ANY (of_commands) THEN
                IF is_whole OR is_columns <> '{}' THEN -- of the table, and with it of every column
                    revoked := revoked || upper(command);
                END IF;
                CONTINUE;
            END IF;
            wanted := CASE
                WHEN command = 'delete' THEN NULL
                WHEN command = 'select' THEN columns
                WHEN columns IS NULL THEN restful.writable_columns(rel, presets)
                ELSE ARRAY(SELECT c FROM unnest(columns) c
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = rel AND a.attname = c AND a.attgenerated = ''
                    WHERE c <> ALL (presets))
            END;
            IF wanted IS NULL THEN
                IF NOT is_whole THEN
                    granted := granted || upper(command);
                END IF;
            ELSIF is_whole THEN
                revoked := revoked || upper(command);
                granted := granted || format('%s (%s)', upper(command), restful.column_list(wanted));
            ELSE
                revoked := revoked || format('%s (%s)', upper(command),
                    restful.column_list(ARRAY(SELECT c FROM unnest(is_columns) c WHERE c <> ALL (wanted))));
                granted := granted || format('%s (%s)', upper(command),
                    restful.column_list(ARRAY(SELECT c FROM unnest(wanted) c WHERE c <> ALL (is_columns))));
            END IF;
        END LOOP;
        granted := ARRAY(SELECT g FROM unnest(granted) WITH ORDINALITY u (g, place) WHERE g NOT LIKE '% ()' ORDER BY place);
        revoked := ARRAY(SELECT r FROM unnest(revoked) WITH ORDINALITY u (r, place) WHERE r NOT LIKE '% ()' ORDER BY place);
        IF revoked <> '{}' THEN
            made := made || format('REVOKE %s ON %s FROM %s;', array_to_string(revoked, ', '), of_table, role_name);
        END IF;
        IF granted <> '{}' THEN
            made := made || format('GRANT %s ON %s TO %s;', array_to_string(granted, ', '), of_table, role_name);
        END IF;
        -- The sequences of serial columns are asked with the rights of whoever inserts; those of identity columns are not.
        made := made || ARRAY(
            SELECT DISTINCT CASE WHEN 'insert' = ANY (of_commands)
                THEN format('GRANT USAGE ON SEQUENCE %I.%I TO %s;', n.nspname, s.relname, role_name)
                ELSE format('REVOKE USAGE ON SEQUENCE %I.%I FROM %s;', n.nspname, s.relname, role_name) END
            FROM pg_catalog.pg_attrdef d
            JOIN pg_catalog.pg_depend u ON u.classid = 'pg_catalog.pg_attrdef'::regclass AND u.objid = d.oid
                AND u.refclassid = 'pg_catalog.pg_class'::regclass
            JOIN pg_catalog.pg_class s ON s.oid = u.refobjid AND s.relkind = 'S'
            JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
            WHERE d.adrelid = rel
              AND 'insert' = ANY (of_commands) <> EXISTS (SELECT FROM aclexplode(s.relacl) a
                  WHERE a.grantee = role AND a.grantor = s.relowner AND a.privilege_type = 'USAGE')
              -- one that other tables use too stays as it is
              AND ('insert' = ANY (of_commands) OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend o
                  JOIN pg_catalog.pg_attrdef e ON e.oid = o.objid
                  WHERE o.classid = 'pg_catalog.pg_attrdef'::regclass AND o.refclassid = 'pg_catalog.pg_class'::regclass
                    AND o.refobjid = s.oid AND e.adrelid <> rel))
            ORDER BY 1);
    END LOOP;
    IF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: these are the rights of %s on %s', array_to_string(to_roles, ', '), of_table)];
    END IF;
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;
COMMENT ON FUNCTION restful.make_grants(regclass, text[], text[], name[], boolean) IS
    'Internal: sets the rights of roles on a table to exactly these: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.expose(
    rel regclass,
    to_roles text[],
    commands text[],
    columns name[] DEFAULT NULL,
    public boolean DEFAULT false,
    dry_run boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    class pg_catalog.pg_class;
    name text;
BEGIN
    IF rel IS NULL THEN
        RAISE EXCEPTION 'the table is null' USING ERRCODE = '22004';
    END IF;
    SELECT c.* INTO class FROM pg_catalog.pg_class c WHERE c.oid = rel;
    name := format('%I.%I', (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = class.relnamespace), class.relname);
    IF public IS NOT TRUE AND class.relkind = 'v' THEN
        IF NOT EXISTS (SELECT FROM pg_options_to_table(class.reloptions) o
            WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
        THEN
            RAISE EXCEPTION '% is a view that shows what its owner may see', name USING ERRCODE = '55000', HINT = concat(
                CASE WHEN current_setting('server_version_num')::integer >= 150000
                    THEN format('ALTER VIEW %s SET (security_invoker = true) makes it ask for its reader''s rights; ', name) END,
                'with public => true it is exposed as it is.');
        END IF;
    ELSIF public IS NOT TRUE AND NOT class.relrowsecurity THEN
        RAISE EXCEPTION '% has no row-level security', name USING ERRCODE = '55000', HINT = concat(
            CASE WHEN class.relkind IN ('r', 'p') THEN format('Turn it on first: SELECT * FROM restful.enable_rls(%L); ', name) END,
            CASE WHEN class.relkind IN ('r', 'p') THEN 'or pass' ELSE 'Pass' END, ' public => true to expose every row.');
    END IF;
    RETURN QUERY SELECT * FROM restful.make_grants(rel, to_roles, commands, columns, dry_run);
END
$function$;
COMMENT ON FUNCTION restful.expose(regclass, text[], text[], name[], boolean, boolean) IS
    'Gives roles exactly these commands on a table or view, which must have row-level security unless public is true: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.unexpose(rel regclass, to_roles text[], dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$ SELECT * FROM restful.make_grants(rel, to_roles, '{}', NULL, dry_run) $function$;
COMMENT ON FUNCTION restful.unexpose(regclass, text[], boolean) IS
    'Revokes what restful.expose grants to roles on a table or view: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.make_preset(rel regclass, col name, tree pg_node_tree, dry_run boolean) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    -- constants are written the same whoever asks
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    owner oid := (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = rel);
    attribute pg_catalog.pg_attribute;
    other record;
    there text;
    wanted text;
    writable name[];
    made text[] := '{}';
BEGIN
    SELECT a.* INTO attribute FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = rel AND a.attname = col AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of % does not exist', col, of_table USING ERRCODE = '42703';
    ELSIF tree IS NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'the expression or dry_run is null' USING ERRCODE = '22004';
    ELSIF attribute.attgenerated <> '' OR attribute.attidentity <> '' THEN
        RAISE EXCEPTION 'column "%" of % is generated already', col, of_table USING ERRCODE = '42611';
    END IF;
    there := (SELECT pg_get_expr(d.adbin, rel) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = rel AND d.adnum = attribute.attnum);
    IF there NOT LIKE 'restful.preset(%' THEN
        RAISE EXCEPTION 'column "%" of % has another default: %', col, of_table, there
            USING ERRCODE = '42710', HINT = format('To replace it, first run: ALTER TABLE %s ALTER %I DROP DEFAULT;', of_table, col);
    END IF;
    SELECT a.* INTO other FROM (
        SELECT relacl FROM pg_catalog.pg_class WHERE oid = rel UNION ALL SELECT attribute.attacl
    ) l (acl), aclexplode(l.acl) a WHERE a.grantor <> owner AND a.grantee <> owner AND a.privilege_type IN ('INSERT', 'UPDATE');
    IF FOUND THEN
        RAISE EXCEPTION '% has % on % from %, who is not the owner', CASE other.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(other.grantee)::text END,
            other.privilege_type, of_table, pg_get_userbyid(other.grantor)
            USING ERRCODE = '55000', HINT = 'Only the role that granted a right can revoke it: let that role do so, or revoke its grant option with CASCADE.';
    END IF;
    wanted := format('restful.preset(%s)', pg_get_expr(tree, rel));
    IF there IS DISTINCT FROM pg_get_expr(restful.parse_expression(rel, wanted, attribute.attnum), rel) THEN
        made := made || format('ALTER TABLE %s ALTER %I SET DEFAULT %s;', of_table, col, wanted);
    END IF;

    -- A right on the table is one on every column: it becomes one on the others.
    writable := restful.writable_columns(rel, restful.preset_columns(rel) || col);
    made := made || ARRAY(
        SELECT s.statement
        FROM (
            SELECT a.grantee, a.is_grantable, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privileges,
                string_agg(format('%s (%s)', a.privilege_type, restful.column_list(writable)), ', ' ORDER BY a.privilege_type) AS others
            FROM pg_catalog.pg_class c, aclexplode(c.relacl) a
            WHERE c.oid = rel AND a.grantee <> owner AND a.privilege_type IN ('INSERT', 'UPDATE')
            GROUP BY a.grantee, a.is_grantable
        ) g
        CROSS JOIN LATERAL (SELECT CASE g.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(g.grantee)) END) r (role_name)
        CROSS JOIN LATERAL (VALUES
            (1, format('REVOKE %s ON %s FROM %s;', g.privileges, of_table, role_name)),
            (2, CASE WHEN writable <> '{}' THEN format('GRANT %s ON %s TO %s%s;', g.others, of_table, role_name,
                CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END) END)
        ) s (place, statement)
        WHERE s.statement IS NOT NULL
        ORDER BY role_name, g.is_grantable, s.place);
    made := made || ARRAY(
        SELECT format('REVOKE %s ON %s FROM %s;', string_agg(format('%s (%I)', a.privilege_type, col), ', ' ORDER BY a.privilege_type),
            of_table, CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
        FROM aclexplode(attribute.attacl) a
        WHERE a.grantee <> owner AND a.privilege_type IN ('INSERT', 'UPDATE')
        GROUP BY a.grantee ORDER BY 1);
    IF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: column %I of %s is preset', col, of_table)];
    END IF;
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;
COMMENT ON FUNCTION restful.make_preset(regclass, name, pg_node_tree, boolean) IS
    'Internal: like restful.column_preset, with the tree of the expression';

-- Without a search path of its own: the expression is read under the caller's.
CREATE FUNCTION restful.column_preset(rel regclass, col name, expr text, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE sql VOLATILE
AS $function$
    SELECT * FROM restful.make_preset(rel, col, restful.parse_expression(rel, expr, (
        SELECT a.attnum FROM pg_catalog.pg_attribute a
        WHERE a.attrelid OPERATOR(pg_catalog.=) rel AND a.attname OPERATOR(pg_catalog.=) col AND a.attnum OPERATOR(pg_catalog.>) 0)), dry_run)
$function$;
COMMENT ON FUNCTION restful.column_preset(regclass, name, text, boolean) IS
    'Lets the database fill in a column that nobody but the owner may write: a default, and no right to insert or update the column. Returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.drop_preset(rel regclass, col name, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    made text[];
BEGIN
    IF dry_run IS NULL THEN
        RAISE EXCEPTION 'dry_run is null' USING ERRCODE = '22004';
    ELSIF col = ANY (restful.preset_columns(rel)) THEN
        made := ARRAY[format('ALTER TABLE %s ALTER %I DROP DEFAULT;', of_table, col),
            format('-- this gives nobody the right to write %I back: restful.expose(%L, ...) does', col, of_table)];
    ELSE
        made := ARRAY[format('-- nothing to do: column %I of %s is not preset', col, of_table)];
    END IF;
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;
COMMENT ON FUNCTION restful.drop_preset(regclass, name, boolean) IS
    'Removes what restful.column_preset made, but does not restore the rights: returns the statements, and runs them unless dry_run';
