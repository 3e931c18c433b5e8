-- What is different for clients that move from one version of the API to another, from PostgreSQL's catalogue.
CREATE FUNCTION restful.version_schema(version text) RETURNS oid
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found oid := coalesce(
        (SELECT n.oid FROM restful.api_version v JOIN pg_namespace n ON n.nspname = v.schema WHERE v.name = version COLLATE "C"),
        (SELECT n.oid FROM pg_namespace n WHERE n.nspname::text COLLATE "C" = version));
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION 'there is no version and no schema "%"', version USING ERRCODE = '42704', HINT = 'See restful.versions.';
    END IF;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION restful.version_schema(text) IS
    'Internal: the schema that a version is, or the schema of that name';

-- A type as clients of both versions can name it: those of the schema itself without it.
CREATE FUNCTION restful.version_type(type oid, typmod integer, schema oid) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN starts_with(f.name, n.prefix) THEN substr(f.name, length(n.prefix) + 1) ELSE f.name END
    FROM (SELECT format_type(type, typmod)) f (name), (SELECT quote_ident(nspname) || '.' FROM pg_namespace WHERE oid = schema) n (prefix)
$function$;
COMMENT ON FUNCTION restful.version_type(oid, integer, oid) IS
    'Internal: the name of a type, without the schema if that is this one';

-- Relations with who may do what by grants of their own: 0 is PUBLIC.
CREATE FUNCTION restful.version_relations(schema oid)
    RETURNS TABLE (name name, relation oid, events integer, readers oid[], writers oid[])
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT c.relname, c.oid, pg_relation_is_updatable(c.oid, true) & 28,
        coalesce(array_agg(DISTINCT g.grantee) FILTER (WHERE g.privilege = 'SELECT'), '{}'),
        coalesce(array_agg(DISTINCT g.grantee) FILTER (WHERE g.privilege IN ('INSERT', 'UPDATE', 'DELETE')), '{}')
    FROM pg_class c
    LEFT JOIN LATERAL (
        SELECT a.grantee, a.privilege_type FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner
        UNION
        SELECT a.grantee, a.privilege_type FROM pg_attribute t, aclexplode(t.attacl) a
        WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped AND a.grantee <> c.relowner
    ) g (grantee, privilege) ON true
    WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    GROUP BY c.oid, c.relname
$function$;
COMMENT ON FUNCTION restful.version_relations(oid) IS
    'Internal: the relations of a schema; events: 4 UPDATE, 8 INSERT, 16 DELETE can be done; readers, writers: who has been granted that';

CREATE FUNCTION restful.version_columns(schema oid)
    RETURNS TABLE (
        relation oid, "column" name, number smallint, type text, base oid, typmod integer, labels text[], nullable boolean, required boolean,
        writable boolean)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1000
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT a.attrelid, a.attname, a.attnum, restful.version_type(a.atttypid, a.atttypmod, schema), a.atttypid, a.atttypmod,
        (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = a.atttypid),
        NOT (a.attnotnull OR t.typnotnull),
        (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL,
        pg_column_is_updatable(a.attrelid, a.attnum, true) AND a.attidentity <> 'a' AND a.attgenerated = ''
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
$function$;
COMMENT ON FUNCTION restful.version_columns(oid) IS
    'Internal: the columns of the relations of a schema; labels: those of its enum; required: an INSERT has to have it';

-- Keys and constraints in a form that is the same in both versions.
CREATE FUNCTION restful.version_constraints(schema oid) RETURNS TABLE (relation oid, kind text, definition text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1000
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT k.conrelid, CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique key' WHEN 'f' THEN 'foreign key' ELSE 'check' END,
        CASE k.contype
            WHEN 'c' THEN pg_get_constraintdef(k.oid, true)
            ELSE own.list || CASE WHEN k.contype = 'f'
                THEN ' to ' || CASE WHEN r.relnamespace <> schema THEN quote_ident(r.relnamespace::regnamespace::text) || '.' ELSE '' END
                    || quote_ident(r.relname) || ' ' || other.list
                ELSE '' END
        END
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    LEFT JOIN pg_class r ON r.oid = k.confrelid
    CROSS JOIN LATERAL (
        SELECT '(' || string_agg(quote_ident(a.attname), ', ' ORDER BY u.place) || ')'
        FROM unnest(k.conkey) WITH ORDINALITY u (number, place) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
    ) own (list)
    CROSS JOIN LATERAL (
        SELECT '(' || string_agg(quote_ident(a.attname), ', ' ORDER BY u.place) || ')'
        FROM unnest(k.confkey) WITH ORDINALITY u (number, place) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number
    ) other (list)
    WHERE c.relnamespace = schema AND NOT c.relispartition AND k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0
$function$;
COMMENT ON FUNCTION restful.version_constraints(oid) IS
    'Internal: the keys and checks of the tables of a schema';

-- One row per argument; a function without arguments has one row whose argument is null. Functions are told apart by the names of
-- their arguments, as callers do.
CREATE FUNCTION restful.version_functions(schema oid)
    RETURNS TABLE (function oid, name name, arguments text[], types text[], required integer, result text, reads boolean, callers oid[])
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT p.oid, p.proname, coalesce(i.names, '{}'), coalesce(i.types, '{}'), p.pronargs - p.pronargdefaults,
        CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END || coalesce(i.columns, restful.version_type(p.prorettype, -1, schema)),
        p.provolatile <> 'v',
        ARRAY(SELECT DISTINCT a.grantee FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner)
    FROM pg_proc p
    CROSS JOIN LATERAL (
        SELECT array_agg(coalesce(e.name, '') ORDER BY e.place) FILTER (WHERE coalesce(e.mode, 'i') IN ('i', 'b', 'v')) AS names,
            array_agg(restful.version_type(e.type, -1, schema) ORDER BY e.place)
                FILTER (WHERE coalesce(e.mode, 'i') IN ('i', 'b', 'v')) AS types,
            '(' || string_agg(coalesce(quote_ident(nullif(e.name, '')) || ' ', '') || restful.version_type(e.type, -1, schema), ', ' ORDER BY e.place)
                FILTER (WHERE e.mode IN ('o', 'b', 't')) || ')' AS columns
        FROM ROWS FROM (unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])), unnest(p.proargnames), unnest(p.proargmodes))
            WITH ORDINALITY e (type, name, mode, place)
        WHERE e.type IS NOT NULL
    ) i
    WHERE p.pronamespace = schema AND p.prokind = 'f'
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
$function$;
COMMENT ON FUNCTION restful.version_functions(oid) IS
    'Internal: the functions of a schema; required: how many arguments have no default; reads: GET may call it; callers: who has been granted it';

-- 'same', or whether the values of the new type are all, or only some, of those of the old one.
CREATE FUNCTION restful.version_type_change(
    old text, old_type oid, old_typmod integer, old_labels text[], new text, new_type oid, new_typmod integer, new_labels text[]
) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE
        WHEN old_labels <@ new_labels AND new_labels <@ old_labels THEN 'same'
        WHEN old_labels <@ new_labels THEN 'wider'
        WHEN new_labels <@ old_labels THEN 'narrower'
        WHEN old_labels IS NOT NULL OR new_labels IS NOT NULL THEN 'other'
        WHEN old = new THEN 'same'
        WHEN o.kind = n.kind AND o.place < n.place THEN 'wider'
        WHEN o.kind = n.kind AND o.place > n.place THEN 'narrower'
        ELSE 'other'
    END
    FROM (VALUES (
        CASE WHEN old_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'integer'
            WHEN old_type IN ('varchar'::regtype, 'text'::regtype) THEN 'text' END,
        CASE WHEN old_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN (SELECT t.typlen::integer FROM pg_type t WHERE t.oid = old_type)
            WHEN old_typmod = -1 THEN 2147483647 ELSE old_typmod END)) o (kind, place),
        (VALUES (
        CASE WHEN new_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'integer'
            WHEN new_type IN ('varchar'::regtype, 'text'::regtype) THEN 'text' END,
        CASE WHEN new_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN (SELECT t.typlen::integer FROM pg_type t WHERE t.oid = new_type)
            WHEN new_typmod = -1 THEN 2147483647 ELSE new_typmod END)) n (kind, place)
$function$;
COMMENT ON FUNCTION restful.version_type_change(text, oid, integer, text[], text, oid, integer, text[]) IS
    'Internal: whether a type is the same, wider, narrower or other';

CREATE FUNCTION restful.version_changes(old text, new text)
    RETURNS TABLE (object text, change text, breaks text, roles text[], detail text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH schemas (old_schema, new_schema) AS MATERIALIZED (
        SELECT restful.version_schema(old), restful.version_schema(new)
    ), old_relations AS MATERIALIZED (
        SELECT r.* FROM schemas s, restful.version_relations(s.old_schema) r
    ), new_relations AS MATERIALIZED (
        SELECT r.* FROM schemas s, restful.version_relations(s.new_schema) r
    ), relations AS MATERIALIZED (
        SELECT quote_ident(o.name) AS path, o.relation AS old_relation, n.relation AS new_relation, o.events AS old_events,
            n.events AS new_events, o.readers, o.writers
        FROM old_relations o JOIN new_relations n USING (name)
    ), old_columns AS MATERIALIZED (
        SELECT c.* FROM schemas s, restful.version_columns(s.old_schema) c
    ), new_columns AS MATERIALIZED (
        SELECT c.* FROM schemas s, restful.version_columns(s.new_schema) c
    ), columns AS MATERIALIZED (
        SELECT r.path || '.' || quote_ident(coalesce(o."column", n."column")) AS path, r.readers, r.writers, r.old_events, r.new_events,
            r.old_relation, r.new_relation, o.number AS old_number, n.number AS new_number, o.type AS old_type, n.type AS new_type,
            o.nullable AS old_nullable, n.nullable AS new_nullable, o.required AS old_required, n.required AS new_required,
            o.writable AS old_writable, n.writable AS new_writable, o.labels AS old_labels, n.labels AS new_labels,
            CASE WHEN o.number IS NOT NULL AND n.number IS NOT NULL THEN restful.version_type_change(
                o.type, o.base, o.typmod, o.labels, n.type, n.base, n.typmod, n.labels) END AS type_change
        FROM (
            SELECT r.*, c."column" FROM relations r JOIN old_columns c ON c.relation = r.old_relation
            UNION
            SELECT r.*, c."column" FROM relations r JOIN new_columns c ON c.relation = r.new_relation
        ) r
        LEFT JOIN old_columns o ON o.relation = r.old_relation AND o."column" = r."column"
        LEFT JOIN new_columns n ON n.relation = r.new_relation AND n."column" = r."column"
    ), old_constraints AS MATERIALIZED (
        SELECT r.path, r.readers, r.writers, k.kind, k.definition
        FROM schemas s, restful.version_constraints(s.old_schema) k JOIN relations r ON r.old_relation = k.relation
    ), new_constraints AS MATERIALIZED (
        SELECT r.path, r.readers, r.writers, k.kind, k.definition
        FROM schemas s, restful.version_constraints(s.new_schema) k JOIN relations r ON r.new_relation = k.relation
    ), constraints AS MATERIALIZED (
        SELECT k.*, false AS is_new
        FROM old_constraints k
        WHERE NOT EXISTS (SELECT FROM new_constraints m WHERE (m.path, m.kind, m.definition) = (k.path, k.kind, k.definition))
        UNION ALL
        SELECT k.*, true
        FROM new_constraints k
        WHERE NOT EXISTS (SELECT FROM old_constraints m WHERE (m.path, m.kind, m.definition) = (k.path, k.kind, k.definition))
    ), old_functions AS MATERIALIZED (
        SELECT f.*, count(*) OVER (PARTITION BY f.name) AS overloads, format('rpc/%I(%s)', f.name, array_to_string(f.arguments, ', ')) AS path
        FROM schemas s, restful.version_functions(s.old_schema) f
    ), new_functions AS MATERIALIZED (
        SELECT f.*, count(*) OVER (PARTITION BY f.name) AS overloads, format('rpc/%I(%s)', f.name, array_to_string(f.arguments, ', ')) AS path
        FROM schemas s, restful.version_functions(s.new_schema) f
    ), functions AS MATERIALIZED (
        -- by their arguments; the only one of a name is also itself with other arguments
        SELECT DISTINCT ON (o.function) o.path, o.callers, o.reads AS old_reads, n.reads AS new_reads, o.result AS old_result,
            n.result AS new_result, o.arguments AS old_arguments, n.arguments AS new_arguments, o.types AS old_types, n.types AS new_types,
            o.required AS old_required, n.required AS new_required, o.function AS old_function, n.function AS new_function,
            CASE WHEN o.reads THEN 'readers' ELSE 'writers' END AS who
        FROM old_functions o
        JOIN new_functions n ON n.name = o.name AND (n.arguments = o.arguments OR o.overloads = 1 AND n.overloads = 1)
        ORDER BY o.function, n.types = o.types DESC, n.function
    ), grantees AS MATERIALIZED (
        SELECT r.relation, g.role
        FROM old_relations r, LATERAL (SELECT unnest(r.readers) UNION SELECT unnest(r.writers)) g (role)
    ), changes (object, change, breaks, affected, detail) AS (
        SELECT quote_ident(o.name), 'relation removed', CASE o.events WHEN 0 THEN 'readers' ELSE 'both' END, o.readers || o.writers, NULL
        FROM old_relations o WHERE NOT EXISTS (SELECT FROM new_relations n WHERE n.name = o.name)
        UNION ALL
        SELECT quote_ident(n.name), 'relation added', NULL, NULL, NULL
        FROM new_relations n WHERE NOT EXISTS (SELECT FROM old_relations o WHERE o.name = n.name)
        UNION ALL
        SELECT r.path, 'no longer takes ' || e.method, 'writers', r.writers, NULL
        FROM relations r, (VALUES (8, 'POST'), (4, 'PATCH'), (16, 'DELETE')) e (bit, method)
        WHERE r.old_events & e.bit <> 0 AND r.new_events & e.bit = 0
        UNION ALL
        SELECT c.path, 'column removed', CASE WHEN c.old_writable THEN 'both' ELSE 'readers' END, c.readers || c.writers, NULL
        FROM columns c WHERE c.new_number IS NULL
        UNION ALL
        SELECT c.path, 'column added', CASE WHEN c.new_required AND c.old_events & 8 <> 0 THEN 'writers' END,
            CASE WHEN c.new_required AND c.old_events & 8 <> 0 THEN c.writers END,
            CASE WHEN c.new_required THEN 'required' ELSE c.new_type END
        FROM columns c WHERE c.old_number IS NULL
        UNION ALL
        SELECT c.path, 'type changed',
            CASE c.type_change WHEN 'wider' THEN 'readers' WHEN 'narrower' THEN CASE WHEN c.old_writable THEN 'writers' END
                ELSE CASE WHEN c.old_writable THEN 'both' ELSE 'readers' END END,
            CASE c.type_change WHEN 'wider' THEN c.readers WHEN 'narrower' THEN CASE WHEN c.old_writable THEN c.writers END
                ELSE c.readers || c.writers END,
            format('%s to %s', coalesce(array_to_string(c.old_labels, '|'), c.old_type), coalesce(array_to_string(c.new_labels, '|'), c.new_type))
        FROM columns c WHERE c.type_change <> 'same'
        UNION ALL
        SELECT c.path, 'can be null', 'readers', c.readers, NULL
        FROM columns c WHERE NOT c.old_nullable AND c.new_nullable
        UNION ALL
        SELECT c.path, CASE WHEN c.new_required THEN 'required' ELSE 'cannot be null' END,
            CASE WHEN c.old_writable THEN 'writers' END, CASE WHEN c.old_writable THEN c.writers END, NULL
        FROM columns c
        WHERE c.old_nullable AND NOT c.new_nullable OR NOT c.old_required AND c.new_required AND NOT c.old_nullable
        UNION ALL
        SELECT c.path, 'no longer writable', 'writers', c.writers, NULL
        FROM columns c
        WHERE c.old_writable AND NOT c.new_writable AND c.new_number IS NOT NULL AND c.new_events & 12 <> 0
        UNION ALL
        SELECT k.path, k.kind || CASE WHEN k.is_new THEN ' added' ELSE ' removed' END,
            CASE
                WHEN k.kind = 'primary key' AND k.is_new THEN NULL
                WHEN k.kind = 'primary key' THEN 'both'
                WHEN k.kind = 'unique key' OR k.is_new THEN 'writers'
                ELSE 'readers'
            END,
            CASE
                WHEN k.kind = 'primary key' AND k.is_new THEN NULL
                WHEN k.kind = 'primary key' THEN k.readers || k.writers
                WHEN k.kind = 'unique key' OR k.is_new THEN k.writers
                ELSE k.readers
            END,
            k.definition
        FROM constraints k
        UNION ALL
        SELECT o.path, 'function removed', CASE WHEN o.reads THEN 'readers' ELSE 'writers' END, o.callers, NULL
        FROM old_functions o WHERE NOT EXISTS (SELECT FROM functions f WHERE f.old_function = o.function)
        UNION ALL
        SELECT n.path, 'function added', NULL, NULL, NULL
        FROM new_functions n WHERE NOT EXISTS (SELECT FROM functions f WHERE f.new_function = n.function)
        UNION ALL
        SELECT f.path, 'argument removed', f.who, f.callers, a.name
        FROM functions f, unnest(f.old_arguments) a (name) WHERE a.name <> ALL (f.new_arguments)
        UNION ALL
        SELECT f.path, 'argument added', CASE WHEN a.place <= f.new_required THEN f.who END, CASE WHEN a.place <= f.new_required THEN f.callers END,
            a.name || CASE WHEN a.place <= f.new_required THEN ', required' ELSE '' END
        FROM functions f, unnest(f.new_arguments) WITH ORDINALITY a (name, place) WHERE a.name <> ALL (f.old_arguments)
        UNION ALL
        SELECT f.path, 'argument required', f.who, f.callers, n.name
        FROM functions f, unnest(f.new_arguments) WITH ORDINALITY n (name, place)
        JOIN unnest(f.old_arguments) WITH ORDINALITY o (name, place) ON o.name = n.name
        WHERE o.place > f.old_required AND n.place <= f.new_required AND n.name <> ''
        UNION ALL
        SELECT f.path, 'argument has another type', f.who, f.callers, format('%s: %s to %s', n.name, o.type, n.type)
        FROM functions f, ROWS FROM (unnest(f.new_arguments), unnest(f.new_types)) WITH ORDINALITY n (name, type, place)
        JOIN ROWS FROM (unnest(f.old_arguments), unnest(f.old_types)) WITH ORDINALITY o (name, type, place)
            ON o.name = n.name AND (n.name <> '' OR o.place = n.place)
        WHERE o.type <> n.type
        UNION ALL
        SELECT f.path, 'result has another type', f.who, f.callers, format('%s to %s', f.old_result, f.new_result)
        FROM functions f WHERE f.old_result <> f.new_result
        UNION ALL
        SELECT f.path, 'no longer takes GET', 'readers', f.callers, NULL
        FROM functions f WHERE f.old_reads AND NOT f.new_reads
        UNION ALL
        -- without USAGE, no other right counts
        SELECT quote_ident(n.nspname), 'right lost: USAGE', 'both', array_agg(u.role), NULL
        FROM schemas s
        JOIN pg_namespace n ON n.oid = s.new_schema
        CROSS JOIN LATERAL (
            SELECT g.role FROM grantees g UNION SELECT unnest(f.callers) FROM old_functions f
        ) u (role)
        WHERE has_schema_privilege(u.role, s.old_schema, 'USAGE') AND NOT has_schema_privilege(u.role, s.new_schema, 'USAGE')
        GROUP BY n.nspname
        UNION ALL
        SELECT r.path, 'right lost: ' || p.privilege, p.who, array_agg(g.role), NULL
        FROM relations r
        JOIN grantees g ON g.relation = r.old_relation
        CROSS JOIN (VALUES ('SELECT', 'readers'), ('INSERT', 'writers'), ('UPDATE', 'writers'), ('DELETE', 'writers')) p (privilege, who)
        WHERE CASE WHEN p.privilege = 'DELETE'
            THEN has_table_privilege(g.role, r.old_relation, 'DELETE') AND NOT has_table_privilege(g.role, r.new_relation, 'DELETE')
            ELSE has_any_column_privilege(g.role, r.old_relation, p.privilege) AND NOT has_any_column_privilege(g.role, r.new_relation, p.privilege)
        END
        GROUP BY r.path, p.privilege, p.who
        UNION ALL
        -- of a column, where the relation keeps that of others
        SELECT c.path, 'right lost: ' || p.privilege, p.who, array_agg(g.role), NULL
        FROM columns c
        JOIN grantees g ON g.relation = c.old_relation
        CROSS JOIN (VALUES ('SELECT', 'readers'), ('INSERT', 'writers'), ('UPDATE', 'writers')) p (privilege, who)
        WHERE c.old_number IS NOT NULL AND c.new_number IS NOT NULL
          AND has_column_privilege(g.role, c.old_relation, c.old_number, p.privilege)
          AND NOT has_column_privilege(g.role, c.new_relation, c.new_number, p.privilege)
          AND has_any_column_privilege(g.role, c.new_relation, p.privilege)
        GROUP BY c.path, p.privilege, p.who
        UNION ALL
        SELECT f.path, 'right lost: EXECUTE', f.who, array_agg(c.role), NULL
        FROM functions f, unnest(f.callers) c (role)
        WHERE NOT has_function_privilege(c.role, f.new_function, 'EXECUTE')
        GROUP BY f.path, f.who
    )
    SELECT c.object, c.change, CASE c.breaks WHEN 'both' THEN 'readers and writers' ELSE coalesce(c.breaks, 'nobody') END,
        ARRAY(
            SELECT DISTINCT CASE a.role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.role)::text END
            FROM unnest(c.affected) a (role)
            ORDER BY 1
        ),
        c.detail
    FROM changes c
    ORDER BY c.breaks IS NULL, c.object COLLATE "C", c.change COLLATE "C", c.detail COLLATE "C"
$function$;
COMMENT ON FUNCTION restful.version_changes(text, text) IS
    'What a new version of the API changes for clients of an old one; breaks: readers, writers, readers and writers, or nobody; roles: who has been granted what breaks. Each version is named by itself or by its schema.';
