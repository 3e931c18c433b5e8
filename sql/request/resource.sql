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
