-- What requests for the rows of a relation are told and have to tell, beyond the rows. Functions set it, each for the owner of a relation.
CREATE TABLE restful.resource (
    relation regclass PRIMARY KEY,
    require_match boolean NOT NULL DEFAULT false,
    require_idempotency_key boolean NOT NULL DEFAULT false,
    cache_control text,
    last_modified name,
    CONSTRAINT cache_control_is_a_field_value CHECK (cache_control ~ '^[!-~]+([ \t]+[!-~]+)*$')
);
COMMENT ON TABLE restful.resource IS 'Settings of relations for HTTP';
-- A relation that was dropped has no name that could be dumped.
SELECT pg_catalog.pg_extension_config_dump('restful.resource',
    'WHERE relation OPERATOR(pg_catalog.=) ANY (SELECT c.oid FROM pg_catalog.pg_class c)');

CREATE FUNCTION restful.resource_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_resource_changed';
COMMENT ON FUNCTION restful.resource_changed() IS
    'Internal: makes every session read the settings of relations for HTTP again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER resource_changed AFTER INSERT OR UPDATE OR DELETE ON restful.resource
    FOR EACH ROW EXECUTE FUNCTION restful.resource_changed();
CREATE TRIGGER resource_truncated AFTER TRUNCATE ON restful.resource
    FOR EACH STATEMENT EXECUTE FUNCTION restful.resource_changed();
ALTER TABLE restful.resource ENABLE ALWAYS TRIGGER resource_changed, ENABLE ALWAYS TRIGGER resource_truncated;

CREATE FUNCTION restful.set_resource(relation regclass, settings jsonb) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_set_resource';
COMMENT ON FUNCTION restful.set_resource(regclass, jsonb) IS
    'Internal: sets columns of restful.resource for a relation that the caller owns; settings: an object of columns';

CREATE FUNCTION restful.require_idempotency_key(relation regclass, required boolean DEFAULT true) RETURNS void
    LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT restful.set_resource(relation, jsonb_build_object('require_idempotency_key', required))
$function$;
COMMENT ON FUNCTION restful.require_idempotency_key(regclass, boolean) IS
    'For the owner of a table or view: every write to it by a request has to have an Idempotency-Key, or no longer';

CREATE FUNCTION restful.row_version("table" oid, writer xid, place tid) RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_row_version';
COMMENT ON FUNCTION restful.row_version(oid, xid, tid) IS
    'Internal: the version of a row with these system columns. Part of the statements of items.';

CREATE FUNCTION restful.row_digest("row" record) RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_row_digest';
COMMENT ON FUNCTION restful.row_digest(record) IS
    'Internal: the version of a row with these values. Part of the statements of items.';

CREATE FUNCTION restful.changed_second(changed timestamptz) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_changed_second';
COMMENT ON FUNCTION restful.changed_second(timestamptz) IS
    'Internal: the second since 1970 in which a row was changed, once it is over. Part of the statements of items.';

CREATE FUNCTION restful.not_changed_since(changed timestamptz, second bigint) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_not_changed_since';
COMMENT ON FUNCTION restful.not_changed_since(timestamptz, bigint) IS
    'Internal: whether a row was not changed after this second since 1970. Part of the statements of items.';

CREATE FUNCTION restful.require_match(relation regclass, required boolean DEFAULT true) RETURNS void
    LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT restful.set_resource(relation, jsonb_build_object('require_match', required))
$function$;
COMMENT ON FUNCTION restful.require_match(regclass, boolean) IS
    'Whether requests that change or delete rows of a relation must state a precondition, such as If-Match with the row''s ETag; without one they are refused with 428. For the owner of the relation.';

CREATE FUNCTION restful.cache_control(relation regclass, directives text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
BEGIN
    -- RFC 9111, section 5.2: names, each with an optional argument, which is a token, a number or a quoted text
    IF directives !~ '^[ \t]*[!#$%&''*+.^_`|~0-9A-Za-z-]+(=([!#$%&''*+.^_`|~0-9A-Za-z-]+|"[^"\\\x01-\x1f\x7f]*"))?([ \t]*,[ \t]*[!#$%&''*+.^_`|~0-9A-Za-z-]+(=([!#$%&''*+.^_`|~0-9A-Za-z-]+|"[^"\\\x01-\x1f\x7f]*"))?)*[ \t]*$' THEN
        RAISE EXCEPTION 'these are not directives of Cache-Control: %', directives
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Separate them by commas, as in: private, max-age=60';
    END IF;
    PERFORM restful.set_resource(relation, jsonb_build_object('cache_control', trim(directives)));
END
$function$;
COMMENT ON FUNCTION restful.cache_control(regclass, text) IS
    'The field Cache-Control of answers to GET and HEAD for rows of a relation, such as: private, max-age=60; null: none. For the owner of the relation.';

CREATE FUNCTION restful.last_modified(relation regclass, "column" name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
BEGIN
    IF "column" IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attname = "column" AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid = 'timestamptz'::regtype)
    THEN
        RAISE EXCEPTION 'column "%" of "%" does not exist, or is not of type timestamptz', "column", relation
            USING ERRCODE = 'undefined_column';
    END IF;
    PERFORM restful.set_resource(relation, jsonb_build_object('last_modified', "column"));
END
$function$;
COMMENT ON FUNCTION restful.last_modified(regclass, name) IS
    'The column that says when a row was last changed, for the field Last-Modified and for preconditions with dates; null: none. For the owner of the relation.';
