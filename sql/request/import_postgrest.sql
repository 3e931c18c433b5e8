-- Reads a text alone, and makes statements of it that it does not run.
CREATE FUNCTION restful.read_postgrest(config text) RETURNS json
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'restful_read_postgrest';
COMMENT ON FUNCTION restful.read_postgrest(text) IS
'Internal: what a configuration of PostgREST means here: the login role, and a row for each setting. Part of restful.import_postgrest.';

CREATE FUNCTION restful.import_postgrest(config text, role name DEFAULT NULL)
    RETURNS TABLE (line integer, setting text, value text, statement text, gateway text, note text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT found.line, found.setting, found.value,
        CASE
            WHEN found.parameter IS NOT NULL THEN
                format('ALTER ROLE %I SET %s = %L', coalesce(role, configuration->>'role', 'authenticator'),
                    (SELECT string_agg(quote_ident(part), '.' ORDER BY place)
                     FROM regexp_split_to_table(found.parameter->>0, '[.]') WITH ORDINALITY AS parts (part, place)),
                    found.parameter->>1)
            WHEN found.call IS NOT NULL THEN
                format('SELECT restful.%I(%s)', found.call->>0, (
                    SELECT string_agg(format('%I => %L', argument.key, CASE json_typeof(argument.value)
                        WHEN 'array' THEN (SELECT array_agg(item)::text FROM json_array_elements_text(argument.value) AS item)
                        ELSE argument.value #>> '{}' END), ', ')
                    FROM json_each(found.call->1) AS argument))
        END,
        found.gateway, found.note
    FROM restful.read_postgrest(config) AS configuration,
        ROWS FROM (json_to_recordset(configuration->'rows')
            AS (line integer, setting text, value text, parameter json, call json, gateway text, note text)) WITH ORDINALITY
            AS found (line, setting, value, parameter, call, gateway, note, place)
    ORDER BY found.place
$function$;
COMMENT ON FUNCTION restful.import_postgrest(text, name) IS
'What the text of a configuration file of PostgREST, or of its environment variables, means here: for each setting a statement to run, a variable of the gateway, or a note. It runs nothing. role: the login role of the HTTP layer, if it is not that of db-uri';
