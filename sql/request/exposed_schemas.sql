-- Settings that list names, read as the extension itself reads them. They run with the caller's rights, and read nothing else but which versions of the API there are.

CREATE FUNCTION restful.exposed_schemas(setting text DEFAULT NULL) RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_exposed_schemas';
COMMENT ON FUNCTION restful.exposed_schemas(text) IS
'The schemas that a value of restful.schemas exposes, the default one first; null: those of this session, with the versions of the API';

CREATE FUNCTION restful.setting_names(list text) RETURNS text[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_setting_names';
COMMENT ON FUNCTION restful.setting_names(text) IS
'Internal: the names in a list like search_path: separated by commas, in double quotes or folded to lower case';
