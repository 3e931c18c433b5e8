-- Rows of embedded relations as JSON. They are written as the row sink writes rows, without forming tuples. How values of some
-- types look depends on settings such as TimeZone, so these functions are not immutable.
CREATE FUNCTION restful.embedded_object(names text, VARIADIC "values" "any") RETURNS json
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_object';
COMMENT ON FUNCTION restful.embedded_object(text, VARIADIC "any") IS
'Internal: a JSON object of values with their names; names: a JSON array of strings. Part of the statements that embed relations.';

CREATE FUNCTION restful.embedded_object("row" record) RETURNS json
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_record';
COMMENT ON FUNCTION restful.embedded_object(record) IS
'Internal: a row as a JSON object. Part of the statements that embed relations.';

CREATE FUNCTION restful.embedded_objects_add(state internal, names text, VARIADIC "values" "any") RETURNS internal
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_objects_add';
COMMENT ON FUNCTION restful.embedded_objects_add(internal, text, VARIADIC "any") IS
'Internal: the transition function of restful.embedded_objects.';

CREATE FUNCTION restful.embedded_values_add(state internal, value anyelement) RETURNS internal
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_values_add';
COMMENT ON FUNCTION restful.embedded_values_add(internal, anyelement) IS
'Internal: the transition function of restful.embedded_values.';

CREATE FUNCTION restful.embedded_array(state internal) RETURNS json
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_array';
COMMENT ON FUNCTION restful.embedded_array(internal) IS
'Internal: the final function of restful.embedded_objects and restful.embedded_values.';

-- The final function hands out the state itself, so the state can be neither shared nor used in a window.
CREATE AGGREGATE restful.embedded_objects(names text, VARIADIC "values" "any") (
    SFUNC = restful.embedded_objects_add,
    STYPE = internal,
    FINALFUNC = restful.embedded_array,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE restful.embedded_objects(text, VARIADIC "any") IS
'Internal: a JSON array of objects, one for each row; names: a JSON array of strings, or {"all": that array} if every list is part of the response. Part of the statements that embed relations.';

CREATE AGGREGATE restful.embedded_values(value anyelement) (
    SFUNC = restful.embedded_values_add,
    STYPE = internal,
    FINALFUNC = restful.embedded_array,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE restful.embedded_values(anyelement) IS
'Internal: a JSON array of values, one for each row. Part of the statements that embed relations.';
