-- API keys. Only the SHA-256 of a key is stored; only their owner reads the tables.
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
COMMENT ON TABLE restful.api_key IS 'API keys, created by restful.create_api_key. pg_dump leaves its rows out unless restful.dump_secrets is on in its session';
COMMENT ON COLUMN restful.api_key.id IS 'The public part of the key, by which it is found';
COMMENT ON COLUMN restful.api_key.hash IS 'The SHA-256 of the key';
COMMENT ON COLUMN restful.api_key.claims IS 'Claims other than sub, role, scope and key_id';
COMMENT ON COLUMN restful.api_key.created_by IS 'The subject who made it; null for an administrator';
COMMENT ON COLUMN restful.api_key.created_as IS 'The login role of the session that made it';
COMMENT ON COLUMN restful.api_key.lifetime IS 'How long it was meant to be valid when it was created';
COMMENT ON COLUMN restful.api_key.replaces IS 'The key that restful.rotate_api_key replaced with this one';

-- A separate table, because every change of restful.api_key makes all sessions look keys up again.
CREATE TABLE restful.api_key_use (
    id text PRIMARY KEY REFERENCES restful.api_key ON DELETE CASCADE,
    last_used timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE restful.api_key_use IS 'When API keys were last used; only requests that may write record it';

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
        RAISE EXCEPTION 'a key needs a role' USING ERRCODE = '22004';
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
        RAISE EXCEPTION 'the key would already have expired' USING ERRCODE = '22023';
    END IF;
    claims := coalesce(claims, '{}');
    IF jsonb_typeof(claims) <> 'object' OR octet_length(claims::text) > 8192 THEN
        RAISE EXCEPTION 'claims must be a JSON object of at most 8 KiB' USING ERRCODE = '22023';
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
        RAISE EXCEPTION 'the claim "%" has the wrong type', wrong
            USING ERRCODE = '22023', HINT = 'RFC 7519, section 4.1, fixes the types of iss, aud, exp, nbf, iat and jti.';
    END IF;
    IF environment IS NULL OR environment !~ '^[a-z0-9]{1,16}$' THEN
        RAISE EXCEPTION 'an environment has 1 to 16 lower-case letters and digits' USING ERRCODE = '22023';
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
'Creates an API key that acts for a subject in a role. The key is shown only this once: only its hash is stored';

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
        RAISE EXCEPTION 'the API key is no longer valid'
            USING ERRCODE = '55000', HINT = 'Create a new one with restful.create_api_key().';
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
'Creates another key for the same purpose, shown only this once; the old one stays valid for the overlap, but never longer than before';

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
'Revokes an API key: it is refused from the next statement on. Returns whether there was one that was not revoked yet';

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
'All API keys, without their hashes; last_used is accurate to the minute and is only recorded by requests that may write';
