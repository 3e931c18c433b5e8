-- JSON Schema. The names, argument types and results of the first part are those of pg_jsonschema.
CREATE TYPE restful.jsonschema;

CREATE FUNCTION restful.jsonschema_in(cstring) RETURNS restful.jsonschema
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_in';
COMMENT ON FUNCTION restful.jsonschema_in(cstring) IS 'Internal: input of type jsonschema; checks the JSON Schema';
CREATE FUNCTION restful.jsonschema_out(restful.jsonschema) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_out';
COMMENT ON FUNCTION restful.jsonschema_out(restful.jsonschema) IS 'Internal: output of type jsonschema; canonical JSON';
CREATE FUNCTION restful.jsonschema_recv(internal) RETURNS restful.jsonschema
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_recv';
COMMENT ON FUNCTION restful.jsonschema_recv(internal) IS 'Internal: binary input of type jsonschema; JSON text';
CREATE FUNCTION restful.jsonschema_send(restful.jsonschema) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_send';
COMMENT ON FUNCTION restful.jsonschema_send(restful.jsonschema) IS 'Internal: binary output of type jsonschema; JSON text';

CREATE TYPE restful.jsonschema (
    INPUT = restful.jsonschema_in,
    OUTPUT = restful.jsonschema_out,
    RECEIVE = restful.jsonschema_recv,
    SEND = restful.jsonschema_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE restful.jsonschema IS 'A JSON Schema, checked on input';

CREATE FUNCTION restful.jsonschema_from_json(schema json) RETURNS restful.jsonschema
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_from_json';
COMMENT ON FUNCTION restful.jsonschema_from_json(json) IS 'Internal: casts json to jsonschema, and checks the JSON Schema';
CREATE FUNCTION restful.jsonschema_from_jsonb(schema jsonb) RETURNS restful.jsonschema
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_from_jsonb';
COMMENT ON FUNCTION restful.jsonschema_from_jsonb(jsonb) IS 'Internal: casts jsonb to jsonschema, and checks the JSON Schema';
CREATE CAST (json AS restful.jsonschema) WITH FUNCTION restful.jsonschema_from_json(json);
CREATE CAST (jsonb AS restful.jsonschema) WITH FUNCTION restful.jsonschema_from_jsonb(jsonb);
CREATE CAST (restful.jsonschema AS json) WITH INOUT;
CREATE CAST (restful.jsonschema AS jsonb) WITH INOUT;

-- Not strict: a CHECK constraint passes when its expression is null, so a null schema is an error. A null instance gives null.
CREATE FUNCTION restful.json_matches_schema(schema json, instance json) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_json_matches_schema';
COMMENT ON FUNCTION restful.json_matches_schema(json, json) IS 'Whether a json value is valid against a JSON Schema';
CREATE FUNCTION restful.jsonb_matches_schema(schema json, instance jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonb_matches_schema';
COMMENT ON FUNCTION restful.jsonb_matches_schema(json, jsonb) IS 'Whether a jsonb value is valid against a JSON Schema';
CREATE FUNCTION restful.jsonschema_is_valid(schema json) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonschema_is_valid';
COMMENT ON FUNCTION restful.jsonschema_is_valid(json) IS 'Whether a JSON Schema is valid; a notice says why it is not';
CREATE FUNCTION restful.jsonschema_validation_errors(schema json, instance json) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonschema_validation_errors';
COMMENT ON FUNCTION restful.jsonschema_validation_errors(json, json) IS
    'The violations of a JSON Schema by a json value, in messages that show values; restful.validate also tells where';

CREATE FUNCTION restful.json_matches_compiled_schema(schema restful.jsonschema, instance json) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_json_matches_schema';
COMMENT ON FUNCTION restful.json_matches_compiled_schema(restful.jsonschema, json) IS
    'Whether a json value is valid against a JSON Schema';
CREATE FUNCTION restful.jsonb_matches_compiled_schema(schema restful.jsonschema, instance jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonb_matches_schema';
COMMENT ON FUNCTION restful.jsonb_matches_compiled_schema(restful.jsonschema, jsonb) IS
    'Whether a jsonb value is valid against a JSON Schema';
CREATE FUNCTION restful.json_validation_errors_compiled(schema restful.jsonschema, instance json) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonschema_validation_errors';
COMMENT ON FUNCTION restful.json_validation_errors_compiled(restful.jsonschema, json) IS
    'The violations of a JSON Schema by a json value, in messages that show values; restful.validate also tells where';
CREATE FUNCTION restful.jsonb_validation_errors_compiled(schema restful.jsonschema, instance jsonb) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonb_validation_errors';
COMMENT ON FUNCTION restful.jsonb_validation_errors_compiled(restful.jsonschema, jsonb) IS
    'The violations of a JSON Schema by a jsonb value, in messages that show values; restful.validate also tells where';

-- Stable: what they refer to in the registry may change.
CREATE FUNCTION restful.is_valid(schema jsonb, instance jsonb, formats boolean DEFAULT NULL) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_is_valid';
COMMENT ON FUNCTION restful.is_valid(jsonb, jsonb, boolean) IS
    'Whether a value is valid against a JSON Schema; formats: whether format asserts, null for the setting restful.assert_formats';
CREATE FUNCTION restful.validate(
    schema jsonb,
    instance jsonb,
    formats boolean DEFAULT NULL,
    masked boolean DEFAULT true
) RETURNS TABLE (instance_location text, keyword_location text, keyword text, message text)
    LANGUAGE c STABLE PARALLEL SAFE COST 100 ROWS 5 AS 'MODULE_PATHNAME', 'restful_validate';
COMMENT ON FUNCTION restful.validate(jsonb, jsonb, boolean, boolean) IS
    'The violations of a JSON Schema by a value, one per row; masked: messages do not show values';

CREATE FUNCTION restful.schema_changes(old jsonb, new jsonb)
    RETURNS TABLE (change text, verdict text, schema jsonb, example jsonb, detail text)
    LANGUAGE c STABLE PARALLEL SAFE COST 100000 ROWS 4 AS 'MODULE_PATHNAME', 'restful_schema_changes';
COMMENT ON FUNCTION restful.schema_changes(jsonb, jsonb) IS
    'What a new version of a JSON Schema no longer accepts and newly accepts, with examples; verdict: nothing, something or unknown';
