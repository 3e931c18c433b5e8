-- Schemas on tables. What is bound to a table is in PostgreSQL's catalogue alone: CHECK constraints and triggers, which pg_dump
-- dumps and DROP TABLE drops.
CREATE FUNCTION restful.enforce_schema() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_enforce_schema';
COMMENT ON FUNCTION restful.enforce_schema() IS
    'Internal: the trigger that restful.constrain creates: checks the column in its WHEN condition, or the whole row, against a JSON Schema (schema, level, action)';

CREATE FUNCTION restful.bound_schemas(rel regclass)
    RETURNS TABLE ("column" name, schema jsonb, schema_name text, level text, action text, source text, name name)
    LANGUAGE c STABLE STRICT ROWS 5 AS 'MODULE_PATHNAME', 'restful_bound_schemas';
COMMENT ON FUNCTION restful.bound_schemas(regclass) IS
    'The JSON Schemas bound to a table by restful.constrain and by CHECK constraints written by hand; column: null for the whole row';

CREATE FUNCTION restful.read_schema(schema text) RETURNS TABLE (document json, refers boolean, registered boolean)
    LANGUAGE c STABLE STRICT ROWS 1 AS 'MODULE_PATHNAME', 'restful_read_schema';
COMMENT ON FUNCTION restful.read_schema(text) IS
    'Internal: checks a JSON Schema that is given as JSON, or by its registered name, which the document then refers to; refers: whether it refers to a registered schema';

CREATE FUNCTION restful.tables_of(rel regclass) RETURNS TABLE ("table" regclass, blocks bigint)
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $tables_of$
    WITH RECURSIVE tables (oid) AS (
        SELECT rel::oid
        UNION
        SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tables t ON i.inhparent = t.oid
    )
    SELECT c.oid::regclass, CASE
        WHEN c.relkind = 'p' THEN 0
        WHEN c.relam = (SELECT a.oid FROM pg_catalog.pg_am a WHERE a.amname = 'heap')
            THEN pg_relation_size(c.oid) / current_setting('block_size')::bigint
    END
    FROM tables t JOIN pg_catalog.pg_class c ON c.oid = t.oid
$tables_of$;
COMMENT ON FUNCTION restful.tables_of(regclass) IS
    'Internal: the tables that hold the rows of a table: itself, its partitions and its children; blocks: null for those that are not heaps';

CREATE FUNCTION restful.constrain(
    rel regclass,
    "column" name,
    schema text,
    level text DEFAULT 'strict',
    action text DEFAULT 'error'
) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $constrain$
DECLARE
    kind "char" := (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = rel);
    attribute pg_catalog.pg_attribute;
    data_type pg_catalog.pg_type;
    refers boolean;
    by_check boolean;
    predicate text;
    base text := coalesce("column", 'row');
    made text;
    broken bigint;
BEGIN
    IF rel IS NULL OR schema IS NULL THEN
        RAISE EXCEPTION 'table and schema must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF level IS NULL OR level NOT IN ('strict', 'moderate', 'off') THEN
        RAISE EXCEPTION 'unknown level "%"', level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use strict, moderate or off.';
    ELSIF action IS NULL OR action NOT IN ('error', 'warn') THEN
        RAISE EXCEPTION 'unknown action "%"', action
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use error or warn.';
    ELSIF kind NOT IN ('r', 'p', 'f') THEN
        RAISE EXCEPTION '"%" is not a table', rel
            USING ERRCODE = 'wrong_object_type', HINT = 'Constrain the tables behind the view instead.';
    END IF;
    -- as a $ref says it
    schema := regexp_replace(schema, '^restful:', '');
    IF "column" IS NOT NULL THEN
        SELECT a.* INTO attribute FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = rel AND a.attname = "column" AND a.attnum > 0 AND NOT a.attisdropped;
        IF attribute.attnum IS NULL THEN
            RAISE EXCEPTION 'column "%" of "%" does not exist', "column", rel USING ERRCODE = 'undefined_column';
        END IF;
        SELECT t.* INTO data_type FROM pg_catalog.pg_type t WHERE t.oid = attribute.atttypid;
        WHILE data_type.typtype = 'd' LOOP
            SELECT t.* INTO data_type FROM pg_catalog.pg_type t WHERE t.oid = data_type.typbasetype;
        END LOOP;
        IF data_type.oid NOT IN ('json'::regtype, 'jsonb'::regtype) THEN
            RAISE EXCEPTION 'column "%" is of type %, not json or jsonb', "column", format_type(attribute.atttypid, NULL)
                USING ERRCODE = 'datatype_mismatch', HINT = 'If the column is null, the schema describes the whole row as a JSON object.';
        END IF;
    END IF;
    SELECT s.refers INTO refers FROM restful.read_schema(schema) s;
    PERFORM restful.unconstrain(rel, "column");

    WHILE octet_length(base) > 45 LOOP -- 63 without the rest of the name
        base := left(base, -1);
    END LOOP;
    FOR i IN 1..999 LOOP
        made := concat(base, '_matches_schema', CASE WHEN i > 1 THEN i END);
        EXIT WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = rel AND c.conname = made)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = rel AND t.tgname = made);
    END LOOP;

    -- A CHECK has to be immutable, which a reference to what may change is not; it knows no levels; PostgreSQL does not enforce it
    -- on foreign tables.
    by_check := "column" IS NOT NULL AND level = 'strict' AND action = 'error' AND NOT refers AND NOT EXISTS (
        SELECT FROM restful.tables_of(rel) t JOIN pg_catalog.pg_class c ON c.oid = t."table" WHERE c.relkind = 'f');
    IF by_check THEN
        predicate := format('restful.%I(%L::pg_catalog.json, %I)',
            CASE data_type.oid WHEN 'json'::regtype THEN 'json_matches_schema' ELSE 'jsonb_matches_schema' END, schema, "column");
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s) NOT VALID', rel, made, predicate);
        EXECUTE format('COMMENT ON CONSTRAINT %I ON %s IS %L', made, rel, 'Made by restful.constrain');
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', rel, made);
        EXCEPTION WHEN check_violation THEN
            EXECUTE format('SELECT count(*) FROM %s WHERE NOT %s', rel, predicate) INTO broken;
            RAISE NOTICE 'existing rows of "%" that violate the schema: %; "%" stays NOT VALID', rel, broken, made
                USING HINT = format('SELECT * FROM restful.validation_report(%L, %L) lists them. After correcting them: ALTER TABLE %s VALIDATE CONSTRAINT %I.',
                    rel, "column", rel, made);
        END;
        RETURN made;
    END IF;

    IF attribute.attgenerated = 'v' THEN
        RAISE EXCEPTION 'column "%" is a virtual generated column, which a trigger cannot see', "column"
            USING ERRCODE = 'feature_not_supported', HINT = 'It can have a schema that is given as JSON, with level strict and action error.';
    ELSIF kind <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = rel) THEN
        RAISE WARNING '"%" has child tables, which do not inherit its triggers', rel USING HINT = 'Constrain them, too.';
    END IF;
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE ON %s FOR EACH ROW %s EXECUTE FUNCTION restful.enforce_schema(%L, %L, %L)',
        made, rel, CASE WHEN "column" IS NOT NULL THEN format('WHEN (NEW.%I IS NOT NULL)', "column") END, schema, level, action);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', made, rel, 'Made by restful.constrain');
    IF level = 'off' THEN
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', rel, made);
    END IF;
    RETURN made;
END
$constrain$;
COMMENT ON FUNCTION restful.constrain(regclass, name, text, text, text) IS
    'Binds a JSON Schema, given as JSON or by its registered name, to a column (null: to the whole row); level: strict, moderate or off; action: error or warn';

CREATE FUNCTION restful.unconstrain(rel regclass, "column" name) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $unconstrain$
DECLARE
    bound record;
    removed boolean := false;
BEGIN
    FOR bound IN
        SELECT b.source, b.name
        FROM restful.bound_schemas(rel) b
        WHERE b."column" IS NOT DISTINCT FROM unconstrain."column"
          AND CASE b.source
              WHEN 'check' THEN EXISTS (
                  SELECT FROM pg_catalog.pg_constraint c
                  WHERE c.conrelid = rel AND c.conname = b.name AND c.conislocal
                    AND obj_description(c.oid, 'pg_constraint') = 'Made by restful.constrain')
              -- of a partitioned table's trigger, each partition has a copy, which goes with it
              ELSE EXISTS (
                  SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = rel AND t.tgname = b.name AND t.tgparentid = 0)
          END
    LOOP
        IF bound.source = 'check' THEN
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', rel, bound.name);
        ELSE
            EXECUTE format('DROP TRIGGER %I ON %s', bound.name, rel);
        END IF;
        removed := true;
    END LOOP;
    RETURN removed;
END
$unconstrain$;
COMMENT ON FUNCTION restful.unconstrain(regclass, name) IS
    'Removes what restful.constrain bound to a column (null: to the whole row); returns whether there was anything';

-- Apart from the report, which runs policies and their functions under the caller's search path.
CREATE FUNCTION restful.validation_query(rel regclass, of_column name, by_schema text, ranges boolean) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $validation_query$
DECLARE
    row_key text;
    checks text;
    called regprocedure;
BEGIN
    IF (SELECT c.relkind NOT IN ('r', 'p', 'm', 'f') FROM pg_catalog.pg_class c WHERE c.oid = rel) THEN
        RAISE EXCEPTION '"%" is not a table', rel USING ERRCODE = 'wrong_object_type';
    END IF;
    -- Beyond what any SELECT runs, making JSON of rows runs the casts to JSON of their types, with the rights of who asks.
    WITH RECURSIVE types (oid) AS (
        SELECT a.atttypid
        FROM pg_catalog.pg_attribute a
        LEFT JOIN pg_catalog.pg_index i ON i.indrelid = rel AND i.indisprimary
        WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped
          AND (of_column IS NULL OR a.attname = of_column OR a.attnum = ANY (i.indkey))
        UNION
        SELECT part.oid
        FROM types y
        JOIN pg_catalog.pg_type t ON t.oid = y.oid
        CROSS JOIN LATERAL (
            SELECT t.typelem
            UNION ALL
            SELECT t.typbasetype
            UNION ALL
            SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ) part (oid)
        WHERE part.oid <> 0
    )
    SELECT p.oid INTO called
    FROM types y
    JOIN pg_catalog.pg_cast c ON c.castsource = y.oid AND c.casttarget IN ('json'::regtype, 'jsonb'::regtype)
    JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
    JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
    WHERE NOT r.rolsuper AND r.rolname <> current_user
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a report on "%" would call %, which belongs to another role', rel, called
            USING ERRCODE = 'insufficient_privilege', HINT = 'The function is a cast to JSON. Run the report as its owner.';
    END IF;
    SELECT format('pg_catalog.jsonb_build_object(%s)', string_agg(format('%L, t.%I', a.attname, a.attname), ', ' ORDER BY k.position))
    INTO row_key
    FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = rel AND i.indisprimary AND k.position <= i.indnkeyatts
    HAVING count(*) > 0;
    IF row_key IS NULL THEN
        row_key := format('pg_catalog.jsonb_build_object(%s''ctid'', t.ctid::pg_catalog.text)',
            CASE WHEN (SELECT count(*) > 1 FROM restful.tables_of(rel)) THEN '''table'', t.tableoid::pg_catalog.regclass::pg_catalog.text, ' END);
    END IF;

    SELECT string_agg(format(
        $part$
        SELECT %1$L OPERATOR(pg_catalog.||) v.instance_location, %2$s, v.keyword, v.message
        FROM restful.validate(%3$L::pg_catalog.jsonb, %4$s, NULL, true) v
        WHERE NOT restful.is_valid(%3$L::pg_catalog.jsonb, %4$s)$part$,
        -- without a column, locations are those in the row
        CASE WHEN of_column IS NULL AND b.name IS NOT NULL
            THEN '/' || replace(replace(b.name, '~', '~0'), '/', '~1') ELSE '' END,
        CASE WHEN b.registered THEN 'pg_catalog.substr(v.keyword_location, 6)' ELSE 'v.keyword_location' END, -- behind /$ref
        b.document,
        CASE WHEN b.name IS NULL THEN 'pg_catalog.to_jsonb(t.*)' ELSE format('t.%I::pg_catalog.jsonb', b.name) END), ' UNION ALL ')
    INTO checks
    FROM (
        SELECT of_column AS name, s.document::jsonb, s.registered
        FROM restful.read_schema(by_schema) s
        UNION ALL
        SELECT o."column", coalesce(o.schema, s.document::jsonb), o.schema IS NULL
        FROM restful.bound_schemas(rel) o
        LEFT JOIN LATERAL restful.read_schema(o.schema_name) s ON true
        WHERE by_schema IS NULL AND (of_column IS NULL OR o."column" = of_column)
    ) b;
    IF checks IS NULL THEN
        RAISE EXCEPTION 'no schema is bound to %', CASE WHEN of_column IS NULL THEN '' ELSE format('column "%s" of ', of_column) END || format('"%s"', rel)
            USING ERRCODE = 'undefined_object', HINT = 'Bind one with restful.constrain, or pass one as the third argument.';
    END IF;
    RETURN format('SELECT %s, f.* FROM %s t CROSS JOIN LATERAL (%s) f', row_key, rel, checks) ||
        CASE WHEN ranges THEN ' WHERE t.ctid OPERATOR(pg_catalog.>=) $1 AND t.ctid OPERATOR(pg_catalog.<) $2' ELSE '' END;
END
$validation_query$;
COMMENT ON FUNCTION restful.validation_query(regclass, name, text, boolean) IS
    'Internal: the query of restful.validation_report; ranges: for the rows between two ctids, $1 and $2';

-- Without a search path of its own: policies and their functions run under the caller's. So every name in it has its schema.
CREATE FUNCTION restful.validation_report(rel regclass, "column" name DEFAULT NULL, schema text DEFAULT NULL)
    RETURNS TABLE (row_key jsonb, instance_location text, keyword_location text, keyword text, message text)
    LANGUAGE plpgsql STABLE AS $validation_report$
DECLARE
    step CONSTANT pg_catalog.int8 := 4096; -- blocks: 32 MB
    blocks pg_catalog.int8; -- of the largest table; null when not all can be read in ranges
    query pg_catalog.text;
    said pg_catalog.timestamptz := pg_catalog.clock_timestamp();
BEGIN
    SELECT CASE WHEN pg_catalog.bool_and(t.blocks IS NOT NULL) THEN pg_catalog.max(t.blocks) END INTO blocks FROM restful.tables_of(rel) t;
    query := restful.validation_query(rel, "column", schema, blocks IS NOT NULL);
    IF blocks IS NULL THEN
        RETURN QUERY EXECUTE query;
        RETURN;
    END IF;
    FOR block IN 0..blocks BY step LOOP
        IF block OPERATOR(pg_catalog.>) 0
            AND pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) (said OPERATOR(pg_catalog.+) '5 s'::pg_catalog.interval)
        THEN
            RAISE NOTICE '%: % %% checked', rel, (block OPERATOR(pg_catalog.*) 100) OPERATOR(pg_catalog./) blocks;
            said := pg_catalog.clock_timestamp();
        END IF;
        RETURN QUERY EXECUTE query
            USING pg_catalog.format('(%s,0)', block)::pg_catalog.tid, pg_catalog.format('(%s,0)', block OPERATOR(pg_catalog.+) step)::pg_catalog.tid;
    END LOOP;
END
$validation_report$;
COMMENT ON FUNCTION restful.validation_report(regclass, name, text) IS
    'The rows that violate the schema bound to a column, or the given one; without a column, all bound schemas, with locations in the row';
