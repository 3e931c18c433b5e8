-- Decided one by one; last, when all functions exist. What runs with the caller's rights alone is everybody's.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA restful FROM PUBLIC;
GRANT USAGE ON SCHEMA restful TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    restful.serve(text, text, jsonb, bytea),
    restful.request(text, text, jsonb, jsonb),
    restful.get(text, jsonb),
    restful.head(text, jsonb),
    restful.post(text, jsonb, jsonb),
    restful.put(text, jsonb, jsonb),
    restful.patch(text, jsonb, jsonb),
    restful.delete(text, jsonb),
    restful.schema_of(regclass),
    -- part of the statements of writes, which run as the request's role
    restful.record_source(bytea, text[], integer, integer[]),
    restful.count_update()
TO PUBLIC;
