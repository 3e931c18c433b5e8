-- What all generators end with. INVOKER: it runs what its caller could run, and nothing else; PUBLIC may execute it because PUBLIC may
-- execute the generators, which call it with their caller's rights. A null dry_run runs nothing.
CREATE FUNCTION restful.perform(statements text[], dry_run boolean) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        IF NOT dry_run THEN
            EXECUTE statement;
        END IF;
        RETURN NEXT statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.perform(text[], boolean) IS
    'Internal: returns statements, and runs them one after the other, with the caller''s rights, unless dry_run';
