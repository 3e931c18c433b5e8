-- Who asks: readers of the request's identity. STABLE: within a statement it is one. PARALLEL SAFE: it is in settings, which parallel
-- workers have too. They run with the caller's rights and read nothing else.

CREATE FUNCTION restful.uid() RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_uid';
COMMENT ON FUNCTION restful.uid() IS
'The subject of the request''s verified claims (sub), if it is a UUID; null otherwise.';

CREATE FUNCTION restful.user_id() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_user_id';
COMMENT ON FUNCTION restful.user_id() IS
'The subject of the request''s verified claims (sub); null if there is none.';

CREATE FUNCTION restful.role() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_role';
COMMENT ON FUNCTION restful.role() IS
'The role that runs the request, even within a SECURITY DEFINER function; outside a request, the current role.';

CREATE FUNCTION restful.email() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_email';
COMMENT ON FUNCTION restful.email() IS
'The claim "email" of the request.';

CREATE FUNCTION restful.claims() RETURNS jsonb
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_claims';
COMMENT ON FUNCTION restful.claims() IS
'The verified claims of the request; null if there are none.';

CREATE FUNCTION restful.jwt() RETURNS jsonb
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_claims';
COMMENT ON FUNCTION restful.jwt() IS
'The same as restful.claims().';

CREATE FUNCTION restful.tenant_id() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_tenant_id';
COMMENT ON FUNCTION restful.tenant_id() IS
'The claim that restful.tenant_claim names.';

CREATE FUNCTION restful.scopes() RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_scopes';
COMMENT ON FUNCTION restful.scopes() IS
'The scopes of the request: the claim scope, in parts, or the array scopes or scp.';

CREATE FUNCTION restful.aal() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_aal';
COMMENT ON FUNCTION restful.aal() IS
'The claim aal: the authenticator assurance level.';

CREATE FUNCTION restful.method() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_method';
COMMENT ON FUNCTION restful.method() IS
'How the identity was established: jwt, api_key, postgrest, sql (a login to the database) or anonymous.';

CREATE FUNCTION restful.is_authenticated() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_is_authenticated';
COMMENT ON FUNCTION restful.is_authenticated() IS
'Whether the request''s subject proved its identity: by token, by API key, or to PostgREST.';

CREATE FUNCTION restful.claim(path text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_claim';
COMMENT ON FUNCTION restful.claim(text) IS
'A verified claim as text, by its name or by a path: app_metadata.plan, $.roles[0], $["https://example.com/plan"].';

CREATE FUNCTION restful.has_scope(scope text) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_has_scope';
COMMENT ON FUNCTION restful.has_scope(text) IS 'Whether the request has a scope; false if the claims name no scopes.';

-- INVOKER: the schema and the functions are made with the caller's rights, and are the caller's.
CREATE FUNCTION restful.install_auth_api(schema name DEFAULT 'auth') RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    reader record;
    signature text;
BEGIN
    IF to_regnamespace(quote_ident(install_auth_api.schema)) IS NULL THEN
        EXECUTE format('CREATE SCHEMA %I', install_auth_api.schema);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', install_auth_api.schema);
    END IF;
    FOR reader IN
        SELECT r.* FROM (VALUES ('uid', 'uid', 'uuid'), ('user_id', 'user_id', 'text'), ('role', 'role', 'text'), ('email', 'email', 'text'),
            ('jwt', 'jwt', 'jsonb'), ('session', 'jwt', 'jsonb')) r (name, calls, type)
    LOOP
        signature := format('%I.%I()', install_auth_api.schema, reader.name);
        -- What is there is somebody's, who may mean something else by it.
        CONTINUE WHEN to_regprocedure(signature) IS NOT NULL;
        EXECUTE format('CREATE FUNCTION %s RETURNS %s LANGUAGE sql STABLE PARALLEL SAFE AS ''SELECT restful.%I()''',
            signature, reader.type, reader.calls);
        RETURN NEXT signature;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.install_auth_api(name) IS
'Makes auth.uid(), user_id(), role(), email(), jwt() and session(), for policies written for Supabase or Neon; leaves existing functions alone, and returns what it created';
