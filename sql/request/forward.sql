-- PostgREST in front: PostgREST answers with the status and the fields that these two settings hold after the call, and with the
-- body that its function returns. PARALLEL UNSAFE and with the rights of the caller, like restful.serve.
CREATE FUNCTION restful.forward(method text, target text, body bytea DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS bytea
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
    answer restful.http_response := restful.serve($1, $2, $4, $3);
    fields pg_catalog.jsonb;
BEGIN
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(field.key, item.value)) INTO fields
    FROM pg_catalog.jsonb_each(answer.headers) field,
        pg_catalog.jsonb_array_elements(
            CASE pg_catalog.jsonb_typeof(field.value) WHEN 'array' THEN field.value ELSE pg_catalog.jsonb_build_array(field.value) END
        ) item;
    PERFORM pg_catalog.set_config('response.status', answer.status::pg_catalog.text, true),
        pg_catalog.set_config('response.headers', COALESCE(fields, '[]')::pg_catalog.text, true);
    RETURN answer.body;
END
$$;
COMMENT ON FUNCTION restful.forward(text, text, bytea, jsonb) IS
'Answers a request as restful.serve does, for a function that PostgREST calls: returns the body, and sets response.status and response.headers, with which PostgREST answers.';
