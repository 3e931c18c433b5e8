-- Rows of a JSON body, typed by the column definition list of the call.
CREATE FUNCTION restful.record_source(body bytea, keys text[], mode integer, presence integer[], lenient integer[] DEFAULT '{}')
RETURNS SETOF record
-- The input functions of some types depend on settings such as TimeZone.
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'record_source';

COMMENT ON FUNCTION restful.record_source(bytea, text[], integer, integer[], integer[]) IS
'Internal: rows of a JSON array of objects, or of one object. Column i of the column definition list takes key keys[i]; after these, boolean column j says whether the object has the key of column presence[j]. mode bit 1: all objects must have exactly these keys; otherwise other keys are ignored and missing ones are NULL. Mode bit 2: the strings are texts, which columns of type json and jsonb and of domains over them read as JSON; columns lenient[j] take text that is not JSON as a JSON string. Mode bit 8: each line of the body is an element. Mode bit 16: the elements are values of column 1, and not objects. mode / 256: how many columns, from the first, every object must have.';

CREATE FUNCTION restful.patched(patch bytea, is_merge boolean, document json) RETURNS bytea
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_patched';
COMMENT ON FUNCTION restful.patched(bytea, boolean, json) IS
'Internal: a document after a patch, as JSON: a JSON Merge Patch if is_merge, otherwise a JSON Patch. Part of the statements that patch rows.';
