-- Whether everything that the extension needs is there.

CREATE FUNCTION restful.shared_memory() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_shared_memory';
COMMENT ON FUNCTION restful.shared_memory() IS
    'Internal: the size of the memory that all sessions share, or why there is none';

CREATE FUNCTION restful.health() RETURNS TABLE ("check" text, state text, detail text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT 'shared_memory', CASE WHEN m.found->>'unavailable' IS NULL THEN 'ok' ELSE 'degraded' END,
        coalesce(m.found->>'unavailable', pg_size_pretty((m.found->>'bytes')::bigint))
    FROM (SELECT restful.shared_memory()) m(found)
$function$;
COMMENT ON FUNCTION restful.health() IS
    'What works as it should (ok) and what does without something (degraded). Without shared memory, limits are kept in a table, and there are no statistics of requests.';
