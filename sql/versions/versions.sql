-- Versions of the API: schemas that have a path of their own, and dates on which they go. Functions of administrators declare them.
CREATE TABLE restful.api_version (
    name text COLLATE "C" PRIMARY KEY,
    schema name NOT NULL UNIQUE,
    deprecated_at timestamptz,
    sunset_at timestamptz,
    successor text COLLATE "C",
    docs text COLLATE "C",
    -- unreserved characters (RFC 3986, section 2.3), so that the name is the same in every URL
    CONSTRAINT name_is_a_path_segment CHECK (name ~ '^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,62}$' AND name NOT IN ('rpc', 'batch', 'oauth')),
    CONSTRAINT schema_can_be_exposed CHECK (schema NOT IN ('pg_catalog', 'information_schema', 'restful')),
    -- what a date of HTTP can say (RFC 9110, section 5.6.7)
    CONSTRAINT dates_are_dates_of_http CHECK (
        deprecated_at >= '1970-01-01 00:00:00+00' AND deprecated_at < '10000-01-01 00:00:00+00'
        AND sunset_at >= '1970-01-01 00:00:00+00' AND sunset_at < '10000-01-01 00:00:00+00'),
    -- RFC 9745, section 4
    CONSTRAINT sunset_follows_deprecation CHECK (sunset_at >= deprecated_at),
    CONSTRAINT successor_is_another CHECK (successor <> name),
    CONSTRAINT docs_is_a_url CHECK (docs ~ '^https?://[!#-;=?-\[\]_a-z~]+$')
);
COMMENT ON TABLE restful.api_version IS 'Versions of the API: what restful.version() has declared';
SELECT pg_catalog.pg_extension_config_dump('restful.api_version', '');

CREATE FUNCTION restful.api_version_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_api_version_changed';
COMMENT ON FUNCTION restful.api_version_changed() IS
    'Internal: makes every session read the versions of the API again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER api_version_changed AFTER INSERT OR UPDATE OR DELETE ON restful.api_version
    FOR EACH ROW EXECUTE FUNCTION restful.api_version_changed();
CREATE TRIGGER api_version_truncated AFTER TRUNCATE ON restful.api_version
    FOR EACH STATEMENT EXECUTE FUNCTION restful.api_version_changed();
ALTER TABLE restful.api_version ENABLE ALWAYS TRIGGER api_version_changed, ENABLE ALWAYS TRIGGER api_version_truncated;

CREATE VIEW restful.versions AS
    SELECT v.name, v.schema,
        CASE
            WHEN v.sunset_at OPERATOR(pg_catalog.<=) pg_catalog.now() THEN 'gone'
            WHEN v.deprecated_at OPERATOR(pg_catalog.<=) pg_catalog.now() THEN 'deprecated'
            ELSE 'current'
        END AS state,
        v.deprecated_at, v.sunset_at, v.successor, v.docs,
        ARRAY(
            SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE c.relname OPERATOR(pg_catalog.=) v.name::pg_catalog.name
              AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog."char"[])
              AND EXISTS (SELECT FROM restful.lint_schemas() s WHERE s OPERATOR(pg_catalog.=) n.nspname)
            ORDER BY 1
        ) AS hides
    FROM restful.api_version v;
COMMENT ON VIEW restful.versions IS
    'The versions of the API; state: current, deprecated or gone; hides: exposed relations of that name, which no path without a version reaches';

CREATE FUNCTION restful.version(
    name text,
    schema text,
    deprecated_at timestamptz DEFAULT NULL,
    sunset_at timestamptz DEFAULT NULL,
    successor text DEFAULT NULL,
    docs text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
#variable_conflict use_column
DECLARE
    other text;
BEGIN
    IF version.name IS NULL OR version.schema IS NULL THEN
        RAISE EXCEPTION 'the name or the schema is null' USING ERRCODE = '22004';
    END IF;
    IF version.name COLLATE "C" !~ '^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,62}$' OR version.name COLLATE "C" IN ('rpc', 'batch', 'oauth') THEN
        RAISE EXCEPTION 'a version cannot be named "%"', version.name
            USING ERRCODE = '22023',
                HINT = 'A name is the first segment of paths, such as v1 or 2026-01: letters, digits, "-", "_", "~" and "."; rpc, batch and oauth have their meaning.';
    END IF;
    IF version.schema COLLATE "C" IN ('pg_catalog', 'information_schema', 'restful') THEN
        RAISE EXCEPTION 'schema "%" cannot be exposed', version.schema USING ERRCODE = '22023';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname::text COLLATE "C" = version.schema) THEN
        RAISE EXCEPTION 'schema "%" does not exist', version.schema USING ERRCODE = '3F000';
    END IF;
    IF version.deprecated_at NOT BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 23:59:59+00'
        OR version.sunset_at NOT BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 23:59:59+00'
    THEN
        RAISE EXCEPTION 'a date lies outside the years 1970 to 9999' USING ERRCODE = '22008';
    END IF;
    IF version.sunset_at < version.deprecated_at THEN
        RAISE EXCEPTION 'version "%" would go before it is deprecated', version.name
            USING ERRCODE = '22023', HINT = 'Pass a sunset_at that is not earlier than deprecated_at (RFC 9745).';
    END IF;
    IF version.docs COLLATE "C" !~ '^https?://[!#-;=?-\[\]_a-z~]+$' THEN
        RAISE EXCEPTION 'docs is not a URL of http or https' USING ERRCODE = '22023';
    END IF;
    -- One declaration at a time: two could take each other's names.
    LOCK TABLE restful.api_version IN SHARE ROW EXCLUSIVE MODE;
    IF version.successor COLLATE "C" = version.name
        OR version.successor IS NOT NULL AND NOT EXISTS (SELECT FROM restful.api_version v WHERE v.name = version.successor COLLATE "C")
    THEN
        RAISE EXCEPTION 'there is no other version "%"', version.successor
            USING ERRCODE = '42704', HINT = 'Declare the successor first.';
    END IF;
    SELECT v.name INTO other FROM restful.api_version v
    WHERE v.schema::text COLLATE "C" = version.schema AND v.name <> version.name COLLATE "C";
    IF FOUND THEN
        RAISE EXCEPTION 'schema "%" is version "%" already', version.schema, other
            USING ERRCODE = '42710', HINT = format('Call restful.drop_version(%L) first.', other);
    END IF;
    -- A profile names a version or a schema. No name may mean two.
    SELECT s.name INTO other
    FROM (
        SELECT l.name::text FROM restful.lint_schemas() l (name) WHERE l.name::text COLLATE "C" = version.name
        UNION ALL
        SELECT v.schema::text FROM restful.api_version v
        WHERE v.name <> version.name COLLATE "C" AND v.schema::text COLLATE "C" = version.name
    ) s (name)
    WHERE s.name COLLATE "C" <> version.schema
    UNION ALL
    SELECT v.name FROM restful.api_version v WHERE v.name = version.schema COLLATE "C" AND v.name <> version.name COLLATE "C"
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the profile "%" would name two schemas', other
            USING ERRCODE = '42710', HINT = 'Name the version otherwise.';
    END IF;
    SELECT format('%I.%I', n.nspname, c.relname) INTO other
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname::text COLLATE "C" = version.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname IN (SELECT restful.lint_schemas());
    -- A version that is declared keeps its path when such a relation comes later.
    IF FOUND AND NOT EXISTS (SELECT FROM restful.api_version v WHERE v.name = version.name COLLATE "C") THEN
        RAISE EXCEPTION 'the path /% is that of "%"', version.name, other
            USING ERRCODE = '42710', HINT = 'Name the version otherwise.';
    END IF;
    INSERT INTO restful.api_version AS v (name, schema, deprecated_at, sunset_at, successor, docs)
    VALUES (version.name, version.schema, version.deprecated_at, version.sunset_at, version.successor, version.docs)
    ON CONFLICT (name) DO UPDATE
    SET (schema, deprecated_at, sunset_at, successor, docs)
        = (excluded.schema, excluded.deprecated_at, excluded.sunset_at, excluded.successor, excluded.docs);
END
$function$;
COMMENT ON FUNCTION restful.version(text, text, timestamptz, timestamptz, text, text) IS
    'Declares a version of the API, or declares it anew: requests to /name go to the schema, which is exposed by this; deprecated_at, sunset_at, successor, docs: what its clients are told, and from when on they are answered with 410';

CREATE FUNCTION restful.drop_version(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    other text;
BEGIN
    LOCK TABLE restful.api_version IN SHARE ROW EXCLUSIVE MODE;
    SELECT v.name INTO other FROM restful.api_version v WHERE v.successor = drop_version.name COLLATE "C" ORDER BY v.name LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'version "%" is the successor of version "%"', drop_version.name, other
            USING ERRCODE = '2BP01', HINT = 'Drop that one first, or declare another successor for it.';
    END IF;
    DELETE FROM restful.api_version v WHERE v.name = drop_version.name COLLATE "C";
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no version "%"', drop_version.name USING ERRCODE = '42704', HINT = 'See restful.versions.';
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.drop_version(text) IS
    'Forgets a version of the API: its path, and the exposure of its schema unless restful.schemas lists it; the schema stays';
