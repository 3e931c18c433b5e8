-- Schemas by name, in versions.
CREATE TABLE restful.json_schema (
    name text NOT NULL,
    version integer NOT NULL,
    schema jsonb NOT NULL,
    compatibility text NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version),
    CONSTRAINT name_is_short CHECK (octet_length(name) BETWEEN 1 AND 255 AND name !~ '[@[:space:]]'),
    CONSTRAINT version_counts_from_one CHECK (version >= 1),
    CONSTRAINT compatibility_is_known CHECK (compatibility IN ('backward', 'forward', 'full', 'none'))
);
COMMENT ON TABLE restful.json_schema IS 'Registered JSON Schemas: "restful:name" refers to the latest version, "restful:name@2" to one';
SELECT pg_catalog.pg_extension_config_dump('restful.json_schema', '');

CREATE FUNCTION restful.json_schema_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_json_schema_changed';
COMMENT ON FUNCTION restful.json_schema_changed() IS 'Internal: makes every session discard what it has compiled from registered schemas';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER json_schema_changed AFTER INSERT OR UPDATE OR DELETE ON restful.json_schema
    FOR EACH ROW EXECUTE FUNCTION restful.json_schema_changed();
CREATE TRIGGER json_schema_truncated AFTER TRUNCATE ON restful.json_schema
    FOR EACH STATEMENT EXECUTE FUNCTION restful.json_schema_changed();
ALTER TABLE restful.json_schema ENABLE ALWAYS TRIGGER json_schema_changed, ENABLE ALWAYS TRIGGER json_schema_truncated;

CREATE FUNCTION restful.register_schema(name text, schema jsonb, compatibility text DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    latest restful.json_schema;
    declared text;
    change record;
    meta_schema text;
BEGIN
    IF register_schema.name IS NULL OR register_schema.schema IS NULL THEN
        RAISE EXCEPTION 'the name or the schema is null' USING ERRCODE = '22004';
    END IF;
    IF octet_length(register_schema.name) NOT BETWEEN 1 AND 255 OR register_schema.name ~ '[@[:space:]]' THEN
        RAISE EXCEPTION 'a schema cannot be named "%"', register_schema.name
            USING ERRCODE = '22023', HINT = 'A name has 1 to 255 bytes, and contains neither blanks nor "@", which separates it from the version.';
    END IF;
    -- References to these URIs lead to the meta-schemas, and never here.
    SELECT u.uri INTO meta_schema
    FROM unnest(ARRAY[register_schema.name, register_schema.schema ->> '$id', register_schema.schema ->> 'id']) u (uri)
    WHERE u.uri ~ '^https?://json-schema\.org/(draft-0[467]/schema|schema)#?$'
       OR u.uri ~ '^https?://json-schema\.org/draft/(2019-09|2020-12)/schema#?$'
       OR u.uri ~ '^https://json-schema\.org/draft/2019-09/meta/(applicator|content|core|format|meta-data|validation)#?$'
       OR u.uri ~ '^https://json-schema\.org/draft/2020-12/meta/(applicator|content|core|format-annotation|format-assertion)#?$'
       OR u.uri ~ '^https://json-schema\.org/draft/2020-12/meta/(meta-data|unevaluated|validation)#?$'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a schema cannot be registered as "%", which is a meta-schema of JSON Schema', meta_schema
            USING ERRCODE = '22023',
                HINT = 'Refer to the meta-schema by that URI in "$ref". A schema of your own needs another name and "$id".';
    END IF;
    -- One registration at a time: two of one name would both become the same version.
    LOCK TABLE restful.json_schema IN SHARE ROW EXCLUSIVE MODE;
    SELECT s.* INTO latest FROM restful.json_schema s WHERE s.name = register_schema.name ORDER BY s.version DESC LIMIT 1;
    declared := coalesce(register_schema.compatibility, latest.compatibility, 'backward');
    IF declared NOT IN ('backward', 'forward', 'full', 'none') THEN
        RAISE EXCEPTION 'compatibility "%" is unknown', declared
            USING ERRCODE = '22023', HINT = 'Use backward, forward, full or none.';
    END IF;
    -- Raises an error with the place in the schema when it is none, or refers to what is not registered.
    PERFORM restful.is_valid(register_schema.schema, 'null');
    IF latest.version IS NULL THEN
        INSERT INTO restful.json_schema (name, version, schema, compatibility)
        VALUES (register_schema.name, 1, register_schema.schema, declared);
        RETURN 1;
    END IF;
    IF latest.schema = register_schema.schema THEN
        IF latest.compatibility <> declared THEN
            UPDATE restful.json_schema s SET compatibility = declared
            WHERE s.name = latest.name AND s.version = latest.version;
        END IF;
        RETURN latest.version;
    END IF;
    IF declared <> 'none' THEN
        SELECT c.* INTO change
        FROM restful.schema_changes(latest.schema, register_schema.schema) c
        WHERE c.verdict <> 'nothing'
          AND (declared = 'full' OR c.change = CASE declared WHEN 'backward' THEN 'no longer accepted' ELSE 'newly accepted' END)
        ORDER BY c.verdict = 'unknown'
        LIMIT 1;
        IF FOUND AND change.verdict = 'something' THEN
            RAISE EXCEPTION 'version % of schema "%" is not % compatible: this value is %: %',
                latest.version + 1, latest.name, declared, change.change, change.example
                USING ERRCODE = '22023', DETAIL = change.detail,
                    HINT = 'Accept that value, register the schema under another name, or pass compatibility => ''none''.';
        ELSIF FOUND THEN
            RAISE EXCEPTION 'version % of schema "%" cannot be shown to be % compatible', latest.version + 1, latest.name, declared
                USING ERRCODE = '22023', DETAIL = change.detail,
                    HINT = 'See restful.schema_changes(old, new), and pass compatibility => ''none'' if the change is intended.';
        END IF;
    END IF;
    INSERT INTO restful.json_schema (name, version, schema, compatibility)
    VALUES (latest.name, latest.version + 1, register_schema.schema, declared);
    RETURN latest.version + 1;
END
$function$;
COMMENT ON FUNCTION restful.register_schema(text, jsonb, text) IS
    'Registers a version of a JSON Schema and returns its number; compatibility with the previous version: backward, forward, full or none; null keeps the current one, initially backward';

CREATE FUNCTION restful.get_schema(name text, version integer DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT s.schema
    FROM restful.json_schema s
    WHERE s.name = get_schema.name AND (get_schema.version IS NULL OR s.version = get_schema.version)
    ORDER BY s.version DESC
    LIMIT 1
$function$;
COMMENT ON FUNCTION restful.get_schema(text, integer) IS
    'A registered JSON Schema: the latest version, or the given one; null if there is none';

CREATE FUNCTION restful.list_schemas()
    RETURNS TABLE (name text, version integer, compatibility text, registered_at timestamptz, latest boolean, title text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT s.name, s.version, s.compatibility, s.registered_at,
        s.version = max(s.version) OVER (PARTITION BY s.name), s.schema ->> 'title'
    FROM restful.json_schema s
    ORDER BY s.name, s.version
$function$;
COMMENT ON FUNCTION restful.list_schemas() IS 'The registered JSON Schemas, all versions';

CREATE FUNCTION restful.drop_schema(name text, version integer DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
#variable_conflict use_column
DECLARE
    remains boolean;
    used text;
    dropped integer;
BEGIN
    LOCK TABLE restful.json_schema IN SHARE ROW EXCLUSIVE MODE;
    remains := drop_schema.version IS NOT NULL AND EXISTS (
        SELECT FROM restful.json_schema s WHERE s.name = drop_schema.name AND s.version <> drop_schema.version);
    -- What names the schema: "name@version"; unless another version stays, "name"; and then the URIs that it may have as its name
    -- and as its $id.
    WITH dropped AS (
        SELECT s.*
        FROM restful.json_schema s
        WHERE s.name = drop_schema.name AND (drop_schema.version IS NULL OR s.version = drop_schema.version)
    ), names AS (
        SELECT d.name || '@' || d.version AS name, 'restful:' || d.name || '@' || d.version AS uri FROM dropped d
        UNION
        SELECT d.name, 'restful:' || d.name FROM dropped d WHERE NOT remains
        UNION
        SELECT NULL, u.uri
        FROM dropped d, unnest(ARRAY[d.name, rtrim(d.schema ->> '$id', '#'), rtrim(d.schema ->> 'id', '#')]) u (uri)
        WHERE NOT remains AND strpos(u.uri, ':') > 0
    ), triggers AS (
        -- the first of the arguments, each of which ends with a zero byte
        SELECT t.tgname, t.tgrelid, convert_from(substring(t.tgargs FROM 1 FOR position('\x00'::bytea IN t.tgargs) - 1), 'UTF8') AS schema
        FROM pg_trigger t
        WHERE t.tgfoid = to_regproc('restful.enforce_schema') AND t.tgnargs > 0
    )
    SELECT string_agg(u.usage, ', ' ORDER BY u.usage) INTO used
    FROM (
        SELECT 'schema "' || s.name || '" version ' || s.version AS usage
        FROM restful.json_schema s, names n
        WHERE (s.name <> drop_schema.name OR (drop_schema.version IS NOT NULL AND s.version <> drop_schema.version))
          AND jsonb_path_exists(s.schema, 'strict $.** ? (@.type() == "object").keyvalue()
              ? (@.key == "$ref" || @.key == "$dynamicRef" || @.key == "$schema").value ? (@ == $uri || @ starts with $part)',
              jsonb_build_object('uri', n.uri, 'part', n.uri || '#'), true)
        UNION
        SELECT 'trigger ' || quote_ident(t.tgname) || ' on ' || t.tgrelid::regclass
        FROM triggers t, names n
        WHERE t.schema = n.name OR strpos(t.schema, '"' || n.uri || '"') > 0 OR strpos(t.schema, '"' || n.uri || '#') > 0
        UNION
        SELECT 'constraint ' || quote_ident(c.conname) || ' on ' || c.conrelid::regclass
        FROM pg_constraint c, names n
        WHERE c.contype = 'c' AND c.conrelid <> 0
          AND (strpos(pg_get_constraintdef(c.oid), '"' || n.uri || '"') > 0
            OR strpos(pg_get_constraintdef(c.oid), '"' || n.uri || '#') > 0)
    ) u;
    IF used IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" is in use', drop_schema.name
            USING ERRCODE = '2BP01', DETAIL = 'By ' || used || '.', HINT = 'Drop or change those first.';
    END IF;
    DELETE FROM restful.json_schema s
    WHERE s.name = drop_schema.name AND (drop_schema.version IS NULL OR s.version = drop_schema.version);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END
$function$;
COMMENT ON FUNCTION restful.drop_schema(text, integer) IS
    'Drops a registered JSON Schema, all versions or one, unless something uses it; returns how many versions were dropped';
