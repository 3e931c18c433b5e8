-- JSON Schemas of what the database holds.

-- STABLE: it reads the catalogue and bytea_output. PARALLEL RESTRICTED: the session keeps the query prepared, each worker
-- would prepare it anew.
CREATE FUNCTION restful.schema_of(rel regclass) RETURNS jsonb
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'restful_schema_of';
COMMENT ON FUNCTION restful.schema_of(regclass) IS
'The JSON Schema (2020-12) of a row of a table or view as to_jsonb writes it, with the columns that the caller may read or write. A column is required if a writer must give its value.';
