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
COMMENT ON COLUMN restful.oauth_client.confidential IS 'Whether it can keep a secret; a browser or an app on a phone cannot';

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
COMMENT ON TABLE restful.oauth_code IS 'Authorization codes that have not been exchanged yet';

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
COMMENT ON TABLE restful.oauth_grant IS 'What clients got in exchange for codes: a row lasts as long as its newest refresh token is valid, and is deleted when it is revoked';
COMMENT ON COLUMN restful.oauth_grant.code_hash IS 'The code that it was issued for: presenting that code again revokes the grant';
COMMENT ON COLUMN restful.oauth_grant.family_hash IS 'What all its refresh tokens share';
COMMENT ON COLUMN restful.oauth_grant.token_hash IS 'What belongs to its newest refresh token alone';

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
    -- Otherwise the caller's session would decide what backslashes in the patterns below mean.
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
        RAISE EXCEPTION 'a client needs a name, a role, and lists without nulls' USING ERRCODE = '22004';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role AND NOT r.rolsuper AND NOT starts_with(r.rolname::text, 'pg_')) THEN
        RAISE EXCEPTION 'role "%" cannot be the role of a client', role
            USING ERRCODE = '42704', HINT = 'The role has to exist, and be neither a superuser nor one of PostgreSQL''s own.';
    END IF;
    SELECT g INTO wrong FROM unnest(grant_types) g WHERE g NOT IN ('authorization_code', 'client_credentials', 'refresh_token') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'unknown grant type "%"', wrong
            USING ERRCODE = '22023', HINT = 'Use authorization_code, client_credentials or refresh_token.';
    END IF;
    IF NOT confidential AND 'client_credentials' = ANY (grant_types) THEN
        RAISE EXCEPTION 'a client without a secret cannot have the grant type client_credentials'
            USING ERRCODE = '22023', HINT = 'Make the client confidential, or use authorization_code.';
    END IF;
    IF ('authorization_code' = ANY (grant_types)) <> (cardinality(redirect_uris) > 0) THEN
        RAISE EXCEPTION 'a client needs redirect URIs if, and only if, it has the grant type authorization_code' USING ERRCODE = '22023';
    END IF;
    -- https; http to the machine itself; a scheme of an app's own, which is a domain turned around (RFC 8252, section 7)
    SELECT u INTO wrong FROM unnest(redirect_uris) u
    WHERE octet_length(u) > 2000 OR u !~ '^[!-~]+$' OR u ~ '[#"<>\\^`{|}]'
       OR u !~ '^(https://[^/?@]+([/?].*)?|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?([/?].*)?|[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/.*)$'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not a valid redirect URI', wrong
            USING ERRCODE = '22023', HINT = 'A redirect URI uses https, http to localhost, or a scheme like com.example.app, and has no fragment.';
    END IF;
    -- RFC 6749, section 3.3
    SELECT s INTO wrong FROM unnest(scopes) s WHERE octet_length(s) > 255 OR s !~ '^[!#-[\]-~]+$' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not a valid scope', wrong USING ERRCODE = '22023';
    END IF;
    -- Access tokens hold them, and longer tokens are refused.
    IF octet_length(array_to_string(scopes, ' ')) > 4000 THEN
        RAISE EXCEPTION 'the scopes of a client must not exceed 4000 bytes' USING ERRCODE = '54000';
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
'Registers a client of the OAuth endpoints, whose tokens have this role; its secret is shown only this once, and is null for a client that cannot keep one';

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
        RAISE EXCEPTION 'client "%" does not exist or has no secret', client_id USING ERRCODE = '42704';
    END IF;
    RETURN secret;
END
$function$;
COMMENT ON FUNCTION restful.rotate_client_secret(text) IS
'Replaces the secret of a client immediately; the new one is shown only this once. Its tokens stay valid';

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
'Drops a client with its codes and refresh tokens; its access tokens stay valid until they expire. Returns whether there was one';

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
'Signs a subject out of one client or of all: its codes and refresh tokens are revoked, access tokens stay valid until they expire. Returns how many grants there were';

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
        RAISE EXCEPTION 'the OAuth endpoints are not enabled' USING ERRCODE = '55000', HINT = 'Set restful.oauth_issuer.';
    END IF;
    subject := coalesce(subject, asks);
    IF coalesce(subject, '') = '' OR octet_length(subject) > 255 THEN
        RAISE EXCEPTION 'nobody has signed in: a code needs a subject of at most 255 bytes' USING ERRCODE = '28000';
    END IF;
    IF restful.is_authenticated() AND subject IS DISTINCT FROM asks THEN
        RAISE EXCEPTION 'a request can only create codes for its own subject' USING ERRCODE = '42501';
    END IF;
    -- Else what was granted to one client would be the way to more scopes, to other clients, and past its end.
    IF restful.method() = 'api_key' OR (restful.claim('iss') = issuer AND restful.claim('client_id') IS NOT NULL) THEN
        RAISE EXCEPTION 'a client cannot create codes, only a user can'
            USING ERRCODE = '42501', HINT = 'The page has to call this with the credentials of the user, not with a client''s token or an API key.';
    END IF;
    SELECT c.* INTO client FROM restful.oauth_client c
    WHERE c.client_id = client_id AND 'authorization_code' = ANY (c.grant_types);
    -- Nobody may be sent to an address that is not the client's (RFC 6749, section 4.1.2.1).
    IF NOT FOUND OR redirect_uri IS NULL
        OR NOT EXISTS (SELECT FROM unnest(client.redirect_uris) u WHERE regexp_replace(u, port, '\1') = regexp_replace(redirect_uri, port, '\1'))
    THEN
        RAISE EXCEPTION 'the client is unknown, or the redirect URI is not one of its own'
            USING ERRCODE = '22023', HINT = 'Show this to the user, and do not redirect. A redirect URI has to match exactly, except for the port of localhost.';
    END IF;
    IF code_challenge_method IS DISTINCT FROM 'S256' OR code_challenge IS NULL OR code_challenge !~ '^[A-Za-z0-9_-]{43}$' THEN
        RAISE EXCEPTION 'the code challenge has to use the method S256'
            USING ERRCODE = '22023', HINT = 'Pass on what the client sent, code_challenge_method too: 43 characters of base64url, and S256.';
    END IF;
    IF scope IS NULL THEN
        granted := client.scopes;
    ELSE
        granted := ARRAY(SELECT s FROM unnest(string_to_array(scope, ' ')) WITH ORDINALITY t (s, place) WHERE s <> '' GROUP BY s ORDER BY min(place));
        IF NOT granted <@ client.scopes THEN
            RAISE EXCEPTION 'the client does not have one of the scopes'
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
'For the page where users sign in: a code that the client can exchange for tokens of the subject, once and within 60 seconds, and where to redirect the user with it. The subject is that of the request; outside a request it has to be passed. code_challenge_method must be S256';
