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
COMMENT ON FUNCTION restful.json_schema_changed() IS 'Makes every session forget what it compiled with registered schemas';
CREATE TRIGGER json_schema_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON restful.json_schema
    FOR EACH STATEMENT EXECUTE FUNCTION restful.json_schema_changed();
