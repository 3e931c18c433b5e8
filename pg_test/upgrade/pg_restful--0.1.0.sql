-- The schema has to be the extension's own: an object that somebody put there before could stand in for one of ours.
DO $check$
BEGIN
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_depend d
        WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
          AND d.refobjid OPERATOR(pg_catalog.=) '@extschema@'::pg_catalog.regnamespace
          AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass
          AND d.deptype OPERATOR(pg_catalog.=) 'n'
          -- what this extension itself has made so far
          AND NOT EXISTS (
              SELECT
              FROM pg_catalog.pg_depend m
              JOIN pg_catalog.pg_extension x ON x.oid OPERATOR(pg_catalog.=) m.refobjid
              WHERE m.classid OPERATOR(pg_catalog.=) d.classid
                AND m.objid OPERATOR(pg_catalog.=) d.objid
                AND m.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
                AND m.deptype OPERATOR(pg_catalog.=) 'e'
                AND x.extname OPERATOR(pg_catalog.=) 'pg_restful')
    ) THEN
        RAISE EXCEPTION 'schema "restful" holds objects of somebody else'
            USING ERRCODE = '42710', -- duplicate_object
                  HINT = 'Move them to another schema, or drop them, and create the extension again.';
    END IF;
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_namespace n
        WHERE n.oid OPERATOR(pg_catalog.=) '@extschema@'::pg_catalog.regnamespace
          AND n.nspowner OPERATOR(pg_catalog.<>) (
              SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
    ) THEN
        RAISE EXCEPTION 'schema "restful" belongs to another role'
            USING ERRCODE = '42501',
                  HINT = 'Drop the schema, or create the extension as its owner.';
    END IF;
    IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'pg_restful needs a database in UTF8, not %', pg_catalog.current_setting('server_encoding')
            USING ERRCODE = '0A000', HINT = 'Create a database with ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
END
$check$;

-- Requests as function calls. All of them run with the rights of the caller, or of the role that the caller may take.

CREATE TYPE restful.http_response AS (status integer, headers jsonb, body bytea);
COMMENT ON TYPE restful.http_response IS 'A response as an HTTP layer needs it: status, header fields (lower-case name to text, or array of texts), body bytes.';

CREATE TYPE restful.response AS (status integer, headers jsonb, body jsonb);
COMMENT ON TYPE restful.response IS 'A response with its body as jsonb: text that is not JSON is a JSON string.';

-- PARALLEL UNSAFE: a request is a subtransaction.
CREATE FUNCTION restful.serve(method text, target text, headers jsonb DEFAULT '{}', body bytea DEFAULT NULL)
RETURNS restful.http_response
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_serve';
COMMENT ON FUNCTION restful.serve(text, text, jsonb, bytea) IS
'Answers an HTTP request: method, target (path and query), header fields, body bytes. For HTTP layers.';

CREATE FUNCTION restful.request(method text, target text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}')
RETURNS restful.response
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_request';
COMMENT ON FUNCTION restful.request(text, text, jsonb, jsonb) IS
'Answers a request whose body is JSON. For people, SQL and PostgREST.';

CREATE FUNCTION restful.get(target text, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('GET', $1, NULL, $2) $$;
COMMENT ON FUNCTION restful.get(text, jsonb) IS 'Answers a GET request.';

CREATE FUNCTION restful.head(target text, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('HEAD', $1, NULL, $2) $$;
COMMENT ON FUNCTION restful.head(text, jsonb) IS 'Answers a HEAD request.';

CREATE FUNCTION restful.post(target text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('POST', $1, $2, $3) $$;
COMMENT ON FUNCTION restful.post(text, jsonb, jsonb) IS 'Answers a POST request.';

CREATE FUNCTION restful.put(target text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('PUT', $1, $2, $3) $$;
COMMENT ON FUNCTION restful.put(text, jsonb, jsonb) IS 'Answers a PUT request.';

CREATE FUNCTION restful.patch(target text, body jsonb DEFAULT NULL, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('PATCH', $1, $2, $3) $$;
COMMENT ON FUNCTION restful.patch(text, jsonb, jsonb) IS 'Answers a PATCH request.';

CREATE FUNCTION restful.delete(target text, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('DELETE', $1, NULL, $2) $$;
COMMENT ON FUNCTION restful.delete(text, jsonb) IS 'Answers a DELETE request.';

CREATE FUNCTION restful.count_row(counted boolean) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_count_row';
COMMENT ON FUNCTION restful.count_row(boolean) IS
'Internal: true; counts the rows that a write changes or a function returns. Part of the statements that do not answer with all of them.';

CREATE FUNCTION restful.count_update() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_count_update';
COMMENT ON FUNCTION restful.count_update() IS
'Internal: true; counts the rows that an upsert finds in place. Part of the statements of upserts.';

-- Settings that list names, read as the extension itself reads them. They run with the caller's rights and read nothing else.

CREATE FUNCTION restful.exposed_schemas(setting text DEFAULT NULL) RETURNS text[]
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_exposed_schemas';
COMMENT ON FUNCTION restful.exposed_schemas(text) IS
'The schemas that a value of restful.schemas exposes, the default one first; null: that of this session';

CREATE FUNCTION restful.setting_names(list text) RETURNS text[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_setting_names';
COMMENT ON FUNCTION restful.setting_names(text) IS
'Internal: the names in a list like search_path: separated by commas, in double quotes or folded to lower case';

-- Rows of a JSON body, typed by the column definition list of the call.
CREATE FUNCTION restful.record_source(body bytea, keys text[], mode integer, presence integer[], lenient integer[] DEFAULT '{}')
RETURNS SETOF record
-- The input functions of some types depend on settings such as TimeZone.
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'record_source';

COMMENT ON FUNCTION restful.record_source(bytea, text[], integer, integer[], integer[]) IS
'Rows of a JSON array of objects, or of one object. Column i of the column definition list takes key keys[i]; behind these, boolean column j says whether the object has the key of column presence[j]. mode bit 1: all objects must have exactly these keys; otherwise other keys are ignored and missing ones are NULL. Mode bit 2: the strings are texts, which columns of type json and jsonb and of domains over them read as JSON; columns lenient[j] take what is no JSON for a JSON string.';

-- Who asks: readers of the request's identity. STABLE: within a statement it is one. PARALLEL SAFE: it is in settings, which parallel
-- workers have too. They run with the caller's rights and read nothing else.

CREATE FUNCTION restful.uid() RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_uid';
COMMENT ON FUNCTION restful.uid() IS
'The subject of the request''s verified claims (sub), if it is a UUID; null otherwise and when nobody is known.';

CREATE FUNCTION restful.user_id() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_user_id';
COMMENT ON FUNCTION restful.user_id() IS
'The subject of the request''s verified claims (sub); null when nobody is known.';

CREATE FUNCTION restful.role() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_role';
COMMENT ON FUNCTION restful.role() IS
'The role that runs the request, also in a SECURITY DEFINER function; outside a request the role in force.';

CREATE FUNCTION restful.email() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_email';
COMMENT ON FUNCTION restful.email() IS
'The claim email.';

CREATE FUNCTION restful.claims() RETURNS jsonb
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_claims';
COMMENT ON FUNCTION restful.claims() IS
'The verified claims of the request; null when there are none.';

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
'The claim aal: the level of assurance of whoever signed in.';

CREATE FUNCTION restful.method() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_method';
COMMENT ON FUNCTION restful.method() IS
'How the identity was established: jwt, api_key, postgrest, sql (a login to the database) or anonymous.';

CREATE FUNCTION restful.is_authenticated() RETURNS boolean
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_is_authenticated';
COMMENT ON FUNCTION restful.is_authenticated() IS
'Whether the request''s subject proved its identity, by token, by API key or to PostgREST.';

CREATE FUNCTION restful.claim(path text) RETURNS text
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_claim';
COMMENT ON FUNCTION restful.claim(text) IS
'A verified claim as text, by its name or by a path: app_metadata.plan, $.roles[0], $["https://example.com/plan"].';

CREATE FUNCTION restful.has_scope(scope text) RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_has_scope';
COMMENT ON FUNCTION restful.has_scope(text) IS 'Whether the request has a scope; false when nothing is known of scopes.';

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
'Makes auth.uid(), user_id(), role(), email(), jwt() and session(), for policies written for Supabase or Neon; leaves alone what is there, and returns what it made';

-- Issuers of tokens and their keys. Nobody but their owner reads the tables; the functions do what is to be done with them.
CREATE TABLE restful.token_issuer (
    issuer text PRIMARY KEY,
    audiences text[] NOT NULL DEFAULT '{}',
    role_path text NOT NULL DEFAULT '$.role',
    CONSTRAINT issuer_is_short CHECK (octet_length(issuer) <= 2000)
);
COMMENT ON TABLE restful.token_issuer IS 'Who issues tokens: the claim iss ('''': any), whom its tokens are meant for ({}: anybody), where their role is';

CREATE TABLE restful.public_key (
    issuer text NOT NULL REFERENCES restful.token_issuer ON DELETE CASCADE,
    kid text NOT NULL,
    jwk jsonb NOT NULL,
    PRIMARY KEY (issuer, kid),
    CONSTRAINT kid_is_short CHECK (octet_length(kid) BETWEEN 1 AND 256)
);
COMMENT ON TABLE restful.public_key IS 'Public keys, as JSON Web Keys, that tokens are verified with';

CREATE TABLE restful.secret_key (
    issuer text NOT NULL REFERENCES restful.token_issuer ON DELETE CASCADE,
    kid text NOT NULL,
    algorithm text NOT NULL,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (issuer, kid),
    CONSTRAINT kid_is_short CHECK (octet_length(kid) BETWEEN 1 AND 256)
);
COMMENT ON TABLE restful.secret_key IS 'Secrets of HMAC, and private keys that tokens are signed with. pg_dump leaves its rows out unless restful.dump_secrets is on in its session';

ALTER TABLE restful.token_issuer ENABLE ROW LEVEL SECURITY;
ALTER TABLE restful.public_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE restful.secret_key ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.token_issuer, restful.public_key, restful.secret_key FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('restful.token_issuer', '');
SELECT pg_catalog.pg_extension_config_dump('restful.public_key', '');
SELECT pg_catalog.pg_extension_config_dump('restful.secret_key',
    'WHERE pg_catalog.current_setting(''restful.dump_secrets'', true) OPERATOR(pg_catalog.=) ''on''');

CREATE FUNCTION restful.keys_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_keys_changed';
COMMENT ON FUNCTION restful.keys_changed() IS 'Makes every session forget the keys that it knows, and the tokens it verified with them';
-- For each row, and whatever session_replication_role says: where a subscription keeps the tables, there is nothing else to see.
CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE ON restful.token_issuer
    FOR EACH ROW EXECUTE FUNCTION restful.keys_changed();
CREATE TRIGGER keys_truncated AFTER TRUNCATE ON restful.token_issuer
    FOR EACH STATEMENT EXECUTE FUNCTION restful.keys_changed();
ALTER TABLE restful.token_issuer ENABLE ALWAYS TRIGGER keys_changed, ENABLE ALWAYS TRIGGER keys_truncated;
CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE ON restful.public_key
    FOR EACH ROW EXECUTE FUNCTION restful.keys_changed();
CREATE TRIGGER keys_truncated AFTER TRUNCATE ON restful.public_key
    FOR EACH STATEMENT EXECUTE FUNCTION restful.keys_changed();
ALTER TABLE restful.public_key ENABLE ALWAYS TRIGGER keys_changed, ENABLE ALWAYS TRIGGER keys_truncated;
CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE ON restful.secret_key
    FOR EACH ROW EXECUTE FUNCTION restful.keys_changed();
CREATE TRIGGER keys_truncated AFTER TRUNCATE ON restful.secret_key
    FOR EACH STATEMENT EXECUTE FUNCTION restful.keys_changed();
ALTER TABLE restful.secret_key ENABLE ALWAYS TRIGGER keys_changed, ENABLE ALWAYS TRIGGER keys_truncated;

-- All of the following read or write the tables with their owner's rights, so they are granted to nobody. PARALLEL UNSAFE: they take
-- the newest snapshot, which no worker can.
CREATE FUNCTION restful.load_jwks(issuer text, jwks jsonb, audiences text[] DEFAULT NULL, role_path text DEFAULT NULL) RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_load_jwks';
COMMENT ON FUNCTION restful.load_jwks(text, jsonb, text[], text) IS
'Replaces the public keys of an issuer by those of a JSON Web Key Set, and returns how many there are; audiences and path of the role stay as they are when null, at first anybody and $.role';

CREATE FUNCTION restful.load_secret(secret text, kid text DEFAULT NULL, issuer text DEFAULT '', algorithm text DEFAULT 'HS256',
    audiences text[] DEFAULT NULL, role_path text DEFAULT NULL, is_base64 boolean DEFAULT false) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_load_secret';
COMMENT ON FUNCTION restful.load_secret(text, text, text, text, text[], text, boolean) IS
'Adds a secret of HMAC, and returns its kid. Pass the secret as a parameter of a prepared statement, or it stands in the server''s log';

CREATE FUNCTION restful.create_signing_key(algorithm text DEFAULT 'ES256', kid text DEFAULT NULL, issuer text DEFAULT '',
    audiences text[] DEFAULT NULL, role_path text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_create_signing_key';
COMMENT ON FUNCTION restful.create_signing_key(text, text, text, text[], text) IS
'Makes a key that jwt_sign signs with from now on, and returns its kid; the private key never leaves the database';

CREATE FUNCTION restful.revoke_key(kid text, issuer text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_revoke_key';
COMMENT ON FUNCTION restful.revoke_key(text, text) IS
'Drops a key, of one issuer or of all: tokens that it signed are refused from the next statement on. Whether there was one';

CREATE FUNCTION restful.jwt_sign(claims jsonb, ttl interval DEFAULT '15 minutes', kid text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_jwt_sign';
COMMENT ON FUNCTION restful.jwt_sign(jsonb, interval, text) IS
'A token of these claims, with iat and exp, and iss and aud of the key''s issuer; signed with the newest key or the one named';

CREATE FUNCTION restful.jwt_verify(token text) RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_jwt_verify';
COMMENT ON FUNCTION restful.jwt_verify(text) IS 'The claims of a token, verified as those of requests are; raises 28000 for any other';

CREATE FUNCTION restful.jwt_check(token text, OUT valid boolean, OUT reason text, OUT claims jsonb)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_jwt_check';
COMMENT ON FUNCTION restful.jwt_check(text) IS 'Whether a token is valid, if not why, and its claims if its signature is its issuer''s';

CREATE FUNCTION restful.jwks() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_jwks';
COMMENT ON FUNCTION restful.jwks() IS 'The public keys of those that jwt_sign signs with, as a JSON Web Key Set';

-- API keys. What is stored of one is its SHA-256; nobody but their owner reads the tables.
CREATE TABLE restful.api_key (
    id text PRIMARY KEY,
    hash bytea NOT NULL,
    subject text NOT NULL,
    role name NOT NULL,
    scopes text[] NOT NULL,
    claims jsonb NOT NULL,
    name text,
    description text,
    environment text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text,
    created_as text NOT NULL,
    expires_at timestamptz,
    lifetime interval,
    revoked_at timestamptz,
    -- no foreign key: pg_dump warns of those that refer to their own table
    replaces text,
    CONSTRAINT hash_is_sha256 CHECK (octet_length(hash) = 32),
    CONSTRAINT claims_are_an_object CHECK (jsonb_typeof(claims) = 'object')
);
COMMENT ON TABLE restful.api_key IS 'API keys, made by restful.create_api_key. pg_dump leaves its rows out unless restful.dump_secrets is on in its session';
COMMENT ON COLUMN restful.api_key.id IS 'The public part of the key, by which it is found';
COMMENT ON COLUMN restful.api_key.hash IS 'The SHA-256 of the key';
COMMENT ON COLUMN restful.api_key.claims IS 'Claims beside sub, role, scope and key_id';
COMMENT ON COLUMN restful.api_key.created_by IS 'The subject who made it; null for an administrator';
COMMENT ON COLUMN restful.api_key.created_as IS 'The login role of the session that made it';
COMMENT ON COLUMN restful.api_key.lifetime IS 'How long it was meant to be valid when it was made';
COMMENT ON COLUMN restful.api_key.replaces IS 'The key that it was made from by restful.rotate_api_key';

-- A table of its own: changes of restful.api_key make all sessions look keys up again.
CREATE TABLE restful.api_key_use (
    id text PRIMARY KEY REFERENCES restful.api_key ON DELETE CASCADE,
    last_used timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE restful.api_key_use IS 'When API keys were last used, as far as requests that write have written it down';

ALTER TABLE restful.api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE restful.api_key_use ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.api_key, restful.api_key_use FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('restful.api_key',
    'WHERE pg_catalog.current_setting(''restful.dump_secrets'', true) OPERATOR(pg_catalog.=) ''on''');
SELECT pg_catalog.pg_extension_config_dump('restful.api_key_use',
    'WHERE pg_catalog.current_setting(''restful.dump_secrets'', true) OPERATOR(pg_catalog.=) ''on''');

CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE ON restful.api_key
    FOR EACH ROW EXECUTE FUNCTION restful.keys_changed();
CREATE TRIGGER keys_truncated AFTER TRUNCATE ON restful.api_key
    FOR EACH STATEMENT EXECUTE FUNCTION restful.keys_changed();
ALTER TABLE restful.api_key ENABLE ALWAYS TRIGGER keys_changed, ENABLE ALWAYS TRIGGER keys_truncated;

CREATE FUNCTION restful.generate_api_key(environment text, OUT id text, OUT key text, OUT hash bytea)
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'restful_generate_api_key';
COMMENT ON FUNCTION restful.generate_api_key(text) IS 'Internal: a new key and what is stored of it';

-- The following work on the tables with their owner's rights, so they are granted to nobody.
CREATE FUNCTION restful.create_api_key(subject text, role name, scopes text[] DEFAULT '{}', expires_at timestamptz DEFAULT NULL,
    claims jsonb DEFAULT '{}', name text DEFAULT NULL, description text DEFAULT NULL, environment text DEFAULT 'live', OUT id text, OUT key text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
#variable_conflict use_variable
DECLARE
    hash bytea;
    wrong text;
    now timestamptz := clock_timestamp();
BEGIN
    IF subject IS NULL OR octet_length(subject) NOT BETWEEN 1 AND 255 THEN
        RAISE EXCEPTION 'a subject has 1 to 255 bytes' USING ERRCODE = '22023';
    END IF;
    IF role IS NULL THEN
        RAISE EXCEPTION 'a key has a role' USING ERRCODE = '22004';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role AND NOT r.rolsuper AND NOT starts_with(r.rolname::text, 'pg_')) THEN
        RAISE EXCEPTION 'requests cannot run as role "%"', role
            USING ERRCODE = '22023', HINT = 'The role has to exist, and be neither a superuser nor one of PostgreSQL''s own.';
    END IF;
    scopes := coalesce(scopes, '{}');
    -- RFC 6749, section 3.3
    SELECT coalesce(s, 'null') INTO wrong FROM unnest(scopes) s WHERE s IS NULL OR s !~ '^[!#-[\]-~]+$' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not a scope', wrong
            USING ERRCODE = '22023', HINT = 'A scope is ASCII text without blanks, quotes and backslashes.';
    END IF;
    expires_at := nullif(expires_at, 'infinity');
    IF expires_at <= now THEN
        RAISE EXCEPTION 'the key would have expired already' USING ERRCODE = '22023';
    END IF;
    claims := coalesce(claims, '{}');
    IF jsonb_typeof(claims) <> 'object' OR octet_length(claims::text) > 8192 THEN
        RAISE EXCEPTION 'claims are a JSON object of at most 8 KiB' USING ERRCODE = '22023';
    END IF;
    SELECT c INTO wrong FROM jsonb_object_keys(claims) c WHERE c IN ('sub', 'role', 'scope', 'scopes', 'scp', 'key_id') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the claim "%" follows from the key''s own subject, role, scopes and id', wrong USING ERRCODE = '22023';
    END IF;
    SELECT c.key INTO wrong
    FROM jsonb_each(claims) c,
        LATERAL (SELECT CASE c.key
            WHEN 'iss' THEN '{string}' WHEN 'jti' THEN '{string}'
            WHEN 'exp' THEN '{number}' WHEN 'nbf' THEN '{number}' WHEN 'iat' THEN '{number}'
            WHEN 'aud' THEN '{string,array}' END::text[]) t (types)
    WHERE jsonb_typeof(c.value) <> ALL (t.types) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the claim "%" does not have its type', wrong
            USING ERRCODE = '22023', HINT = 'RFC 7519, section 4.1, fixes the types of iss, aud, exp, nbf, iat and jti.';
    END IF;
    IF environment IS NULL OR environment !~ '^[a-z0-9]{1,16}$' THEN
        RAISE EXCEPTION 'an environment has 1 to 16 small letters and digits' USING ERRCODE = '22023';
    END IF;
    SELECT g.id, g.key, g.hash INTO id, key, hash FROM restful.generate_api_key(environment) g;
    INSERT INTO restful.api_key AS k (id, hash, subject, role, scopes, claims, name, description, environment, created_at, created_by,
        created_as, expires_at, lifetime)
    VALUES (id, hash, subject, role, scopes, claims, name, description, environment, now, restful.user_id(),
        session_user, expires_at, expires_at - now);
    INSERT INTO restful.api_key_use AS u (id) VALUES (id);
END
$function$;
COMMENT ON FUNCTION restful.create_api_key(text, name, text[], timestamptz, jsonb, text, text, text) IS
'Makes an API key that speaks for a subject in a role. The key is shown this once: only its hash is stored';

CREATE FUNCTION restful.rotate_api_key(INOUT id text, overlap interval DEFAULT '1 day', OUT key text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    old restful.api_key;
    hash bytea;
    now timestamptz;
BEGIN
    IF overlap IS NULL OR overlap < '0' THEN
        RAISE EXCEPTION 'the overlap cannot be negative' USING ERRCODE = '22023';
    END IF;
    SELECT k.* INTO old FROM restful.api_key k WHERE k.id = id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        -- not quoted: it may be a whole key
        RAISE EXCEPTION 'there is no API key with this id' USING ERRCODE = '42704', HINT = 'restful.list_api_keys() shows the ids.';
    END IF;
    now := clock_timestamp();
    IF old.revoked_at IS NOT NULL OR old.expires_at <= now THEN
        RAISE EXCEPTION 'the API key is not valid any more'
            USING ERRCODE = '55000', HINT = 'Make a new one by restful.create_api_key().';
    END IF;
    SELECT g.id, g.key, g.hash INTO id, key, hash FROM restful.generate_api_key(old.environment) g;
    INSERT INTO restful.api_key AS k (id, hash, subject, role, scopes, claims, name, description, environment, created_at, created_by,
        created_as, expires_at, lifetime, replaces)
    -- it lives as long as the old one was meant to
    VALUES (id, hash, old.subject, old.role, old.scopes, old.claims, old.name, old.description, old.environment, now, restful.user_id(),
        session_user, now + old.lifetime, old.lifetime, old.id);
    INSERT INTO restful.api_key_use AS u (id) VALUES (id);
    UPDATE restful.api_key k SET expires_at = least(old.expires_at, now + overlap) WHERE k.id = old.id;
END
$function$;
COMMENT ON FUNCTION restful.rotate_api_key(text, interval) IS
'Makes another key for the same purpose, shown this once; the old one is valid for the overlap, and never longer than it was';

CREATE FUNCTION restful.revoke_api_key(id text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    UPDATE restful.api_key k SET revoked_at = clock_timestamp() WHERE k.id = id AND k.revoked_at IS NULL;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.revoke_api_key(text) IS
'Revokes an API key: it is refused from the next statement on. Whether there was one that was not revoked';

CREATE FUNCTION restful.list_api_keys() RETURNS TABLE (id text, subject text, role name, scopes text[], claims jsonb, name text,
    description text, environment text, is_valid boolean, created_at timestamptz, created_by text, created_as text, expires_at timestamptz,
    revoked_at timestamptz, last_used timestamptz, replaces text)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT k.id, k.subject, k.role, k.scopes, k.claims, k.name, k.description, k.environment,
        k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp()),
        k.created_at, k.created_by, k.created_as, k.expires_at, k.revoked_at, u.last_used, k.replaces
    FROM restful.api_key k LEFT JOIN restful.api_key_use u ON u.id = k.id
    ORDER BY k.created_at, k.id
$function$;
COMMENT ON FUNCTION restful.list_api_keys() IS
'All API keys, without their hashes; last_used is of requests that write, and of others before those in the same session, to the minute';

-- JSON Schema. The names, argument types and results of the first part are those of pg_jsonschema.
CREATE TYPE restful.jsonschema;

CREATE FUNCTION restful.jsonschema_in(cstring) RETURNS restful.jsonschema
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_in';
COMMENT ON FUNCTION restful.jsonschema_in(cstring) IS 'Input of type jsonschema: checks the schema';
CREATE FUNCTION restful.jsonschema_out(restful.jsonschema) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_out';
COMMENT ON FUNCTION restful.jsonschema_out(restful.jsonschema) IS 'Output of type jsonschema: canonical JSON';
CREATE FUNCTION restful.jsonschema_recv(internal) RETURNS restful.jsonschema
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_recv';
COMMENT ON FUNCTION restful.jsonschema_recv(internal) IS 'Binary input of type jsonschema: JSON text';
CREATE FUNCTION restful.jsonschema_send(restful.jsonschema) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_send';
COMMENT ON FUNCTION restful.jsonschema_send(restful.jsonschema) IS 'Binary output of type jsonschema: JSON text';

CREATE TYPE restful.jsonschema (
    INPUT = restful.jsonschema_in,
    OUTPUT = restful.jsonschema_out,
    RECEIVE = restful.jsonschema_recv,
    SEND = restful.jsonschema_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE restful.jsonschema IS 'A JSON Schema that was checked when it became one';

CREATE FUNCTION restful.jsonschema_from_json(schema json) RETURNS restful.jsonschema
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_from_json';
COMMENT ON FUNCTION restful.jsonschema_from_json(json) IS 'Checks a JSON Schema';
CREATE FUNCTION restful.jsonschema_from_jsonb(schema jsonb) RETURNS restful.jsonschema
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_jsonschema_from_jsonb';
COMMENT ON FUNCTION restful.jsonschema_from_jsonb(jsonb) IS 'Checks a JSON Schema';
CREATE CAST (json AS restful.jsonschema) WITH FUNCTION restful.jsonschema_from_json(json);
CREATE CAST (jsonb AS restful.jsonschema) WITH FUNCTION restful.jsonschema_from_jsonb(jsonb);
CREATE CAST (restful.jsonschema AS json) WITH INOUT;
CREATE CAST (restful.jsonschema AS jsonb) WITH INOUT;

-- Not strict: a CHECK constraint passes when its expression is null, so a null schema is an error. A null instance gives null.
CREATE FUNCTION restful.json_matches_schema(schema json, instance json) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_json_matches_schema';
COMMENT ON FUNCTION restful.json_matches_schema(json, json) IS 'Whether a json value is valid against a JSON Schema';
CREATE FUNCTION restful.jsonb_matches_schema(schema json, instance jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonb_matches_schema';
COMMENT ON FUNCTION restful.jsonb_matches_schema(json, jsonb) IS 'Whether a jsonb value is valid against a JSON Schema';
CREATE FUNCTION restful.jsonschema_is_valid(schema json) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonschema_is_valid';
COMMENT ON FUNCTION restful.jsonschema_is_valid(json) IS 'Whether a JSON Schema is valid; a notice says why it is not';
CREATE FUNCTION restful.jsonschema_validation_errors(schema json, instance json) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonschema_validation_errors';
COMMENT ON FUNCTION restful.jsonschema_validation_errors(json, json) IS
    'What is wrong with a json value, with its values; restful.validate says where';

CREATE FUNCTION restful.json_matches_compiled_schema(schema restful.jsonschema, instance json) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_json_matches_schema';
COMMENT ON FUNCTION restful.json_matches_compiled_schema(restful.jsonschema, json) IS
    'Whether a json value is valid against a JSON Schema';
CREATE FUNCTION restful.jsonb_matches_compiled_schema(schema restful.jsonschema, instance jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonb_matches_schema';
COMMENT ON FUNCTION restful.jsonb_matches_compiled_schema(restful.jsonschema, jsonb) IS
    'Whether a jsonb value is valid against a JSON Schema';
CREATE FUNCTION restful.json_validation_errors_compiled(schema restful.jsonschema, instance json) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonschema_validation_errors';
COMMENT ON FUNCTION restful.json_validation_errors_compiled(restful.jsonschema, json) IS
    'What is wrong with a json value, with its values; restful.validate says where';
CREATE FUNCTION restful.jsonb_validation_errors_compiled(schema restful.jsonschema, instance jsonb) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_jsonb_validation_errors';
COMMENT ON FUNCTION restful.jsonb_validation_errors_compiled(restful.jsonschema, jsonb) IS
    'What is wrong with a jsonb value, with its values; restful.validate says where';

-- Stable: what they refer to in the registry may change.
CREATE FUNCTION restful.is_valid(schema jsonb, instance jsonb, formats boolean DEFAULT NULL) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'restful_is_valid';
COMMENT ON FUNCTION restful.is_valid(jsonb, jsonb, boolean) IS
    'Whether a value is valid against a JSON Schema; formats: whether format asserts, null for the setting restful.assert_formats';
CREATE FUNCTION restful.validate(
    schema jsonb,
    instance jsonb,
    formats boolean DEFAULT NULL,
    masked boolean DEFAULT true
) RETURNS TABLE (instance_location text, keyword_location text, keyword text, message text)
    LANGUAGE c STABLE PARALLEL SAFE COST 100 ROWS 5 AS 'MODULE_PATHNAME', 'restful_validate';
COMMENT ON FUNCTION restful.validate(jsonb, jsonb, boolean, boolean) IS
    'What is wrong with a value, in the terms of JSON Schema: no row when it is valid; masked: messages do not show values';

CREATE FUNCTION restful.schema_changes(old jsonb, new jsonb)
    RETURNS TABLE (change text, verdict text, schema jsonb, example jsonb, detail text)
    LANGUAGE c STABLE PARALLEL SAFE COST 100000 ROWS 4 AS 'MODULE_PATHNAME', 'restful_schema_changes';
COMMENT ON FUNCTION restful.schema_changes(jsonb, jsonb) IS
    'What a new version of a JSON Schema no longer accepts and newly accepts, with examples; verdict: nothing, something or unknown';

-- Schemas by name, in versions.
CREATE TABLE restful.json_schema (
    name text NOT NULL,
    version integer NOT NULL,
    schema jsonb NOT NULL,
    compatibility text NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version),
    CONSTRAINT name_is_short CHECK (octet_length(name) BETWEEN 1 AND 255 AND name !~ '[@[:space:]]'),
    CONSTRAINT version_counts_from_one CHECK (version >= 1),
    CONSTRAINT compatibility_is_known CHECK (compatibility IN ('backward', 'forward', 'full', 'none'))
);
COMMENT ON TABLE restful.json_schema IS 'Registered JSON Schemas: "restful:name" refers to the latest version, "restful:name@2" to one';
SELECT pg_catalog.pg_extension_config_dump('restful.json_schema', '');

CREATE FUNCTION restful.json_schema_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_json_schema_changed';
COMMENT ON FUNCTION restful.json_schema_changed() IS 'Makes every session forget what it compiled with registered schemas';
-- For each row, and whatever session_replication_role says: where a subscription keeps the table, there is nothing else to see.
CREATE TRIGGER json_schema_changed AFTER INSERT OR UPDATE OR DELETE ON restful.json_schema
    FOR EACH ROW EXECUTE FUNCTION restful.json_schema_changed();
CREATE TRIGGER json_schema_truncated AFTER TRUNCATE ON restful.json_schema
    FOR EACH STATEMENT EXECUTE FUNCTION restful.json_schema_changed();
ALTER TABLE restful.json_schema ENABLE ALWAYS TRIGGER json_schema_changed, ENABLE ALWAYS TRIGGER json_schema_truncated;

CREATE FUNCTION restful.register_schema(name text, schema jsonb, compatibility text DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    latest restful.json_schema;
    declared text;
    change record;
    meta_schema text;
BEGIN
    IF register_schema.name IS NULL OR register_schema.schema IS NULL THEN
        RAISE EXCEPTION 'a schema is registered with a name and a schema, one of them is null' USING ERRCODE = '22004';
    END IF;
    IF octet_length(register_schema.name) NOT BETWEEN 1 AND 255 OR register_schema.name ~ '[@[:space:]]' THEN
        RAISE EXCEPTION 'a schema cannot be named "%"', register_schema.name
            USING ERRCODE = '22023', HINT = 'A name has 1 to 255 bytes, no blank and no "@", behind which the version stands.';
    END IF;
    -- References to these URIs lead to the meta-schemas, and never here.
    SELECT u.uri INTO meta_schema
    FROM unnest(ARRAY[register_schema.name, register_schema.schema ->> '$id', register_schema.schema ->> 'id']) u (uri)
    WHERE u.uri ~ '^https?://json-schema\.org/(draft-0[467]/schema|schema)#?$'
       OR u.uri ~ '^https?://json-schema\.org/draft/(2019-09|2020-12)/schema#?$'
       OR u.uri ~ '^https://json-schema\.org/draft/2019-09/meta/(applicator|content|core|format|meta-data|validation)#?$'
       OR u.uri ~ '^https://json-schema\.org/draft/2020-12/meta/(applicator|content|core|format-annotation|format-assertion)#?$'
       OR u.uri ~ '^https://json-schema\.org/draft/2020-12/meta/(meta-data|unevaluated|validation)#?$'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a schema cannot be registered as "%", which is a meta-schema of JSON Schema', meta_schema
            USING ERRCODE = '22023',
                HINT = 'Refer to the meta-schema by that URI in "$ref". A schema of your own needs another name and "$id".';
    END IF;
    -- One registration at a time: two of one name would both become the same version.
    LOCK TABLE restful.json_schema IN SHARE ROW EXCLUSIVE MODE;
    SELECT s.* INTO latest FROM restful.json_schema s WHERE s.name = register_schema.name ORDER BY s.version DESC LIMIT 1;
    declared := coalesce(register_schema.compatibility, latest.compatibility, 'backward');
    IF declared NOT IN ('backward', 'forward', 'full', 'none') THEN
        RAISE EXCEPTION 'compatibility "%" is unknown', declared
            USING ERRCODE = '22023', HINT = 'It is one of backward, forward, full and none.';
    END IF;
    -- Raises an error with the place in the schema when it is none, or refers to what is not registered.
    PERFORM restful.is_valid(register_schema.schema, 'null');
    IF latest.version IS NULL THEN
        INSERT INTO restful.json_schema (name, version, schema, compatibility)
        VALUES (register_schema.name, 1, register_schema.schema, declared);
        RETURN 1;
    END IF;
    IF latest.schema = register_schema.schema THEN
        IF latest.compatibility <> declared THEN
            UPDATE restful.json_schema s SET compatibility = declared
            WHERE s.name = latest.name AND s.version = latest.version;
        END IF;
        RETURN latest.version;
    END IF;
    IF declared <> 'none' THEN
        SELECT c.* INTO change
        FROM restful.schema_changes(latest.schema, register_schema.schema) c
        WHERE c.verdict <> 'nothing'
          AND (declared = 'full' OR c.change = CASE declared WHEN 'backward' THEN 'no longer accepted' ELSE 'newly accepted' END)
        ORDER BY c.verdict = 'unknown'
        LIMIT 1;
        IF FOUND AND change.verdict = 'something' THEN
            RAISE EXCEPTION 'version % of schema "%" is not % compatible: this value is %: %',
                latest.version + 1, latest.name, declared, change.change, change.example
                USING ERRCODE = '22023', DETAIL = change.detail,
                    HINT = 'Accept that value, register under another name, or say compatibility => ''none''.';
        ELSIF FOUND THEN
            RAISE EXCEPTION 'version % of schema "%" cannot be shown to be % compatible', latest.version + 1, latest.name, declared
                USING ERRCODE = '22023', DETAIL = change.detail,
                    HINT = 'See restful.schema_changes(old, new), and say compatibility => ''none'' if the change is meant.';
        END IF;
    END IF;
    INSERT INTO restful.json_schema (name, version, schema, compatibility)
    VALUES (latest.name, latest.version + 1, register_schema.schema, declared);
    RETURN latest.version + 1;
END
$function$;
COMMENT ON FUNCTION restful.register_schema(text, jsonb, text) IS
    'Registers a version of a JSON Schema and returns its number; compatibility (backward, forward, full, none) with the version before, null for the one that the name has, at first backward';

CREATE FUNCTION restful.get_schema(name text, version integer DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT s.schema
    FROM restful.json_schema s
    WHERE s.name = get_schema.name AND (get_schema.version IS NULL OR s.version = get_schema.version)
    ORDER BY s.version DESC
    LIMIT 1
$function$;
COMMENT ON FUNCTION restful.get_schema(text, integer) IS
    'A registered JSON Schema: the latest version, or one; null when there is none';

CREATE FUNCTION restful.list_schemas()
    RETURNS TABLE (name text, version integer, compatibility text, registered_at timestamptz, latest boolean, title text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT s.name, s.version, s.compatibility, s.registered_at,
        s.version = max(s.version) OVER (PARTITION BY s.name), s.schema ->> 'title'
    FROM restful.json_schema s
    ORDER BY s.name, s.version
$function$;
COMMENT ON FUNCTION restful.list_schemas() IS 'The registered JSON Schemas, all versions';

CREATE FUNCTION restful.drop_schema(name text, version integer DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
#variable_conflict use_column
DECLARE
    remains boolean;
    used text;
    dropped integer;
BEGIN
    LOCK TABLE restful.json_schema IN SHARE ROW EXCLUSIVE MODE;
    remains := drop_schema.version IS NOT NULL AND EXISTS (
        SELECT FROM restful.json_schema s WHERE s.name = drop_schema.name AND s.version <> drop_schema.version);
    -- What names the schema: "name@version"; unless another version stays, "name"; and then the URIs that it may have as its name
    -- and as its $id.
    WITH dropped AS (
        SELECT s.*
        FROM restful.json_schema s
        WHERE s.name = drop_schema.name AND (drop_schema.version IS NULL OR s.version = drop_schema.version)
    ), names AS (
        SELECT d.name || '@' || d.version AS name, 'restful:' || d.name || '@' || d.version AS uri FROM dropped d
        UNION
        SELECT d.name, 'restful:' || d.name FROM dropped d WHERE NOT remains
        UNION
        SELECT NULL, u.uri
        FROM dropped d, unnest(ARRAY[d.name, rtrim(d.schema ->> '$id', '#'), rtrim(d.schema ->> 'id', '#')]) u (uri)
        WHERE NOT remains AND strpos(u.uri, ':') > 0
    ), triggers AS (
        -- the first of the arguments, each of which ends with a zero byte
        SELECT t.tgname, t.tgrelid, convert_from(substring(t.tgargs FROM 1 FOR position('\x00'::bytea IN t.tgargs) - 1), 'UTF8') AS schema
        FROM pg_trigger t
        WHERE t.tgfoid = to_regproc('restful.enforce_schema') AND t.tgnargs > 0
    )
    SELECT string_agg(u.usage, ', ' ORDER BY u.usage) INTO used
    FROM (
        SELECT 'schema "' || s.name || '" version ' || s.version AS usage
        FROM restful.json_schema s, names n
        WHERE (s.name <> drop_schema.name OR (drop_schema.version IS NOT NULL AND s.version <> drop_schema.version))
          AND jsonb_path_exists(s.schema, 'strict $.** ? (@.type() == "object").keyvalue()
              ? (@.key == "$ref" || @.key == "$dynamicRef" || @.key == "$schema").value ? (@ == $uri || @ starts with $part)',
              jsonb_build_object('uri', n.uri, 'part', n.uri || '#'), true)
        UNION
        SELECT 'trigger ' || quote_ident(t.tgname) || ' on ' || t.tgrelid::regclass
        FROM triggers t, names n
        WHERE t.schema = n.name OR strpos(t.schema, '"' || n.uri || '"') > 0 OR strpos(t.schema, '"' || n.uri || '#') > 0
        UNION
        SELECT 'constraint ' || quote_ident(c.conname) || ' on ' || c.conrelid::regclass
        FROM pg_constraint c, names n
        WHERE c.contype = 'c' AND c.conrelid <> 0
          AND (strpos(pg_get_constraintdef(c.oid), '"' || n.uri || '"') > 0
            OR strpos(pg_get_constraintdef(c.oid), '"' || n.uri || '#') > 0)
    ) u;
    IF used IS NOT NULL THEN
        RAISE EXCEPTION 'schema "%" is in use', drop_schema.name
            USING ERRCODE = '2BP01', DETAIL = 'By ' || used || '.', HINT = 'Drop or change those first.';
    END IF;
    DELETE FROM restful.json_schema s
    WHERE s.name = drop_schema.name AND (drop_schema.version IS NULL OR s.version = drop_schema.version);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END
$function$;
COMMENT ON FUNCTION restful.drop_schema(text, integer) IS
    'Drops a registered JSON Schema, all versions or one, unless something uses it; returns how many versions went';

-- JSON Schemas of what the database holds.

-- STABLE: it reads the catalogue and bytea_output. PARALLEL RESTRICTED: the session keeps the query prepared, each worker
-- would prepare it anew.
CREATE FUNCTION restful.schema_of(rel regclass) RETURNS jsonb
LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'restful_schema_of';
COMMENT ON FUNCTION restful.schema_of(regclass) IS
'The JSON Schema (2020-12) of a row of a table or view, as to_jsonb writes it: of the columns that the caller may read or write. Required is what a writer has to give.';

-- Who may do what, and why.

CREATE FUNCTION restful.access_matrix(schemas text[] DEFAULT NULL, roles text[] DEFAULT NULL)
RETURNS TABLE (
    relation regclass, role name, command text, granted boolean, policies text[], columns name[],
    restrictive text[], rows text, why text
)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
WITH exposed AS (
    SELECT DISTINCT s.name FROM unnest(coalesce(access_matrix.schemas, restful.exposed_schemas())) AS s (name)
), relations AS (
    SELECT c.oid, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.relnamespace, c.relispartition,
        coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'security_invoker'), false)
            AS invoker
    FROM exposed e
    JOIN pg_namespace n ON n.nspname = e.name
    JOIN pg_class c ON c.relnamespace = n.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
), asked AS (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolbypassrls
    FROM pg_roles r
    WHERE CASE WHEN access_matrix.roles IS NULL THEN r.rolname NOT LIKE 'pg\_%' ELSE r.rolname = ANY (access_matrix.roles) END
), cells AS (
    SELECT c.oid AS relation, c.relkind, c.invoker, c.relowner, a.rolname, v.command,
        has_schema_privilege(a.oid, c.relnamespace, 'USAGE') AS usable,
        has_table_privilege(a.oid, c.oid, v.command) AS whole,
        k.columns,
        CASE
            WHEN v.command = 'TRUNCATE' THEN 'TRUNCATE is under no policy'
            WHEN c.relkind IN ('v', 'm', 'f') OR NOT c.relrowsecurity THEN CASE
                WHEN c.relkind = 'v' AND c.invoker THEN 'view that reads as who asks'
                WHEN c.relkind = 'v' THEN 'view that reads as ' || pg_get_userbyid(c.relowner)
                WHEN c.relkind = 'm' THEN 'materialized views have no row-level security'
                WHEN c.relkind = 'f' THEN 'foreign tables have no row-level security'
                WHEN p.names IS NOT NULL THEN 'partition without row-level security, that of ' || p.names || ' does not apply'
                ELSE 'row-level security is not enabled' END
            WHEN a.rolsuper THEN 'superuser'
            WHEN a.rolbypassrls THEN 'BYPASSRLS'
            WHEN pg_has_role(a.oid, c.relowner, 'USAGE') AND NOT c.relforcerowsecurity THEN 'owner, row-level security is not forced'
        END AS unprotected,
        q.permissive, q.restrictive
    FROM relations c
    CROSS JOIN asked a
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS v (command)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN v.command IN ('SELECT', 'INSERT', 'UPDATE') THEN array(
            SELECT t.attname FROM pg_attribute t
            WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
              AND has_column_privilege(a.oid, c.oid, t.attnum, v.command)
            ORDER BY t.attnum) END) AS k (columns)
    CROSS JOIN LATERAL (
        SELECT string_agg(l.relid::text, ', ')
        FROM pg_partition_ancestors(c.oid) l
        JOIN pg_class g ON g.oid = l.relid
        WHERE c.relispartition AND l.relid <> c.oid AND g.relrowsecurity) AS p (names)
    CROSS JOIN LATERAL (
        SELECT array_agg(o.polname::text ORDER BY o.polname) FILTER (WHERE o.polpermissive),
            array_agg(o.polname::text ORDER BY o.polname) FILTER (WHERE NOT o.polpermissive)
        FROM pg_policy o
        WHERE o.polrelid = c.oid
          AND o.polcmd IN ('*', CASE v.command WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' WHEN 'DELETE' THEN 'd' END)
          AND EXISTS (
              SELECT FROM unnest(o.polroles) AS u (oid)
              WHERE CASE u.oid WHEN 0 THEN true ELSE pg_has_role(a.oid, u.oid, 'USAGE') END)) AS q (permissive, restrictive)
    WHERE v.command <> 'TRUNCATE' OR c.relkind IN ('r', 'p', 'f')
)
SELECT c.relation::regclass, c.rolname, c.command, g.granted,
    CASE WHEN c.unprotected IS NULL THEN coalesce(c.permissive, '{}') END,
    c.columns,
    CASE WHEN c.unprotected IS NULL THEN coalesce(c.restrictive, '{}') END,
    CASE
        WHEN NOT g.granted THEN 'none'
        WHEN c.relkind = 'v' THEN 'of the view'
        WHEN c.unprotected IS NOT NULL THEN 'all'
        WHEN c.permissive IS NULL THEN 'none'
        ELSE 'by policy'
    END,
    CASE
        WHEN NOT c.usable THEN 'no USAGE on the schema'
        WHEN NOT g.granted THEN 'no ' || c.command || ' privilege'
        WHEN c.unprotected IS NOT NULL THEN c.unprotected
        WHEN c.permissive IS NULL THEN 'no permissive policy for ' || c.command
        ELSE 'row-level security'
    END
FROM cells c
CROSS JOIN LATERAL (
    SELECT c.usable AND (c.whole OR coalesce(cardinality(c.columns), 0) > 0)) AS g (granted)
ORDER BY c.relation::regclass::text, c.rolname, array_position('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}', c.command)
$function$;
COMMENT ON FUNCTION restful.access_matrix(text[], text[]) IS
    'Relation by role by command: whether it is granted, on which columns, which rows it reaches (all, none, by policy, of the view), by which permissive and restrictive policies, and why; of the exposed schemas and of all roles but PostgreSQL''s own, unless told otherwise';

-- PARALLEL UNSAFE: a frame is a subtransaction. VOLATILE: policies may call functions that are.
CREATE FUNCTION restful.explain_access(
    rel regclass, command text, role name, claims jsonb DEFAULT '{}', key jsonb DEFAULT NULL, new_row jsonb DEFAULT NULL
) RETURNS jsonb
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_explain_access';
COMMENT ON FUNCTION restful.explain_access(regclass, text, name, jsonb, jsonb, jsonb) IS
    'Why a role with these claims can or cannot SELECT, INSERT, UPDATE or DELETE one row: the row that key names, as the caller sees it, and the values to be written; each policy with its value, and the verdict. INSERT may have ON CONFLICT DO NOTHING or DO UPDATE, and RETURNING behind it';

CREATE FUNCTION restful.explain_access_text(
    rel regclass, command text, role name, claims jsonb DEFAULT '{}', key jsonb DEFAULT NULL, new_row jsonb DEFAULT NULL
) RETURNS TABLE (explanation text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 20
AS 'MODULE_PATHNAME', 'restful_explain_access_text';
COMMENT ON FUNCTION restful.explain_access_text(regclass, text, name, jsonb, jsonb, jsonb) IS
    'The same as restful.explain_access, as lines to read';

-- Schemas on tables. What is bound to a table is in PostgreSQL's catalogue alone: CHECK constraints and triggers, which pg_dump
-- dumps and DROP TABLE drops.
CREATE FUNCTION restful.enforce_schema() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_enforce_schema';
COMMENT ON FUNCTION restful.enforce_schema() IS
    'Trigger that restful.constrain makes: keeps the column of its WHEN condition, or the whole row, to a JSON Schema (schema, level, action)';

CREATE FUNCTION restful.bound_schemas(rel regclass)
    RETURNS TABLE ("column" name, schema jsonb, schema_name text, level text, action text, source text, name name)
    LANGUAGE c STABLE STRICT ROWS 5 AS 'MODULE_PATHNAME', 'restful_bound_schemas';
COMMENT ON FUNCTION restful.bound_schemas(regclass) IS
    'The JSON Schemas bound to a table by restful.constrain and by CHECK constraints written by hand; column: null for the whole row';

CREATE FUNCTION restful.read_schema(schema text) RETURNS TABLE (document json, refers boolean, registered boolean)
    LANGUAGE c STABLE STRICT ROWS 1 AS 'MODULE_PATHNAME', 'restful_read_schema';
COMMENT ON FUNCTION restful.read_schema(text) IS
    'Checks a JSON Schema given as JSON or by its registered name, to which the document then refers; refers: whether it refers to any registered one';

CREATE FUNCTION restful.tables_of(rel regclass) RETURNS TABLE ("table" regclass, blocks bigint)
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $tables_of$
    WITH RECURSIVE tables (oid) AS (
        SELECT rel::oid
        UNION
        SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tables t ON i.inhparent = t.oid
    )
    SELECT c.oid::regclass, CASE
        WHEN c.relkind = 'p' THEN 0
        WHEN c.relam = (SELECT a.oid FROM pg_catalog.pg_am a WHERE a.amname = 'heap')
            THEN pg_relation_size(c.oid) / current_setting('block_size')::bigint
    END
    FROM tables t JOIN pg_catalog.pg_class c ON c.oid = t.oid
$tables_of$;
COMMENT ON FUNCTION restful.tables_of(regclass) IS
    'The tables whose rows a table shows: itself, partitions, children; blocks: null for those that are no heap';

CREATE FUNCTION restful.constrain(
    rel regclass,
    "column" name,
    schema text,
    level text DEFAULT 'strict',
    action text DEFAULT 'error'
) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $constrain$
DECLARE
    kind "char" := (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = rel);
    attribute pg_catalog.pg_attribute;
    data_type pg_catalog.pg_type;
    refers boolean;
    by_check boolean;
    predicate text;
    base text := coalesce("column", 'row');
    made text;
    broken bigint;
BEGIN
    IF rel IS NULL OR schema IS NULL THEN
        RAISE EXCEPTION 'table and schema must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF level IS NULL OR level NOT IN ('strict', 'moderate', 'off') THEN
        RAISE EXCEPTION 'unknown level "%"', level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is strict, moderate or off.';
    ELSIF action IS NULL OR action NOT IN ('error', 'warn') THEN
        RAISE EXCEPTION 'unknown action "%"', action
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is error or warn.';
    ELSIF kind NOT IN ('r', 'p', 'f') THEN
        RAISE EXCEPTION '"%" is not a table', rel
            USING ERRCODE = 'wrong_object_type', HINT = 'Of a view, constrain the tables behind it.';
    END IF;
    -- as a $ref says it
    schema := regexp_replace(schema, '^restful:', '');
    IF "column" IS NOT NULL THEN
        SELECT a.* INTO attribute FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = rel AND a.attname = "column" AND a.attnum > 0 AND NOT a.attisdropped;
        IF attribute.attnum IS NULL THEN
            RAISE EXCEPTION 'column "%" of "%" does not exist', "column", rel USING ERRCODE = 'undefined_column';
        END IF;
        SELECT t.* INTO data_type FROM pg_catalog.pg_type t WHERE t.oid = attribute.atttypid;
        WHILE data_type.typtype = 'd' LOOP
            SELECT t.* INTO data_type FROM pg_catalog.pg_type t WHERE t.oid = data_type.typbasetype;
        END LOOP;
        IF data_type.oid NOT IN ('json'::regtype, 'jsonb'::regtype) THEN
            RAISE EXCEPTION 'column "%" is of type %, not json or jsonb', "column", format_type(attribute.atttypid, NULL)
                USING ERRCODE = 'datatype_mismatch', HINT = 'With a null column, the schema is one of the row as a JSON object.';
        END IF;
    END IF;
    SELECT s.refers INTO refers FROM restful.read_schema(schema) s;
    PERFORM restful.unconstrain(rel, "column");

    WHILE octet_length(base) > 45 LOOP -- 63 without the rest of the name
        base := left(base, -1);
    END LOOP;
    FOR i IN 1..999 LOOP
        made := concat(base, '_matches_schema', CASE WHEN i > 1 THEN i END);
        EXIT WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = rel AND c.conname = made)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = rel AND t.tgname = made);
    END LOOP;

    -- A CHECK has to be immutable, which a reference to what may change is not; it knows no levels; PostgreSQL does not enforce it
    -- on foreign tables.
    by_check := "column" IS NOT NULL AND level = 'strict' AND action = 'error' AND NOT refers AND NOT EXISTS (
        SELECT FROM restful.tables_of(rel) t JOIN pg_catalog.pg_class c ON c.oid = t."table" WHERE c.relkind = 'f');
    IF by_check THEN
        predicate := format('restful.%I(%L::pg_catalog.json, %I)',
            CASE data_type.oid WHEN 'json'::regtype THEN 'json_matches_schema' ELSE 'jsonb_matches_schema' END, schema, "column");
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s) NOT VALID', rel, made, predicate);
        EXECUTE format('COMMENT ON CONSTRAINT %I ON %s IS %L', made, rel, 'Made by restful.constrain');
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', rel, made);
        EXCEPTION WHEN check_violation THEN
            EXECUTE format('SELECT count(*) FROM %s WHERE NOT %s', rel, predicate) INTO broken;
            RAISE NOTICE 'existing rows of "%" that break the schema: %; "%" is not valid for them', rel, broken, made
                USING HINT = format('SELECT * FROM restful.validation_report(%L, %L) lists them. When they are corrected: ALTER TABLE %s VALIDATE CONSTRAINT %I.',
                    rel, "column", rel, made);
        END;
        RETURN made;
    END IF;

    IF attribute.attgenerated = 'v' THEN
        RAISE EXCEPTION 'column "%" is a virtual generated column, which a trigger cannot see', "column"
            USING ERRCODE = 'feature_not_supported', HINT = 'It can have a schema as JSON, at level strict with action error.';
    ELSIF kind <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = rel) THEN
        RAISE WARNING '"%" has child tables, which do not inherit its triggers', rel USING HINT = 'Constrain them, too.';
    END IF;
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE ON %s FOR EACH ROW %s EXECUTE FUNCTION restful.enforce_schema(%L, %L, %L)',
        made, rel, CASE WHEN "column" IS NOT NULL THEN format('WHEN (NEW.%I IS NOT NULL)', "column") END, schema, level, action);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', made, rel, 'Made by restful.constrain');
    IF level = 'off' THEN
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', rel, made);
    END IF;
    RETURN made;
END
$constrain$;
COMMENT ON FUNCTION restful.constrain(regclass, name, text, text, text) IS
    'Binds a JSON Schema, given as JSON or by its registered name, to a column (null: the whole row); level strict, moderate or off; action error or warn';

CREATE FUNCTION restful.unconstrain(rel regclass, "column" name) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $unconstrain$
DECLARE
    bound record;
    removed boolean := false;
BEGIN
    FOR bound IN
        SELECT b.source, b.name
        FROM restful.bound_schemas(rel) b
        WHERE b."column" IS NOT DISTINCT FROM unconstrain."column"
          AND CASE b.source
              WHEN 'check' THEN EXISTS (
                  SELECT FROM pg_catalog.pg_constraint c
                  WHERE c.conrelid = rel AND c.conname = b.name AND c.conislocal
                    AND obj_description(c.oid, 'pg_constraint') = 'Made by restful.constrain')
              -- of a partitioned table's trigger, each partition has a copy, which goes with it
              ELSE EXISTS (
                  SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = rel AND t.tgname = b.name AND t.tgparentid = 0)
          END
    LOOP
        IF bound.source = 'check' THEN
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', rel, bound.name);
        ELSE
            EXECUTE format('DROP TRIGGER %I ON %s', bound.name, rel);
        END IF;
        removed := true;
    END LOOP;
    RETURN removed;
END
$unconstrain$;
COMMENT ON FUNCTION restful.unconstrain(regclass, name) IS
    'Removes what restful.constrain bound to a column (null: to the whole row); whether there was anything';

-- Apart from the report, which runs policies and their functions under the caller's search path.
CREATE FUNCTION restful.validation_query(rel regclass, of_column name, by_schema text, ranges boolean) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $validation_query$
DECLARE
    row_key text;
    checks text;
    called regprocedure;
BEGIN
    IF (SELECT c.relkind NOT IN ('r', 'p', 'm', 'f') FROM pg_catalog.pg_class c WHERE c.oid = rel) THEN
        RAISE EXCEPTION '"%" is not a table', rel USING ERRCODE = 'wrong_object_type';
    END IF;
    -- Beyond what any SELECT runs, making JSON of rows runs the casts to JSON of their types, with the rights of who asks.
    WITH RECURSIVE types (oid) AS (
        SELECT a.atttypid
        FROM pg_catalog.pg_attribute a
        LEFT JOIN pg_catalog.pg_index i ON i.indrelid = rel AND i.indisprimary
        WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped
          AND (of_column IS NULL OR a.attname = of_column OR a.attnum = ANY (i.indkey))
        UNION
        SELECT part.oid
        FROM types y
        JOIN pg_catalog.pg_type t ON t.oid = y.oid
        CROSS JOIN LATERAL (
            SELECT t.typelem
            UNION ALL
            SELECT t.typbasetype
            UNION ALL
            SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ) part (oid)
        WHERE part.oid <> 0
    )
    SELECT p.oid INTO called
    FROM types y
    JOIN pg_catalog.pg_cast c ON c.castsource = y.oid AND c.casttarget IN ('json'::regtype, 'jsonb'::regtype)
    JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
    JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
    WHERE NOT r.rolsuper AND r.rolname <> current_user
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a report on "%" would call % of another role', rel, called
            USING ERRCODE = 'insufficient_privilege', HINT = 'It casts to JSON. Ask as its owner.';
    END IF;
    SELECT format('pg_catalog.jsonb_build_object(%s)', string_agg(format('%L, t.%I', a.attname, a.attname), ', ' ORDER BY k.position))
    INTO row_key
    FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = rel AND i.indisprimary AND k.position <= i.indnkeyatts
    HAVING count(*) > 0;
    IF row_key IS NULL THEN
        row_key := format('pg_catalog.jsonb_build_object(%s''ctid'', t.ctid::pg_catalog.text)',
            CASE WHEN (SELECT count(*) > 1 FROM restful.tables_of(rel)) THEN '''table'', t.tableoid::pg_catalog.regclass::pg_catalog.text, ' END);
    END IF;

    SELECT string_agg(format(
        $part$
        SELECT %1$L OPERATOR(pg_catalog.||) v.instance_location, %2$s, v.keyword, v.message
        FROM restful.validate(%3$L::pg_catalog.jsonb, %4$s, NULL, true) v
        WHERE NOT restful.is_valid(%3$L::pg_catalog.jsonb, %4$s)$part$,
        -- without a column, locations are those in the row
        CASE WHEN of_column IS NULL AND b.name IS NOT NULL
            THEN '/' || replace(replace(b.name, '~', '~0'), '/', '~1') ELSE '' END,
        CASE WHEN b.registered THEN 'pg_catalog.substr(v.keyword_location, 6)' ELSE 'v.keyword_location' END, -- behind /$ref
        b.document,
        CASE WHEN b.name IS NULL THEN 'pg_catalog.to_jsonb(t.*)' ELSE format('t.%I::pg_catalog.jsonb', b.name) END), ' UNION ALL ')
    INTO checks
    FROM (
        SELECT of_column AS name, s.document::jsonb, s.registered
        FROM restful.read_schema(by_schema) s
        UNION ALL
        SELECT o."column", coalesce(o.schema, s.document::jsonb), o.schema IS NULL
        FROM restful.bound_schemas(rel) o
        LEFT JOIN LATERAL restful.read_schema(o.schema_name) s ON true
        WHERE by_schema IS NULL AND (of_column IS NULL OR o."column" = of_column)
    ) b;
    IF checks IS NULL THEN
        RAISE EXCEPTION 'no schema is bound to %', CASE WHEN of_column IS NULL THEN '' ELSE format('column "%s" of ', of_column) END || format('"%s"', rel)
            USING ERRCODE = 'undefined_object', HINT = 'Bind one with restful.constrain, or give one as third argument.';
    END IF;
    RETURN format('SELECT %s, f.* FROM %s t CROSS JOIN LATERAL (%s) f', row_key, rel, checks) ||
        CASE WHEN ranges THEN ' WHERE t.ctid OPERATOR(pg_catalog.>=) $1 AND t.ctid OPERATOR(pg_catalog.<) $2' ELSE '' END;
END
$validation_query$;
COMMENT ON FUNCTION restful.validation_query(regclass, name, text, boolean) IS
    'The query of restful.validation_report; ranges: for the rows between two ctids, $1 and $2';

CREATE FUNCTION restful.validation_report(rel regclass, "column" name DEFAULT NULL, schema text DEFAULT NULL)
    RETURNS TABLE (row_key jsonb, instance_location text, keyword_location text, keyword text, message text)
    LANGUAGE plpgsql STABLE AS $validation_report$
DECLARE
    step CONSTANT bigint := 4096; -- blocks: 32 MB
    blocks bigint; -- of the largest table; null when not all can be read in ranges
    query text;
    said timestamptz := pg_catalog.clock_timestamp();
BEGIN
    SELECT CASE WHEN pg_catalog.bool_and(t.blocks IS NOT NULL) THEN pg_catalog.max(t.blocks) END INTO blocks FROM restful.tables_of(rel) t;
    query := restful.validation_query(rel, "column", schema, blocks IS NOT NULL);
    IF blocks IS NULL THEN
        RETURN QUERY EXECUTE query;
        RETURN;
    END IF;
    FOR block IN 0..blocks BY step LOOP
        IF block > 0 AND pg_catalog.clock_timestamp() > said + '5 s'::interval THEN
            RAISE NOTICE '%: % %% checked', rel, block * 100 / blocks;
            said := pg_catalog.clock_timestamp();
        END IF;
        RETURN QUERY EXECUTE query
            USING pg_catalog.format('(%s,0)', block)::pg_catalog.tid, pg_catalog.format('(%s,0)', block + step)::pg_catalog.tid;
    END LOOP;
END
$validation_report$;
COMMENT ON FUNCTION restful.validation_report(regclass, name, text) IS
    'The rows that break the schema bound to a column, or the one given; without a column, all that is bound, with locations in the row';

-- STABLE: it reads the catalogue. It has no search path of its own: names in the expression are the caller's.
CREATE FUNCTION restful.parse_expression(rel regclass, expression text, attnum smallint DEFAULT 0) RETURNS pg_node_tree
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'restful_parse_expression';
COMMENT ON FUNCTION restful.parse_expression(regclass, text, smallint) IS
    'The tree of an expression for a policy of a table, or for the default of its column attnum, as pg_get_expr reads it; an error when the text is anything but one expression';

-- Policies in the shape that costs least. They are the caller's: what is made, is made with the caller's rights, as by the statements
-- that are returned. A policy's comment tells whose it is; no other policy is ever changed.

CREATE FUNCTION restful.policy_table(rel regclass) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    class pg_catalog.pg_class;
    name text;
BEGIN
    IF rel IS NULL THEN
        RAISE EXCEPTION 'the table is null' USING ERRCODE = '22004';
    END IF;
    SELECT c.* INTO class FROM pg_catalog.pg_class c WHERE c.oid = rel;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'relation with OID % does not exist', rel::oid USING ERRCODE = '42P01';
    END IF;
    name := format('%I.%I', (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = class.relnamespace), class.relname);
    IF class.relkind = 'v' THEN
        RAISE EXCEPTION '% is a view, which has no policies', name USING ERRCODE = '42809', HINT = concat(
            'Make policies for the tables behind it', CASE WHEN current_setting('server_version_num')::integer >= 150000
                THEN format(', and let it ask for its reader''s rights: ALTER VIEW %s SET (security_invoker = true)', name)
                ELSE '; they hold for the view''s owner, and for its reader only from PostgreSQL 15 on, with security_invoker' END, '.');
    ELSIF class.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is not a table of this database, and PostgreSQL has no row-level security for it', name
            USING ERRCODE = '42809', HINT = 'Let its readers have a view or a function that shows them their rows.';
    ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', name USING ERRCODE = '42501';
    END IF;
    RETURN name;
END
$function$;
COMMENT ON FUNCTION restful.policy_table(regclass) IS
    'The quoted name of a table; an error unless it can have policies and the caller is its owner';

CREATE FUNCTION restful.policy_roles(to_roles text[]) RETURNS oid[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing text;
BEGIN
    IF coalesce(cardinality(to_roles), 0) = 0 OR array_position(to_roles, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'there is no role, or one is null' USING ERRCODE = '22004', HINT = 'public stands for every role.';
    END IF;
    SELECT t INTO missing FROM unnest(to_roles) t
    WHERE t <> 'public' AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = t);
    IF FOUND THEN
        RAISE EXCEPTION 'role "%" does not exist', missing USING ERRCODE = '42704',
            HINT = 'Name the roles with to_roles. restful.setup_roles() makes anon and authenticated.';
    END IF;
    RETURN CASE WHEN 'public' = ANY (to_roles) THEN '{0}'::oid[]
        ELSE ARRAY(SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = ANY (to_roles) ORDER BY r.rolname) END;
END
$function$;
COMMENT ON FUNCTION restful.policy_roles(text[]) IS 'The OIDs of roles, 0 alone for public; an error when one does not exist';

CREATE FUNCTION restful.policy_commands(commands text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    wrong text;
BEGIN
    IF commands IS NULL OR array_position(commands, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the commands are null, or one of them is' USING ERRCODE = '22004';
    END IF;
    SELECT c INTO wrong FROM unnest(commands) c WHERE lower(c) NOT IN ('select', 'insert', 'update', 'delete', 'all');
    IF FOUND THEN
        RAISE EXCEPTION 'unknown command "%"', wrong
            USING ERRCODE = '22023', HINT = 'It is select, insert, update, delete, or all for the four of them.';
    END IF;
    RETURN ARRAY(
        SELECT c FROM unnest('{select,insert,update,delete}'::text[]) WITH ORDINALITY o (c, place)
        WHERE EXISTS (SELECT FROM unnest(commands) g WHERE lower(g) IN (c, 'all')) ORDER BY place);
END
$function$;
COMMENT ON FUNCTION restful.policy_commands(text[]) IS 'The commands meant, in lower case and order, each once; an error when one is none';

CREATE FUNCTION restful.policy_column(rel regclass, "column" name) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    of_table text := restful.policy_table(rel);
    data_type oid;
    base oid;
BEGIN
    SELECT a.atttypid INTO data_type FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = rel AND a.attname = "column" AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of % does not exist', "column", of_table USING ERRCODE = '42703';
    END IF;
    base := data_type;
    WHILE (SELECT t.typtype = 'd' FROM pg_catalog.pg_type t WHERE t.oid = base) LOOP
        base := (SELECT t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = base);
    END LOOP;
    CASE
        WHEN base = 'uuid'::regtype THEN RETURN 'uuid';
        WHEN base IN ('text'::regtype, 'varchar'::regtype) THEN RETURN 'text';
        WHEN base IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) THEN RETURN 'bigint';
        ELSE
            RAISE EXCEPTION 'column "%" is of type %, with which no claim compares', "column", format_type(data_type, NULL)
                USING ERRCODE = '42804', HINT = 'It can be uuid, text, varchar or an integer; other conditions are for restful.policy_public_read and restful.policy_restrict.';
    END CASE;
END
$function$;
COMMENT ON FUNCTION restful.policy_column(regclass, name) IS
    'As what a column compares with a claim: uuid, text or bigint; an error when it does not';

-- What is no number or UUID is nobody's, rather than an error of every request.
CREATE FUNCTION restful.policy_cast(reader text, data_type text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE data_type
        WHEN 'text' THEN reader
        ELSE format('CASE WHEN %1$s ~ %2$L THEN %1$s::%3$s END', reader, CASE data_type
            WHEN 'uuid' THEN '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' ELSE '^-?[0-9]{1,18}$' END, data_type)
    END
$function$;
COMMENT ON FUNCTION restful.policy_cast(text, text) IS
    'The text of an expression of type text as uuid or bigint, null where it is none';

CREATE FUNCTION restful.policy_index(rel regclass, "column" name, make_index boolean) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE
        WHEN make_index THEN format('CREATE INDEX ON %s (%I);', restful.policy_table(rel), "column")
        ELSE format('-- without an index on %I, every statement reads the whole table: CREATE INDEX %sON %s (%I); and then this again', "column",
            CASE c.relkind WHEN 'r' THEN 'CONCURRENTLY ' END, restful.policy_table(rel), "column")
    END
    FROM pg_catalog.pg_class c
    WHERE c.oid = rel AND "column" IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = rel AND a.attname = "column" AND i.indisvalid
          -- whoever compares it finds no nulls
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname)))
$function$;
COMMENT ON FUNCTION restful.policy_index(regclass, name, boolean) IS
    'The statement that makes an index on a column, or a comment that offers it; null when there is one';

CREATE FUNCTION restful.make_policies(
    rel regclass,
    generator text,
    policy name,
    to_roles text[],
    commands text[], -- and for each of them:
    expressions text[],
    remake text,
    dry_run boolean,
    index_column name DEFAULT NULL,
    make_index boolean DEFAULT false,
    restrictive boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    roles oid[] := restful.policy_roles(to_roles);
    role_list text := (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(o)) END, ', ' ORDER BY place)
        FROM unnest(roles) WITH ORDINALITY r (o, place));
    ours text := format('Made by restful.%s. ', generator);
    remark text;
    there record;
    wanted name;
    shape text;
    tree text;
    made text[] := '{}';
    statement text;
BEGIN
    IF policy IS NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'the name of the policies or dry_run is null' USING ERRCODE = '22004';
    ELSIF octet_length(policy) > 56 OR policy = '' THEN
        RAISE EXCEPTION 'the name "%" is empty or too long', policy
            USING ERRCODE = '42622', HINT = 'With the command behind it, it must not have more than 63 bytes.';
    END IF;
    remark := format('%sAgain: %s Undo: SELECT * FROM restful.drop_policies(%L, %L);', ours, remake, of_table, policy);
    FOR i IN 1..cardinality(commands) LOOP
        wanted := concat(policy, '_', commands[i]);
        IF commands[i] <> 'all' AND commands[i] <> ALL (restful.policy_commands(commands[i:i])) THEN
            RAISE EXCEPTION 'unknown command "%"', commands[i] USING ERRCODE = '22023';
        ELSIF expressions[i] IS NULL THEN
            RAISE EXCEPTION 'the expression is null' USING ERRCODE = '22004';
        END IF;
        tree := pg_get_expr(restful.parse_expression(rel, expressions[i]), rel);
        shape := concat('TO ', role_list,
            CASE WHEN commands[i] <> 'insert' THEN format(' USING (%s)', expressions[i]) END,
            CASE WHEN commands[i] NOT IN ('select', 'delete') THEN format(' WITH CHECK (%s)', expressions[i]) END);
        SELECT obj_description(p.oid, 'pg_policy') AS remark,
            p.polpermissive <> restrictive AND p.polcmd = CASE commands[i]
                WHEN 'select' THEN 'r' WHEN 'insert' THEN 'a' WHEN 'update' THEN 'w' WHEN 'delete' THEN 'd' ELSE '*' END AS alike,
            p.polroles @> roles AND p.polroles <@ roles
                AND CASE WHEN commands[i] <> 'insert' THEN pg_get_expr(p.polqual, rel) = tree ELSE true END
                AND CASE WHEN commands[i] NOT IN ('select', 'delete') THEN pg_get_expr(p.polwithcheck, rel) = tree ELSE true END AS same
        INTO there FROM pg_catalog.pg_policy p WHERE p.polrelid = rel AND p.polname = wanted;
        IF NOT FOUND THEN
            made := made || format('CREATE POLICY %I ON %s%s FOR %s %s;', wanted, of_table,
                CASE WHEN restrictive THEN ' AS RESTRICTIVE' END, upper(commands[i]), shape);
        ELSIF NOT coalesce(starts_with(there.remark, ours), false) OR NOT there.alike THEN
            RAISE EXCEPTION 'policy "%" of % was not made by restful.%', wanted, of_table, generator
                USING ERRCODE = '42710', HINT = 'Give another name, or drop or rename that policy.';
        ELSIF there.same IS NOT TRUE THEN
            -- In one statement: a restrictive policy is never missing, not even between two.
            made := made || format('ALTER POLICY %I ON %s %s;', wanted, of_table, shape);
        END IF;
        IF there.remark IS DISTINCT FROM remark THEN
            made := made || format('COMMENT ON POLICY %I ON %s IS %L;', wanted, of_table, remark);
        END IF;
    END LOOP;
    made := made || ARRAY(
        SELECT format('DROP POLICY %I ON %s;', p.polname, of_table)
        FROM pg_catalog.pg_policy p, unnest('{select,insert,update,delete,all}'::text[]) c
        WHERE p.polrelid = rel AND p.polname = concat(policy, '_', c) AND c <> ALL (commands)
          AND starts_with(obj_description(p.oid, 'pg_policy'), ours)
          AND generator <> 'policy_permission' -- each of its commands is a call of its own
        ORDER BY p.polname);
    made := made || array_remove(ARRAY[restful.policy_index(rel, index_column, make_index)], NULL);
    IF NOT EXISTS (SELECT FROM unnest(made) m WHERE m NOT LIKE '--%') THEN
        made := format('-- nothing to do: %s has these policies', of_table) || made;
    END IF;
    IF NOT (SELECT c.relrowsecurity FROM pg_catalog.pg_class c WHERE c.oid = rel) THEN
        made := made || format('-- they have no effect until row-level security is on: SELECT * FROM restful.enable_rls(%L);', of_table);
    END IF;
    IF NOT restrictive AND commands && '{update,delete}' AND NOT 'select' = ANY (commands) AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = rel AND p.polpermissive AND p.polcmd IN ('r', '*'))
    THEN
        made := made || format('-- UPDATE and DELETE find only rows that may be read, and %s has no policy for SELECT', of_table);
    END IF;
    IF restrictive AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = rel AND p.polpermissive) THEN
        made := made || format('-- it narrows what other policies allow, and %s has none that allows anything', of_table);
    END IF;
    FOREACH statement IN ARRAY made LOOP
        IF NOT dry_run THEN
            EXECUTE statement;
        END IF;
        RETURN NEXT statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.make_policies(regclass, text, name, text[], text[], text[], text, boolean, name, boolean, boolean) IS
    'Makes policies what they should be, one for each command: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.enable_rls(rel regclass, force boolean DEFAULT true, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    made text[];
    statement text;
BEGIN
    IF force IS NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'force or dry_run is null' USING ERRCODE = '22004';
    END IF;
    SELECT array_remove(ARRAY[
            CASE WHEN NOT c.relrowsecurity THEN format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', of_table) END,
            CASE WHEN c.relforcerowsecurity <> force
                THEN format('ALTER TABLE %s %s ROW LEVEL SECURITY;', of_table, CASE WHEN force THEN 'FORCE' ELSE 'NO FORCE' END) END
        ], NULL)
    INTO made FROM pg_catalog.pg_class c WHERE c.oid = rel;
    IF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: row-level security of %s is on%s', of_table, CASE WHEN force THEN ', for its owner too' END)];
    END IF;
    -- Whoever may read a partition by its own name is not kept to the policies of its parent.
    made := made || ARRAY(
        SELECT format('-- %1$s can be reached past the policies of %2$s: SELECT * FROM restful.enable_rls(%3$L);',
            format('%I.%I', n.nspname, c.relname), of_table, format('%I.%I', n.nspname, c.relname))
        FROM restful.tables_of(rel) t
        JOIN pg_catalog.pg_class c ON c.oid = t."table" AND c.oid <> rel AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner)
        ORDER BY n.nspname, c.relname);
    FOREACH statement IN ARRAY made LOOP
        IF NOT dry_run THEN
            EXECUTE statement;
        END IF;
        RETURN NEXT statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.enable_rls(regclass, boolean, boolean) IS
    'Turns row-level security of a table on, with force for its owner too: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.policy_owner(
    rel regclass,
    owner_column name DEFAULT 'user_id',
    commands text[] DEFAULT '{select,insert,update,delete}',
    to_roles text[] DEFAULT '{authenticated}',
    dry_run boolean DEFAULT false,
    policy name DEFAULT 'owner',
    make_index boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    data_type text := restful.policy_column(rel, owner_column);
    asked text[] := restful.policy_commands(commands);
    -- To change a row, it has to be class.
    of_commands text[] := restful.policy_commands(CASE WHEN asked && '{update,delete}' THEN asked || '{select}'::text[] ELSE asked END);
    expression text := format('%I = (SELECT %s)', owner_column,
        CASE data_type WHEN 'uuid' THEN 'restful.uid()' ELSE restful.policy_cast('restful.user_id()', data_type) END);
BEGIN
    RETURN QUERY SELECT * FROM restful.make_policies(rel, 'policy_owner', policy, to_roles,
        of_commands, array_fill(expression, ARRAY[cardinality(of_commands)]),
        format('SELECT * FROM restful.policy_owner(%L, %L, %L, %L, policy => %L);', of_table, owner_column, of_commands, to_roles, policy),
        dry_run, owner_column, make_index);
END
$function$;
COMMENT ON FUNCTION restful.policy_owner(regclass, name, text[], text[], boolean, name, boolean) IS
    'Policies that give roles the rows whose column names the request''s subject: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.policy_tenant(
    rel regclass,
    tenant_column name DEFAULT 'tenant_id',
    read text DEFAULT NULL,
    write text DEFAULT NULL,
    to_roles text[] DEFAULT '{authenticated}',
    dry_run boolean DEFAULT false,
    policy name DEFAULT 'tenant',
    make_index boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    data_type text := restful.policy_column(rel, tenant_column);
    -- Who may only read has been named, and who may write has not.
    of_commands text[] := restful.policy_commands(CASE WHEN read IS NOT NULL AND write IS NULL THEN '{select}'::text[] ELSE '{all}' END);
    -- An array is looked up in an index, but without one each row is compared with all of it; a subquery is hashed.
    indexed boolean := make_index OR restful.policy_index(rel, tenant_column, true) IS NULL;
    expressions text[] := ARRAY(
        SELECT CASE WHEN permission IS NULL
            THEN format('%I = (SELECT %s)', tenant_column, restful.policy_cast('restful.tenant_id()', data_type))
            ELSE format(CASE WHEN indexed THEN '%I = ANY (ARRAY(SELECT %s))' ELSE '%I IN (SELECT %s)' END, tenant_column, CASE data_type
                WHEN 'uuid' THEN format('restful.tenant_uuids_with(%L)', permission)
                WHEN 'text' THEN format('restful.tenants_with(%L)', permission)
                ELSE format('%s FROM restful.tenants_with(%L) t', restful.policy_cast('t', data_type), permission)
            END)
        END
        FROM unnest(of_commands) WITH ORDINALITY c (command, place),
            LATERAL (SELECT CASE command WHEN 'select' THEN read ELSE write END) p (permission)
        ORDER BY place);
BEGIN
    RETURN QUERY SELECT * FROM restful.make_policies(rel, 'policy_tenant', policy, to_roles, of_commands, expressions,
        format('SELECT * FROM restful.policy_tenant(%L, %L, %L, %L, %L, policy => %L);',
            of_table, tenant_column, read, write, to_roles, policy),
        dry_run, tenant_column, make_index);
END
$function$;
COMMENT ON FUNCTION restful.policy_tenant(regclass, name, text, text, text[], boolean, name, boolean) IS
    'Policies that give roles the rows of the tenants for which the subject has a permission to read or to write, or of the token''s tenant: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.policy_permission(
    rel regclass,
    command text,
    permission text,
    to_roles text[] DEFAULT '{authenticated}',
    dry_run boolean DEFAULT false,
    policy name DEFAULT 'permission'
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    of_commands text[] := restful.policy_commands(ARRAY[command]);
    expression text := format('(SELECT restful.has_permission(%L))', permission);
BEGIN
    IF permission IS NULL THEN
        RAISE EXCEPTION 'the permission is null' USING ERRCODE = '22004';
    END IF;
    RETURN QUERY SELECT * FROM restful.make_policies(rel, 'policy_permission', policy, to_roles, of_commands,
        array_fill(expression, ARRAY[cardinality(of_commands)]),
        format('SELECT * FROM restful.policy_permission(%L, %L, %L, %L, policy => %L);', of_table, command, permission, to_roles, policy),
        dry_run);
END
$function$;
COMMENT ON FUNCTION restful.policy_permission(regclass, text, text, text[], boolean, name) IS
    'A policy that gives roles a command on all rows if the subject has a permission: returns the statements, and runs them unless dry_run';

-- With the tree of an expression that the caller wrote, from here on in words that mean the same under any search path.
CREATE FUNCTION restful.make_policies_of_tree(
    rel regclass,
    generator text,
    policy name,
    to_roles text[],
    commands text[],
    tree pg_node_tree,
    dry_run boolean
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
    -- constants are written the same whoever asks
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1 SET quote_all_identifiers = off
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    restrictive boolean := generator = 'policy_restrict';
    of_commands text[] := restful.policy_commands(commands);
    expression text := pg_get_expr(tree, rel);
BEGIN
    IF expression IS NULL OR policy IS NULL THEN
        RAISE EXCEPTION 'the name or the expression is null' USING ERRCODE = '22004';
    END IF;
    -- What is the same for all rows is asked once.
    IF tree::text LIKE '%:funcid %' AND tree::text NOT LIKE '%{VAR %' AND tree::text NOT LIKE '{SUBLINK%' AND NOT EXISTS (
        SELECT FROM regexp_matches(tree::text, ':funcid (\d+)', 'g') f (called)
        JOIN pg_catalog.pg_proc p ON p.oid = f.called[1]::oid WHERE p.provolatile = 'v')
    THEN
        expression := format('(SELECT %s)', expression);
    ELSE
        -- So is what asks nothing of the row within what does: in a subquery as well, which lint() would ask for.
        expression := restful.lint_wrapped(expression, ARRAY(
                SELECT format('%I.%I', n.nspname, p.proname)
                FROM regexp_matches(tree::text, ':funcid (\d+)', 'g') f (called)
                JOIN pg_catalog.pg_proc p ON p.oid = f.called[1]::oid AND p.provolatile = 's' AND NOT p.proretset
                JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname <> 'pg_catalog'
            ) || '{current_setting}',
            restful.lint_columns(rel, ARRAY(
                SELECT a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped)));
    END IF;
    IF of_commands = restful.policy_commands('{all}') THEN
        of_commands := '{all}';
    END IF;
    RETURN QUERY SELECT * FROM restful.make_policies(rel, generator, policy, to_roles, of_commands,
        array_fill(expression, ARRAY[cardinality(of_commands)]),
        CASE WHEN restrictive
            THEN format('SELECT * FROM restful.policy_restrict(%L, %L, %L, %L);', of_table, policy, expression, of_commands)
            ELSE format('SELECT * FROM restful.policy_public_read(%L, %L, %L, policy => %L);', of_table, to_roles, expression, policy)
        END, dry_run, restrictive => restrictive);
END
$function$;
COMMENT ON FUNCTION restful.make_policies_of_tree(regclass, text, name, text[], text[], pg_node_tree, boolean) IS
    'restful.make_policies with one expression for all commands, which a caller wrote';

-- These two have no search path of their own: the expression is read under the caller's.
CREATE FUNCTION restful.policy_public_read(
    rel regclass,
    to_roles text[] DEFAULT '{anon,authenticated}',
    using_expr text DEFAULT 'true',
    dry_run boolean DEFAULT false,
    policy name DEFAULT 'public_read'
) RETURNS SETOF text
    LANGUAGE sql VOLATILE
AS $function$
    SELECT * FROM restful.make_policies_of_tree(
        rel, 'policy_public_read', policy, to_roles, '{select}', restful.parse_expression(rel, using_expr), dry_run)
$function$;
COMMENT ON FUNCTION restful.policy_public_read(regclass, text[], text, boolean, name) IS
    'A policy that lets roles read the rows for which an expression is true: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.policy_restrict(
    rel regclass,
    name text,
    using_expr text,
    commands text[] DEFAULT '{all}',
    dry_run boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE sql VOLATILE
AS $function$
    SELECT * FROM restful.make_policies_of_tree(
        rel, 'policy_restrict', name::pg_catalog.name, '{public}', commands, restful.parse_expression(rel, using_expr), dry_run)
$function$;
COMMENT ON FUNCTION restful.policy_restrict(regclass, text, text, text[], boolean) IS
    'A restrictive policy, without whose expression nobody gets a row, whatever other policies say: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.drop_policies(rel regclass, policy name DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    made text[] := ARRAY(
        SELECT format('DROP POLICY %I ON %s;', p.polname, of_table)
        FROM pg_catalog.pg_policy p
        WHERE p.polrelid = rel AND starts_with(obj_description(p.oid, 'pg_policy'), 'Made by restful.policy_')
          AND (policy IS NULL OR p.polname = ANY (SELECT concat(policy, '_', c) FROM unnest('{select,insert,update,delete,all}'::text[]) c))
        -- those that narrow last
        ORDER BY p.polpermissive DESC, p.polname);
    statement text;
BEGIN
    IF dry_run IS NULL THEN
        RAISE EXCEPTION 'dry_run is null' USING ERRCODE = '22004';
    ELSIF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: %s has no such policy', of_table)];
    END IF;
    FOREACH statement IN ARRAY made LOOP
        IF NOT dry_run THEN
            EXECUTE statement;
        END IF;
        RETURN NEXT statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.drop_policies(regclass, name, boolean) IS
    'Drops the policies that restful.policy_* made for a table, all or those of one name: returns the statements, and runs them unless dry_run';

-- Who may touch a table, and which columns the database fills in. Grants and defaults are the caller's own, as policies are.

-- The mark of a preset lies in the default itself: it is dumped, renamed and dropped with its column.
-- Without a search path, so that it is inlined; there is no name in it.
CREATE FUNCTION restful.preset(value anyelement) RETURNS anyelement
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$ SELECT value $function$;
COMMENT ON FUNCTION restful.preset(anyelement) IS
    'Its argument: in the default of a column it says that restful.column_preset made it, and that nobody else gives the value';

CREATE FUNCTION restful.preset_columns(rel regclass) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT ARRAY(
        SELECT a.attname
        FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE d.adrelid = rel AND pg_get_expr(d.adbin, d.adrelid) LIKE 'restful.preset(%'
        ORDER BY a.attnum)
$function$;
COMMENT ON FUNCTION restful.preset_columns(regclass) IS 'The columns of a table that restful.column_preset has made its own';

-- What a role may write of a table that has presets, as a list of columns; null when it is all of them.
CREATE FUNCTION restful.writable_columns(rel regclass, presets name[]) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN presets <> '{}' THEN ARRAY(
        SELECT a.attname FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attname <> ALL (presets)
        ORDER BY a.attnum) END
$function$;
COMMENT ON FUNCTION restful.writable_columns(regclass, name[]) IS
    'The columns of a table but for presets and generated ones; null when there are no presets';

CREATE FUNCTION restful.granted_columns(rel regclass, to_role oid, privilege text) RETURNS name[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT ARRAY(
        SELECT a.attname
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped AND EXISTS (
            SELECT FROM aclexplode(a.attacl) x
            WHERE x.grantee = to_role AND x.grantor = c.relowner AND x.privilege_type = upper(privilege))
        ORDER BY a.attnum)
$function$;
COMMENT ON FUNCTION restful.granted_columns(regclass, oid, text) IS 'The columns on which a table''s owner has granted a role a privilege';

CREATE FUNCTION restful.column_list(columns name[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$ SELECT string_agg(quote_ident(c), ', ' ORDER BY place) FROM unnest(columns) WITH ORDINALITY u (c, place) $function$;
COMMENT ON FUNCTION restful.column_list(name[]) IS 'The names of columns as SQL, with commas; null when there are none';

CREATE FUNCTION restful.make_grants(
    rel regclass,
    to_roles text[],
    commands text[],
    columns name[],
    dry_run boolean
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    class pg_catalog.pg_class;
    of_table text;
    schema name;
    roles oid[] := restful.policy_roles(to_roles);
    of_commands text[] := restful.policy_commands(commands);
    presets name[] := restful.preset_columns(rel);
    missing name;
    role oid;
    role_name text;
    command text;
    is_whole boolean;
    is_columns name[];
    wanted name[];
    granted text[];
    revoked text[];
    made text[] := '{}';
    statement text;
BEGIN
    IF dry_run IS NULL THEN
        RAISE EXCEPTION 'dry_run is null' USING ERRCODE = '22004';
    END IF;
    SELECT c.* INTO class FROM pg_catalog.pg_class c WHERE c.oid = rel;
    schema := (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = class.relnamespace);
    of_table := format('%I.%I', schema, class.relname);
    IF class.relkind IS NULL OR class.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '% is not a table or view', coalesce(rel::text, 'null') USING ERRCODE = '42809';
    ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of %', of_table USING ERRCODE = '42501';
    END IF;
    SELECT c INTO missing FROM unnest(columns) c WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped);
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of % does not exist', missing, of_table USING ERRCODE = '42703';
    ELSIF columns = '{}' THEN
        RAISE EXCEPTION 'the list of columns is empty' USING ERRCODE = '22023', HINT = 'With null it is all columns.';
    END IF;

    FOREACH role IN ARRAY roles LOOP
        role_name := CASE role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(role)) END;
        IF role = class.relowner THEN
            RAISE EXCEPTION '% is the owner of %', role_name, of_table
                USING ERRCODE = '22023', HINT = 'Requests come as roles that own nothing.';
        END IF;
        IF of_commands <> '{}' AND NOT has_schema_privilege(CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role) END, schema, 'USAGE') THEN
            made := made || format('GRANT USAGE ON SCHEMA %I TO %s;', schema, role_name);
        END IF;
        granted := '{}';
        revoked := '{}';
        FOREACH command IN ARRAY '{select,insert,update,delete}'::text[] LOOP
            is_whole := EXISTS (SELECT FROM aclexplode(class.relacl) a
                WHERE a.grantee = role AND a.grantor = class.relowner AND a.privilege_type = upper(command));
            is_columns := restful.granted_columns(rel, role, command);
            IF NOT command = ANY (of_commands) THEN
                IF is_whole OR is_columns <> '{}' THEN -- of the table, and with it of every column
                    revoked := revoked || upper(command);
                END IF;
                CONTINUE;
            END IF;
            wanted := CASE
                WHEN command = 'delete' THEN NULL
                WHEN command = 'select' THEN columns
                WHEN columns IS NULL THEN restful.writable_columns(rel, presets)
                ELSE ARRAY(SELECT c FROM unnest(columns) c
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = rel AND a.attname = c AND a.attgenerated = ''
                    WHERE c <> ALL (presets))
            END;
            IF wanted IS NULL THEN
                IF NOT is_whole THEN
                    granted := granted || upper(command);
                END IF;
            ELSIF is_whole THEN
                revoked := revoked || upper(command);
                granted := granted || format('%s (%s)', upper(command), restful.column_list(wanted));
            ELSE
                revoked := revoked || format('%s (%s)', upper(command),
                    restful.column_list(ARRAY(SELECT c FROM unnest(is_columns) c WHERE c <> ALL (wanted))));
                granted := granted || format('%s (%s)', upper(command),
                    restful.column_list(ARRAY(SELECT c FROM unnest(wanted) c WHERE c <> ALL (is_columns))));
            END IF;
        END LOOP;
        granted := ARRAY(SELECT g FROM unnest(granted) WITH ORDINALITY u (g, place) WHERE g NOT LIKE '% ()' ORDER BY place);
        revoked := ARRAY(SELECT r FROM unnest(revoked) WITH ORDINALITY u (r, place) WHERE r NOT LIKE '% ()' ORDER BY place);
        IF revoked <> '{}' THEN
            made := made || format('REVOKE %s ON %s FROM %s;', array_to_string(revoked, ', '), of_table, role_name);
        END IF;
        IF granted <> '{}' THEN
            made := made || format('GRANT %s ON %s TO %s;', array_to_string(granted, ', '), of_table, role_name);
        END IF;
        -- The sequences of serial columns are asked with the rights of whoever inserts; those of identity columns are not.
        made := made || ARRAY(
            SELECT DISTINCT CASE WHEN 'insert' = ANY (of_commands)
                THEN format('GRANT USAGE ON SEQUENCE %I.%I TO %s;', n.nspname, s.relname, role_name)
                ELSE format('REVOKE USAGE ON SEQUENCE %I.%I FROM %s;', n.nspname, s.relname, role_name) END
            FROM pg_catalog.pg_attrdef d
            JOIN pg_catalog.pg_depend u ON u.classid = 'pg_catalog.pg_attrdef'::regclass AND u.objid = d.oid
                AND u.refclassid = 'pg_catalog.pg_class'::regclass
            JOIN pg_catalog.pg_class s ON s.oid = u.refobjid AND s.relkind = 'S'
            JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
            WHERE d.adrelid = rel
              AND 'insert' = ANY (of_commands) <> EXISTS (SELECT FROM aclexplode(s.relacl) a
                  WHERE a.grantee = role AND a.grantor = s.relowner AND a.privilege_type = 'USAGE')
              -- one that other tables use too stays as it is
              AND ('insert' = ANY (of_commands) OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend o
                  JOIN pg_catalog.pg_attrdef e ON e.oid = o.objid
                  WHERE o.classid = 'pg_catalog.pg_attrdef'::regclass AND o.refclassid = 'pg_catalog.pg_class'::regclass
                    AND o.refobjid = s.oid AND e.adrelid <> rel))
            ORDER BY 1);
    END LOOP;
    IF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: these are the rights of %s on %s', array_to_string(to_roles, ', '), of_table)];
    END IF;
    FOREACH statement IN ARRAY made LOOP
        IF NOT dry_run THEN
            EXECUTE statement;
        END IF;
        RETURN NEXT statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.make_grants(regclass, text[], text[], name[], boolean) IS
    'Makes the rights of roles on a table what they should be, no more and no less: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.expose(
    rel regclass,
    to_roles text[],
    commands text[],
    columns name[] DEFAULT NULL,
    public boolean DEFAULT false,
    dry_run boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    class pg_catalog.pg_class;
    name text;
BEGIN
    IF rel IS NULL THEN
        RAISE EXCEPTION 'the table is null' USING ERRCODE = '22004';
    END IF;
    SELECT c.* INTO class FROM pg_catalog.pg_class c WHERE c.oid = rel;
    name := format('%I.%I', (SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.oid = class.relnamespace), class.relname);
    IF public IS NOT TRUE AND class.relkind = 'v' THEN
        IF NOT EXISTS (SELECT FROM pg_options_to_table(class.reloptions) o
            WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
        THEN
            RAISE EXCEPTION '% is a view that shows what its owner may see', name USING ERRCODE = '55000', HINT = concat(
                CASE WHEN current_setting('server_version_num')::integer >= 150000
                    THEN format('ALTER VIEW %s SET (security_invoker = true) makes it ask for its reader''s rights; ', name) END,
                'with public => true it is exposed as it is.');
        END IF;
    ELSIF public IS NOT TRUE AND NOT class.relrowsecurity THEN
        RAISE EXCEPTION '% has no row-level security', name USING ERRCODE = '55000', HINT = concat(
            CASE WHEN class.relkind IN ('r', 'p') THEN format('Turn it on first: SELECT * FROM restful.enable_rls(%L); ', name) END,
            CASE WHEN class.relkind IN ('r', 'p') THEN 'with' ELSE 'With' END, ' public => true, everybody it is exposed to gets every row.');
    END IF;
    RETURN QUERY SELECT * FROM restful.make_grants(rel, to_roles, commands, columns, dry_run);
END
$function$;
COMMENT ON FUNCTION restful.expose(regclass, text[], text[], name[], boolean, boolean) IS
    'Gives roles exactly these commands on a table or view, which must have row-level security unless public is true: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.unexpose(rel regclass, to_roles text[], dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$ SELECT * FROM restful.make_grants(rel, to_roles, '{}', NULL, dry_run) $function$;
COMMENT ON FUNCTION restful.unexpose(regclass, text[], boolean) IS
    'Takes from roles what restful.expose gives them on a table or view: returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.make_preset(rel regclass, col name, tree pg_node_tree, dry_run boolean) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    -- constants are written the same whoever asks
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    owner oid := (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = rel);
    attribute pg_catalog.pg_attribute;
    other record;
    there text;
    wanted text;
    writable name[];
    made text[] := '{}';
    statement text;
BEGIN
    SELECT a.* INTO attribute FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = rel AND a.attname = col AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of % does not exist', col, of_table USING ERRCODE = '42703';
    ELSIF tree IS NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'the expression or dry_run is null' USING ERRCODE = '22004';
    ELSIF attribute.attgenerated <> '' OR attribute.attidentity <> '' THEN
        RAISE EXCEPTION 'column "%" of % is generated already', col, of_table USING ERRCODE = '42611';
    END IF;
    there := (SELECT pg_get_expr(d.adbin, rel) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = rel AND d.adnum = attribute.attnum);
    IF there NOT LIKE 'restful.preset(%' THEN
        RAISE EXCEPTION 'column "%" of % has another default: %', col, of_table, there
            USING ERRCODE = '42710', HINT = format('If the preset is to take its place: ALTER TABLE %s ALTER %I DROP DEFAULT;', of_table, col);
    END IF;
    SELECT a.* INTO other FROM (
        SELECT relacl FROM pg_catalog.pg_class WHERE oid = rel UNION ALL SELECT attribute.attacl
    ) l (acl), aclexplode(l.acl) a WHERE a.grantor <> owner AND a.grantee <> owner AND a.privilege_type IN ('INSERT', 'UPDATE');
    IF FOUND THEN
        RAISE EXCEPTION '% has % on % from %, who is not the owner', CASE other.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(other.grantee)::text END,
            other.privilege_type, of_table, pg_get_userbyid(other.grantor)
            USING ERRCODE = '55000', HINT = 'A right can be taken back by whoever gave it: let that role do it, or take its grant option with CASCADE.';
    END IF;
    wanted := format('restful.preset(%s)', pg_get_expr(tree, rel));
    IF there IS DISTINCT FROM pg_get_expr(restful.parse_expression(rel, wanted, attribute.attnum), rel) THEN
        made := made || format('ALTER TABLE %s ALTER %I SET DEFAULT %s;', of_table, col, wanted);
    END IF;

    -- A right on the table is one on every column: it becomes one on the others.
    writable := restful.writable_columns(rel, restful.preset_columns(rel) || col);
    made := made || ARRAY(
        SELECT s.statement
        FROM (
            SELECT a.grantee, a.is_grantable, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privileges,
                string_agg(format('%s (%s)', a.privilege_type, restful.column_list(writable)), ', ' ORDER BY a.privilege_type) AS others
            FROM pg_catalog.pg_class c, aclexplode(c.relacl) a
            WHERE c.oid = rel AND a.grantee <> owner AND a.privilege_type IN ('INSERT', 'UPDATE')
            GROUP BY a.grantee, a.is_grantable
        ) g
        CROSS JOIN LATERAL (SELECT CASE g.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(g.grantee)) END) r (role_name)
        CROSS JOIN LATERAL (VALUES
            (1, format('REVOKE %s ON %s FROM %s;', g.privileges, of_table, role_name)),
            (2, CASE WHEN writable <> '{}' THEN format('GRANT %s ON %s TO %s%s;', g.others, of_table, role_name,
                CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END) END)
        ) s (place, statement)
        WHERE s.statement IS NOT NULL
        ORDER BY role_name, g.is_grantable, s.place);
    made := made || ARRAY(
        SELECT format('REVOKE %s ON %s FROM %s;', string_agg(format('%s (%I)', a.privilege_type, col), ', ' ORDER BY a.privilege_type),
            of_table, CASE a.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
        FROM aclexplode(attribute.attacl) a
        WHERE a.grantee <> owner AND a.privilege_type IN ('INSERT', 'UPDATE')
        GROUP BY a.grantee ORDER BY 1);
    IF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: column %I of %s is preset', col, of_table)];
    END IF;
    FOREACH statement IN ARRAY made LOOP
        IF NOT dry_run THEN
            EXECUTE statement;
        END IF;
        RETURN NEXT statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.make_preset(regclass, name, pg_node_tree, boolean) IS
    'restful.column_preset with the tree of its expression';

-- Without a search path of its own: the expression is read under the caller's.
CREATE FUNCTION restful.column_preset(rel regclass, col name, expr text, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE sql VOLATILE
AS $function$
    SELECT * FROM restful.make_preset(rel, col, restful.parse_expression(rel, expr, (
        SELECT a.attnum FROM pg_catalog.pg_attribute a
        WHERE a.attrelid OPERATOR(pg_catalog.=) rel AND a.attname OPERATOR(pg_catalog.=) col AND a.attnum OPERATOR(pg_catalog.>) 0)), dry_run)
$function$;
COMMENT ON FUNCTION restful.column_preset(regclass, name, text, boolean) IS
    'Lets the database fill in a column that nobody but the owner may write: a default, and no right to insert or update the column. Returns the statements, and runs them unless dry_run';

CREATE FUNCTION restful.drop_preset(rel regclass, col name, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    made text[];
    statement text;
BEGIN
    IF dry_run IS NULL THEN
        RAISE EXCEPTION 'dry_run is null' USING ERRCODE = '22004';
    ELSIF col = ANY (restful.preset_columns(rel)) THEN
        made := ARRAY[format('ALTER TABLE %s ALTER %I DROP DEFAULT;', of_table, col),
            format('-- nobody has got the right to write %I back: restful.expose(%L, ...) gives it', col, of_table)];
    ELSE
        made := ARRAY[format('-- nothing to do: column %I of %s is not preset', col, of_table)];
    END IF;
    FOREACH statement IN ARRAY made LOOP
        IF NOT dry_run THEN
            EXECUTE statement;
        END IF;
        RETURN NEXT statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.drop_preset(regclass, name, boolean) IS
    'Takes back what restful.column_preset made, but for the rights: returns the statements, and runs them unless dry_run';

-- For tests of policies. Executable by nobody at first: who may call it can speak for any subject, in the roles they may take.
CREATE FUNCTION restful.act_as(role name, claims jsonb DEFAULT '{}') RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_act_as';
COMMENT ON FUNCTION restful.act_as(name, jsonb) IS
'For tests: takes a role, as SET LOCAL ROLE does, and these claims as verified ones until the end of the transaction';

-- Roles of an application: who may do what, and for which tenant. They are rows, not roles of PostgreSQL, and count in the next
-- statement. The tables are nobody's but the owner's; functions that answer do so about the subject of the request alone.

CREATE TABLE restful.rbac_role (
    name text PRIMARY KEY,
    permissions text[] NOT NULL,
    inherits text[] NOT NULL,
    can_grant text[] NOT NULL,
    -- What follows from these and from the inherited roles, for lookups without recursion: written by restful.derive_roles.
    all_roles text[] NOT NULL DEFAULT '{}',
    all_permissions text[] NOT NULL DEFAULT '{}',
    all_can_grant text[] NOT NULL DEFAULT '{}',
    patterns text[] NOT NULL DEFAULT '{}',
    CONSTRAINT name_is_short CHECK (octet_length(name) BETWEEN 1 AND 255 AND name !~ '[[:space:][:cntrl:]]')
);
COMMENT ON TABLE restful.rbac_role IS 'Roles of the application, defined by restful.define_role';
COMMENT ON COLUMN restful.rbac_role.patterns IS 'All permissions as patterns of LIKE';

CREATE TABLE restful.rbac_grant (
    subject text NOT NULL,
    role text NOT NULL REFERENCES restful.rbac_role,
    tenant text,
    expires_at timestamptz,
    granted_at timestamptz NOT NULL,
    granted_by text,
    granted_as text NOT NULL,
    CONSTRAINT subject_is_short CHECK (octet_length(subject) BETWEEN 1 AND 255),
    CONSTRAINT tenant_is_short CHECK (octet_length(tenant) BETWEEN 1 AND 255)
);
-- Also how the grants of a subject are found.
CREATE UNIQUE INDEX rbac_grant_key ON restful.rbac_grant (subject, role, coalesce(tenant, ''));
-- A grant is known by its tenant too, which may be null, as no primary key may. Publications need to know it for UPDATE and DELETE.
ALTER TABLE restful.rbac_grant REPLICA IDENTITY FULL;
CREATE INDEX rbac_grant_tenant ON restful.rbac_grant (tenant) WHERE tenant IS NOT NULL;
COMMENT ON TABLE restful.rbac_grant IS 'Who has which role, given by restful.grant_role';
COMMENT ON COLUMN restful.rbac_grant.tenant IS 'Where it counts; null for everywhere';
COMMENT ON COLUMN restful.rbac_grant.granted_by IS 'The subject who granted it; null for an administrator';
COMMENT ON COLUMN restful.rbac_grant.granted_as IS 'The login role of the session that granted it';

-- A second wall behind the missing rights; the owner passes it.
ALTER TABLE restful.rbac_role ENABLE ROW LEVEL SECURITY;
ALTER TABLE restful.rbac_grant ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.rbac_role, restful.rbac_grant FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('restful.rbac_role', '');
SELECT pg_catalog.pg_extension_config_dump('restful.rbac_grant', '');

CREATE VIEW restful.rbac_held AS
SELECT g.subject, g.tenant, g.expires_at, r.all_roles, r.all_permissions, r.all_can_grant, r.patterns
FROM restful.rbac_grant g
JOIN restful.rbac_role r ON r.name = g.role
-- the statement's time, not the transaction's: a long transaction does not hold on to what expires
WHERE g.expires_at IS NULL OR g.expires_at > statement_timestamp();
REVOKE ALL ON restful.rbac_held FROM PUBLIC;
COMMENT ON VIEW restful.rbac_held IS 'Internal: grants in force, with what follows from their roles';

-- Definitions

CREATE FUNCTION restful.derive_roles() RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH RECURSIVE included (name, role) AS (
        SELECT r.name, r.name FROM restful.rbac_role r
        UNION
        SELECT i.name, inherited
        FROM included i JOIN restful.rbac_role r ON r.name = i.role, unnest(r.inherits) inherited
    ), derived AS (
        SELECT i.name, array_agg(i.role ORDER BY i.role) AS roles,
            ARRAY(SELECT DISTINCT p FROM restful.rbac_role r, unnest(r.permissions) p WHERE r.name = ANY (array_agg(i.role)) ORDER BY p) AS permissions,
            ARRAY(SELECT DISTINCT c FROM restful.rbac_role r, unnest(r.can_grant) c WHERE r.name = ANY (array_agg(i.role)) ORDER BY c) AS can_grant
        FROM included i
        GROUP BY i.name
    )
    UPDATE restful.rbac_role r
    SET all_roles = d.roles, all_permissions = d.permissions, all_can_grant = d.can_grant,
        -- what LIKE takes for more than itself is escaped, and the star at the end stands for any text
        patterns = ARRAY(SELECT regexp_replace(regexp_replace(p, E'([\\\\%_])', E'\\\\\\1', 'g'), '[*]$', '%') FROM unnest(d.permissions) p)
    FROM derived d
    WHERE d.name = r.name
      AND (r.all_roles, r.all_permissions, r.all_can_grant) IS DISTINCT FROM (d.roles, d.permissions, d.can_grant)
$function$;
COMMENT ON FUNCTION restful.derive_roles() IS 'Internal: writes what follows from the definitions of roles';

CREATE FUNCTION restful.lock_roles() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- One definition at a time: two could make a cycle together. The rows too, so that a transaction with an older snapshot fails.
    LOCK TABLE restful.rbac_role IN SHARE ROW EXCLUSIVE MODE;
    PERFORM FROM restful.rbac_role FOR NO KEY UPDATE;
END
$function$;
COMMENT ON FUNCTION restful.lock_roles() IS 'Internal: makes other definitions of roles wait';

CREATE FUNCTION restful.define_role(name text, permissions text[], inherits text[] DEFAULT '{}', can_grant text[] DEFAULT '{}')
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    wrong text;
BEGIN
    IF name IS NULL OR octet_length(name) NOT BETWEEN 1 AND 255 OR name ~ '[[:space:][:cntrl:]]' THEN
        RAISE EXCEPTION 'a role cannot be named "%"', name
            USING ERRCODE = '22023', HINT = 'A name has 1 to 255 bytes and no blanks.';
    END IF;
    permissions := coalesce(permissions, '{}');
    inherits := coalesce(inherits, '{}');
    can_grant := coalesce(can_grant, '{}');
    SELECT coalesce(p, 'null') INTO wrong
    FROM unnest(permissions) p
    WHERE p IS NULL OR octet_length(p) > 255 OR p !~ '^([*]|[^*.[:space:][:cntrl:]]+([.][^*.[:space:][:cntrl:]]+)*([.][*])?)$'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not a permission', wrong
            USING ERRCODE = '22023', HINT = 'A permission is words with dots between them, like posts.update; the last one may be *, which stands for all that follows.';
    END IF;
    PERFORM restful.lock_roles();
    SELECT coalesce(r, 'null') INTO wrong
    FROM unnest(inherits || can_grant) r
    WHERE r IS NULL OR (r <> name AND NOT EXISTS (SELECT FROM restful.rbac_role d WHERE d.name = r))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'role "%" is not defined', wrong
            USING ERRCODE = '42704', HINT = 'Define a role before the roles that inherit or grant it.';
    END IF;
    SELECT r INTO wrong
    FROM unnest(inherits) r
    WHERE r = name OR EXISTS (SELECT FROM restful.rbac_role d WHERE d.name = r AND name = ANY (d.all_roles))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'role "%" cannot inherit "%", which inherits it', name, wrong
            USING ERRCODE = '0LP01', HINT = 'See restful.list_roles().'; -- invalid_grant_operation, as for PostgreSQL's roles
    END IF;
    INSERT INTO restful.rbac_role AS r (name, permissions, inherits, can_grant)
    VALUES (name, permissions, inherits, can_grant)
    ON CONFLICT ON CONSTRAINT rbac_role_pkey DO UPDATE
    SET permissions = excluded.permissions, inherits = excluded.inherits, can_grant = excluded.can_grant;
    PERFORM restful.derive_roles();
END
$function$;
COMMENT ON FUNCTION restful.define_role(text, text[], text[], text[]) IS
    'Defines a role of the application, or defines it anew: its permissions (posts.update, posts.*, *), the roles it inherits, the roles that who has it may grant';

CREATE FUNCTION restful.drop_role(name text, cascade boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    used text;
BEGIN
    PERFORM restful.lock_roles();
    IF cascade THEN
        DELETE FROM restful.rbac_grant g WHERE g.role = name;
        UPDATE restful.rbac_role r
        SET inherits = array_remove(r.inherits, name), can_grant = array_remove(r.can_grant, name)
        WHERE name = ANY (r.inherits || r.can_grant);
    ELSE
        SELECT string_agg(u.usage, ', ' ORDER BY u.usage) INTO used
        FROM (
            SELECT 'role "' || r.name || '"' FROM restful.rbac_role r WHERE r.name <> name AND name = ANY (r.inherits || r.can_grant)
            UNION ALL
            SELECT 'its grants (' || count(*) || ')' FROM restful.rbac_grant g WHERE g.role = name HAVING count(*) > 0
        ) u (usage);
        IF used IS NOT NULL THEN
            RAISE EXCEPTION 'role "%" is in use', name
                USING ERRCODE = '2BP01', DETAIL = 'By ' || used || '.', HINT = 'Change those first, or say cascade => true to revoke it everywhere.';
        END IF;
    END IF;
    DELETE FROM restful.rbac_role r WHERE r.name = name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM restful.derive_roles();
    RETURN true;
END
$function$;
COMMENT ON FUNCTION restful.drop_role(text, boolean) IS
    'Drops a role of the application that nothing uses, or with cascade, revokes it first; false when there was none';

-- Grants

-- A function's variables take the collation of its arguments, which may be one that its caller made, and takes other texts for equal.
-- Where who asks or what is granted is compared, the collation is said.
CREATE FUNCTION restful.set_grant(granted boolean, subject text, role text, tenant text, expires_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    IF set_grant.granted IS NULL OR set_grant.subject IS NULL OR set_grant.role IS NULL THEN
        RAISE EXCEPTION 'a grant has a subject and a role, one of them is null' USING ERRCODE = '22004';
    END IF;
    IF NOT set_grant.granted THEN
        DELETE FROM restful.rbac_grant g
        WHERE g.subject = set_grant.subject COLLATE "default" AND g.role = set_grant.role COLLATE "default"
          AND coalesce(g.tenant, '') = coalesce(set_grant.tenant, '') COLLATE "default";
        RETURN FOUND;
    END IF;
    IF octet_length(set_grant.subject) NOT BETWEEN 1 AND 255 OR octet_length(set_grant.tenant) NOT BETWEEN 1 AND 255 THEN
        RAISE EXCEPTION 'a subject and a tenant have 1 to 255 bytes'
            USING ERRCODE = '22023', HINT = 'A grant that counts for every tenant has null as its tenant.';
    END IF;
    IF set_grant.expires_at <= statement_timestamp() THEN
        RAISE EXCEPTION 'the grant would have expired already' USING ERRCODE = '22023', HINT = 'See restful.revoke_role(subject, role, tenant).';
    END IF;
    -- It cannot be dropped until this transaction ends.
    PERFORM FROM restful.rbac_role r WHERE r.name = set_grant.role COLLATE "default" FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role "%" is not defined', set_grant.role USING ERRCODE = '42704', HINT = 'Define it with restful.define_role(name, permissions).';
    END IF;
    INSERT INTO restful.rbac_grant (subject, role, tenant, expires_at, granted_at, granted_by, granted_as)
    VALUES (set_grant.subject, set_grant.role, set_grant.tenant, set_grant.expires_at, statement_timestamp(), restful.user_id(), session_user)
    ON CONFLICT (subject, role, coalesce(tenant, '')) DO UPDATE
    SET expires_at = excluded.expires_at, granted_at = excluded.granted_at, granted_by = excluded.granted_by,
        granted_as = excluded.granted_as;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION restful.set_grant(boolean, text, text, text, timestamptz) IS
    'Internal: grants or revokes, without asking who grants; what administrators may execute';

CREATE FUNCTION restful.set_grant_as_subject(granted boolean, subject text, role text, tenant text, expires_at timestamptz)
    RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    granter text := restful.user_id();
    until timestamptz;
BEGIN
    -- The rows that allow it are locked: what is revoked at the same time either waits for this transaction, or is seen by it.
    SELECT g.expires_at INTO until
    FROM restful.rbac_grant g
    JOIN restful.rbac_role r ON r.name = g.role
    WHERE g.subject = granter COLLATE "default"
      AND (g.tenant IS NULL OR g.tenant = tenant COLLATE "default")
      AND (g.expires_at IS NULL OR g.expires_at > statement_timestamp())
      AND role COLLATE "default" = ANY (r.all_can_grant)
    ORDER BY g.expires_at DESC NULLS FIRST
    LIMIT 1
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'permission denied to grant or revoke role "%"', role
            USING ERRCODE = '42501',
                HINT = CASE WHEN tenant IS NULL THEN 'To do so for all tenants takes a role without tenant that can grant it.'
                    ELSE 'It takes a role in the tenant, or without tenant, that can grant it.' END;
    END IF;
    IF granted AND until IS NOT NULL AND (expires_at IS NULL OR expires_at > until) THEN
        RAISE EXCEPTION 'role "%" cannot be granted for longer than the right to grant it lasts', role
            USING ERRCODE = '42501', HINT = 'Say expires_at => ' || quote_literal(until) || ' or earlier.';
    END IF;
    RETURN restful.set_grant(granted, subject, role, tenant, expires_at);
END
$function$;
COMMENT ON FUNCTION restful.set_grant_as_subject(boolean, text, text, text, timestamptz) IS
    'Internal: grants or revokes as far as the roles of the request''s subject can grant';

CREATE FUNCTION restful.change_grant(granted boolean, subject text, role text, tenant text, expires_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- What a request grants is granted by its subject, whatever role it runs as, or whoever owns the function that it calls.
    IF restful.user_id() IS NOT NULL OR restful.method() <> 'sql' THEN
        RETURN restful.set_grant_as_subject(granted, subject, role, tenant, expires_at);
    END IF;
    IF NOT has_function_privilege('restful.set_grant(boolean,text,text,text,timestamptz)', 'EXECUTE') THEN
        RAISE EXCEPTION 'permission denied to grant or revoke roles'
            USING ERRCODE = '42501', HINT = 'It takes a request whose subject has a role that can grant, or the right to execute restful.set_grant, which restful.setup_roles() gives to administrators.';
    END IF;
    RETURN restful.set_grant(granted, subject, role, tenant, expires_at);
END
$function$;
COMMENT ON FUNCTION restful.change_grant(boolean, text, text, text, timestamptz) IS
    'Internal: grants or revokes by right of the request''s subject, or, without a request, of the role in force';

CREATE FUNCTION restful.grant_role(subject text, role text, tenant text DEFAULT NULL, expires_at timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$ BEGIN PERFORM restful.change_grant(true, subject, role, tenant, expires_at); END $function$;
COMMENT ON FUNCTION restful.grant_role(text, text, text, timestamptz) IS
    'Gives a subject a role of the application, for a tenant or for all, until a time or for ever; granted again, it expires at the new time. The subject of a request can grant what their roles can grant';

CREATE FUNCTION restful.revoke_role(subject text, role text, tenant text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$ BEGIN RETURN restful.change_grant(false, subject, role, tenant, NULL); END $function$;
COMMENT ON FUNCTION restful.revoke_role(text, text, text) IS
    'Takes a role of the application from a subject, in one tenant, or with null the grant for all tenants; false when there was no such grant. The subject of a request can revoke what their roles can grant';

-- Questions about the subject of the request. In plpgsql, which keeps its plans: a policy may ask once per row.

CREATE FUNCTION restful.has_role(role text, tenant text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
BEGIN
    RETURN asking IS NOT NULL AND EXISTS (
        SELECT FROM restful.rbac_held h
        WHERE h.subject = asking COLLATE "default" AND (h.tenant IS NULL OR h.tenant = has_role.tenant COLLATE "default") AND has_role.role COLLATE "default" = ANY (h.all_roles));
END
$function$;
COMMENT ON FUNCTION restful.has_role(text, text) IS
    'Whether the request''s subject has a role, itself or by inheritance: for all tenants, or for this one';

CREATE FUNCTION restful.has_any_role(roles text[], tenant text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
BEGIN
    RETURN asking IS NOT NULL AND EXISTS (
        SELECT FROM restful.rbac_held h
        WHERE h.subject = asking COLLATE "default" AND (h.tenant IS NULL OR h.tenant = has_any_role.tenant COLLATE "default") AND h.all_roles && roles COLLATE "default");
END
$function$;
COMMENT ON FUNCTION restful.has_any_role(text[], text) IS 'Whether the request''s subject has one of the roles, as restful.has_role';

CREATE FUNCTION restful.has_permission(permission text, tenant text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
BEGIN
    RETURN asking IS NOT NULL AND EXISTS (
        SELECT FROM restful.rbac_held h
        WHERE h.subject = asking COLLATE "default" AND (h.tenant IS NULL OR h.tenant = has_permission.tenant COLLATE "default") AND permission COLLATE "default" LIKE ANY (h.patterns));
END
$function$;
COMMENT ON FUNCTION restful.has_permission(text, text) IS
    'Whether the request''s subject has a permission by one of their roles: for all tenants, or for this one. In policies: (select restful.has_permission(...)), or restful.tenants_with';

CREATE FUNCTION restful.authorize(permission text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
AS $function$ SELECT restful.has_permission(permission, NULL) $function$;
COMMENT ON FUNCTION restful.authorize(text) IS 'The same as restful.has_permission(permission)';

CREATE FUNCTION restful.permissions(tenant text DEFAULT NULL) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT p
        FROM restful.rbac_held h, unnest(h.all_permissions) p
        WHERE h.subject = asking COLLATE "default" AND (h.tenant IS NULL OR h.tenant = permissions.tenant COLLATE "default")
        ORDER BY p);
END
$function$;
COMMENT ON FUNCTION restful.permissions(text) IS
    'The permissions of the request''s subject, as their roles spell them: for all tenants, with those for this one';

CREATE FUNCTION restful.tenants_with(permission text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
    tenants text[];
BEGIN
    IF asking IS NULL THEN
        RETURN;
    END IF;
    tenants := ARRAY(SELECT DISTINCT h.tenant FROM restful.rbac_held h WHERE h.subject = asking COLLATE "default" AND permission COLLATE "default" LIKE ANY (h.patterns));
    IF array_position(tenants, NULL) IS NULL THEN
        RETURN QUERY SELECT unnest(tenants);
        RETURN;
    END IF;
    -- For all tenants: from one to the next in the index, however often each is granted.
    RETURN QUERY
    WITH RECURSIVE known AS (
        (SELECT g.tenant FROM restful.rbac_grant g WHERE g.tenant IS NOT NULL ORDER BY g.tenant LIMIT 1)
        UNION ALL
        SELECT (SELECT g.tenant FROM restful.rbac_grant g WHERE g.tenant > k.tenant ORDER BY g.tenant LIMIT 1)
        FROM known k
        WHERE k.tenant IS NOT NULL
    )
    SELECT k.tenant FROM known k WHERE k.tenant IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION restful.tenants_with(text) IS
    'The tenants for which the request''s subject has a permission, for policies: tenant_id in (select restful.tenants_with(...)). Who has it for all tenants gets every tenant that a grant names';

CREATE FUNCTION restful.tenant_uuids_with(permission text) RETURNS SETOF uuid
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN t ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' THEN t::uuid END
    FROM restful.tenants_with(permission) t
    WHERE t ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'
$function$;
COMMENT ON FUNCTION restful.tenant_uuids_with(text) IS 'restful.tenants_with for tenants that are UUIDs; others are left out';

-- VOLATILE, so that no call of it is ever left out.
CREATE FUNCTION restful.require(permission text, tenant text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF restful.has_permission(permission, tenant) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'permission "%" is required%', permission, coalesce(' for tenant "' || tenant || '"', '')
        USING ERRCODE = '42501', HINT = 'Ask for a role that has it.';
END
$function$;
COMMENT ON FUNCTION restful.require(text, text) IS
    'Raises an error (42501) unless the request''s subject has a permission, as restful.has_permission';

-- Readers for administrators and auditors

CREATE FUNCTION restful.list_roles()
    RETURNS TABLE (name text, permissions text[], inherits text[], can_grant text[], all_permissions text[], grants bigint)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT r.name, r.permissions, r.inherits, r.can_grant, r.all_permissions,
        (SELECT count(*) FROM restful.rbac_grant g WHERE g.role = r.name)
    FROM restful.rbac_role r
    ORDER BY r.name
$function$;
COMMENT ON FUNCTION restful.list_roles() IS 'The roles of the application, with the permissions that they inherit, and how often each is granted';

CREATE FUNCTION restful.roles_of(subject text)
    RETURNS TABLE (role text, tenant text, expires_at timestamptz, is_active boolean, granted_at timestamptz, granted_by text, granted_as text)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT g.role, g.tenant, g.expires_at, g.expires_at IS NULL OR g.expires_at > statement_timestamp(), g.granted_at, g.granted_by, g.granted_as
    FROM restful.rbac_grant g
    WHERE g.subject = roles_of.subject
    ORDER BY g.role, g.tenant
$function$;
COMMENT ON FUNCTION restful.roles_of(text) IS 'The grants of a subject, expired ones too: by whom, null for an administrator, and in a session of which login role';

-- OAuth 2.0: clients, codes and grants. Nobody but their owner reads the tables; the endpoints and the functions do what is to be done
-- with them. Secrets, codes and tokens are kept as hashes of what was shown once, all of it random and too long to be guessed.
CREATE TABLE restful.oauth_client (
    client_id text PRIMARY KEY,
    name text NOT NULL,
    redirect_uris text[] NOT NULL,
    grant_types text[] NOT NULL,
    scopes text[] NOT NULL,
    role name NOT NULL,
    confidential boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE restful.oauth_client IS 'Clients of the OAuth endpoints, registered by restful.register_client';
COMMENT ON COLUMN restful.oauth_client.role IS 'The role of the client''s access tokens';
COMMENT ON COLUMN restful.oauth_client.confidential IS 'Whether it can keep a secret, as a browser or an app on a phone cannot';

CREATE TABLE restful.oauth_client_secret (
    client_id text PRIMARY KEY REFERENCES restful.oauth_client ON DELETE CASCADE,
    secret_hash bytea NOT NULL
);
COMMENT ON TABLE restful.oauth_client_secret IS 'Hashes of the secrets of confidential clients. pg_dump leaves its rows out unless restful.dump_secrets is on in its session';

CREATE TABLE restful.oauth_code (
    code_hash bytea PRIMARY KEY,
    client_id text NOT NULL REFERENCES restful.oauth_client ON DELETE CASCADE,
    subject text NOT NULL,
    redirect_uri text NOT NULL,
    code_challenge text NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX oauth_code_expires_at ON restful.oauth_code (expires_at);
CREATE INDEX oauth_code_client_id ON restful.oauth_code (client_id);
COMMENT ON TABLE restful.oauth_code IS 'Authorization codes that were not exchanged yet';

CREATE TABLE restful.oauth_grant (
    grant_id bytea PRIMARY KEY,
    client_id text NOT NULL REFERENCES restful.oauth_client ON DELETE CASCADE,
    subject text NOT NULL,
    scopes text[] NOT NULL,
    code_hash bytea NOT NULL UNIQUE,
    family_hash bytea NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX oauth_grant_expires_at ON restful.oauth_grant (expires_at);
CREATE INDEX oauth_grant_client_id ON restful.oauth_grant (client_id);
CREATE INDEX oauth_grant_subject ON restful.oauth_grant (subject);
COMMENT ON TABLE restful.oauth_grant IS 'What clients got for codes, as long as its newest refresh token holds; revoked, it is gone';
COMMENT ON COLUMN restful.oauth_grant.code_hash IS 'The code that it was made for: one that comes again revokes it';
COMMENT ON COLUMN restful.oauth_grant.family_hash IS 'What all its refresh tokens share';
COMMENT ON COLUMN restful.oauth_grant.token_hash IS 'What is its newest refresh token''s own';

ALTER TABLE restful.oauth_client ENABLE ROW LEVEL SECURITY;
ALTER TABLE restful.oauth_client_secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE restful.oauth_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE restful.oauth_grant ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.oauth_client, restful.oauth_client_secret, restful.oauth_code, restful.oauth_grant FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('restful.oauth_client', '');
SELECT pg_catalog.pg_extension_config_dump('restful.oauth_client_secret',
    'WHERE pg_catalog.current_setting(''restful.dump_secrets'', true) OPERATOR(pg_catalog.=) ''on''');

-- All of the following run with their owner's rights, so they are granted to nobody.
CREATE FUNCTION restful.random_secret() RETURNS text
    LANGUAGE sql VOLATILE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT rtrim(translate(encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'), '+/', '-_'), '=')
$function$;
COMMENT ON FUNCTION restful.random_secret() IS 'Internal: 244 random bits in 43 characters of base64url';

CREATE FUNCTION restful.percent_encode(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(string_agg(
        CASE WHEN b.byte BETWEEN 48 AND 57 OR b.byte BETWEEN 65 AND 90 OR b.byte BETWEEN 97 AND 122 OR b.byte IN (45, 46, 95, 126)
            THEN chr(b.byte) ELSE '%' || upper(lpad(to_hex(b.byte), 2, '0')) END, '' ORDER BY b.place), '')
    FROM (
        SELECT get_byte(v.bytes, p.place) AS byte, p.place
        FROM (SELECT convert_to(value, 'UTF8') AS bytes) v, generate_series(0, length(v.bytes) - 1) p (place)
    ) b
$function$;
COMMENT ON FUNCTION restful.percent_encode(text) IS 'Internal: a value for the query of a URI (RFC 3986, section 2)';

CREATE FUNCTION restful.register_client(
    name text,
    redirect_uris text[] DEFAULT '{}',
    grant_types text[] DEFAULT '{authorization_code,refresh_token}',
    scopes text[] DEFAULT '{}',
    role name DEFAULT NULL,
    confidential boolean DEFAULT true,
    OUT client_id text,
    OUT client_secret text
)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    -- Else backslashes of the patterns below meant what the caller's session says.
    SET standard_conforming_strings = on
AS $function$
#variable_conflict use_variable
DECLARE
    wrong text;
BEGIN
    IF coalesce(name, '') = '' OR confidential IS NULL OR role IS NULL
        OR redirect_uris IS NULL OR array_position(redirect_uris, NULL) IS NOT NULL
        OR grant_types IS NULL OR array_position(grant_types, NULL) IS NOT NULL
        OR scopes IS NULL OR array_position(scopes, NULL) IS NOT NULL
    THEN
        RAISE EXCEPTION 'a client has a name, a role, and lists without nulls' USING ERRCODE = '22004';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role AND NOT r.rolsuper AND NOT starts_with(r.rolname::text, 'pg_')) THEN
        RAISE EXCEPTION 'role "%" cannot be that of a client', role
            USING ERRCODE = '42704', HINT = 'It has to exist, and be no superuser and none of PostgreSQL''s own.';
    END IF;
    SELECT g INTO wrong FROM unnest(grant_types) g WHERE g NOT IN ('authorization_code', 'client_credentials', 'refresh_token') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no grant type "%"', wrong
            USING ERRCODE = '22023', HINT = 'There are authorization_code, client_credentials and refresh_token.';
    END IF;
    IF NOT confidential AND 'client_credentials' = ANY (grant_types) THEN
        RAISE EXCEPTION 'a client without a secret cannot have the grant type client_credentials'
            USING ERRCODE = '22023', HINT = 'Anybody could say to be that client.';
    END IF;
    IF ('authorization_code' = ANY (grant_types)) <> (cardinality(redirect_uris) > 0) THEN
        RAISE EXCEPTION 'a client has redirect URIs exactly if it has the grant type authorization_code' USING ERRCODE = '22023';
    END IF;
    -- https; http to the machine itself; a scheme of an app's own, which is a domain turned around (RFC 8252, section 7)
    SELECT u INTO wrong FROM unnest(redirect_uris) u
    WHERE octet_length(u) > 2000 OR u !~ '^[!-~]+$' OR u ~ '[#"<>\\^`{|}]'
       OR u !~ '^(https://[^/?@]+([/?].*)?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?([/?].*)?|[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/.*)$'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'no client can be redirected to "%"', wrong
            USING ERRCODE = '22023', HINT = 'A redirect URI has https, http to localhost, or a scheme like com.example.app, and no fragment.';
    END IF;
    -- RFC 6749, section 3.3
    SELECT s INTO wrong FROM unnest(scopes) s WHERE octet_length(s) > 255 OR s !~ '^[!#-[\]-~]+$' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'no scope is called "%"', wrong USING ERRCODE = '22023';
    END IF;
    -- Access tokens hold them, and longer tokens are refused.
    IF octet_length(array_to_string(scopes, ' ')) > 4000 THEN
        RAISE EXCEPTION 'the scopes of a client have at most 4000 bytes' USING ERRCODE = '54000';
    END IF;
    client_id := 'client_' || replace(gen_random_uuid()::text, '-', '');
    INSERT INTO restful.oauth_client (client_id, name, redirect_uris, grant_types, scopes, role, confidential)
    VALUES (client_id, name, redirect_uris, grant_types, scopes, role, confidential);
    IF confidential THEN
        client_secret := restful.random_secret();
        INSERT INTO restful.oauth_client_secret (client_id, secret_hash) VALUES (client_id, sha256(convert_to(client_secret, 'UTF8')));
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.register_client(text, text[], text[], text[], name, boolean) IS
'Registers a client of the OAuth endpoints, whose tokens have this role; its secret is shown now and never again, and null for one that cannot keep it';

CREATE FUNCTION restful.rotate_client_secret(client_id text) RETURNS text
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    secret text := restful.random_secret();
BEGIN
    -- A client whose secret a dump left out gets one again.
    INSERT INTO restful.oauth_client_secret AS s (client_id, secret_hash)
    SELECT c.client_id, sha256(convert_to(secret, 'UTF8')) FROM restful.oauth_client c WHERE c.client_id = client_id AND c.confidential
    FOR KEY SHARE OF c
    ON CONFLICT ON CONSTRAINT oauth_client_secret_pkey DO UPDATE SET secret_hash = excluded.secret_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no client with a secret is called "%"', client_id USING ERRCODE = '42704';
    END IF;
    RETURN secret;
END
$function$;
COMMENT ON FUNCTION restful.rotate_client_secret(text) IS
'Replaces the secret of a client, at once; the new one is shown now and never again. Its tokens stay valid';

CREATE FUNCTION restful.drop_client(client_id text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    DELETE FROM restful.oauth_client c WHERE c.client_id = client_id;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_client(text) IS
'Drops a client with its codes and refresh tokens; its access tokens are valid until they expire. Whether there was one';

CREATE FUNCTION restful.list_clients() RETURNS TABLE (client_id text, name text, redirect_uris text[], grant_types text[], scopes text[],
        role name, confidential boolean, created_at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT c.client_id, c.name, c.redirect_uris, c.grant_types, c.scopes, c.role, c.confidential, c.created_at
    FROM restful.oauth_client c
    ORDER BY c.created_at, c.client_id
$function$;
COMMENT ON FUNCTION restful.list_clients() IS 'The clients of the OAuth endpoints';

CREATE FUNCTION restful.revoke_grants(subject text, client_id text DEFAULT NULL) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    revoked integer;
BEGIN
    DELETE FROM restful.oauth_code c WHERE c.subject = subject AND (client_id IS NULL OR c.client_id = client_id);
    DELETE FROM restful.oauth_grant g WHERE g.subject = subject AND (client_id IS NULL OR g.client_id = client_id);
    GET DIAGNOSTICS revoked = ROW_COUNT;
    RETURN revoked;
END
$function$;
COMMENT ON FUNCTION restful.revoke_grants(text, text) IS
'Signs a subject out of one client or of all: codes and refresh tokens are gone, access tokens are valid until they expire. How many grants there were';

CREATE FUNCTION restful.create_authorization_code(
    client_id text,
    subject text DEFAULT NULL,
    redirect_uri text DEFAULT NULL,
    code_challenge text DEFAULT NULL,
    scope text DEFAULT NULL,
    state text DEFAULT NULL,
    code_challenge_method text DEFAULT 'plain',
    OUT code text,
    OUT location text
)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on
AS $function$
#variable_conflict use_variable
DECLARE
    -- It loads the library, so that the setting below is no placeholder that the session's user has made.
    asks text := restful.user_id();
    issuer text := nullif(current_setting('restful.oauth_issuer', true), '');
    -- The machine itself, whose ports a native app does not choose (RFC 8252, section 7.3).
    port CONSTANT text := '^(http://(localhost|127\.0\.0\.1|\[::1\])):[0-9]{1,5}(?=[/?]|$)';
    client restful.oauth_client;
    granted text[];
BEGIN
    IF issuer IS NULL THEN
        RAISE EXCEPTION 'there are no OAuth endpoints' USING ERRCODE = '55000', HINT = 'Set restful.oauth_issuer.';
    END IF;
    subject := coalesce(subject, asks);
    IF coalesce(subject, '') = '' OR octet_length(subject) > 255 THEN
        RAISE EXCEPTION 'nobody has signed in: a code is for a subject, of at most 255 bytes' USING ERRCODE = '28000';
    END IF;
    IF restful.is_authenticated() AND subject IS DISTINCT FROM asks THEN
        RAISE EXCEPTION 'a request makes codes for its own subject alone' USING ERRCODE = '42501';
    END IF;
    -- Else what was granted to one client would be the way to more scopes, to other clients, and past its end.
    IF restful.method() = 'api_key' OR (restful.claim('iss') = issuer AND restful.claim('client_id') IS NOT NULL) THEN
        RAISE EXCEPTION 'a client cannot make codes, the user does'
            USING ERRCODE = '42501', HINT = 'Let the page call this with what the user signed in with, not with a client''s token or an API key.';
    END IF;
    SELECT c.* INTO client FROM restful.oauth_client c
    WHERE c.client_id = client_id AND 'authorization_code' = ANY (c.grant_types);
    -- Nobody may be sent to an address that is not the client's (RFC 6749, section 4.1.2.1).
    IF NOT FOUND OR redirect_uri IS NULL
        OR NOT EXISTS (SELECT FROM unnest(client.redirect_uris) u WHERE regexp_replace(u, port, '\1') = regexp_replace(redirect_uri, port, '\1'))
    THEN
        RAISE EXCEPTION 'the client is unknown, or the redirect URI is none of its own'
            USING ERRCODE = '22023', HINT = 'Show this to the user: do not redirect. A redirect URI is the same to the letter, but for the port of localhost.';
    END IF;
    IF code_challenge_method IS DISTINCT FROM 'S256' OR code_challenge IS NULL OR code_challenge !~ '^[A-Za-z0-9_-]{43}$' THEN
        RAISE EXCEPTION 'the code challenge has to be one of the method S256'
            USING ERRCODE = '22023', HINT = 'Pass on what the client sent, code_challenge_method too: 43 characters of base64url, and S256.';
    END IF;
    IF scope IS NULL THEN
        granted := client.scopes;
    ELSE
        granted := ARRAY(SELECT s FROM unnest(string_to_array(scope, ' ')) WITH ORDINALITY t (s, place) WHERE s <> '' GROUP BY s ORDER BY min(place));
        IF NOT granted <@ client.scopes THEN
            RAISE EXCEPTION 'a scope is none of the client''s'
                USING ERRCODE = '22023', HINT = 'Redirect the user back with error=invalid_scope.';
        END IF;
    END IF;
    -- By the time of the statement, which is stable, so that an index finds them.
    DELETE FROM restful.oauth_code c
    WHERE c.code_hash = ANY (ARRAY(
        SELECT e.code_hash FROM restful.oauth_code e WHERE e.expires_at < statement_timestamp() LIMIT 100 FOR UPDATE SKIP LOCKED));
    code := restful.random_secret();
    INSERT INTO restful.oauth_code (code_hash, client_id, subject, redirect_uri, code_challenge, scopes, expires_at)
    VALUES (sha256(convert_to(code, 'UTF8')), client.client_id, subject, redirect_uri, code_challenge, granted,
        clock_timestamp() + interval '60 seconds');
    location := concat(redirect_uri, CASE WHEN strpos(redirect_uri, '?') > 0 THEN '&' ELSE '?' END, 'code=', code,
        '&state=' || restful.percent_encode(state), '&iss=', restful.percent_encode(issuer));
END
$function$;
COMMENT ON FUNCTION restful.create_authorization_code(text, text, text, text, text, text, text) IS
'For the application''s page where users sign in: a code by which the client gets tokens for the subject, once and within 60 seconds, and where to send the user with it. The subject is the request''s own; without a request''s identity it has to be given';

-- The roles of PostgreSQL that a service needs. The extension's script makes none: roles belong to the whole cluster, and no dump
-- of a database holds them.

-- One row per name of functions that PUBLIC may not execute but administrators may. What auditors may too only reads.
CREATE FUNCTION restful.administration() RETURNS TABLE (function name, auditor boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    VALUES
        ('act_as'::name, false),
        ('create_api_key', false),
        ('create_authorization_code', false),
        ('create_signing_key', false),
        ('define_role', false),
        ('drop_client', false),
        ('drop_role', false),
        ('explain_access', false),
        ('explain_access_text', false),
        ('jwks', true),
        ('jwt_check', false),
        ('jwt_sign', false),
        ('jwt_verify', false),
        ('list_api_keys', true),
        ('list_clients', true),
        ('list_roles', true),
        ('load_jwks', false),
        ('load_secret', false),
        ('register_client', false),
        ('revoke_api_key', false),
        ('revoke_grants', false),
        ('revoke_key', false),
        ('roles_of', true),
        ('rotate_api_key', false),
        ('rotate_client_secret', false),
        ('set_grant', false)
$function$;
COMMENT ON FUNCTION restful.administration() IS
    'The functions that restful.setup_roles() lets administrators execute, and which of them auditors too';

CREATE FUNCTION restful.setup_roles(
    authenticator name DEFAULT 'authenticator',
    anon name DEFAULT 'anon',
    authenticated name DEFAULT 'authenticated',
    service_role name DEFAULT 'service_role',
    service_authenticator name DEFAULT 'service_authenticator',
    admin name DEFAULT 'restful_admin',
    auditor name DEFAULT 'restful_auditor',
    app_owner name DEFAULT NULL,
    dry_run boolean DEFAULT false
) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    names name[] := ARRAY[authenticator, anon, authenticated, service_role, service_authenticator, admin, auditor];
    logins name[] := ARRAY[authenticator, service_authenticator];
    options text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
    wrong text;
    statement text;
BEGIN
    IF array_position(names, NULL) IS NOT NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'each of the roles has a name, one of them is null' USING ERRCODE = '22004';
    END IF;
    IF (SELECT count(DISTINCT n) FROM unnest(names) n) < cardinality(names) THEN
        RAISE EXCEPTION 'two of the roles have the same name'
            USING ERRCODE = '22023', HINT = 'What one of them may do, another must not.';
    END IF;
    SELECT n INTO wrong FROM unnest(names) n WHERE starts_with(n::text, 'pg_') OR n IN ('', 'public', 'none', 'current_user', 'current_role', 'session_user');
    IF FOUND THEN
        RAISE EXCEPTION 'a role cannot be named "%"', wrong USING ERRCODE = '42939'; -- reserved_name
    END IF;
    -- A role that can do more than it should is somebody else's, or badly set up: not for this function to change.
    SELECT format('role "%s" cannot have this part, since it %s', r.rolname, CASE
            WHEN r.rolsuper THEN 'is a superuser'
            WHEN r.rolcreaterole THEN 'may create roles'
            WHEN r.rolcreatedb THEN 'may create databases'
            WHEN r.rolreplication THEN 'may replicate'
            WHEN r.rolbypassrls AND r.rolname <> service_role THEN 'bypasses row-level security'
            WHEN r.oid = d.datdba THEN 'owns the database'
            ELSE format('is a member of "%s"', m.rolname) END)
    INTO wrong
    FROM pg_roles r
    JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN LATERAL (
        SELECT m.rolname
        FROM pg_roles m
        WHERE m.oid <> r.oid AND NOT r.rolsuper AND pg_has_role(r.oid, m.oid, 'MEMBER')
          -- administrators and auditors may be more than that
          AND r.rolname NOT IN (admin, auditor)
          AND (m.rolsuper OR m.rolcreaterole OR m.rolreplication OR starts_with(m.rolname::text, 'pg_') OR m.rolname IN (admin, auditor)
            OR (m.rolbypassrls AND NOT (r.rolname = service_authenticator AND m.rolname = service_role)))
        LIMIT 1
    ) m ON true
    WHERE r.rolname = ANY (names)
      AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR (r.rolbypassrls AND r.rolname <> service_role)
        OR r.oid = d.datdba OR m.rolname IS NOT NULL)
    -- the cause before what it causes
    ORDER BY m.rolname IS NOT NULL,
        NOT EXISTS (SELECT FROM pg_auth_members a WHERE a.member = r.oid AND a.roleid = to_regrole(quote_ident(m.rolname))), r.rolname
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', wrong
            USING ERRCODE = '42501', HINT = 'Take that away from it, or give another name to restful.setup_roles().';
    END IF;
    IF app_owner IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = app_owner) THEN
        RAISE EXCEPTION 'role "%" does not exist', app_owner USING ERRCODE = '42704';
    END IF;

    -- All of it follows from what is there before the first statement, so that a dry run prints what a run would do.
    FOR statement IN
        WITH wanted AS (
            SELECT w.name, w.place, w.name = ANY (logins) AS logs_in, w.name = service_role AS bypasses
            FROM unnest(names) WITH ORDINALITY w (name, place)
        ), memberships (role, member) AS (
            VALUES (anon, authenticator), (authenticated, authenticator), (service_role, service_authenticator)
        ), settings (role, setting, value, replace) AS (
            -- time limits of one's own are left alone
            VALUES (anon, 'statement_timeout', '3s', false), (authenticated, 'statement_timeout', '8s', false),
                -- tokens come as parameters
                (authenticator, 'log_parameter_max_length', '0', true), (service_authenticator, 'log_parameter_max_length', '0', true),
                (authenticator, 'restful.anon_role', anon::text, true),
                (service_authenticator, 'restful.bypassrls_roles', quote_ident(service_role), true)
        ), preloads (role, libraries) AS (
            -- A library that is first loaded in the midst of a parallel query cannot take over what is set of it: which
            -- authenticators are trusted, for one.
            SELECT l.name, coalesce(
                (SELECT split_part(one, '=', 2) FROM pg_db_role_setting c, unnest(c.setconfig) one
                 WHERE c.setrole = to_regrole(quote_ident(l.name)) AND c.setdatabase = 0 AND starts_with(one, 'session_preload_libraries=')),
                (SELECT g.setting FROM pg_settings g WHERE g.name = 'session_preload_libraries'))
            FROM unnest(logins) l (name)
            WHERE NOT EXISTS (SELECT FROM pg_settings g WHERE g.name = 'shared_preload_libraries' AND g.setting ~ '[[:<:]]pg_restful[[:>:]]')
        ), callers (role) AS (
            VALUES (authenticator), (anon), (authenticated), (service_role), (service_authenticator)
        ), functions AS (
            SELECT p.oid, p.oid::regprocedure::text AS name, p.proowner,
                coalesce(p.proacl, acldefault('f', p.proowner)) AS acl, a.auditor AS for_auditors
            FROM pg_proc p JOIN restful.administration() a ON a.function = p.proname
            WHERE p.pronamespace = 'restful'::regnamespace
        ), statements (step, place, statement) AS (
            SELECT 1, w.place, format('CREATE ROLE %I %s', w.name, concat_ws(' ',
                CASE WHEN w.logs_in THEN 'LOGIN NOINHERIT' ELSE 'NOLOGIN' END, CASE WHEN w.bypasses THEN 'BYPASSRLS' END))
            FROM wanted w
            WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = w.name)
            UNION ALL
            SELECT 1, w.place, format('ALTER ROLE %I %s', w.name, concat_ws(' ',
                CASE WHEN w.logs_in <> r.rolcanlogin THEN CASE WHEN w.logs_in THEN 'LOGIN' ELSE 'NOLOGIN' END END,
                CASE WHEN w.logs_in AND r.rolinherit THEN 'NOINHERIT' END, CASE WHEN w.bypasses AND NOT r.rolbypassrls THEN 'BYPASSRLS' END))
            FROM wanted w JOIN pg_roles r ON r.rolname = w.name
            WHERE w.logs_in <> r.rolcanlogin OR (w.logs_in AND r.rolinherit) OR (w.bypasses AND NOT r.rolbypassrls)
            UNION ALL
            SELECT 2, 0, format('GRANT %I TO %I%s', m.role, m.member, options)
            FROM memberships m
            WHERE NOT EXISTS (
                SELECT
                FROM pg_auth_members a
                WHERE a.roleid = to_regrole(quote_ident(m.role)) AND a.member = to_regrole(quote_ident(m.member))
                  -- these columns came with PostgreSQL 16
                  AND coalesce((to_jsonb(a) ->> 'set_option')::boolean, true)
                  AND NOT coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, false))
            UNION ALL
            SELECT 3, 0, format('REVOKE %s ON DATABASE %I FROM PUBLIC', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), d.datname)
            FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
            WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type IN ('TEMPORARY', 'CREATE')
            GROUP BY d.datname
            UNION ALL
            SELECT 3, 1, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
            FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
            WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE'
            UNION ALL
            SELECT 3, 2, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC', r.rolname)
            FROM pg_roles r
            WHERE r.rolname = app_owner
              AND NOT EXISTS (
                  SELECT
                  FROM pg_default_acl d
                  WHERE d.defaclrole = r.oid AND d.defaclnamespace = 0 AND d.defaclobjtype = 'f'
                    AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) a WHERE a.grantee = 0))
            UNION ALL
            SELECT 4, 0, format('ALTER ROLE %I SET %s = %L', s.role, s.setting, s.value)
            FROM settings s
            WHERE NOT EXISTS (
                SELECT
                FROM pg_db_role_setting c, unnest(c.setconfig) one
                WHERE c.setrole = to_regrole(quote_ident(s.role))
                  AND c.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
                  AND CASE WHEN s.replace THEN one = s.setting || '=' || s.value ELSE starts_with(one, s.setting || '=') END)
            UNION ALL
            SELECT 4, 1, format('ALTER ROLE %I SET session_preload_libraries = %s', p.role, concat_ws(', ',
                (SELECT string_agg(quote_literal(btrim(l, ' "')), ', ' ORDER BY place)
                 FROM unnest(string_to_array(p.libraries, ',')) WITH ORDINALITY e (l, place) WHERE btrim(l, ' "') <> ''),
                quote_literal('pg_restful')))
            FROM preloads p
            WHERE coalesce(p.libraries, '') !~ '[[:<:]]pg_restful[[:>:]]'
            UNION ALL
            SELECT 5, 0, format('GRANT USAGE ON SCHEMA restful TO %I', c.role)
            FROM callers c
            WHERE NOT has_schema_privilege('public', 'restful', 'USAGE')
              AND NOT coalesce(has_schema_privilege(to_regrole(quote_ident(c.role)), 'restful', 'USAGE'), false)
            UNION ALL
            SELECT 5, 1, format('GRANT EXECUTE ON FUNCTION restful.serve(text,text,jsonb,bytea) TO %I', c.role)
            FROM callers c
            WHERE NOT has_function_privilege('public', 'restful.serve(text,text,jsonb,bytea)', 'EXECUTE')
              AND NOT coalesce(has_function_privilege(to_regrole(quote_ident(c.role)), 'restful.serve(text,text,jsonb,bytea)', 'EXECUTE'), false)
            UNION ALL
            SELECT 6, row_number() OVER (ORDER BY f.name), format('GRANT EXECUTE ON FUNCTION %s TO %s', f.name, string_agg(quote_ident(g.role), ', ' ORDER BY g.role = auditor))
            FROM functions f JOIN (VALUES (admin, false), (auditor, true)) g (role, is_auditor) ON NOT g.is_auditor OR f.for_auditors
            WHERE NOT EXISTS (
                SELECT FROM aclexplode(f.acl) a WHERE a.grantee = to_regrole(quote_ident(g.role)) AND a.privilege_type = 'EXECUTE')
            GROUP BY f.name
        )
        SELECT s.statement FROM statements s ORDER BY s.step, s.place, s.statement
    LOOP
        IF NOT dry_run THEN
            EXECUTE statement;
        END IF;
        RETURN NEXT statement;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION restful.setup_roles(name, name, name, name, name, name, name, name, boolean) IS
    'Makes the roles of a service and what goes with them, as far as it is missing, and returns the statements; with dry_run, only returns them';

-- Expressions as pg_get_expr() prints them, and bodies of functions, as far as lints have to understand them.

CREATE FUNCTION restful.lint_masked(expression text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_masked$
    SELECT CASE WHEN expression !~ '[''"]' THEN expression ELSE (
        SELECT string_agg(CASE left(m[1], 1)
            WHEN '''' THEN '''' || repeat('_', length(m[1]) - 2) || ''''
            WHEN '"' THEN '"' || regexp_replace(substr(m[1], 2, length(m[1]) - 2), '[^\w$]', '_', 'g') || '"'
            ELSE m[1]
        END, '' ORDER BY n)
        FROM regexp_matches(expression, '''(?:[^'']|'''')*''|"(?:[^"]|"")*"|[^''"]+', 'g') WITH ORDINALITY t (m, n))
    END
$lint_masked$;
COMMENT ON FUNCTION restful.lint_masked(text) IS
    'Internal: an expression of the same length in which quoted text holds nothing that looks like syntax';

-- Everything in parentheses. Of a call the function as it is printed, otherwise null; what the parentheses hold (masked); the place
-- of the whole; and whether it is bare, and so evaluated for each row: in no sub-select, or in the condition of one that reads rows.
CREATE FUNCTION restful.lint_groups(expression text)
    RETURNS TABLE (function text, arguments text, start integer, length integer, bare boolean)
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE ROWS 5 SET search_path = pg_catalog, pg_temp AS $lint_groups$
DECLARE
    masked text := restful.lint_masked(expression);
    -- of each open parenthesis: its place, and how many sub-selects are around what follows
    opened integer[] := '{}';
    -- and in which clause of the innermost one it is
    sub_selects integer[] := '{}';
    clauses text[] := '{}';
    depth integer := 0;
    at integer := 0;
    step integer;
    part text;
    called text;
BEGIN
    LOOP
        part := substring(substr(masked, at + 1) FROM '^[^()]*[()]');
        step := length(part);
        EXIT WHEN step IS NULL;
        IF depth > 0 AND sub_selects[depth] > 0 THEN
            clauses[depth] := coalesce(
                substring(part FROM '.*(?<!["\w])(SELECT|FROM|WHERE|ON|HAVING|GROUP BY|ORDER BY|LIMIT|UNION|EXCEPT|INTERSECT|VALUES)(?!["\w])'),
                clauses[depth]);
        END IF;
        at := at + step;
        IF substr(masked, at, 1) = '(' THEN
            opened[depth + 1] := at;
            sub_selects[depth + 1] := CASE WHEN depth = 0 THEN 0 ELSE sub_selects[depth] END;
            clauses[depth + 1] := CASE WHEN depth = 0 THEN '' ELSE clauses[depth] END;
            IF substr(masked, at + 1, 8) ~ '^ ?(SELECT|WITH|VALUES)\M' THEN
                sub_selects[depth + 1] := sub_selects[depth + 1] + 1;
                clauses[depth + 1] := 'SELECT';
            END IF;
            depth := depth + 1;
        ELSIF depth > 0 THEN
            called := substring(left(masked, opened[depth] - 1) FROM '(?:(?:"[^"]*"|[\w$]+)\.)*(?:"[^"]*"|[\w$]+)$');
            start := opened[depth] - coalesce(length(called), 0);
            length := at + 1 - start;
            function := substr(expression, start, length(called));
            arguments := substr(masked, opened[depth] + 1, at - 1 - opened[depth]);
            bare := sub_selects[depth] = 0 OR clauses[depth] IN ('WHERE', 'ON', 'HAVING');
            RETURN NEXT;
            depth := depth - 1;
        END IF;
    END LOOP;
END
$lint_groups$;
COMMENT ON FUNCTION restful.lint_groups(text) IS 'Internal: the calls and groups in an expression as pg_get_expr prints it';

CREATE FUNCTION restful.lint_wrapped(expression text, functions text[], columns text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_wrapped$
DECLARE
    call record;
    masked text := restful.lint_masked(expression);
    wrapped text := expression;
BEGIN
    -- from the back, so that places stay right; of two calls within each other the outer one alone
    FOR call IN
        WITH found AS (
            SELECT c.start, c.length
            FROM restful.lint_groups(expression) c
            WHERE c.bare AND c.function = ANY (functions) AND (columns IS NULL OR c.arguments !~ columns)
              -- nor a column of a table that a sub-select reads
              AND c.arguments !~ '(?<![\w"$.:])(?:"[^"]*"|[a-z_][\w$]*)\.(?:"[^"]*"|[\w$]+|\*)(?![\w"$(.])'
        )
        SELECT f.start, f.length
        FROM found f
        WHERE NOT EXISTS (SELECT FROM found o WHERE o.start < f.start AND o.start + o.length >= f.start + f.length)
        ORDER BY f.start DESC
    LOOP
        -- ANY ((SELECT array)) would compare with the rows of a sub-select
        wrapped := overlay(wrapped PLACING format(
                CASE WHEN left(masked, call.start - 1) ~ '\m(ANY|ALL) \($' AND substr(masked, call.start + call.length, 1) = ')'
                    THEN 'COALESCE(( SELECT %s))' ELSE '( SELECT %s)' END, substr(expression, call.start, call.length))
            FROM call.start FOR call.length);
    END LOOP;
    RETURN wrapped;
END
$lint_wrapped$;
COMMENT ON FUNCTION restful.lint_wrapped(text, text[], text) IS
    'Internal: an expression in which calls of these functions that name no column stand in sub-selects, which run once';

CREATE FUNCTION restful.lint_calls_with(expression text, functions text[], columns text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_calls_with$
    SELECT EXISTS (
        SELECT FROM restful.lint_groups(expression) g WHERE g.function = ANY (functions) AND g.arguments ~ columns)
$lint_calls_with$;
COMMENT ON FUNCTION restful.lint_calls_with(text, text[], text) IS
    'Internal: whether an expression calls one of these functions with a column';

CREATE FUNCTION restful.lint_trusted_metadata(expression text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_trusted_metadata$
    SELECT CASE WHEN expression !~ 'user_meta' THEN expression ELSE (
        SELECT string_agg(CASE WHEN m[1] LIKE '''%'
            THEN regexp_replace(regexp_replace(m[1], '\muser_metadata\M', 'app_metadata', 'g'), '\mraw_user_meta_data\M', 'raw_app_meta_data', 'g')
            ELSE m[1]
        END, '' ORDER BY n)
        FROM regexp_matches(expression, '''(?:[^'']|'''')*''|"(?:[^"]|"")*"|[^''"]+', 'g') WITH ORDINALITY t (m, n))
    END
$lint_trusted_metadata$;
COMMENT ON FUNCTION restful.lint_trusted_metadata(text) IS
    'Internal: an expression with app_metadata in its literals where it had user_metadata';

CREATE FUNCTION restful.lint_verified_claims(expression text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_verified_claims$
    SELECT regexp_replace(regexp_replace(expression,
        -- names of settings are the same in any case
        '\mcurrent_setting\(''request\.jwt\.claims''::text(?:, (?:true|false))?\)', '( SELECT (restful.jwt())::text)', 'gi'),
        '\mcurrent_setting\(''request\.jwt\.claim\.(\w+)''::text(?:, (?:true|false))?\)', '( SELECT restful.claim(''\1''::text))', 'gi')
$lint_verified_claims$;
COMMENT ON FUNCTION restful.lint_verified_claims(text) IS
    'Internal: an expression that asks for the verified claims where it read the setting request.jwt.claims';

-- What these say of an expression is read from its text, by the library: no row is read, and nothing is run.
CREATE FUNCTION restful.lint_is_always_true(expression text, not_null text[]) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_lint_is_always_true';
COMMENT ON FUNCTION restful.lint_is_always_true(text, text[]) IS
    'Internal: whether an expression is true for every row and whoever asks; not_null: the columns that cannot be null';

CREATE FUNCTION restful.lint_holds_for_nobody(expression text, subjects text[]) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_lint_holds_for_nobody';
COMMENT ON FUNCTION restful.lint_holds_for_nobody(text, text[]) IS
    'Internal: whether an expression is true for some row when nobody has signed in, and not for somebody who owns nothing; subjects: the functions that tell who asks';

-- NOT (a IS DISTINCT FROM f()) becomes a = f(), OR f() IS NULL becomes OR false.
CREATE FUNCTION restful.lint_known_subject(expression text, functions text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_known_subject$
DECLARE
    masked text := restful.lint_masked(expression);
    part record;
    content text;
    known text := expression;
BEGIN
    -- of two within each other the inner one alone: the place of the outer one would be another
    FOR part IN
        WITH found AS (
            SELECT g.start, g.length, g.arguments
            FROM restful.lint_groups(expression) g
            WHERE g.function IS NULL AND g.arguments ~ ' IS NULL$| IS DISTINCT FROM '
        )
        SELECT f.start, f.length, f.arguments
        FROM found f
        WHERE NOT EXISTS (SELECT FROM found i WHERE i.start > f.start AND i.start < f.start + f.length)
        ORDER BY f.start DESC
    LOOP
        content := substr(expression, part.start + 1, part.length - 2);
        CONTINUE WHEN NOT EXISTS (SELECT FROM unnest(functions) f WHERE strpos(content, f || '(') > 0);
        IF part.arguments ~ ' IS NULL$' THEN
            IF left(masked, part.start - 1) ~ ' OR $' OR substr(masked, part.start + part.length) ~ '^ OR ' THEN
                known := overlay(known PLACING 'false' FROM part.start FOR part.length);
            END IF;
        ELSIF left(masked, part.start - 1) ~ '\(NOT $' AND array_length(regexp_split_to_array(part.arguments, ' IS DISTINCT FROM '), 1) = 2 THEN
            known := overlay(known
                PLACING '(' || overlay(content PLACING ' = ' FROM strpos(part.arguments, ' IS DISTINCT FROM ') FOR 18) || ')'
                FROM part.start - 5 FOR part.length + 6);
        END IF;
    END LOOP;
    RETURN known;
END
$lint_known_subject$;
COMMENT ON FUNCTION restful.lint_known_subject(text, text[]) IS
    'Internal: an expression that does not hold because one of these functions gives NULL';

CREATE FUNCTION restful.lint_of_subjects(expression text, subjects text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_of_subjects$
DECLARE
    known text := restful.lint_known_subject(expression, subjects);
    asked text;
BEGIN
    IF NOT restful.lint_holds_for_nobody(expression, subjects) THEN
        RETURN expression;
    END IF;
    IF NOT restful.lint_holds_for_nobody(known, subjects) THEN
        RETURN known;
    END IF;
    -- What the expression itself asks about the subject, unless it says something of nobody, too.
    SELECT CASE WHEN g.function ~ '\.(jwt|claims|session)$' THEN format('(%s ->> ''sub''::text)', c.call) ELSE c.call END INTO asked
    FROM restful.lint_groups(expression) g, LATERAL (SELECT substr(expression, g.start, g.length)) c (call)
    WHERE g.function = ANY (subjects) AND g.function !~ '\.(role|method|is_authenticated|has_\w+|authorize|scopes|permissions)$'
      AND g.arguments ~ '^(''_*''::text(, (true|false))?)?$'
      AND c.call !~ '^restful\.claim\(''role'''
      AND (g.function <> 'current_setting' OR c.call ~* '^current_setting\(''request\.jwt\.claim\.')
    ORDER BY g.start
    LIMIT 1;
    RETURN format('((( SELECT %s) IS NOT NULL) AND (%s))', coalesce(asked, 'restful.user_id()'), expression);
END
$lint_of_subjects$;
COMMENT ON FUNCTION restful.lint_of_subjects(text, text[]) IS
    'Internal: an expression that does not hold when nobody has signed in';

-- has_permission(p, column) becomes has_permission(p), which is for all tenants, OR column = ANY (the tenants with p).
CREATE FUNCTION restful.lint_by_set(expression text, relation oid) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_by_set$
DECLARE
    call record;
    permission text;
    tenant text;
    of_uuids boolean;
    by_set text := expression;
BEGIN
    FOR call IN
        SELECT g.*
        FROM restful.lint_groups(expression) g
        WHERE g.function = 'restful.has_permission' AND g.arguments ~ '^''_*''::text, '
        ORDER BY g.start DESC
    LOOP
        permission := substring(call.arguments FROM '^''_*''::text');
        tenant := substr(expression, call.start + length(call.function) + 1 + length(permission) + 2,
            call.length - length(call.function) - length(permission) - 4);
        permission := substr(expression, call.start + length(call.function) + 1, length(permission));
        -- an index on the column serves a comparison in its own type
        of_uuids := EXISTS (
            SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = relation AND a.attnum > 0 AND a.atttypid = 'uuid'::regtype
              AND tenant = format('(%I)::text', a.attname));
        by_set := overlay(by_set PLACING format('(( SELECT restful.has_permission(%3$s)) OR (%1$s = ANY (ARRAY( SELECT restful.%2$I(%3$s)))))',
                CASE WHEN of_uuids THEN substring(tenant FROM '^\((.*)\)::text$') ELSE tenant END,
                CASE WHEN of_uuids THEN 'tenant_uuids_with' ELSE 'tenants_with' END, permission)
            FROM call.start FOR call.length);
    END LOOP;
    RETURN by_set;
END
$lint_by_set$;
COMMENT ON FUNCTION restful.lint_by_set(text, oid) IS
    'Internal: an expression that compares with the tenants of a permission where it asked about each row';

CREATE FUNCTION restful.lint_reads_only(routine oid) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_reads_only$
    SELECT l.lanname IN ('sql', 'plpgsql')
       AND regexp_replace(body.text, '--[^\n]*|/\*.*?\*/', ' ', 'g')
           !~* ('\m(insert|update|delete|merge|truncate|create|alter|drop|grant|revoke|copy|call|execute|perform|lock|notify|refresh'
               '|set_config|nextval|setval|lo_\w+|dblink\w*|pg_\w*lock\w*|pg_notify|share|into\s+(temp|table))\M')
       -- nor any function of its users' own, as far as their names tell
       AND NOT EXISTS (
           SELECT FROM regexp_matches(body.text, '\m([a-z_][\w$]*)\s*\(', 'gi') m
           JOIN pg_catalog.pg_proc called ON called.proname = lower(m[1]) AND called.provolatile = 'v' AND called.oid <> routine)
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang,
        LATERAL (SELECT coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)) body (text)
    WHERE p.oid = routine
$lint_reads_only$;
COMMENT ON FUNCTION restful.lint_reads_only(oid) IS
    'Internal: whether a function in SQL or PL/pgSQL holds no command that writes and names no volatile function, as far as its text tells';

CREATE FUNCTION restful.lint_is_sensitive(name name) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_is_sensitive$
    -- words of the name, camelCase too
    SELECT '_' || lower(regexp_replace(name::text, '([a-z0-9])([A-Z])', '\1_\2', 'g')) || '_'
        ~ ('_(password|passwd|passphrase|passcode|pwd|pin|secret|salt|otp|totp|mfa|ssn|iban|cvv|cvc|(api|private|secret|signing|encryption)_key'
           '|apikey|(access|refresh|auth|session|reset|bearer|recovery|confirmation)_token|token_hash|credit_card|card_number|social_security(_number)?'
           '|passport(_number)?|tax_id|national_id|bank_account(_number)?)_')
$lint_is_sensitive$;
COMMENT ON FUNCTION restful.lint_is_sensitive(name) IS
    'Internal: whether a column''s name is one that credentials and numbers of documents have';

-- What lints look at: which roles requests run as, what of the exposed schemas they reach, what policies say. All of it reads the
-- catalogue alone, which everybody may read, with the caller's rights.

CREATE FUNCTION restful.lint_names(list text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 3 SET search_path = pg_catalog, pg_temp AS $lint_names$
    SELECT unnest(restful.setting_names(list))
$lint_names$;
COMMENT ON FUNCTION restful.lint_names(text) IS
    'Internal: the names in a list like search_path: separated by commas, in double quotes or folded to lower case';

CREATE FUNCTION restful.lint_role_settings() RETURNS TABLE (role oid, name text, value text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_role_settings$
    SELECT DISTINCT ON (s.setrole, n.name) s.setrole, n.name, substr(item, strpos(item, '=') + 1)
    FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) item,
        LATERAL (SELECT lower(split_part(item, '=', 1))) n (name)
    WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
    -- what is said for the database prevails
    ORDER BY s.setrole, n.name, s.setdatabase DESC
$lint_role_settings$;
COMMENT ON FUNCTION restful.lint_role_settings() IS
    'Internal: the settings that ALTER ROLE and ALTER DATABASE give to sessions of this database; role 0: to all roles';

CREATE FUNCTION restful.lint_authenticators() RETURNS TABLE (role oid, name name)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_authenticators$
    SELECT r.oid, r.rolname
    FROM pg_catalog.pg_roles r
    WHERE r.rolcanlogin
      AND (EXISTS (
              SELECT FROM restful.lint_role_settings() s
              WHERE s.role = r.oid AND s.name = 'restful.anon_role' AND s.value <> '')
          OR r.rolname IN (
              SELECT n FROM restful.lint_role_settings() s, restful.lint_names(s.value) n
              WHERE s.name = 'restful.trusted_authenticators'
              UNION ALL
              SELECT restful.lint_names(current_setting('restful.trusted_authenticators', true))))
$lint_authenticators$;
COMMENT ON FUNCTION restful.lint_authenticators() IS
    'Internal: the roles that HTTP layers log in as: those with restful.anon_role, and those in restful.trusted_authenticators';

CREATE FUNCTION restful.lint_api_roles() RETURNS TABLE (role oid, name name)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_api_roles$
    WITH RECURSIVE taken (role) AS (
        SELECT a.role FROM restful.lint_authenticators() a
        UNION
        SELECT m.roleid
        FROM taken t
        JOIN pg_catalog.pg_auth_members m ON m.member = t.role
        -- the column is there from PostgreSQL 16 on
        WHERE coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
    )
    SELECT r.oid, r.rolname
    FROM pg_catalog.pg_roles r
    WHERE (r.oid IN (SELECT t.role FROM taken t EXCEPT SELECT a.role FROM restful.lint_authenticators() a)
          -- also behind a prefix, as web_anon
          OR r.rolname ~ '(^|_)(anon|anonymous|authenticated)$'
          OR r.rolname IN (SELECT s.value FROM restful.lint_role_settings() s WHERE s.name = 'restful.anon_role')
          OR r.rolname = current_setting('restful.anon_role', true))
      -- No policy and no missing grant holds these; that they can be taken at all is a finding of its own.
      AND NOT r.rolsuper AND NOT r.rolbypassrls AND r.rolname !~ '^pg_'
$lint_api_roles$;
COMMENT ON FUNCTION restful.lint_api_roles() IS
    'The roles that requests of strangers run as: those that an HTTP layer''s role may take, and those named anon, anonymous, authenticated, or so behind a prefix (web_anon); without superusers and roles with BYPASSRLS';

CREATE FUNCTION restful.lint_grantees() RETURNS TABLE (role oid, name text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_grantees$
    SELECT 0::oid, 'PUBLIC'
    UNION ALL
    SELECT r.oid, quote_ident(r.rolname)
    FROM pg_catalog.pg_roles r
    WHERE EXISTS (SELECT FROM restful.lint_api_roles() a WHERE pg_has_role(a.role, r.oid, 'USAGE'))
$lint_grantees$;
COMMENT ON FUNCTION restful.lint_grantees() IS
    'Internal: whose grants strangers have: PUBLIC (0), the roles of lint_api_roles(), and the roles that these inherit from';

CREATE FUNCTION restful.lint_schemas() RETURNS SETOF name
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 3 SET search_path = pg_catalog, pg_temp AS $lint_schemas$
    WITH of_authenticators (list) AS (
        -- in the order in which they prevail at login
        SELECT coalesce(
            (SELECT s.value FROM restful.lint_role_settings() s WHERE s.role = a.role AND s.name = 'restful.schemas'),
            (SELECT s.value FROM restful.lint_role_settings() s WHERE s.role = 0 AND s.name = 'restful.schemas'))
        FROM restful.lint_authenticators() a
    ), lists (list) AS (
        SELECT o.list FROM of_authenticators o
        UNION
        -- The default says nothing when those who serve requests have a setting of their own.
        SELECT coalesce(current_setting('restful.schemas', true), 'public')
        WHERE coalesce(current_setting('restful.schemas', true), 'public') <> 'public'
           OR NOT EXISTS (SELECT FROM of_authenticators o WHERE o.list IS NOT NULL)
    )
    SELECT DISTINCT n.nspname
    FROM lists l, unnest(restful.exposed_schemas(l.list)) listed, pg_catalog.pg_namespace n
    WHERE n.nspname = listed AND l.list IS NOT NULL
$lint_schemas$;
COMMENT ON FUNCTION restful.lint_schemas() IS
    'The schemas that lint() looks at by itself: restful.schemas of this session and of the roles that HTTP layers log in as';

-- `reached`: an API role may do something to its rows; `readable`: read a column of them.
CREATE FUNCTION restful.lint_relations(schemas text[])
    RETURNS TABLE (relation oid, object text, kind "char", owner oid, rls boolean, forced boolean, reached boolean, readable boolean)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_relations$
    WITH roles (role) AS MATERIALIZED (
        SELECT a.role FROM restful.lint_api_roles() a
        UNION ALL
        SELECT 0::oid -- PUBLIC
    ), used (schema, role) AS MATERIALIZED (
        SELECT n.oid, r.role
        FROM pg_catalog.pg_namespace n, roles r
        WHERE n.nspname = ANY (schemas)
          AND has_schema_privilege(r.role, n.oid, 'USAGE')
    )
    SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
        may.reach, may.read
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (
            SELECT coalesce(bool_or(p.read), false),
                coalesce(bool_or(p.read OR has_table_privilege(u.role, c.oid, 'DELETE')
                    OR has_any_column_privilege(u.role, c.oid, 'INSERT, UPDATE')), false)
            FROM used u, LATERAL (SELECT has_any_column_privilege(u.role, c.oid, 'SELECT')) p (read)
            WHERE u.schema = c.relnamespace
        ) may (read, reach)
    WHERE n.nspname = ANY (schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      -- What an extension brings along is its author's.
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
$lint_relations$;
COMMENT ON FUNCTION restful.lint_relations(text[]) IS
    'Internal: tables and views of the schemas, and whether strangers reach (readable: read) them by their grants';

CREATE FUNCTION restful.lint_grants(schemas text[])
    RETURNS TABLE (relation oid, object text, kind "char", attribute smallint, grantee text, privilege text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_grants$
    WITH grantees AS MATERIALIZED (SELECT g.role, g.name FROM restful.lint_grantees() g)
    SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind, held.attribute, g.name, held.privilege
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (
            SELECT 0::smallint, a.grantee, a.privilege_type FROM aclexplode(c.relacl) a
            UNION ALL
            SELECT t.attnum, a.grantee, a.privilege_type
            FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
            WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped AND t.attacl IS NOT NULL
        ) held (attribute, grantee, privilege)
    JOIN grantees g ON g.role = held.grantee
    WHERE n.nspname = ANY (schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND held.grantee <> c.relowner
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
$lint_grants$;
COMMENT ON FUNCTION restful.lint_grants(text[]) IS
    'Internal: what is granted to strangers on tables and views of the schemas, and on their columns (attribute; 0 for the whole)';

CREATE FUNCTION restful.lint_columns(relation oid, columns smallint[]) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_columns$
    SELECT concat('(?<![\w."$:])(?:',
        '(?:' || (
            SELECT string_agg(regexp_replace(restful.lint_masked(quote_ident(a.attname)), '([^\w])', '\\\1', 'g'), '|')
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = relation AND a.attnum = ANY (columns)
        ) || ')(?![\w"$(.])|',
        regexp_replace(restful.lint_masked(quote_ident(c.relname)), '([^\w])', '\\\1', 'g'), '\.)')
    FROM pg_catalog.pg_class c
    WHERE c.oid = relation
$lint_columns$;
COMMENT ON FUNCTION restful.lint_columns(oid, smallint[]) IS
    'Internal: a regular expression for these columns of a table in an expression that lint_masked() gave';

-- Policies as they are written. `columns` is a regular expression for a column of the policy's table in an expression that
-- lint_masked() gave; `stable` are the functions called that give the same result throughout a statement, `asking` those with
-- arguments that look something up with more than the caller's rights, `subjects` those that tell who asks; names as they are printed.
CREATE FUNCTION restful.lint_policies(schemas text[]) RETURNS TABLE (
        policy oid, relation oid, object text, on_table text, name name, command "char", permissive boolean, roles oid[],
        to_strangers boolean, "using" text, "check" text, columns text, stable text[], asking text[], subjects text[])
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_policies$
    WITH api AS MATERIALIZED (SELECT a.role FROM restful.lint_api_roles() a)
    SELECT p.oid, c.oid, format('%I ON %I.%I', p.polname, n.nspname, c.relname), format('%I.%I', n.nspname, c.relname), p.polname,
        p.polcmd, p.polpermissive, p.polroles,
        0 = ANY (p.polroles) OR EXISTS (SELECT FROM api, unnest(p.polroles) r WHERE pg_has_role(api.role, r, 'USAGE')),
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
        used.columns, calls.stable, calls.asking, calls.subjects
    FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (
            SELECT restful.lint_columns(c.oid, ARRAY(
                SELECT d.refobjsubid::smallint FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid
                  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid <> 0))
        ) used (columns),
        LATERAL (
            SELECT coalesce(array_agg(format('%I.%I', fn.nspname, f.proname)) FILTER (WHERE f.provolatile = 's'), '{}'),
                coalesce(array_agg(format('%I.%I', fn.nspname, f.proname))
                    FILTER (WHERE f.pronargs > 0 AND (f.prosecdef OR fn.nspname = 'restful')), '{}'),
                -- the extension's, Supabase's and Neon's; and functions of users' own that hand on what one of these says
                coalesce(array_agg(format('%I.%I', fn.nspname, f.proname)) FILTER (WHERE fn.nspname IN ('restful', 'auth')
                    OR f.pronargs = 0 AND l.lanname IN ('sql', 'plpgsql') AND coalesce(pg_get_function_sqlbody(f.oid), f.prosrc)
                        ~* '\mrequest\.jwt|\m(restful\.(uid|user_id|email|jwt|claims?|tenant_id)|auth\.(uid|user_id|email|jwt|session))\M'), '{}')
                    || '{current_setting}'
            FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_proc f ON f.oid = d.refobjid
            JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
            JOIN pg_catalog.pg_language l ON l.oid = f.prolang
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.oid
              AND d.refclassid = 'pg_catalog.pg_proc'::regclass AND NOT f.proretset
        ) calls (stable, asking, subjects)
    WHERE n.nspname = ANY (schemas)
$lint_policies$;
COMMENT ON FUNCTION restful.lint_policies(text[]) IS 'Internal: the policies on tables of the schemas, as they are written';

CREATE FUNCTION restful.lint_has_sub_select(policy oid) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_has_sub_select$
    SELECT concat(p.polqual::text, p.polwithcheck::text) ~ '(?<!\\)\{SUBLINK ' FROM pg_catalog.pg_policy p WHERE p.oid = policy
$lint_has_sub_select$;
COMMENT ON FUNCTION restful.lint_has_sub_select(oid) IS 'Internal: whether there is a sub-select in the expressions of a policy';

CREATE FUNCTION restful.lint_is_under_policies(role oid, relation oid) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_is_under_policies$
    SELECT c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE'))
    FROM pg_catalog.pg_class c, pg_catalog.pg_roles r
    WHERE c.oid = relation AND r.oid = role
$lint_is_under_policies$;
COMMENT ON FUNCTION restful.lint_is_under_policies(oid, oid) IS 'Internal: whether the policies of a table apply to a role';

-- A restrictive policy counts where a permissive one lets something pass.
CREATE FUNCTION restful.lint_is_read(role oid, relation oid, command "char") RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_is_read$
    SELECT restful.lint_is_under_policies(role, relation) AND EXISTS (
        SELECT FROM pg_catalog.pg_policy p, unnest(p.polroles) named
        WHERE p.polrelid = relation AND p.polpermissive AND (command = '*' OR p.polcmd IN ('*', command))
          AND CASE named WHEN 0 THEN true ELSE pg_has_role(role, named, 'USAGE') END)
$lint_is_read$;
COMMENT ON FUNCTION restful.lint_is_read(oid, oid, "char") IS
    'Internal: whether PostgreSQL reads the policies of a table for a role''s command, *: for any';

-- Whom policies apply to: the roles that they name; for PUBLIC, those of requests and those that have rights on the table.
CREATE FUNCTION restful.lint_policy_roles(policies oid[]) RETURNS TABLE (policy oid, role oid)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10000 SET search_path = pg_catalog, pg_temp AS $lint_policy_roles$
    WITH api AS MATERIALIZED (SELECT a.role FROM restful.lint_api_roles() a)
    SELECT p.oid, r.role
    FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid,
        LATERAL (
            SELECT named FROM unnest(p.polroles) named WHERE named <> 0
            UNION
            SELECT api.role FROM api, unnest(p.polroles) named WHERE named = 0 OR pg_has_role(api.role, named, 'USAGE')
            UNION
            SELECT a.grantee FROM aclexplode(c.relacl) a WHERE 0 = ANY (p.polroles) AND a.grantee NOT IN (0, c.relowner)
            UNION
            SELECT a.grantee FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
            WHERE 0 = ANY (p.polroles) AND t.attrelid = c.oid AND t.attacl IS NOT NULL AND a.grantee NOT IN (0, c.relowner)
        ) r (role)
    WHERE p.oid = ANY (policies) AND restful.lint_is_read(r.role, c.oid, p.polcmd)
$lint_policy_roles$;
COMMENT ON FUNCTION restful.lint_policy_roles(oid[]) IS 'Internal: the roles that policies apply to';

-- PostgreSQL expands the policies of each table that a policy reads, as those of SELECT. It gives up when it comes to a table that it
-- is expanding, if there is a sub-select in these policies: whatever that reads.
CREATE FUNCTION restful.lint_recursion(policies oid[]) RETURNS TABLE (policy oid, way text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_recursion$
    WITH RECURSIVE reading AS MATERIALIZED (
        -- The tables in the trees of expressions are those of sub-selects. Dependencies do not tell a sub-select on the policy's own
        -- table from its columns.
        SELECT DISTINCT p.oid AS policy, p.polrelid AS relation, p.polcmd AS command, p.polroles AS roles, m[1]::oid AS reads
        FROM pg_catalog.pg_policy p, regexp_matches(concat(p.polqual::text, ' ', p.polwithcheck::text), ' :relid (\d+)', 'g') m
    ), views AS MATERIALIZED (
        SELECT DISTINCT v.oid AS view, d.refobjid AS reads,
            CASE WHEN coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(v.reloptions) o WHERE o.option_name = 'security_invoker'), false)
                THEN NULL ELSE v.relowner END AS reads_as
        FROM pg_catalog.pg_class v
        JOIN pg_catalog.pg_rewrite w ON w.ev_class = v.oid
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.oid
        WHERE v.relkind = 'v' AND EXISTS (SELECT FROM reading r)
    ), walk (policy, role, relation, path, expanded) AS (
        SELECT r.policy, a.role, r.reads, ARRAY[r.relation, r.reads], ARRAY[r.relation]
        FROM restful.lint_policy_roles(policies) a JOIN reading r ON r.policy = a.policy
        UNION
        SELECT w.policy, next.role, next.relation, w.path || next.relation, next.expanded
        FROM walk w,
            LATERAL (
                SELECT w.role, r.reads, w.expanded || w.relation
                FROM reading r
                WHERE r.relation = w.relation AND r.command IN ('*', 'r')
                  AND EXISTS (SELECT FROM unnest(r.roles) named WHERE CASE named WHEN 0 THEN true ELSE pg_has_role(w.role, named, 'USAGE') END)
                  AND restful.lint_is_read(w.role, w.relation, 'r')
                UNION ALL
                SELECT coalesce(v.reads_as, w.role), v.reads, w.expanded FROM views v WHERE v.view = w.relation
            ) next (role, relation, expanded)
        -- a table that is being expanded is the end, and no path goes through a relation for ever
        WHERE w.relation <> ALL (w.expanded) AND cardinality(w.path) < 20
    )
    SELECT DISTINCT ON (w.policy) w.policy,
        (SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', which reads ' ORDER BY p.place)
            FROM unnest(w.path) WITH ORDINALITY p (relation, place)
            JOIN pg_catalog.pg_class c ON c.oid = p.relation
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE p.place > 1)
    FROM walk w
    WHERE w.relation = ANY (w.expanded) AND restful.lint_is_read(w.role, w.relation, 'r')
      AND EXISTS (
          SELECT FROM pg_catalog.pg_policy o, unnest(o.polroles) named
          WHERE o.polrelid = w.relation AND o.polcmd IN ('*', 'r') AND restful.lint_has_sub_select(o.oid)
            AND CASE named WHEN 0 THEN true ELSE pg_has_role(w.role, named, 'USAGE') END)
    ORDER BY w.policy, cardinality(w.path), w.path
$lint_recursion$;
COMMENT ON FUNCTION restful.lint_recursion(oid[]) IS
    'Internal: which of these policies read what leads back to a table whose policies are being read, and on which way';

CREATE FUNCTION restful.lint_alter_policy(object text, "using" text, "check" text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_alter_policy$
    SELECT concat('ALTER POLICY ', object, ' USING (' || "using" || ')', ' WITH CHECK (' || "check" || ')', ';')
$lint_alter_policy$;
COMMENT ON FUNCTION restful.lint_alter_policy(text, text, text) IS
    'Internal: the statement that gives a policy these expressions; null stays as it is';

-- Names are cut at 63 bytes.
CREATE FUNCTION restful.lint_policy_name(relation oid, name name, suffix text) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_policy_name$
    SELECT c.name
    FROM generate_series(1, 1000) n,
        LATERAL (SELECT suffix || CASE n WHEN 1 THEN '' ELSE '_' || n END) s (suffix),
        LATERAL (
            SELECT left(name::text, k) || s.suffix FROM generate_series(length(name::text), 0, -1) k
            WHERE octet_length(left(name::text, k) || s.suffix) <= 63
            LIMIT 1
        ) c (name)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = relation AND p.polname = c.name)
    ORDER BY n
    LIMIT 1
$lint_policy_name$;
COMMENT ON FUNCTION restful.lint_policy_name(oid, name, text) IS 'Internal: a name for a policy that the table has no other policy of';

CREATE FUNCTION restful.lint_command(command "char") RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_command$
    SELECT CASE command WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END
$lint_command$;
COMMENT ON FUNCTION restful.lint_command("char") IS 'Internal: the command of a policy, as CREATE POLICY names it';

CREATE FUNCTION restful.lint_role_list(roles oid[]) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_role_list$
    SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY pg_get_userbyid(r))
    FROM unnest(roles) r
$lint_role_list$;
COMMENT ON FUNCTION restful.lint_role_list(oid[]) IS 'Internal: roles as a policy names them';

-- For each command and role the alternatives of all policies in one. Where a policy for PUBLIC meets others, there is no such form.
CREATE FUNCTION restful.lint_merged_policies(relation oid) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_merged_policies$
    WITH policies AS (
        SELECT p.polname AS name, p.polcmd AS command, p.polroles AS roles, pg_get_expr(p.polqual, p.polrelid) AS "using",
            coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid)) AS "check"
        FROM pg_catalog.pg_policy p
        WHERE p.polrelid = relation AND p.polpermissive
    ), cells AS (
        SELECT c.command, r.role,
            string_agg(DISTINCT p."using", ' OR ') FILTER (WHERE c.command <> 'a') AS "using",
            string_agg(DISTINCT p."check", ' OR ') FILTER (WHERE c.command IN ('a', 'w')) AS "check"
        FROM policies p, unnest(p.roles) r (role),
            unnest(CASE p.command WHEN '*' THEN '{r,a,w,d}'::"char"[] ELSE ARRAY[p.command] END) c (command)
        GROUP BY c.command, r.role
    ), merged AS (
        SELECT c.command, array_agg(c.role) AS roles, c."using", nullif(c."check", c."using") AS "check",
            -- behind the numbers of restrictive policies of such a name
            row_number() OVER (PARTITION BY c.command ORDER BY min(c.role)) + coalesce((
                SELECT max(substring(o.polname FROM '^' || lower(restful.lint_command(c.command)) || '_(\d{1,9})$')::bigint)
                FROM pg_catalog.pg_policy o
                WHERE o.polrelid = relation AND NOT o.polpermissive), 0) AS n
        FROM cells c
        WHERE CASE c.command WHEN 'a' THEN c."check" ELSE c."using" END IS NOT NULL
        GROUP BY c.command, c."using", c."check"
    ), target (name) AS (
        SELECT format('%I.%I', n.nspname, t.relname)
        FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        WHERE t.oid = relation
    )
    SELECT (SELECT string_agg(format('DROP POLICY %I ON %s;', p.name, t.name), ' ' ORDER BY p.name) FROM policies p) || ' '
        || (SELECT string_agg(concat(
                format('CREATE POLICY %I ON %s FOR %s TO %s', lower(restful.lint_command(m.command)) || '_' || m.n, t.name,
                    restful.lint_command(m.command), restful.lint_role_list(m.roles)),
                ' USING (' || m."using" || ')', ' WITH CHECK (' || m."check" || ')', ';'), ' ' ORDER BY m.command, m.n)
            FROM merged m)
    FROM target t
    WHERE NOT (EXISTS (SELECT FROM policies p WHERE 0 = ANY (p.roles)) AND EXISTS (SELECT FROM policies p WHERE p.roles <> '{0}'))
$lint_merged_policies$;
COMMENT ON FUNCTION restful.lint_merged_policies(oid) IS
    'Internal: statements that make one permissive policy for each command of the permissive policies of a table; null where PUBLIC has one among others';

-- What strangers reach past row-level security.

CREATE FUNCTION restful.lint_exposure(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_exposure$
    WITH RECURSIVE relations AS MATERIALIZED (
        SELECT r.* FROM restful.lint_relations(schemas) r
    ), grants AS MATERIALIZED (
        SELECT g.* FROM restful.lint_grants(schemas) g
    ), readers AS MATERIALIZED (
        SELECT g.relation, g.grantee, bool_or(g.attribute = 0) AS of_all, array_agg(g.attribute) AS attributes
        FROM grants g
        WHERE g.privilege = 'SELECT'
        GROUP BY g.relation, g.grantee
    ), children (relation, ancestor) AS (
        SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i
        UNION
        SELECT c.relation, i.inhparent FROM children c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.ancestor
    ), protected_children (relation, ancestor) AS MATERIALIZED (
        SELECT c.relation, min(format('%I.%I', n.nspname, a.relname))
        FROM children c
        JOIN pg_catalog.pg_class a ON a.oid = c.ancestor AND a.relrowsecurity
        JOIN pg_catalog.pg_namespace n ON n.oid = a.relnamespace
        GROUP BY c.relation
    ), behind (view, relation) AS (
        -- what the rules of views refer to, through views
        SELECT r.ev_class, d.refobjid
        FROM pg_catalog.pg_rewrite r
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
        WHERE r.ev_class IN (SELECT v.relation FROM relations v WHERE v.kind = 'v' AND v.reached)
        UNION
        SELECT b.view, d.refobjid
        FROM behind b
        JOIN pg_catalog.pg_class c ON c.oid = b.relation AND c.relkind = 'v'
        JOIN pg_catalog.pg_rewrite r ON r.ev_class = b.relation
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
    )
    -- Every row is everybody's who may read the table at all.
    SELECT 'rls_disabled_exposed', r.object,
        'requests of strangers reach this table, and row-level security is off: every row is theirs',
        format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', r.object)
    FROM relations r
    WHERE r.kind IN ('r', 'p') AND r.reached AND NOT r.rls
      AND r.relation NOT IN (SELECT c.relation FROM protected_children c)

    -- Somebody believes that the policies count.
    UNION ALL
    SELECT 'policy_without_rls', r.object,
        'has policies (' || string_agg(quote_ident(p.polname), ', ' ORDER BY p.polname) || '), which do nothing: row-level security is off',
        format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', r.object)
    FROM relations r JOIN pg_catalog.pg_policy p ON p.polrelid = r.relation
    WHERE NOT r.rls
    GROUP BY r.object

    -- A view reads its tables as its owner, so that the policies of whoever asks do not apply. Before PostgreSQL 15, views can do no
    -- other. A view of tables without row-level security shows no more than it says.
    UNION ALL
    SELECT 'definer_view_exposed', r.object,
        'reads ' || string_agg(format('%I.%I', n.nspname, t.relname), ', ' ORDER BY n.nspname, t.relname)
            || ' as its owner, past the policies of whoever asks (who needs the right to read these tables, once it does not)',
        format('ALTER VIEW %s SET (security_invoker = true);', r.object)
    FROM relations r
    JOIN behind b ON b.view = r.relation
    JOIN pg_catalog.pg_class t ON t.oid = b.relation AND t.relrowsecurity
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_class v ON v.oid = r.relation
    WHERE current_setting('server_version_num')::integer >= 150000
      AND NOT EXISTS (
          SELECT FROM pg_options_to_table(v.reloptions) o
          WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
    GROUP BY r.object

    -- Credentials and numbers of documents, by the names that they usually have, where no policy decides who sees them.
    UNION ALL
    SELECT 'sensitive_columns_exposed', r.object,
        string_agg(format('%s may read %s', g.grantee, c.sensitive), ', ' ORDER BY g.grantee) || ' of every row',
        string_agg(concat(
            format('REVOKE SELECT ON %s FROM %s;', r.object, g.grantee),
            ' GRANT SELECT (' || c.others || format(') ON %s TO %s;', r.object, g.grantee)), ' ' ORDER BY g.grantee)
    FROM relations r
    JOIN readers g ON g.relation = r.relation,
        LATERAL (
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE restful.lint_is_sensitive(a.attname)),
                string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT restful.lint_is_sensitive(a.attname))
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = r.relation AND a.attnum > 0 AND NOT a.attisdropped AND (g.of_all OR a.attnum = ANY (g.attributes))
        ) c (sensitive, others)
    WHERE r.readable AND NOT r.rls AND c.sensitive IS NOT NULL
      AND r.relation NOT IN (SELECT c.relation FROM protected_children c)
      AND NOT (r.kind = 'v' AND EXISTS (
          SELECT FROM pg_catalog.pg_class v, pg_options_to_table(v.reloptions) o
          WHERE v.oid = r.relation AND o.option_name = 'security_invoker' AND o.option_value::boolean))
    GROUP BY r.object

    -- The policies of the parent apply to who reads the parent.
    UNION ALL
    SELECT 'partition_child_exposed', r.object,
        'strangers reach this table by itself, where the policies of ' || c.ancestor || ' do not apply',
        format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', r.object)
    FROM relations r JOIN protected_children c ON c.relation = r.relation
    WHERE r.kind IN ('r', 'p') AND r.reached AND NOT r.rls

    -- TRUNCATE asks no policy: who may see no row empties the table.
    UNION ALL
    SELECT 'truncate_granted', g.object,
        string_agg(g.grantee, ', ' ORDER BY g.grantee) || ' may empty this table, whatever its policies say',
        format('REVOKE TRUNCATE ON %s FROM %s;', g.object, string_agg(g.grantee, ', ' ORDER BY g.grantee))
    FROM grants g
    WHERE g.privilege = 'TRUNCATE' AND g.kind IN ('r', 'p', 'f')
    GROUP BY g.object

    -- A foreign key tells whether a row exists, and keeps it from being deleted, whatever the policies say.
    UNION ALL
    SELECT 'references_granted', g.object,
        string_agg(DISTINCT g.grantee, ', ') || ' may make foreign keys to this table, which see rows that policies hide',
        format('REVOKE REFERENCES ON %s FROM %s;', g.object, string_agg(DISTINCT g.grantee, ', '))
    FROM grants g
    WHERE g.privilege = 'REFERENCES' AND g.kind IN ('r', 'p')
    GROUP BY g.object

    -- What the extension keeps is reached through its functions. What its own script grants, and reading JSON Schemas, is meant so.
    UNION ALL
    SELECT 'extension_objects_granted', format('%I.%I', n.nspname, c.relname),
        format('%s may %s: only administrators should', g.name, string_agg(DISTINCT held.privilege, ', ')),
        format('REVOKE ALL ON %s%I.%I FROM %s;', CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' END, n.nspname, c.relname, g.name)
    FROM pg_catalog.pg_extension x
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e'
        AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class c ON c.oid = d.objid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (
            SELECT a.grantee, a.privilege_type FROM aclexplode(c.relacl) a
            UNION
            SELECT a.grantee, a.privilege_type
            FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
            WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL
            EXCEPT
            SELECT a.grantee, a.privilege_type
            FROM pg_catalog.pg_init_privs i, aclexplode(i.initprivs) a
            WHERE i.classoid = 'pg_catalog.pg_class'::regclass AND i.objoid = c.oid AND i.objsubid = 0
        ) held (grantee, privilege)
    JOIN restful.lint_grantees() g ON g.role = held.grantee
    WHERE x.extname = 'pg_restful' AND held.grantee <> c.relowner
      AND NOT (c.relname = 'json_schema' AND held.privilege = 'SELECT')
    GROUP BY n.nspname, c.relname, c.relkind, g.name

    -- A materialized view holds the rows that its owner saw. Policies cannot be made for it.
    UNION ALL
    SELECT 'matview_exposed', r.object,
        'row-level security does not apply to a materialized view: whoever may read it reads all of it',
        'REVOKE ALL ON ' || r.object || ' FROM '
            || (SELECT string_agg(DISTINCT g.grantee, ', ') FROM grants g WHERE g.relation = r.relation) || ';'
    FROM relations r
    WHERE r.kind = 'm' AND r.readable

    -- Nor for a foreign table, which is read with the rights of the user mapping.
    UNION ALL
    SELECT 'foreign_table_exposed', r.object,
        'row-level security does not apply to a foreign table: whoever may use it has what its user mapping has',
        'REVOKE ALL ON ' || r.object || ' FROM '
            || (SELECT string_agg(DISTINCT g.grantee, ', ') FROM grants g WHERE g.relation = r.relation) || ';'
    FROM relations r
    WHERE r.kind = 'f' AND r.reached

    -- An owner passes the policies of a table that does not force them.
    UNION ALL
    SELECT 'rls_not_forced_owner_exposed', r.object,
        format('requests may run as %I, which owns this table or has its owner''s rights and so passes its policies', min(a.name)),
        format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', r.object)
    FROM relations r JOIN restful.lint_api_roles() a ON pg_has_role(a.role, r.owner, 'USAGE')
    WHERE r.kind IN ('r', 'p') AND r.rls AND NOT r.forced
    GROUP BY r.object

    -- Jobs are code to be run by somebody else: who writes them acts with the worker's rights. Queues are known by the columns
    -- that the usual ones have: pgmq, Oban, River, Que, Graphile Worker, pg-boss.
    UNION ALL
    SELECT 'queue_exposed', r.object, 'looks like the table of a job queue, and strangers reach it',
        'REVOKE ALL ON ' || r.object || ' FROM '
            || (SELECT string_agg(DISTINCT g.grantee, ', ') FROM grants g WHERE g.relation = r.relation) || ';'
    FROM relations r,
        LATERAL (
            SELECT array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = r.relation AND a.attnum > 0 AND NOT a.attisdropped
        ) c (names)
    WHERE r.kind IN ('r', 'p') AND r.reached
      AND (c.names @> '{msg_id,read_ct,vt,message}' OR c.names @> '{queue,worker,args,attempt}'
          OR c.names @> '{queue,kind,args,attempt}' OR c.names @> '{queue,job_class,args,run_at}'
          OR c.names @> '{task_identifier,payload,run_at,attempts}' OR c.names @> '{name,data,state,retrylimit}'
          OR c.names @> '{name,data,state,retry_limit}')

    -- Closed to everybody but its owner. Who grants a role something on it means it to see rows.
    UNION ALL
    SELECT 'rls_no_policy', r.object, 'has row-level security and no policy: nobody sees a row of it, in spite of the grants',
        'REVOKE ALL ON ' || r.object || ' FROM '
            || (SELECT string_agg(DISTINCT g.grantee, ', ') FROM grants g WHERE g.relation = r.relation) || ';'
    FROM relations r
    WHERE r.kind IN ('r', 'p') AND r.rls AND r.reached
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = r.relation)
      AND r.relation NOT IN (SELECT c.relation FROM protected_children c)
$lint_exposure$;
COMMENT ON FUNCTION restful.lint_exposure(text[]) IS 'Internal: the lints about what strangers reach past row-level security';

-- Keys and indexes.

-- What compares these columns finds only rows in which they are not null: an index of those serves it as well as one of all rows.
CREATE FUNCTION restful.lint_serves(index oid, columns smallint[]) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_serves$
    SELECT i.indisvalid
        -- in any order
        AND (i.indkey::smallint[])[0:cardinality(columns) - 1] @> columns AND i.indnkeyatts >= cardinality(columns)
        AND (i.indpred IS NULL OR NOT EXISTS (
            SELECT FROM unnest(string_to_array(restful.lint_masked(pg_get_expr(i.indpred, i.indrelid)), ' AND ')) part
            WHERE NOT EXISTS (
                SELECT FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = i.indrelid AND a.attnum = ANY (columns)
                  AND btrim(part, '()') = restful.lint_masked(quote_ident(a.attname)) || ' IS NOT NULL')))
    FROM pg_catalog.pg_index i
    WHERE i.indexrelid = index
$lint_serves$;
COMMENT ON FUNCTION restful.lint_serves(oid, smallint[]) IS
    'Internal: whether an index begins with these columns, and has every row in which they are not null';

CREATE FUNCTION restful.lint_is_indexable(type oid) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_is_indexable$
    WITH RECURSIVE base (type) AS (
        SELECT type
        UNION
        SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END
        FROM base b
        JOIN pg_catalog.pg_type t ON t.oid = b.type
        -- an array is compared by its elements
        WHERE t.typtype = 'd' OR t.typcategory = 'A' AND t.typelem <> 0
    )
    SELECT bool_and(
        t.typtype IN ('e', 'r', 'm', 'd') OR t.typcategory = 'A'
        OR EXISTS (
            SELECT FROM pg_catalog.pg_opclass c
            JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
            WHERE m.amname = 'btree' AND c.opcdefault
              AND (c.opcintype = t.oid OR EXISTS (
                  SELECT FROM pg_catalog.pg_cast x
                  WHERE x.castsource = t.oid AND x.casttarget = c.opcintype AND x.castmethod = 'b' AND x.castcontext = 'i'))))
    FROM base b
    JOIN pg_catalog.pg_type t ON t.oid = b.type
$lint_is_indexable$;
COMMENT ON FUNCTION restful.lint_is_indexable(oid) IS 'Internal: whether CREATE INDEX takes a column of a type';

-- A column that needs the table written anew. PostgreSQL adds none to tables of a type, to tables with children, and to tables whose
-- rows are values in other tables; a key of a partitioned table needs the columns that it is divided by.
CREATE FUNCTION restful.lint_new_key(relation oid) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_new_key$
    WITH RECURSIVE made_of (type) AS (
        SELECT c.reltype FROM pg_catalog.pg_class c WHERE c.oid = relation
        UNION
        SELECT next.type
        FROM made_of m,
            LATERAL (
                SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typelem = m.type OR t.typbasetype = m.type
                UNION ALL
                SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngsubtype = m.type
                UNION ALL
                SELECT c.reltype FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                WHERE a.atttypid = m.type AND NOT a.attisdropped AND c.reltype <> 0
            ) next (type)
    )
    SELECT format('ALTER TABLE %I.%I ADD COLUMN %I bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY;', n.nspname, c.relname, (
            SELECT free.name
            FROM generate_series(0, 1600) i, LATERAL (SELECT CASE i WHEN 0 THEN 'id' WHEN 1 THEN 'row_id' ELSE 'row_id_' || i END) free (name)
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = relation AND a.attname = free.name)
            ORDER BY i
            LIMIT 1))
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = relation AND c.relkind = 'r' AND c.reloftype = 0
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = relation)
      AND NOT EXISTS (
          SELECT FROM made_of m
          JOIN pg_catalog.pg_attribute a ON a.atttypid = m.type AND NOT a.attisdropped
          JOIN pg_catalog.pg_class o ON o.oid = a.attrelid AND o.relkind IN ('r', 'p', 'm', 'f'))
$lint_new_key$;
COMMENT ON FUNCTION restful.lint_new_key(oid) IS
    'Internal: the statement that adds a column to a table as its primary key; null where PostgreSQL does not add one';

CREATE FUNCTION restful.lint_table(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_table$
    WITH tables AS MATERIALIZED (
        SELECT c.oid, c.relkind AS kind, c.relispartition AS is_partition, format('%I.%I', n.nspname, c.relname) AS object
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY (schemas) AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend d
              WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ), indexes AS MATERIALIZED (
        SELECT i.*, x.relam AS method,
            -- foreign keys refer to it, so that it cannot be dropped
            EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conindid = x.oid AND k.conrelid <> 0) AS is_referred_to,
            format('%I.%I', n.nspname, x.relname) AS object, t.object AS on_table, x.relkind AS kind, x.relispartition AS is_partition,
            con.conname AS of_constraint, con.contype AS constraint_type
        FROM tables t
        JOIN pg_catalog.pg_index i ON i.indrelid = t.oid
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
        LEFT JOIN pg_catalog.pg_constraint con ON con.conindid = x.oid AND con.conrelid = t.oid AND con.contype IN ('p', 'u', 'x')
    )

    -- Deleting or changing a referenced row reads all of this table, as does embedding from the other side.
    SELECT 'unindexed_fk', format('%s (%s)', t.object, keys.columns),
        format('no index begins with the columns of the foreign key %I', k.conname), format('CREATE INDEX ON %s (%s);', t.object, keys.columns)
    FROM tables t
    JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' AND k.conparentid = 0,
        LATERAL (
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY p.place)
            FROM unnest(k.conkey) WITH ORDINALITY p (attribute, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = p.attribute
        ) keys (columns)
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_index i
        WHERE i.indrelid = t.oid AND restful.lint_serves(i.indexrelid, k.conkey))

    -- A row without a key has no address (/table/{key}), cannot be upserted, nor replicated.
    UNION ALL
    SELECT 'no_primary_key', t.object, 'has no primary key: its rows have no address', CASE
        WHEN u.columns IS NULL THEN restful.lint_new_key(t.oid)
        WHEN t.kind = 'p' OR NOT u.is_usable THEN format('ALTER TABLE %s ADD PRIMARY KEY (%s);', t.object, u.columns)
        ELSE format('ALTER TABLE %s ADD PRIMARY KEY USING INDEX %I;', t.object, u.name)
    END
    FROM tables t
    LEFT JOIN LATERAL (
        -- What is one in all but name: whose columns are unique by what their type takes for equal. A key takes it over if it is in the
        -- order that keys have, and no constraint's.
        SELECT x.relname, i.of_constraint IS NULL AND bool_and(i.indoption[p.place - 1] = 0), string_agg(quote_ident(a.attname), ', ' ORDER BY p.place)
        FROM indexes i
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid,
            unnest((i.indkey::smallint[])[0:i.indnkeyatts - 1]) WITH ORDINALITY p (attribute, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = p.attribute
        WHERE i.indrelid = t.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
        GROUP BY i.indexrelid, x.relname, i.of_constraint
        HAVING bool_and(a.attnotnull AND i.indcollation[p.place - 1] = a.attcollation
            AND (SELECT c.opcdefault FROM pg_catalog.pg_opclass c WHERE c.oid = i.indclass[p.place - 1]))
        ORDER BY i.indexrelid
        LIMIT 1
    ) u (name, is_usable, columns) ON true
    WHERE NOT t.is_partition AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)

    -- Each write maintains both. The key of a constraint is kept, then the unique one, then the older one.
    UNION ALL
    SELECT 'duplicate_index', d.object, 'is the same as ' || d.kept,
        CASE WHEN d.is_referred_to THEN NULL
            WHEN d.of_constraint IS NULL THEN format('DROP INDEX %s;', d.object)
            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I;', d.on_table, d.of_constraint) END
    FROM (
        SELECT i.object, i.on_table, i.of_constraint, i.constraint_type, i.is_referred_to, i.indisunique, i.indimmediate,
            row_number() OVER same AS place, first_value(i.object) OVER same AS kept, first_value(i.indisunique) OVER same AS kept_unique,
            first_value(i.indimmediate) OVER same AS kept_immediate
        FROM indexes i
        WHERE i.indisvalid AND NOT i.is_partition
        WINDOW same AS (
            PARTITION BY i.indrelid, i.method, i.indkey::text, i.indnkeyatts, i.indclass::text, i.indcollation::text, i.indoption::text,
                pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid), to_jsonb(i) ->> 'indnullsnotdistinct'
            ORDER BY i.indisprimary DESC, i.indisreplident DESC, i.is_referred_to DESC, i.indimmediate DESC, i.of_constraint IS NULL,
                i.indisunique DESC, i.indexrelid)
    ) d
    WHERE d.place > 1 AND (d.kept_unique AND d.kept_immediate OR NOT d.indisunique) AND d.constraint_type IS DISTINCT FROM 'x'

    -- Kept up by each write, asked by no read. That the table has been read a thousand times makes it no new index.
    UNION ALL
    SELECT 'unused_index', i.object, format('has not been read once, %s has %s times', i.on_table, r.reads), format('DROP INDEX %s;', i.object)
    FROM indexes i
    JOIN pg_catalog.pg_stat_all_indexes s ON s.indexrelid = i.indexrelid
    JOIN pg_catalog.pg_stat_all_tables t ON t.relid = i.indrelid,
        LATERAL (SELECT coalesce(t.seq_scan, 0) + coalesce(t.idx_scan, 0)) r (reads)
    WHERE s.idx_scan = 0 AND r.reads >= 1000 AND NOT i.indisunique AND i.indisvalid AND NOT i.is_partition AND i.of_constraint IS NULL
      -- that of a foreign key is for deletions on the other side
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = i.indrelid AND k.contype = 'f' AND k.conkey[1] = i.indkey[0])

    -- What CREATE INDEX CONCURRENTLY leaves when it fails: written to, never read.
    UNION ALL
    SELECT 'invalid_index', i.object, 'is kept up by writes and not used by reads: making it has failed', format('REINDEX INDEX %s;', i.object)
    FROM indexes i
    WHERE NOT i.indisvalid AND i.kind = 'i'
      -- nor being made just now
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
$lint_table$;
COMMENT ON FUNCTION restful.lint_table(text[]) IS 'Internal: the lints about keys and indexes';

-- What policies say, and what they cost.

CREATE FUNCTION restful.lint_policy(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_policy$
    WITH policies AS MATERIALIZED (
        SELECT p.*, restful.lint_masked(p."using") AS masked FROM restful.lint_policies(schemas) p
    )
    -- Whoever signs up writes user_metadata: a policy that reads it asks the attacker.
    SELECT 'policy_uses_user_editable_claim', p.object,
        'decides by user_metadata, which users write themselves; keep what decides in app_metadata or in a table',
        CASE
            WHEN found.in_columns THEN format('ALTER POLICY %s%s%s;', p.object, CASE WHEN p."using" IS NOT NULL THEN ' USING (false)' END,
                CASE WHEN p."check" IS NOT NULL THEN ' WITH CHECK (false)' END)
            ELSE restful.lint_alter_policy(p.object, said."using", said."check")
        END
    FROM policies p,
        LATERAL (
            SELECT restful.lint_trusted_metadata(p."using"), restful.lint_trusted_metadata(p."check")
            OFFSET 0
        ) said ("using", "check"),
        LATERAL (
            SELECT EXISTS (
                SELECT FROM pg_catalog.pg_depend d
                JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy
                  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND a.attname IN ('user_metadata', 'raw_user_meta_data'))
        ) found (in_columns)
    WHERE concat(p."using", ' ', p."check") LIKE '%user_meta%'
      AND (found.in_columns OR (said."using", said."check") IS DISTINCT FROM (p."using", p."check"))

    -- Any SQL user sets request.*: only verified claims say who asks.
    UNION ALL
    SELECT 'policy_reads_request_guc', p.object,
        CASE WHEN concat(said."using", said."check") ~* '\mcurrent_setting\(''(request|rest)\.'
            THEN 'decides by a setting that any SQL user can change, other than the claims: decide by restful.claim() or by a function of yours that checks it'
            ELSE 'decides by a setting that any SQL user can change; restful.jwt() and restful.claim() are the verified claims' END,
        CASE WHEN concat(said."using", said."check") !~* '\mcurrent_setting\(''(request|rest)\.'
            THEN restful.lint_alter_policy(p.object, said."using", said."check") END
    FROM policies p,
        LATERAL (SELECT restful.lint_verified_claims(p."using"), restful.lint_verified_claims(p."check")) said ("using", "check")
    WHERE concat(p."using", ' ', p."check") ~* '\mcurrent_setting\(''(request|rest)\.'

    -- PostgreSQL refuses every statement that such a policy applies to.
    UNION ALL
    SELECT 'policy_recursive', p.object,
        'reads ' || r.way || ': PostgreSQL refuses that as infinite recursion (42P17). Let a SECURITY DEFINER function of an owner '
            || 'who passes the policies read it', NULL
    FROM restful.lint_recursion(ARRAY(SELECT p.policy FROM policies p)) r
    JOIN policies p ON p.policy = r.policy

    -- It fails for whoever may not: a policy runs with the rights of the role that asks.
    UNION ALL
    SELECT 'policy_denied', p.object,
        concat_ws('; ',
            'calls what roles may not execute: '
                || string_agg(DISTINCT format('%s (%s)', lacks.routine::regprocedure, lacks.role_name), ', ') FILTER (WHERE lacks.routine IS NOT NULL),
            'reads what roles may not: '
                || string_agg(DISTINCT format('%s (%s)', lacks.relation::regclass, lacks.role_name), ', ') FILTER (WHERE lacks.relation IS NOT NULL)
                || '; let a SECURITY DEFINER function read it for them'),
        CASE WHEN count(lacks.relation) = 0 THEN
            string_agg(DISTINCT format('GRANT EXECUTE ON FUNCTION %s TO %s;', lacks.routine::regprocedure, lacks.role_name), ' ') END
    FROM policies p
    JOIN restful.lint_policy_roles(ARRAY(SELECT p.policy FROM policies p)) a ON a.policy = p.policy,
        LATERAL (
            SELECT d.refobjid::oid, NULL::oid
            FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy AND d.refclassid = 'pg_catalog.pg_proc'::regclass
              AND NOT has_function_privilege(a.role, d.refobjid, 'EXECUTE')
            UNION
            SELECT o.oprcode::oid, NULL
            FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy AND d.refclassid = 'pg_catalog.pg_operator'::regclass
              AND NOT has_function_privilege(a.role, o.oprcode::oid, 'EXECUTE')
            UNION
            SELECT NULL, d.refobjid
            FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy AND d.refclassid = 'pg_catalog.pg_class'::regclass
              AND d.refobjid <> p.relation AND d.deptype = 'n'
              AND NOT CASE d.refobjsubid WHEN 0 THEN has_any_column_privilege(a.role, d.refobjid, 'SELECT')
                  ELSE has_column_privilege(a.role, d.refobjid, d.refobjsubid::smallint, 'SELECT') END
        ) denied (routine, relation),
        LATERAL (SELECT denied.routine, denied.relation, quote_ident(pg_get_userbyid(a.role))) lacks (routine, relation, role_name)
    -- who has no rights on the table is refused anyway
    WHERE has_schema_privilege(a.role, (SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = p.relation), 'USAGE')
      AND CASE p.command
          WHEN 'r' THEN has_any_column_privilege(a.role, p.relation, 'SELECT')
          WHEN 'a' THEN has_any_column_privilege(a.role, p.relation, 'INSERT')
          WHEN 'w' THEN has_any_column_privilege(a.role, p.relation, 'UPDATE')
          WHEN 'd' THEN has_table_privilege(a.role, p.relation, 'DELETE')
          ELSE has_any_column_privilege(a.role, p.relation, 'SELECT, INSERT, UPDATE') OR has_table_privilege(a.role, p.relation, 'DELETE')
      END
    GROUP BY p.policy, p.object

    -- 3.7 s became 0.1 s on 2 million rows: a function in a sub-select runs once, otherwise for each row.
    UNION ALL
    SELECT 'policy_not_initplan', p.object, 'calls a function for each row whose result is the same for all of them',
        restful.lint_alter_policy(p.object, said."using", said."check")
    FROM policies p,
        LATERAL (
            SELECT restful.lint_wrapped(p."using", p.stable || '{current_setting}', p.columns),
                restful.lint_wrapped(p."check", p.stable || '{current_setting}', p.columns)
            OFFSET 0 -- once each
        ) said ("using", "check")
    WHERE (p.stable <> '{}' OR concat(p."using", p."check") LIKE '%current_setting(%')
      AND (said."using", said."check") IS DISTINCT FROM (p."using", p."check")

    -- Who may write any row may write those of others.
    UNION ALL
    SELECT 'policy_always_true', p.object,
        CASE WHEN holds."check" AND NOT holds."using" THEN 'lets rows be written that it would not let be seen'
            ELSE 'lets everybody it applies to write every row' END,
        CASE
            WHEN holds."check" AND NOT holds."using" THEN restful.lint_alter_policy(p.object, NULL, p."using")
            WHEN p.command = 'w' AND NOT holds."check" THEN restful.lint_alter_policy(p.object, p."check", NULL)
            WHEN p.command = '*' AND NOT holds."check" THEN
                -- reading stays as it was, writing is for the rows that may be written
                format('ALTER POLICY %s USING (%s); CREATE POLICY %I ON %s FOR SELECT TO %s USING (true);',
                    p.object, p."check", restful.lint_policy_name(p.relation, p.name, '_select'), p.on_table, restful.lint_role_list(p.roles))
            WHEN p.command = '*' THEN
                format('DROP POLICY %s; CREATE POLICY %I ON %s FOR SELECT TO %s USING (true);',
                    p.object, p.name, p.on_table, restful.lint_role_list(p.roles))
            ELSE format('DROP POLICY %s;', p.object)
        END
    FROM policies p,
        LATERAL (
            SELECT array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = p.relation AND a.attnum > 0 AND a.attnotnull
        ) n (columns),
        LATERAL (
            SELECT restful.lint_is_always_true(p."using", coalesce(n.columns, '{}')), restful.lint_is_always_true(p."check", coalesce(n.columns, '{}'))
            OFFSET 0
        ) holds ("using", "check")
    WHERE p.permissive AND p.to_strangers AND p.command <> 'r' AND (holds."using" OR holds."check")
      -- whose conditions are in restrictive ones
      AND NOT EXISTS (SELECT FROM policies o WHERE o.relation = p.relation AND NOT o.permissive AND o.command IN ('*', p.command))

    -- Of an anonymous request the subject is NULL, and so is the owner of a row that has none.
    UNION ALL
    SELECT 'policy_null_subject', p.object, 'holds when the subject is not known: NULL is nobody, and not an owner',
        restful.lint_alter_policy(p.object, said."using", said."check")
    FROM policies p,
        LATERAL (
            SELECT restful.lint_of_subjects(p."using", p.subjects), restful.lint_of_subjects(p."check", p.subjects)
            OFFSET 0
        ) said ("using", "check")
    WHERE p.permissive AND (p.subjects <> '{current_setting}' OR concat(p."using", p."check") ~* '\mcurrent_setting\(''request\.')
      AND (said."using", said."check") IS DISTINCT FROM (p."using", p."check")

    -- Without TO, a policy is planned and evaluated for every role, and a grant by mistake is open at once. One that restricts is meant
    -- for everybody.
    UNION ALL
    SELECT 'policy_for_public', p.object, 'applies to every role: say TO whom it is meant for',
        'ALTER POLICY ' || p.object || ' TO ' || coalesce(
            -- whoever the table is granted to; PUBLIC stands for the roles of requests
            (SELECT string_agg(DISTINCT quote_ident(r.rolname), ', ')
                FROM pg_catalog.pg_class c,
                    LATERAL (
                        SELECT a.grantee FROM aclexplode(c.relacl) a
                        UNION
                        SELECT a.grantee FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) a
                        WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL
                    ) held
                JOIN pg_catalog.pg_roles r ON r.oid = held.grantee
                    OR held.grantee = 0 AND r.oid IN (SELECT a.role FROM restful.lint_api_roles() a)
                WHERE c.oid = p.relation AND r.oid <> c.relowner),
            (SELECT string_agg(quote_ident(a.name), ', ' ORDER BY a.name) FROM restful.lint_api_roles() a),
            quote_ident(pg_get_userbyid((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = p.relation)))) || ';'
    FROM policies p
    WHERE p.roles = '{0}' AND p.permissive

    -- 3.1 s became 1 ms: one question about the rights of a subject per row, instead of one for the set of what they cover.
    UNION ALL
    SELECT 'policy_per_row_rbac', p.object,
        'asks about the rights of the subject for each row: compare the column with the set of what the subject may reach, '
            || 'column = ANY (ARRAY(SELECT restful.tenants_with(...))), or a function of your own that returns such a set',
        CASE WHEN NOT restful.lint_calls_with(said."using", p.asking, p.columns) AND NOT restful.lint_calls_with(said."check", p.asking, p.columns)
            THEN restful.lint_alter_policy(p.object, said."using", said."check") END
    FROM policies p,
        LATERAL (SELECT restful.lint_by_set(p."using", p.relation), restful.lint_by_set(p."check", p.relation)) said ("using", "check")
    WHERE p.asking <> '{}'
      AND (restful.lint_calls_with(p."using", p.asking, p.columns) OR restful.lint_calls_with(p."check", p.asking, p.columns))

    -- The condition of a policy is part of every query: without an index every query reads the whole table.
    UNION ALL
    SELECT 'unindexed_policy_column', format('%s.%I', p.on_table, a.attname),
        'is compared by ' || string_agg(DISTINCT 'policy ' || quote_ident(p.name), ', ') || ', and no index begins with it',
        format('CREATE INDEX ON %s (%I);', p.on_table, a.attname)
    FROM policies p
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = p.relation
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    JOIN pg_catalog.pg_class c ON c.oid = p.relation AND c.relkind IN ('r', 'p'),
        LATERAL (SELECT regexp_replace(restful.lint_masked(quote_ident(a.attname)), '([^\w])', '\\\1', 'g')) n (pattern)
    -- a boolean column is no reason for an index
    WHERE a.atttypid <> 'boolean'::regtype
      AND p.masked LIKE '% = %' AND p.masked ~ ('\(\(?' || n.pattern || '\)?(::\w+)? = | = \(?' || n.pattern || '\)')
      AND restful.lint_is_indexable(a.atttypid)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = p.relation AND restful.lint_serves(i.indexrelid, ARRAY[a.attnum]))
    GROUP BY p.on_table, a.attname

    -- Permissive policies are alternatives: each is evaluated for each row, and the widest one counts.
    UNION ALL
    SELECT 'multiple_permissive', m.on_table,
        'has several permissive policies for ' || string_agg(DISTINCT format('%s of %s', restful.lint_command(m.command), m.role_name), ', ')
            || ', each of which is evaluated for each row',
        restful.lint_merged_policies(m.relation)
    FROM (
        SELECT p.relation, p.on_table, commands.command, CASE r.role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r.role) END AS role_name
        FROM policies p, unnest(p.roles) r (role),
            unnest(CASE p.command WHEN '*' THEN '{r,a,w,d}'::"char"[] ELSE ARRAY[p.command] END) commands (command)
        WHERE p.permissive
        GROUP BY p.relation, p.on_table, commands.command, r.role
        HAVING count(*) > 1
    ) m
    GROUP BY m.relation, m.on_table

    -- One such function keeps every query of the table from running in parallel.
    UNION ALL
    SELECT 'parallel_unsafe_policy_function', f.oid::regprocedure::text,
        'is PARALLEL UNSAFE, and so are all queries of ' || string_agg(DISTINCT p.on_table, ', ') || ', whose policies call it'
            || CASE WHEN f.provolatile = 'v' AND NOT restful.lint_reads_only(f.oid)
                THEN ': a policy should not call what writes' ELSE '' END,
        CASE
            WHEN f.provolatile <> 'v' THEN format('ALTER FUNCTION %s PARALLEL RESTRICTED;', f.oid::regprocedure)
            WHEN restful.lint_reads_only(f.oid) THEN format('ALTER FUNCTION %s STABLE PARALLEL RESTRICTED;', f.oid::regprocedure)
        END
    FROM policies p
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = p.policy
        AND d.refclassid = 'pg_catalog.pg_proc'::regclass
    JOIN pg_catalog.pg_proc f ON f.oid = d.refobjid
    WHERE f.proparallel = 'u'
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend e
          WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = f.oid AND e.deptype = 'e')
    GROUP BY f.oid, f.provolatile
$lint_policy$;
COMMENT ON FUNCTION restful.lint_policy(text[]) IS 'Internal: the lints about policies';

-- What functions may do, and who may call them.

CREATE FUNCTION restful.lint_function(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_function$
    WITH functions AS MATERIALIZED (
        SELECT p.oid, p.proname AS name, n.nspname AS schema, p.prosecdef AS definer, p.provolatile AS volatility, p.proconfig AS settings,
            p.proowner AS owner, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl, p.prokind AS kind,
            -- GRANT and ALTER know an aggregate by the types of its arguments alone
            CASE p.prokind WHEN 'a' THEN p.oid::regprocedure::text
                ELSE format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) END AS object,
            -- not ROUTINE, which may find one of either kind and a procedure by its other arguments
            CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS keyword,
            n.nspname = ANY (schemas) AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AS exposed
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE (n.nspname = ANY (schemas) OR p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema'))
          AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend d
              WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    ), called AS MATERIALIZED (
        -- by requests of strangers, under grants to these
        SELECT f.oid, string_agg(g.name, ', ' ORDER BY g.name) AS grantees, bool_or(g.role = 0) AS by_everybody
        FROM functions f, aclexplode(f.acl) a
        JOIN restful.lint_grantees() g ON g.role = a.grantee
        WHERE f.exposed AND a.privilege_type = 'EXECUTE' AND a.grantee <> f.owner
        GROUP BY f.oid
    )

    -- It does with its owner's rights what strangers tell it to do.
    SELECT 'definer_function_executable', f.object,
        format('%s may call it, and it runs as %I: its checks are the only ones', c.grantees, pg_get_userbyid(f.owner)),
        format('REVOKE EXECUTE ON %s %s FROM %s;', f.keyword, f.object, c.grantees)
    FROM functions f JOIN called c ON c.oid = f.oid
    WHERE f.definer

    -- The caller's search path decides what its names mean; unless pg_temp is last, a temporary table does.
    UNION ALL
    SELECT 'definer_search_path_mutable', f.object,
        CASE WHEN path.value IS NULL THEN 'runs as its owner with the search path of its caller, who so decides what its names mean'
            ELSE 'runs as its owner, and temporary tables of its caller come before those it means: pg_temp has to be the last of its search path' END,
        format('ALTER %s %s SET search_path = %s;', f.keyword, f.object,
            (SELECT string_agg(quote_ident(n.name), ', ' ORDER BY n.place)
                FROM restful.lint_names(concat_ws(', ', coalesce(path.value, 'pg_catalog, ' || quote_ident(f.schema)))) WITH ORDINALITY n (name, place)
                WHERE n.name <> 'pg_temp') || ', pg_temp')
    FROM functions f
    LEFT JOIN LATERAL (
        SELECT substr(s, strpos(s, '=') + 1) FROM unnest(f.settings) s WHERE s LIKE 'search_path=%'
    ) path (value) ON true
    WHERE f.definer
      -- without any schema every name but PostgreSQL's own is qualified
      AND NOT coalesce(path.value IN ('', '""') OR path.value ~ '(^|,\s*)"?pg_temp"?$', false)

    -- A default of PostgreSQL's: whoever is given a role later may call it, too.
    UNION ALL
    SELECT 'function_public_execute', f.object, 'PUBLIC may call it: PostgreSQL''s default, not a decision',
        concat(format('REVOKE EXECUTE ON %s %s FROM PUBLIC;', f.keyword, f.object),
            ' GRANT EXECUTE ON ' || f.keyword || ' ' || f.object || ' TO '
                || (SELECT string_agg(quote_ident(a.name), ', ' ORDER BY a.name) FROM restful.lint_api_roles() a WHERE NOT f.definer) || ';')
    FROM functions f JOIN called c ON c.oid = f.oid
    WHERE c.by_everybody

    -- Said to be VOLATILE, a function is called again for each row and cannot become a part of the query.
    UNION ALL
    SELECT 'volatile_get_function', f.object,
        'is VOLATILE, PostgreSQL''s default, though by its text it only reads: GET cannot make it a part of the query',
        format('ALTER FUNCTION %s STABLE;', f.object)
    FROM functions f JOIN called c ON c.oid = f.oid
    WHERE f.volatility = 'v' AND f.kind = 'f' AND restful.lint_reads_only(f.oid)
$lint_function$;
COMMENT ON FUNCTION restful.lint_function(text[]) IS 'Internal: the lints about functions';

-- Roles, the database and the server.

CREATE FUNCTION restful.lint_safe_minor(major integer) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $lint_safe_minor$
    SELECT v.version
    FROM unnest('{14.23,15.18,16.14,17.10,18.4}'::text[]) v (version)
    WHERE split_part(v.version, '.', 1)::integer = major
$lint_safe_minor$;
COMMENT ON FUNCTION restful.lint_safe_minor(integer) IS
    'Internal: the oldest minor version of a major one without known faults that strangers can use';

CREATE FUNCTION restful.lint_role(schemas text[]) RETURNS TABLE (lint text, object text, detail text, fix_sql text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $lint_role$
    WITH RECURSIVE authenticators AS MATERIALIZED (
        SELECT a.role, a.name FROM restful.lint_authenticators() a
    ), memberships (authenticator, role) AS (
        SELECT a.role, a.role FROM authenticators a
        UNION
        SELECT m.authenticator, g.roleid FROM memberships m JOIN pg_catalog.pg_auth_members g ON g.member = m.role
    ), faults (authenticator, fault, fix) AS (
        SELECT a.role, w.fault, format('ALTER ROLE %I %s;', a.name, w.fix)
        FROM authenticators a
        JOIN pg_catalog.pg_roles r ON r.oid = a.role,
            LATERAL (VALUES
                (r.rolsuper, 'is a superuser', 'NOSUPERUSER'),
                (r.rolbypassrls, 'passes policies (BYPASSRLS)', 'NOBYPASSRLS'),
                (r.rolcreaterole, 'makes roles (CREATEROLE)', 'NOCREATEROLE'),
                (r.rolinherit, 'inherits the rights of the roles it may take (INHERIT)', 'NOINHERIT')
            ) w (is_so, fault, fix)
        WHERE w.is_so
        UNION
        -- From PostgreSQL 16 on, each grant says whether it is inherited.
        SELECT a.role, format('inherits the rights of %I', g.rolname), format('GRANT %I TO %I WITH INHERIT FALSE;', g.rolname, a.name)
        FROM authenticators a
        JOIN pg_catalog.pg_auth_members m ON m.member = a.role
        JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
        WHERE (to_jsonb(m) ->> 'inherit_option')::boolean
        UNION
        SELECT s.authenticator, format('may become %I', g.rolname), format('REVOKE %I FROM %I;', g.rolname, pg_get_userbyid(m.member))
        FROM memberships s
        JOIN pg_catalog.pg_auth_members m ON m.member = s.role
        JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
        WHERE g.rolname = 'restful_admin' OR g.rolsuper
    )

    -- Whoever steals its password has what it has: it must have nothing but the roles of requests.
    SELECT 'authenticator_inherits_or_super', quote_ident(a.name),
        'logs in for requests of strangers, and ' || string_agg(f.fault, ', ' ORDER BY f.fault), string_agg(f.fix, ' ' ORDER BY f.fix)
    FROM authenticators a JOIN faults f ON f.authenticator = a.role
    GROUP BY a.name

    -- pg_db_role_setting is readable by everybody who may connect.
    UNION ALL
    SELECT 'secret_in_role_setting', format('%s of %s', item.name, whose.who),
        'everybody who may connect reads it in pg_db_role_setting: take it away, and the secret out of use',
        format('ALTER %s RESET %s;', whose.target,
            (SELECT string_agg(quote_ident(part), '.' ORDER BY n) FROM regexp_split_to_table(item.name, '\.') WITH ORDINALITY t (part, n)))
    FROM pg_catalog.pg_db_role_setting s
    LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
        unnest(s.setconfig) setting,
        LATERAL (SELECT split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)) item (name, value),
        LATERAL (
            SELECT CASE
                    WHEN s.setrole = 0 AND d.oid IS NOT NULL THEN format('database %I', d.datname)
                    WHEN s.setrole = 0 THEN 'all roles'
                    ELSE concat(quote_ident(pg_get_userbyid(s.setrole)), ' in database ' || quote_ident(d.datname))
                END,
                CASE
                    WHEN s.setrole = 0 AND d.oid IS NOT NULL THEN format('DATABASE %I', d.datname)
                    WHEN s.setrole = 0 THEN 'ROLE ALL'
                    ELSE concat('ROLE ', quote_ident(pg_get_userbyid(s.setrole)), ' IN DATABASE ' || quote_ident(d.datname))
                END
        ) whose (who, target)
    WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND item.value <> ''
      -- settings of extensions and applications; PostgreSQL's own hold no secret
      AND item.name ~* '\.(.*[._])?(.*secret|.*passwo?r?d|.*token|key)s?$' AND item.name !~* 'public_?key'

    -- It makes tables that come before others in every search path, and that outlive the request.
    UNION ALL
    SELECT 'temp_privilege_public', format('database %I', d.datname), 'PUBLIC may make temporary tables, which outlive a request in a pooled session',
        format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC;', d.datname)
    FROM pg_catalog.pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'TEMPORARY'

    -- What is made there is found by the names that others use.
    UNION ALL
    SELECT 'public_schema_create', format('schema %I', n.nspname),
        string_agg(g.name, ', ' ORDER BY g.name) || ' may make functions and tables there, which others take for theirs',
        format('REVOKE CREATE ON SCHEMA %I FROM %s;', n.nspname, string_agg(g.name, ', ' ORDER BY g.name))
    FROM pg_catalog.pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    JOIN restful.lint_grantees() g ON g.role = a.grantee
    WHERE (n.nspname = 'public' OR n.nspname = ANY (schemas)) AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
    GROUP BY n.nspname

    -- A request runs under the limit of its role alone; without one, for as long as it likes.
    UNION ALL
    SELECT 'no_statement_timeout', quote_ident(a.name), 'requests run as this role for as long as they like',
        format('ALTER ROLE %I SET statement_timeout = %L;', a.name, CASE WHEN a.name ~ '(^|_)anon(ymous)?$' THEN '3s' ELSE '8s' END)
    FROM restful.lint_api_roles() a
    WHERE NOT EXISTS (
        SELECT FROM restful.lint_role_settings() s
        WHERE s.role = a.role AND s.name = 'statement_timeout' AND s.value !~ '^\s*0+(\.0*)?\s*\D*$')

    -- The minor versions of May 2026 repair faults that strangers can use.
    UNION ALL
    SELECT 'outdated_minor', 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1),
        format('install %s or later: the versions before have known security faults', restful.lint_safe_minor(v.number / 10000)), NULL
    FROM (SELECT current_setting('server_version_num')::integer) v (number)
    WHERE v.number % 10000 < split_part(restful.lint_safe_minor(v.number / 10000), '.', 2)::integer

    UNION ALL
    SELECT 'outdated_extension', format('extension %I', x.name),
        format('version %s is in use, %s is installed', x.installed_version, x.default_version), format('ALTER EXTENSION %I UPDATE;', x.name)
    FROM pg_catalog.pg_available_extensions x
    WHERE x.installed_version <> x.default_version
$lint_role$;
COMMENT ON FUNCTION restful.lint_role(text[]) IS 'Internal: the lints about roles, the database and the server';

-- The lints, and who is asked which. Each lint is one SELECT in the file of its category, with the reason above it.

CREATE TABLE restful.lint_exception (
    lint text NOT NULL,
    object text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (lint, object)
);
COMMENT ON TABLE restful.lint_exception IS
    'Findings that are meant to be so: lint and object as restful.lint() names them, and the reason';
SELECT pg_catalog.pg_extension_config_dump('restful.lint_exception', '');

CREATE FUNCTION restful.lints() RETURNS TABLE (lint text, level text, category text, title text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 40 SET search_path = pg_catalog, pg_temp AS $lints$
    VALUES
        ('rls_disabled_exposed', 'ERROR', 'exposure', 'a table that strangers reach has row-level security off'),
        ('policy_without_rls', 'ERROR', 'exposure', 'a table has policies, and row-level security is off'),
        ('definer_view_exposed', 'ERROR', 'exposure', 'a view passes the policies of its tables'),
        ('sensitive_columns_exposed', 'ERROR', 'exposure', 'strangers may read credentials of every row'),
        ('policy_uses_user_editable_claim', 'ERROR', 'policies', 'a policy decides by what users write themselves'),
        ('policy_reads_request_guc', 'ERROR', 'policies', 'a policy decides by a setting that any SQL user can change'),
        ('policy_recursive', 'ERROR', 'policies', 'a policy leads back to its own table, which PostgreSQL refuses'),
        ('policy_denied', 'ERROR', 'policies', 'a policy needs what its roles may not use'),
        ('authenticator_inherits_or_super', 'ERROR', 'roles', 'the role of an HTTP layer has rights of its own'),
        ('secret_in_role_setting', 'ERROR', 'roles', 'a secret is in a setting of a role or database'),
        ('truncate_granted', 'ERROR', 'exposure', 'strangers may empty a table'),
        ('extension_objects_granted', 'ERROR', 'exposure', 'strangers have rights on tables of the extension'),
        ('partition_child_exposed', 'ERROR', 'exposure', 'a partition can be read past the policies of its table'),
        ('definer_function_executable', 'WARN', 'functions', 'strangers may call a SECURITY DEFINER function'),
        ('definer_search_path_mutable', 'WARN', 'functions', 'the caller decides what names mean in a SECURITY DEFINER function'),
        ('policy_not_initplan', 'WARN', 'policies', 'a policy calls for each row what is the same for all'),
        ('policy_always_true', 'WARN', 'policies', 'a policy lets every row be written'),
        ('policy_null_subject', 'WARN', 'policies', 'a policy holds when the subject is not known'),
        ('policy_for_public', 'WARN', 'policies', 'a policy applies to every role'),
        ('policy_per_row_rbac', 'WARN', 'policies', 'a policy asks about rights for each row'),
        ('unindexed_policy_column', 'WARN', 'policies', 'no index begins with a column that a policy compares'),
        ('multiple_permissive', 'WARN', 'policies', 'several permissive policies apply to the same command and role'),
        ('rls_not_forced_owner_exposed', 'WARN', 'exposure', 'requests may run as the owner of a table, past its policies'),
        ('matview_exposed', 'WARN', 'exposure', 'strangers may read a materialized view'),
        ('foreign_table_exposed', 'WARN', 'exposure', 'strangers reach a foreign table'),
        ('volatile_get_function', 'WARN', 'functions', 'a function that only reads is VOLATILE'),
        ('function_public_execute', 'WARN', 'functions', 'PUBLIC may call a function'),
        ('temp_privilege_public', 'WARN', 'roles', 'PUBLIC may make temporary tables'),
        ('public_schema_create', 'WARN', 'roles', 'strangers may make objects where others look for theirs'),
        ('no_statement_timeout', 'WARN', 'roles', 'requests of a role may take any time'),
        ('queue_exposed', 'WARN', 'exposure', 'strangers reach a job queue'),
        ('outdated_minor', 'WARN', 'roles', 'the server has known security faults'),
        ('outdated_extension', 'WARN', 'roles', 'an extension is older than what is installed'),
        ('references_granted', 'WARN', 'exposure', 'strangers may make foreign keys to a table'),
        ('unindexed_fk', 'INFO', 'tables', 'a foreign key has no index'),
        ('no_primary_key', 'INFO', 'tables', 'a table has no primary key'),
        ('duplicate_index', 'INFO', 'tables', 'two indexes are the same'),
        ('unused_index', 'INFO', 'tables', 'an index is never read'),
        ('rls_no_policy', 'INFO', 'exposure', 'a table is granted and closed: it has no policy'),
        ('parallel_unsafe_policy_function', 'INFO', 'policies', 'a function keeps queries of a table from running in parallel'),
        ('invalid_index', 'INFO', 'tables', 'an index has not been made to its end')
$lints$;
COMMENT ON FUNCTION restful.lints() IS 'The lints of restful.lint(), with level (ERROR, WARN, INFO) and category';

CREATE FUNCTION restful.lint(schemas text[] DEFAULT NULL, min_level text DEFAULT 'INFO')
    RETURNS TABLE (lint text, level text, category text, object text, detail text, fix_sql text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on SET quote_all_identifiers = off AS $lint$
#variable_conflict use_column
DECLARE
    levels CONSTANT text[] := '{ERROR,WARN,INFO}';
    least integer := array_position(levels, upper(min_level));
    unknown text;
BEGIN
    IF least IS NULL THEN
        RAISE EXCEPTION 'unknown level "%"', min_level
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ERROR, WARN or INFO.';
    END IF;
    -- A name misspelt must not read as "nothing found".
    SELECT s INTO unknown FROM unnest(lint.schemas) s WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = s);
    IF FOUND THEN
        RAISE EXCEPTION 'schema "%" does not exist', unknown USING ERRCODE = 'invalid_schema_name';
    END IF;
    schemas := coalesce(lint.schemas, ARRAY(SELECT restful.lint_schemas()::text));
    RETURN QUERY
    SELECT l.lint, l.level, l.category, f.object,
        CASE WHEN c.runs THEN f.detail || '; its policies read literals with code of a user: its owner should change them' ELSE f.detail END,
        CASE WHEN NOT c.runs THEN f.fix_sql END
    FROM (
        SELECT e.* FROM restful.lint_exposure(lint.schemas) e
        UNION ALL
        SELECT p.* FROM restful.lint_policy(lint.schemas) p
        UNION ALL
        SELECT u.* FROM restful.lint_function(lint.schemas) u
        UNION ALL
        SELECT r.* FROM restful.lint_role(lint.schemas) r
        UNION ALL
        -- all of them are INFO
        SELECT t.* FROM restful.lint_table(lint.schemas) t WHERE least = 3
    ) f
    JOIN restful.lints() l ON l.lint = f.lint
    -- A literal is read with the rights of whoever makes the policy: nobody is to be given one whose type is a user's code, as an
    -- array of a domain is. Types of other schemas than pg_catalog are printed with theirs.
    CROSS JOIN LATERAL (
        SELECT f.fix_sql ~ ' POLICY ' AND f.fix_sql ~ '''::' AND EXISTS (
            SELECT FROM regexp_matches(f.fix_sql, '''::((?:"(?:[^"]|"")*"|[\w$]+)\.(?:"(?:[^"]|"")*"|[\w$]+))', 'g') m
            WHERE NOT EXISTS (
                SELECT FROM pg_catalog.pg_type t
                JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                WHERE format('%I.%I', n.nspname, t.typname) = m[1] AND t.typtype IN ('b', 'e') AND t.typelem = 0))
    ) w (runs)
    CROSS JOIN LATERAL (SELECT coalesce(w.runs, false)) c (runs)
    WHERE array_position(levels, l.level) <= least
      AND NOT EXISTS (SELECT FROM restful.lint_exception x WHERE x.lint = f.lint AND x.object = f.object)
    ORDER BY array_position(levels, l.level), l.lint, f.object;
END
$lint$;
COMMENT ON FUNCTION restful.lint(text[], text) IS
    'What is dangerous, slow or left over in the exposed schemas and roles, with the SQL that repairs it; schemas: null for restful.schemas; min_level: ERROR, WARN or INFO';

-- pg_restore loads the rows of these tables in any order, with --jobs several tables at once, after CREATE EXTENSION has made their
-- foreign keys: a key that checks new rows loses them. So between tables that are dumped, foreign keys say what becomes of rows whose
-- referenced row goes, and check none. The functions that write such rows lock the referenced row FOR KEY SHARE, as a check would.
DO $references$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::pg_catalog.regclass, t.tgname)
        FROM pg_catalog.pg_extension x
        JOIN pg_catalog.pg_constraint c ON c.conrelid OPERATOR(pg_catalog.=) ANY (x.extconfig)
            AND c.confrelid OPERATOR(pg_catalog.=) ANY (x.extconfig)
        JOIN pg_catalog.pg_trigger t ON t.tgconstraint OPERATOR(pg_catalog.=) c.oid
        WHERE x.extname OPERATOR(pg_catalog.=) 'pg_restful' AND c.contype OPERATOR(pg_catalog.=) 'f'
          AND t.tgfoid OPERATOR(pg_catalog.=) ANY (ARRAY['"RI_FKey_check_ins"'::pg_catalog.regproc, '"RI_FKey_check_upd"'::pg_catalog.regproc])
    LOOP
        EXECUTE statement;
    END LOOP;
END
$references$;

-- Decided one by one; last, when all functions exist. What runs with the caller's rights alone is everybody's.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA restful FROM PUBLIC;
-- What ALTER DEFAULT PRIVILEGES has given to roles, or to PUBLIC, was meant for other objects than these.
DO $revoke$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.format('REVOKE ALL ON %s FROM %s CASCADE', o.name,
            CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
        FROM (
            SELECT pg_catalog.format('SCHEMA %I', n.nspname), n.nspowner, n.nspacl
            FROM pg_catalog.pg_namespace n
            WHERE n.nspname OPERATOR(pg_catalog.=) 'restful'
            UNION ALL
            SELECT pg_catalog.format('TABLE restful.%I', c.relname), c.relowner, c.relacl
            FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) 'restful'::pg_catalog.regnamespace
            UNION ALL
            SELECT pg_catalog.format('ROUTINE restful.%I(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), p.proowner, p.proacl
            FROM pg_catalog.pg_proc p
            WHERE p.pronamespace OPERATOR(pg_catalog.=) 'restful'::pg_catalog.regnamespace
        ) o (name, owner, acl), pg_catalog.aclexplode(o.acl) a
        WHERE a.grantee OPERATOR(pg_catalog.<>) o.owner
        GROUP BY 1
    LOOP
        EXECUTE statement;
    END LOOP;
END
$revoke$;
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
    -- reads PostgreSQL's catalogue alone, which everybody may
    restful.access_matrix(text[], text[]),
    -- part of the statements of writes, which run as the request's role
    restful.record_source(bytea, text[], integer, integer[], integer[]),
    restful.count_row(boolean),
    restful.count_update()
TO PUBLIC;
-- settings of the session, or a text that the caller has
GRANT EXECUTE ON FUNCTION
    restful.exposed_schemas(text),
    restful.setting_names(text)
TO PUBLIC;
-- the identity of whoever asks
GRANT EXECUTE ON FUNCTION
    restful.uid(),
    restful.user_id(),
    restful.role(),
    restful.email(),
    restful.jwt(),
    restful.claims(),
    restful.claim(text),
    restful.tenant_id(),
    restful.scopes(),
    restful.has_scope(text),
    restful.aal(),
    restful.method(),
    restful.is_authenticated(),
    -- what it makes is the caller's, by PostgreSQL's rules
    restful.install_auth_api(name)
TO PUBLIC;
-- These answer about the subject of the request alone.
GRANT EXECUTE ON FUNCTION
    restful.has_role(text, text),
    restful.has_any_role(text[], text),
    restful.has_permission(text, text),
    restful.authorize(text),
    restful.permissions(text),
    restful.tenants_with(text),
    restful.tenant_uuids_with(text),
    restful.require(text, text)
TO PUBLIC;
-- What these grant is what the subject's roles can grant; without a request, who calls has to have the right to restful.set_grant.
GRANT EXECUTE ON FUNCTION
    restful.grant_role(text, text, text, timestamptz),
    restful.revoke_role(text, text, text),
    restful.change_grant(boolean, text, text, text, timestamptz),
    restful.set_grant_as_subject(boolean, text, text, text, timestamptz)
TO PUBLIC;
-- with the caller's rights alone
GRANT EXECUTE ON FUNCTION
    restful.setup_roles(name, name, name, name, name, name, name, name, boolean),
    restful.administration()
TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    restful.jsonschema_in(cstring),
    restful.jsonschema_out(restful.jsonschema),
    restful.jsonschema_recv(internal),
    restful.jsonschema_send(restful.jsonschema),
    restful.jsonschema_from_json(json),
    restful.jsonschema_from_jsonb(jsonb),
    restful.json_matches_schema(json, json),
    restful.jsonb_matches_schema(json, jsonb),
    restful.jsonschema_is_valid(json),
    restful.jsonschema_validation_errors(json, json),
    restful.json_matches_compiled_schema(restful.jsonschema, json),
    restful.jsonb_matches_compiled_schema(restful.jsonschema, jsonb),
    restful.json_validation_errors_compiled(restful.jsonschema, json),
    restful.jsonb_validation_errors_compiled(restful.jsonschema, jsonb),
    restful.is_valid(jsonb, jsonb, boolean),
    restful.validate(jsonb, jsonb, boolean, boolean),
    restful.schema_changes(jsonb, jsonb),
    -- what they change is the caller's, by PostgreSQL's rules; who makes a trigger has to be allowed its function
    restful.constrain(regclass, name, text, text, text),
    restful.unconstrain(regclass, name),
    restful.enforce_schema(),
    restful.bound_schemas(regclass),
    restful.validation_report(regclass, name, text),
    restful.validation_query(regclass, name, text, boolean),
    restful.read_schema(text),
    restful.tables_of(regclass)
TO PUBLIC;
-- These run with the caller's rights on restful.json_schema, which are granted like those on any table.
GRANT EXECUTE ON FUNCTION
    restful.register_schema(text, jsonb, text),
    restful.get_schema(text, integer),
    restful.list_schemas(),
    restful.drop_schema(text, integer)
TO PUBLIC;
-- Their statements are the caller's, by PostgreSQL's rules; policies and grants are for a table's owner to make. The default of a
-- preset column is computed by whoever inserts.
GRANT EXECUTE ON FUNCTION
    restful.parse_expression(regclass, text, smallint),
    restful.policy_table(regclass),
    restful.policy_roles(text[]),
    restful.policy_commands(text[]),
    restful.policy_column(regclass, name),
    restful.policy_cast(text, text),
    restful.policy_index(regclass, name, boolean),
    restful.make_policies(regclass, text, name, text[], text[], text[], text, boolean, name, boolean, boolean),
    restful.make_policies_of_tree(regclass, text, name, text[], text[], pg_node_tree, boolean),
    restful.enable_rls(regclass, boolean, boolean),
    restful.policy_owner(regclass, name, text[], text[], boolean, name, boolean),
    restful.policy_tenant(regclass, name, text, text, text[], boolean, name, boolean),
    restful.policy_permission(regclass, text, text, text[], boolean, name),
    restful.policy_public_read(regclass, text[], text, boolean, name),
    restful.policy_restrict(regclass, text, text, text[], boolean),
    restful.drop_policies(regclass, name, boolean),
    restful.preset(anyelement),
    restful.preset_columns(regclass),
    restful.writable_columns(regclass, name[]),
    restful.granted_columns(regclass, oid, text),
    restful.column_list(name[]),
    restful.make_grants(regclass, text[], text[], name[], boolean),
    restful.expose(regclass, text[], text[], name[], boolean, boolean),
    restful.unexpose(regclass, text[], boolean),
    restful.make_preset(regclass, name, pg_node_tree, boolean),
    restful.column_preset(regclass, name, text, boolean),
    restful.drop_preset(regclass, name, boolean)
TO PUBLIC;
-- Lints read the catalogue, which everybody may read, and the exceptions.
GRANT EXECUTE ON FUNCTION
    restful.lint(text[],text),
    restful.lint_alter_policy(text,text,text),
    restful.lint_api_roles(),
    restful.lint_authenticators(),
    restful.lint_by_set(text,oid),
    restful.lint_calls_with(text,text[],text),
    restful.lint_columns(oid,smallint[]),
    restful.lint_command("char"),
    restful.lint_exposure(text[]),
    restful.lint_function(text[]),
    restful.lint_grantees(),
    restful.lint_grants(text[]),
    restful.lint_groups(text),
    restful.lint_has_sub_select(oid),
    restful.lint_holds_for_nobody(text,text[]),
    restful.lint_is_always_true(text,text[]),
    restful.lint_is_indexable(oid),
    restful.lint_is_read(oid,oid,"char"),
    restful.lint_is_sensitive(name),
    restful.lint_is_under_policies(oid,oid),
    restful.lint_known_subject(text,text[]),
    restful.lint_masked(text),
    restful.lint_merged_policies(oid),
    restful.lint_names(text),
    restful.lint_new_key(oid),
    restful.lint_of_subjects(text,text[]),
    restful.lint_policies(text[]),
    restful.lint_policy(text[]),
    restful.lint_policy_name(oid,name,text),
    restful.lint_policy_roles(oid[]),
    restful.lint_reads_only(oid),
    restful.lint_recursion(oid[]),
    restful.lint_relations(text[]),
    restful.lint_role(text[]),
    restful.lint_role_list(oid[]),
    restful.lint_role_settings(),
    restful.lint_safe_minor(integer),
    restful.lint_schemas(),
    restful.lint_serves(oid,smallint[]),
    restful.lint_table(text[]),
    restful.lint_trusted_metadata(text),
    restful.lint_verified_claims(text),
    restful.lint_wrapped(text,text[],text),
    restful.lints()
TO PUBLIC;
GRANT SELECT ON restful.lint_exception TO PUBLIC;

