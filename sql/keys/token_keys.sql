-- Issuers of tokens and their keys. Only their owner reads the tables; everyone else goes through the functions.
CREATE TABLE restful.token_issuer (
    issuer text PRIMARY KEY,
    audiences text[] NOT NULL DEFAULT '{}',
    role_path text NOT NULL DEFAULT '$.role',
    CONSTRAINT issuer_is_short CHECK (octet_length(issuer) <= 2000)
);
COMMENT ON TABLE restful.token_issuer IS 'Issuers of tokens: the claim iss ('''': any), the audiences of their tokens ({}: any), the path to the role';

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
COMMENT ON TABLE restful.secret_key IS 'HMAC secrets, and private keys that tokens are signed with. pg_dump leaves its rows out unless restful.dump_secrets is on in its session';

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
COMMENT ON FUNCTION restful.keys_changed() IS 'Internal: makes every session discard the keys that it knows, and the tokens it has verified with them';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the tables, no other trigger fires.
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
'Replaces the public keys of an issuer with those of a JSON Web Key Set, and returns how many there are; null keeps audiences and role_path as they are, initially any and $.role';

CREATE FUNCTION restful.load_secret(secret text, kid text DEFAULT NULL, issuer text DEFAULT '', algorithm text DEFAULT 'HS256',
    audiences text[] DEFAULT NULL, role_path text DEFAULT NULL, is_base64 boolean DEFAULT false) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_load_secret';
COMMENT ON FUNCTION restful.load_secret(text, text, text, text, text[], text, boolean) IS
'Adds an HMAC secret and returns its kid. Pass the secret as a parameter of a prepared statement, or it may appear in the server''s log';

CREATE FUNCTION restful.create_signing_key(algorithm text DEFAULT 'ES256', kid text DEFAULT NULL, issuer text DEFAULT '',
    audiences text[] DEFAULT NULL, role_path text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_create_signing_key';
COMMENT ON FUNCTION restful.create_signing_key(text, text, text, text[], text) IS
'Creates a key that jwt_sign signs with from now on, and returns its kid; the private key never leaves the database';

CREATE FUNCTION restful.revoke_key(kid text, issuer text DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_revoke_key';
COMMENT ON FUNCTION restful.revoke_key(text, text) IS
'Drops a key, of one issuer or of all: tokens that it signed are refused from the next statement on. Returns whether there was one';

CREATE FUNCTION restful.jwt_sign(claims jsonb, ttl interval DEFAULT '15 minutes', kid text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_jwt_sign';
COMMENT ON FUNCTION restful.jwt_sign(jsonb, interval, text) IS
'A signed token with these claims, and with iat, exp, and the key''s iss and aud; signed with the newest key or the one named';

CREATE FUNCTION restful.jwt_verify(token text) RETURNS jsonb
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_jwt_verify';
COMMENT ON FUNCTION restful.jwt_verify(text) IS 'The claims of a token, verified like those of requests; raises 28000 if the token is not valid';

CREATE FUNCTION restful.jwt_check(token text, OUT valid boolean, OUT reason text, OUT claims jsonb)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_jwt_check';
COMMENT ON FUNCTION restful.jwt_check(text) IS 'Whether a token is valid, the reason if it is not, and its claims if the signature is valid';

CREATE FUNCTION restful.jwks() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'restful_jwks';
COMMENT ON FUNCTION restful.jwks() IS 'The public keys of the keys that jwt_sign signs with, as a JSON Web Key Set';
