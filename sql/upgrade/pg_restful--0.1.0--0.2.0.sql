-- Makes of a database that was made with 0.1.0 what CREATE EXTENSION makes of 0.2.0; pg_test/e2e/an_old_database_is_upgraded.py compares.
-- What users have granted stays: CREATE OR REPLACE keeps grants and comments.

-- request/requests.sql
CREATE FUNCTION restful.query(target text, body jsonb DEFAULT '{}', headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.request('QUERY', $1, $2, $3) $$;
COMMENT ON FUNCTION restful.query(text, jsonb, jsonb) IS 'Answers a QUERY request: a GET whose parameters are in the body.';

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

CREATE FUNCTION restful.batch(requests jsonb, headers jsonb DEFAULT '{}') RETURNS restful.response
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_batch';
COMMENT ON FUNCTION restful.batch(jsonb, jsonb) IS
'Answers a batch of requests in one transaction, all or nothing, as POST /batch does: an array of objects with method, target and optionally id, headers, key, where, body or base64.';

-- request/record_source.sql
COMMENT ON FUNCTION restful.record_source(bytea, text[], integer, integer[], integer[]) IS
'Internal: rows of a JSON array of objects, or of one object. Column i of the column definition list takes key keys[i]; after these, boolean column j says whether the object has the key of column presence[j]. mode bit 1: all objects must have exactly these keys; otherwise other keys are ignored and missing ones are NULL. Mode bit 2: the strings are texts, which columns of type json and jsonb and of domains over them read as JSON; columns lenient[j] take text that is not JSON as a JSON string. Mode bit 8: each line of the body is an element. Mode bit 16: the elements are values of column 1, and not objects. mode / 256: how many columns, from the first, every object must have.';

CREATE FUNCTION restful.patched(patch bytea, is_merge boolean, document json) RETURNS bytea
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_patched';
COMMENT ON FUNCTION restful.patched(bytea, boolean, json) IS
'Internal: a document after a patch, as JSON: a JSON Merge Patch if is_merge, otherwise a JSON Patch. Part of the statements that patch rows.';

-- request/import_postgrest.sql
CREATE FUNCTION restful.read_postgrest(config text) RETURNS json
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'restful_read_postgrest';
COMMENT ON FUNCTION restful.read_postgrest(text) IS
'Internal: what a configuration of PostgREST means here: the login role, and a row for each setting. Part of restful.import_postgrest.';

CREATE FUNCTION restful.import_postgrest(config text, role name DEFAULT NULL)
    RETURNS TABLE (line integer, setting text, value text, statement text, gateway text, note text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT found.line, found.setting, found.value,
        CASE
            WHEN found.parameter IS NOT NULL THEN
                format('ALTER ROLE %I SET %s = %L', coalesce(role, configuration->>'role', 'authenticator'),
                    (SELECT string_agg(quote_ident(part), '.' ORDER BY place)
                     FROM regexp_split_to_table(found.parameter->>0, '[.]') WITH ORDINALITY AS parts (part, place)),
                    found.parameter->>1)
            WHEN found.call IS NOT NULL THEN
                format('SELECT restful.%I(%s)', found.call->>0, (
                    SELECT string_agg(format('%I => %L', argument.key, CASE json_typeof(argument.value)
                        WHEN 'array' THEN (SELECT array_agg(item)::text FROM json_array_elements_text(argument.value) AS item)
                        ELSE argument.value #>> '{}' END), ', ')
                    FROM json_each(found.call->1) AS argument))
        END,
        found.gateway, found.note
    FROM restful.read_postgrest(config) AS configuration,
        ROWS FROM (json_to_recordset(configuration->'rows')
            AS (line integer, setting text, value text, parameter json, call json, gateway text, note text)) WITH ORDINALITY
            AS found (line, setting, value, parameter, call, gateway, note, place)
    ORDER BY found.place
$function$;
COMMENT ON FUNCTION restful.import_postgrest(text, name) IS
'What the text of a configuration file of PostgREST, or of its environment variables, means here: for each setting a statement to run, a variable of the gateway, or a note. It runs nothing. role: the login role of the HTTP layer, if it is not that of db-uri';

-- request/requests.sql
CREATE FUNCTION restful.count_element(number bigint) RETURNS bigint
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_count_element';
COMMENT ON FUNCTION restful.count_element(bigint) IS
'Internal: its argument; notes that the element of the body with this number, from 1, has named a row that the statement changes. Part of the statements of writes whose body names the rows.';

-- request/embedded.sql
CREATE FUNCTION restful.embedded_object(names text, VARIADIC "values" "any") RETURNS json
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_object';
COMMENT ON FUNCTION restful.embedded_object(text, VARIADIC "any") IS
'Internal: a JSON object of values with their names; names: a JSON array of strings. Part of the statements that embed relations.';

CREATE FUNCTION restful.embedded_object("row" record) RETURNS json
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_record';
COMMENT ON FUNCTION restful.embedded_object(record) IS
'Internal: a row as a JSON object. Part of the statements that embed relations.';

CREATE FUNCTION restful.embedded_objects_add(state internal, names text, VARIADIC "values" "any") RETURNS internal
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_objects_add';
COMMENT ON FUNCTION restful.embedded_objects_add(internal, text, VARIADIC "any") IS
'Internal: the transition function of restful.embedded_objects.';

CREATE FUNCTION restful.embedded_values_add(state internal, value anyelement) RETURNS internal
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_values_add';
COMMENT ON FUNCTION restful.embedded_values_add(internal, anyelement) IS
'Internal: the transition function of restful.embedded_values.';

CREATE FUNCTION restful.embedded_array(state internal) RETURNS json
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'restful_embedded_array';
COMMENT ON FUNCTION restful.embedded_array(internal) IS
'Internal: the final function of restful.embedded_objects and restful.embedded_values.';

-- The final function hands out the state itself, so the state can be neither shared nor used in a window.
CREATE AGGREGATE restful.embedded_objects(names text, VARIADIC "values" "any") (
    SFUNC = restful.embedded_objects_add,
    STYPE = internal,
    FINALFUNC = restful.embedded_array,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE restful.embedded_objects(text, VARIADIC "any") IS
'Internal: a JSON array of objects, one for each row; names: a JSON array of strings, or {"all": that array} if every list is part of the response. Part of the statements that embed relations.';

CREATE AGGREGATE restful.embedded_values(value anyelement) (
    SFUNC = restful.embedded_values_add,
    STYPE = internal,
    FINALFUNC = restful.embedded_array,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE restful.embedded_values(anyelement) IS
'Internal: a JSON array of values, one for each row. Part of the statements that embed relations.';

-- request/resource.sql
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

-- identity/readers.sql
COMMENT ON FUNCTION restful.email() IS
'The claim "email" of the request.';

COMMENT ON FUNCTION restful.install_auth_api(name) IS
'Makes auth.uid(), user_id(), role(), email(), jwt() and session(), for policies written for Supabase or Neon; leaves existing functions alone, and returns what it created';

COMMENT ON FUNCTION restful.uid() IS
    'The subject of the request''s verified claims (sub), if it is a UUID; null otherwise.';

COMMENT ON FUNCTION restful.user_id() IS
    'The subject of the request''s verified claims (sub); null if there is none.';

COMMENT ON FUNCTION restful.role() IS
    'The role that runs the request, even within a SECURITY DEFINER function; outside a request, the current role.';

COMMENT ON FUNCTION restful.claims() IS
    'The verified claims of the request; null if there are none.';

COMMENT ON FUNCTION restful.aal() IS
    'The claim aal: the authenticator assurance level.';

COMMENT ON FUNCTION restful.is_authenticated() IS
    'Whether the request''s subject proved its identity: by token, by API key, or to PostgREST.';

COMMENT ON FUNCTION restful.has_scope(text) IS
    'Whether the request has a scope; false if the claims name no scopes.';

-- identity/act_as.sql
COMMENT ON FUNCTION restful.act_as(name, jsonb) IS
'For tests: until the end of the transaction, takes a role as SET LOCAL ROLE does, and treats these claims as verified';

-- keys/token_keys.sql
COMMENT ON TABLE restful.token_issuer IS 'Issuers of tokens: the claim iss ('''': any), the audiences of their tokens ({}: any), the path to the role';

COMMENT ON FUNCTION restful.keys_changed() IS 'Internal: makes every session discard the keys that it knows, and the tokens it has verified with them';

COMMENT ON FUNCTION restful.load_jwks(text, jsonb, text[], text) IS
'Replaces the public keys of an issuer with those of a JSON Web Key Set, and returns how many there are; null keeps audiences and role_path as they are, initially any and $.role';

COMMENT ON FUNCTION restful.load_secret(text, text, text, text, text[], text, boolean) IS
'Adds an HMAC secret and returns its kid. Pass the secret as a parameter of a prepared statement, or it may appear in the server''s log';

COMMENT ON FUNCTION restful.create_signing_key(text, text, text, text[], text) IS
'Creates a key that jwt_sign signs with from now on, and returns its kid; the private key never leaves the database';

COMMENT ON FUNCTION restful.revoke_key(text, text) IS
'Drops a key, of one issuer or of all: tokens that it signed are refused from the next statement on. Returns whether there was one';

COMMENT ON FUNCTION restful.jwks() IS 'The public keys of the keys that jwt_sign signs with, as a JSON Web Key Set';

COMMENT ON TABLE restful.secret_key IS 'HMAC secrets, and private keys that tokens are signed with. pg_dump leaves its rows out unless restful.dump_secrets is on in its session';

COMMENT ON FUNCTION restful.jwt_sign(jsonb, interval, text) IS
    'A signed token with these claims, and with iat, exp, and the key''s iss and aud; signed with the newest key or the one named';

COMMENT ON FUNCTION restful.jwt_verify(text) IS
    'The claims of a token, verified like those of requests; raises 28000 if the token is not valid';

COMMENT ON FUNCTION restful.jwt_check(text) IS
    'Whether a token is valid, the reason if it is not, and its claims if the signature is valid';

-- keys/api_keys.sql
COMMENT ON TABLE restful.api_key IS 'API keys, created by restful.create_api_key. pg_dump leaves its rows out unless restful.dump_secrets is on in its session';

COMMENT ON COLUMN restful.api_key.claims IS 'Claims other than sub, role, scope and key_id';

COMMENT ON COLUMN restful.api_key.lifetime IS 'How long it was meant to be valid when it was created';

COMMENT ON COLUMN restful.api_key.replaces IS 'The key that restful.rotate_api_key replaced with this one';

COMMENT ON TABLE restful.api_key_use IS 'When API keys were last used; only requests that may write record it';

CREATE OR REPLACE FUNCTION restful.create_api_key(subject text, role name, scopes text[] DEFAULT '{}', expires_at timestamptz DEFAULT NULL,
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

CREATE OR REPLACE FUNCTION restful.rotate_api_key(INOUT id text, overlap interval DEFAULT '1 day', OUT key text)
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

COMMENT ON FUNCTION restful.revoke_api_key(text) IS
'Revokes an API key: it is refused from the next statement on. Returns whether there was one that was not revoked yet';

COMMENT ON FUNCTION restful.list_api_keys() IS
'All API keys, without their hashes; last_used is accurate to the minute and is only recorded by requests that may write';

-- keys/cursor_secret.sql
-- The secret that cursors are signed with. Not dumped: a restored database has one of its own, and clients start their pages again.
CREATE TABLE restful.cursor_secret (
    is_only boolean PRIMARY KEY DEFAULT true,
    secret bytea NOT NULL,
    CONSTRAINT only_one CHECK (is_only),
    CONSTRAINT secret_is_long CHECK (pg_catalog.octet_length(secret) >= 32)
);
COMMENT ON TABLE restful.cursor_secret IS 'The secret that cursors are signed with; an UPDATE makes all cursors invalid. pg_dump leaves it out';
ALTER TABLE restful.cursor_secret ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.cursor_secret FROM PUBLIC;
-- each UUID has 122 random bits
INSERT INTO restful.cursor_secret (secret)
SELECT pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) OPERATOR(pg_catalog.||) pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));

CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE ON restful.cursor_secret
    FOR EACH ROW EXECUTE FUNCTION restful.keys_changed();
CREATE TRIGGER keys_truncated AFTER TRUNCATE ON restful.cursor_secret
    FOR EACH STATEMENT EXECUTE FUNCTION restful.keys_changed();
ALTER TABLE restful.cursor_secret ENABLE ALWAYS TRIGGER keys_changed, ENABLE ALWAYS TRIGGER keys_truncated;

-- json_schema/validation.sql
COMMENT ON TYPE restful.jsonschema IS 'A JSON Schema, checked on input';

COMMENT ON FUNCTION restful.jsonschema_validation_errors(json, json) IS
    'The violations of a JSON Schema by a json value, in messages that show values; restful.validate also tells where';

COMMENT ON FUNCTION restful.json_validation_errors_compiled(restful.jsonschema, json) IS
    'The violations of a JSON Schema by a json value, in messages that show values; restful.validate also tells where';

COMMENT ON FUNCTION restful.jsonb_validation_errors_compiled(restful.jsonschema, jsonb) IS
    'The violations of a JSON Schema by a jsonb value, in messages that show values; restful.validate also tells where';

COMMENT ON FUNCTION restful.validate(jsonb, jsonb, boolean, boolean) IS
    'The violations of a JSON Schema by a value, one per row; masked: messages do not show values';

COMMENT ON FUNCTION restful.jsonschema_in(cstring) IS
    'Internal: input of type jsonschema; checks the JSON Schema';

COMMENT ON FUNCTION restful.jsonschema_out(restful.jsonschema) IS
    'Internal: output of type jsonschema; canonical JSON';

COMMENT ON FUNCTION restful.jsonschema_recv(internal) IS
    'Internal: binary input of type jsonschema; JSON text';

COMMENT ON FUNCTION restful.jsonschema_send(restful.jsonschema) IS
    'Internal: binary output of type jsonschema; JSON text';

COMMENT ON FUNCTION restful.jsonschema_from_json(json) IS
    'Internal: casts json to jsonschema, and checks the JSON Schema';

COMMENT ON FUNCTION restful.jsonschema_from_jsonb(jsonb) IS
    'Internal: casts jsonb to jsonschema, and checks the JSON Schema';

-- json_schema/registry.sql
COMMENT ON FUNCTION restful.json_schema_changed() IS 'Internal: makes every session discard what it has compiled from registered schemas';

CREATE OR REPLACE FUNCTION restful.register_schema(name text, schema jsonb, compatibility text DEFAULT NULL) RETURNS integer
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
        RAISE EXCEPTION 'the name or the schema is null' USING ERRCODE = '22004';
    END IF;
    IF octet_length(register_schema.name) NOT BETWEEN 1 AND 255 OR register_schema.name ~ '[@[:space:]]' THEN
        RAISE EXCEPTION 'a schema cannot be named "%"', register_schema.name
            USING ERRCODE = '22023', HINT = 'A name has 1 to 255 bytes, and contains neither blanks nor "@", which separates it from the version.';
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
            USING ERRCODE = '22023', HINT = 'Use backward, forward, full or none.';
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
                    HINT = 'Accept that value, register the schema under another name, or pass compatibility => ''none''.';
        ELSIF FOUND THEN
            RAISE EXCEPTION 'version % of schema "%" cannot be shown to be % compatible', latest.version + 1, latest.name, declared
                USING ERRCODE = '22023', DETAIL = change.detail,
                    HINT = 'See restful.schema_changes(old, new), and pass compatibility => ''none'' if the change is intended.';
        END IF;
    END IF;
    INSERT INTO restful.json_schema (name, version, schema, compatibility)
    VALUES (latest.name, latest.version + 1, register_schema.schema, declared);
    RETURN latest.version + 1;
END
$function$;

COMMENT ON FUNCTION restful.register_schema(text, jsonb, text) IS
    'Registers a version of a JSON Schema and returns its number; compatibility with the previous version: backward, forward, full or none; null keeps the current one, initially backward';

COMMENT ON FUNCTION restful.drop_schema(text, integer) IS
    'Drops a registered JSON Schema, all versions or one, unless something uses it; returns how many versions were dropped';

COMMENT ON FUNCTION restful.get_schema(text, integer) IS
    'A registered JSON Schema: the latest version, or the given one; null if there is none';

-- json_schema/constrain.sql
COMMENT ON FUNCTION restful.enforce_schema() IS
    'Internal: the trigger that restful.constrain creates: checks the column in its WHEN condition, or the whole row, against a JSON Schema (schema, level, action)';

COMMENT ON FUNCTION restful.read_schema(text) IS
    'Internal: checks a JSON Schema that is given as JSON, or by its registered name, which the document then refers to; refers: whether it refers to a registered schema';

COMMENT ON FUNCTION restful.tables_of(regclass) IS
    'Internal: the tables that hold the rows of a table: itself, its partitions and its children; blocks: null for those that are not heaps';

CREATE OR REPLACE FUNCTION restful.constrain(
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
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use strict, moderate or off.';
    ELSIF action IS NULL OR action NOT IN ('error', 'warn') THEN
        RAISE EXCEPTION 'unknown action "%"', action
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use error or warn.';
    ELSIF kind NOT IN ('r', 'p', 'f') THEN
        RAISE EXCEPTION '"%" is not a table', rel
            USING ERRCODE = 'wrong_object_type', HINT = 'Constrain the tables behind the view instead.';
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
                USING ERRCODE = 'datatype_mismatch', HINT = 'If the column is null, the schema describes the whole row as a JSON object.';
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
            RAISE NOTICE 'existing rows of "%" that violate the schema: %; "%" stays NOT VALID', rel, broken, made
                USING HINT = format('SELECT * FROM restful.validation_report(%L, %L) lists them. After correcting them: ALTER TABLE %s VALIDATE CONSTRAINT %I.',
                    rel, "column", rel, made);
        END;
        RETURN made;
    END IF;

    IF attribute.attgenerated = 'v' THEN
        RAISE EXCEPTION 'column "%" is a virtual generated column, which a trigger cannot see', "column"
            USING ERRCODE = 'feature_not_supported', HINT = 'It can have a schema that is given as JSON, with level strict and action error.';
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
    'Binds a JSON Schema, given as JSON or by its registered name, to a column (null: to the whole row); level: strict, moderate or off; action: error or warn';

COMMENT ON FUNCTION restful.unconstrain(regclass, name) IS
    'Removes what restful.constrain bound to a column (null: to the whole row); returns whether there was anything';

CREATE OR REPLACE FUNCTION restful.validation_query(rel regclass, of_column name, by_schema text, ranges boolean) RETURNS text
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
        RAISE EXCEPTION 'a report on "%" would call %, which belongs to another role', rel, called
            USING ERRCODE = 'insufficient_privilege', HINT = 'The function is a cast to JSON. Run the report as its owner.';
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
            USING ERRCODE = 'undefined_object', HINT = 'Bind one with restful.constrain, or pass one as the third argument.';
    END IF;
    RETURN format('SELECT %s, f.* FROM %s t CROSS JOIN LATERAL (%s) f', row_key, rel, checks) ||
        CASE WHEN ranges THEN ' WHERE t.ctid OPERATOR(pg_catalog.>=) $1 AND t.ctid OPERATOR(pg_catalog.<) $2' ELSE '' END;
END
$validation_query$;

CREATE OR REPLACE FUNCTION restful.validation_report(rel regclass, "column" name DEFAULT NULL, schema text DEFAULT NULL)
    RETURNS TABLE (row_key jsonb, instance_location text, keyword_location text, keyword text, message text)
    LANGUAGE plpgsql STABLE AS $validation_report$
DECLARE
    step CONSTANT pg_catalog.int8 := 4096; -- blocks: 32 MB
    blocks pg_catalog.int8; -- of the largest table; null when not all can be read in ranges
    query pg_catalog.text;
    said pg_catalog.timestamptz := pg_catalog.clock_timestamp();
BEGIN
    SELECT CASE WHEN pg_catalog.bool_and(t.blocks IS NOT NULL) THEN pg_catalog.max(t.blocks) END INTO blocks FROM restful.tables_of(rel) t;
    query := restful.validation_query(rel, "column", schema, blocks IS NOT NULL);
    IF blocks IS NULL THEN
        RETURN QUERY EXECUTE query;
        RETURN;
    END IF;
    FOR block IN 0..blocks BY step LOOP
        IF block OPERATOR(pg_catalog.>) 0
            AND pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) (said OPERATOR(pg_catalog.+) '5 s'::pg_catalog.interval)
        THEN
            RAISE NOTICE '%: % %% checked', rel, (block OPERATOR(pg_catalog.*) 100) OPERATOR(pg_catalog./) blocks;
            said := pg_catalog.clock_timestamp();
        END IF;
        RETURN QUERY EXECUTE query
            USING pg_catalog.format('(%s,0)', block)::pg_catalog.tid, pg_catalog.format('(%s,0)', block OPERATOR(pg_catalog.+) step)::pg_catalog.tid;
    END LOOP;
END
$validation_report$;

COMMENT ON FUNCTION restful.validation_report(regclass, name, text) IS
    'The rows that violate the schema bound to a column, or the given one; without a column, all bound schemas, with locations in the row';

COMMENT ON FUNCTION restful.validation_query(regclass, name, text, boolean) IS
    'Internal: the query of restful.validation_report; ranges: for the rows between two ctids, $1 and $2';

-- access/explain_access.sql
CREATE OR REPLACE FUNCTION restful.access_matrix(schemas text[] DEFAULT NULL, roles text[] DEFAULT NULL)
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
            WHEN v.command = 'TRUNCATE' THEN 'policies do not apply to TRUNCATE'
            WHEN c.relkind IN ('v', 'm', 'f') OR NOT c.relrowsecurity THEN CASE
                WHEN c.relkind = 'v' AND c.invoker THEN 'view that reads as its caller'
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
    'For each relation, role and command: whether it is granted, on which columns, which rows it reaches (all, none, by policy, of the view), through which permissive and restrictive policies, and why; by default for the exposed schemas and all roles except PostgreSQL''s own';

COMMENT ON FUNCTION restful.explain_access(regclass, text, name, jsonb, jsonb, jsonb) IS
    'Why a role with these claims can or cannot SELECT, INSERT, UPDATE or DELETE one row: the row that key names, as the caller sees it, and the values to be written; each policy with its value, and the verdict. INSERT may be followed by ON CONFLICT DO NOTHING or DO UPDATE, and by RETURNING';

COMMENT ON FUNCTION restful.explain_access_text(regclass, text, name, jsonb, jsonb, jsonb) IS
    'Like restful.explain_access, but as lines of text';

-- policy/perform.sql
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

-- policy/expression.sql
COMMENT ON FUNCTION restful.parse_expression(regclass, text, smallint) IS
    'Internal: the tree of an expression for a policy of a table, or for the default of its column attnum, as pg_get_expr reads it; an error if the text is not exactly one expression';

-- policy/policies.sql
CREATE OR REPLACE FUNCTION restful.policy_roles(to_roles text[]) RETURNS oid[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing text;
BEGIN
    IF coalesce(cardinality(to_roles), 0) = 0 OR array_position(to_roles, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the list of roles is empty, or one of them is null' USING ERRCODE = '22004', HINT = 'public stands for every role.';
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

COMMENT ON FUNCTION restful.policy_commands(text[]) IS 'Internal: the commands in lower case, in a fixed order, each once; an error if one is unknown';

CREATE OR REPLACE FUNCTION restful.policy_column(rel regclass, "column" name) RETURNS text
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
            RAISE EXCEPTION 'column "%" is of type %, which cannot be compared with a claim', "column", format_type(data_type, NULL)
                USING ERRCODE = '42804', HINT = 'It can be uuid, text, varchar or an integer; for other conditions use restful.policy_public_read and restful.policy_restrict.';
    END CASE;
END
$function$;

COMMENT ON FUNCTION restful.policy_column(regclass, name) IS
    'Internal: the type in which a column is compared with a claim: uuid, text or bigint; an error if it cannot be compared';

COMMENT ON FUNCTION restful.policy_cast(text, text) IS
    'Internal: the SQL that reads an expression of type text as uuid or bigint; it gives null if the text is not one';

CREATE OR REPLACE FUNCTION restful.make_policies(
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
BEGIN
    IF policy IS NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'the name of the policies or dry_run is null' USING ERRCODE = '22004';
    ELSIF octet_length(policy) > 56 OR policy = '' THEN
        RAISE EXCEPTION 'the name "%" is empty or too long', policy
            USING ERRCODE = '42622', HINT = 'With the command appended, it must not exceed 63 bytes.';
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
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;

CREATE OR REPLACE FUNCTION restful.enable_rls(rel regclass, force boolean DEFAULT true, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    made text[];
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
    -- Reading a partition by its own name bypasses the policies of its parent.
    made := made || ARRAY(
        SELECT format('-- %1$s can be reached past the policies of %2$s: SELECT * FROM restful.enable_rls(%3$L);',
            format('%I.%I', n.nspname, c.relname), of_table, format('%I.%I', n.nspname, c.relname))
        FROM restful.tables_of(rel) t
        JOIN pg_catalog.pg_class c ON c.oid = t."table" AND c.oid <> rel AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner)
        ORDER BY n.nspname, c.relname);
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;

CREATE OR REPLACE FUNCTION restful.policy_owner(
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
    -- UPDATE and DELETE find only rows that may be read.
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

CREATE OR REPLACE FUNCTION restful.policy_tenant(
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
    -- With a permission to read alone, nobody may write.
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

COMMENT ON FUNCTION restful.policy_restrict(regclass, text, text, text[], boolean) IS
    'A restrictive policy: nobody reaches a row for which its expression is not true, whatever other policies say: returns the statements, and runs them unless dry_run';

CREATE OR REPLACE FUNCTION restful.drop_policies(rel regclass, policy name DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF text
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
BEGIN
    IF dry_run IS NULL THEN
        RAISE EXCEPTION 'dry_run is null' USING ERRCODE = '22004';
    ELSIF made = '{}' THEN
        made := ARRAY[format('-- nothing to do: %s has no such policy', of_table)];
    END IF;
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;

COMMENT ON FUNCTION restful.policy_table(regclass) IS
    'Internal: the quoted name of a table; an error unless it can have policies and the caller owns it';

COMMENT ON FUNCTION restful.policy_roles(text[]) IS
    'Internal: the OIDs of roles, or only 0 for public; an error if a role does not exist';

COMMENT ON FUNCTION restful.policy_index(regclass, name, boolean) IS
    'Internal: the statement that creates an index on a column, or a comment that suggests it; null if there is such an index';

COMMENT ON FUNCTION restful.make_policies(regclass, text, name, text[], text[], text[], text, boolean, name, boolean, boolean) IS
    'Internal: sets the policies of one name to exactly these, one for each command: returns the statements, and runs them unless dry_run';

COMMENT ON FUNCTION restful.enable_rls(regclass, boolean, boolean) IS
    'Enables row-level security on a table, and forces it for the owner too unless force is false: returns the statements, and runs them unless dry_run';

COMMENT ON FUNCTION restful.make_policies_of_tree(regclass, text, name, text[], text[], pg_node_tree, boolean) IS
    'Internal: like restful.make_policies, with one expression of the caller''s for all commands';

-- policy/table_rights.sql
COMMENT ON FUNCTION restful.preset(anyelement) IS
    'Returns its argument. In the default of a column it marks what restful.column_preset made, so that nobody else can write the value';

COMMENT ON FUNCTION restful.writable_columns(regclass, name[]) IS
    'Internal: the columns of a table without presets and generated ones; null if there are no presets';

CREATE OR REPLACE FUNCTION restful.make_grants(
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
        RAISE EXCEPTION 'the list of columns is empty' USING ERRCODE = '22023', HINT = 'null stands for all columns.';
    END IF;

    FOREACH role IN ARRAY roles LOOP
        role_name := CASE role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(role)) END;
        IF role = class.relowner THEN
            RAISE EXCEPTION '% is the owner of %', role_name, of_table
                USING ERRCODE = '22023', HINT = 'Expose the table to a role that does not own it.';
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
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;

CREATE OR REPLACE FUNCTION restful.expose(
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
            CASE WHEN class.relkind IN ('r', 'p') THEN 'or pass' ELSE 'Pass' END, ' public => true to expose every row.');
    END IF;
    RETURN QUERY SELECT * FROM restful.make_grants(rel, to_roles, commands, columns, dry_run);
END
$function$;

CREATE OR REPLACE FUNCTION restful.make_preset(rel regclass, col name, tree pg_node_tree, dry_run boolean) RETURNS SETOF text
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
            USING ERRCODE = '42710', HINT = format('To replace it, first run: ALTER TABLE %s ALTER %I DROP DEFAULT;', of_table, col);
    END IF;
    SELECT a.* INTO other FROM (
        SELECT relacl FROM pg_catalog.pg_class WHERE oid = rel UNION ALL SELECT attribute.attacl
    ) l (acl), aclexplode(l.acl) a WHERE a.grantor <> owner AND a.grantee <> owner AND a.privilege_type IN ('INSERT', 'UPDATE');
    IF FOUND THEN
        RAISE EXCEPTION '% has % on % from %, who is not the owner', CASE other.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(other.grantee)::text END,
            other.privilege_type, of_table, pg_get_userbyid(other.grantor)
            USING ERRCODE = '55000', HINT = 'Only the role that granted a right can revoke it: let that role do so, or revoke its grant option with CASCADE.';
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
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;

CREATE OR REPLACE FUNCTION restful.drop_preset(rel regclass, col name, dry_run boolean DEFAULT false) RETURNS SETOF text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    of_table text := restful.policy_table(rel);
    made text[];
BEGIN
    IF dry_run IS NULL THEN
        RAISE EXCEPTION 'dry_run is null' USING ERRCODE = '22004';
    ELSIF col = ANY (restful.preset_columns(rel)) THEN
        made := ARRAY[format('ALTER TABLE %s ALTER %I DROP DEFAULT;', of_table, col),
            format('-- this gives nobody the right to write %I back: restful.expose(%L, ...) does', col, of_table)];
    ELSE
        made := ARRAY[format('-- nothing to do: column %I of %s is not preset', col, of_table)];
    END IF;
    RETURN QUERY SELECT * FROM restful.perform(made, dry_run);
END
$function$;

COMMENT ON FUNCTION restful.drop_preset(regclass, name, boolean) IS
    'Removes what restful.column_preset made, but does not restore the rights: returns the statements, and runs them unless dry_run';

COMMENT ON FUNCTION restful.preset_columns(regclass) IS
    'Internal: the columns of a table for which restful.column_preset made a preset';

COMMENT ON FUNCTION restful.granted_columns(regclass, oid, text) IS
    'Internal: the columns on which a table''s owner has granted a role a privilege';

COMMENT ON FUNCTION restful.column_list(name[]) IS
    'Internal: the names of columns as SQL, separated by commas; null if there are none';

COMMENT ON FUNCTION restful.make_grants(regclass, text[], text[], name[], boolean) IS
    'Internal: sets the rights of roles on a table to exactly these: returns the statements, and runs them unless dry_run';

COMMENT ON FUNCTION restful.unexpose(regclass, text[], boolean) IS
    'Revokes what restful.expose grants to roles on a table or view: returns the statements, and runs them unless dry_run';

COMMENT ON FUNCTION restful.make_preset(regclass, name, pg_node_tree, boolean) IS
    'Internal: like restful.column_preset, with the tree of the expression';

-- roles/rbac.sql
COMMENT ON TABLE restful.rbac_grant IS 'Who has which role, granted by restful.grant_role';

COMMENT ON COLUMN restful.rbac_grant.tenant IS 'The tenant it applies to; null for all';

COMMENT ON FUNCTION restful.derive_roles() IS 'Internal: updates the columns that are derived from the definitions of roles';

CREATE OR REPLACE FUNCTION restful.define_role(name text, permissions text[], inherits text[] DEFAULT '{}', can_grant text[] DEFAULT '{}')
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
            USING ERRCODE = '22023', HINT = 'A permission consists of words separated by dots, like posts.update; the last word may be *, which stands for anything.';
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
    'Defines or redefines a role of the application: its permissions (posts.update, posts.*, *), the roles it inherits, and the roles that its holders may grant';

CREATE OR REPLACE FUNCTION restful.drop_role(name text, cascade boolean DEFAULT false) RETURNS boolean
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
                USING ERRCODE = '2BP01', DETAIL = 'By ' || used || '.', HINT = 'Change those first, or pass cascade => true to revoke it everywhere.';
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
    'Drops a role of the application, which must be unused; with cascade, it is first revoked everywhere. Returns false if there was none';

CREATE OR REPLACE FUNCTION restful.set_grant(granted boolean, subject text, role text, tenant text, expires_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    IF set_grant.granted IS NULL OR set_grant.subject IS NULL OR set_grant.role IS NULL THEN
        RAISE EXCEPTION 'the subject or the role of the grant is null' USING ERRCODE = '22004';
    END IF;
    IF NOT set_grant.granted THEN
        DELETE FROM restful.rbac_grant g
        WHERE g.subject = set_grant.subject COLLATE "default" AND g.role = set_grant.role COLLATE "default"
          AND coalesce(g.tenant, '') = coalesce(set_grant.tenant, '') COLLATE "default";
        RETURN FOUND;
    END IF;
    IF octet_length(set_grant.subject) NOT BETWEEN 1 AND 255 OR octet_length(set_grant.tenant) NOT BETWEEN 1 AND 255 THEN
        RAISE EXCEPTION 'a subject and a tenant have 1 to 255 bytes'
            USING ERRCODE = '22023', HINT = 'A grant for every tenant has a null tenant.';
    END IF;
    IF set_grant.expires_at <= statement_timestamp() THEN
        RAISE EXCEPTION 'the grant would already have expired' USING ERRCODE = '22023', HINT = 'See restful.revoke_role(subject, role, tenant).';
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
    'Internal: grants or revokes without checking who grants; administrators may execute it';

CREATE OR REPLACE FUNCTION restful.set_grant_as_subject(granted boolean, subject text, role text, tenant text, expires_at timestamptz)
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
                HINT = CASE WHEN tenant IS NULL THEN 'For all tenants, this needs a role without a tenant that can grant it.'
                    ELSE 'This needs a role that can grant it, in this tenant or without a tenant.' END;
    END IF;
    IF granted AND until IS NOT NULL AND (expires_at IS NULL OR expires_at > until) THEN
        RAISE EXCEPTION 'role "%" cannot be granted for longer than the right to grant it lasts', role
            USING ERRCODE = '42501', HINT = 'Pass expires_at => ' || quote_literal(until) || ' or earlier.';
    END IF;
    RETURN restful.set_grant(granted, subject, role, tenant, expires_at);
END
$function$;

COMMENT ON FUNCTION restful.set_grant_as_subject(boolean, text, text, text, timestamptz) IS
    'Internal: grants or revokes what the roles of the request''s subject can grant';

CREATE OR REPLACE FUNCTION restful.change_grant(granted boolean, subject text, role text, tenant text, expires_at timestamptz) RETURNS boolean
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
            USING ERRCODE = '42501', HINT = 'This needs a request whose subject has a role that can grant, or the right to execute restful.set_grant, which restful.setup_roles() gives to administrators.';
    END IF;
    RETURN restful.set_grant(granted, subject, role, tenant, expires_at);
END
$function$;

COMMENT ON FUNCTION restful.change_grant(boolean, text, text, text, timestamptz) IS
    'Internal: grants or revokes with the rights of the request''s subject, or, outside a request, of the current role';

COMMENT ON FUNCTION restful.grant_role(text, text, text, timestamptz) IS
    'Gives a subject a role of the application, for one tenant or for all, until a given time or for ever; granting it again replaces the expiry. The subject of a request can grant what its roles can grant';

COMMENT ON FUNCTION restful.revoke_role(text, text, text) IS
    'Takes a role of the application from a subject, in one tenant or, with null, for all tenants; returns false if there was no such grant. The subject of a request can revoke what its roles can grant';

COMMENT ON FUNCTION restful.has_role(text, text) IS
    'Whether the request''s subject has a role, directly or by inheritance: for all tenants, or for this one';

COMMENT ON FUNCTION restful.has_any_role(text[], text) IS 'Whether the request''s subject has one of the roles; see restful.has_role';

COMMENT ON FUNCTION restful.has_permission(text, text) IS
    'Whether one of the roles of the request''s subject has a permission: for all tenants, or for this one. In policies: (select restful.has_permission(...)), or restful.tenants_with';

COMMENT ON FUNCTION restful.permissions(text) IS
    'The permissions of the request''s subject, as its roles spell them: those for all tenants and those for this one';

COMMENT ON FUNCTION restful.tenants_with(text) IS
    'The tenants for which the request''s subject has a permission, for policies: tenant_id in (select restful.tenants_with(...)). A subject that has it for all tenants gets every tenant that is named in a grant';

COMMENT ON FUNCTION restful.tenant_uuids_with(text) IS 'Like restful.tenants_with, but only the tenants that are UUIDs';

CREATE OR REPLACE FUNCTION restful.require(permission text, tenant text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF restful.has_permission(permission, tenant) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'permission "%" is required%', permission, coalesce(' for tenant "' || tenant || '"', '')
        USING ERRCODE = '42501', HINT = 'Ask for a role that has this permission.';
END
$function$;

COMMENT ON FUNCTION restful.require(text, text) IS
    'Raises an error (42501) unless the request''s subject has a permission; see restful.has_permission';

COMMENT ON FUNCTION restful.list_roles() IS 'The roles of the application, the permissions that they have by inheritance too, and how often each is granted';

COMMENT ON FUNCTION restful.roles_of(text) IS 'The grants of a subject, including expired ones: who granted them (null: an administrator), and in a session of which login role';

-- roles/setup_roles.sql
CREATE OR REPLACE FUNCTION restful.administration() RETURNS TABLE (function name, auditor boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    VALUES
        ('act_as'::name, false),
        ('audit', false),
        ('create_api_key', false),
        ('create_authorization_code', false),
        ('create_signing_key', false),
        ('dashboard', true),
        ('define_role', false),
        ('deprecated_use', true),
        ('drop_audit', false),
        ('drop_client', false),
        ('drop_hook', false),
        ('drop_limit', false),
        ('drop_role', false),
        ('drop_route', false),
        ('drop_route_group', false),
        ('drop_version', false),
        ('expect', false),
        ('expect_rows', false),
        ('explain_access', false),
        ('explain_access_text', false),
        ('forget_history', false),
        ('forget_limit', false),
        ('health', true),
        ('hook', false),
        ('hooks', true),
        ('jwks', true),
        ('jwt_check', false),
        ('jwt_sign', false),
        ('jwt_verify', false),
        ('limit', false),
        ('limits', true),
        ('list_api_keys', true),
        ('list_clients', true),
        ('list_roles', true),
        ('load_jwks', false),
        ('load_secret', false),
        ('metrics', true),
        ('readiness', true),
        ('register_client', false),
        ('revoke_api_key', false),
        ('revoke_grants', false),
        ('revoke_key', false),
        ('roles_of', true),
        ('rotate_api_key', false),
        ('rotate_client_secret', false),
        ('route', false),
        ('route_group', false),
        ('routes', true),
        ('set_grant', false),
        ('stat_requests', true),
        ('stat_reset', false),
        ('stat_statements', true),
        ('test', false),
        ('test_coverage', false),
        ('test_done', false),
        ('test_junit', false),
        ('test_mutants', false),
        ('test_mutations', false),
        ('test_rows', false),
        ('test_step', false),
        ('version', false)
$function$;
COMMENT ON FUNCTION restful.administration() IS
    'The functions that restful.setup_roles() lets administrators execute, and whether auditors may execute them too';

CREATE OR REPLACE FUNCTION restful.setup_roles(
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
BEGIN
    IF array_position(names, NULL) IS NOT NULL OR dry_run IS NULL THEN
        RAISE EXCEPTION 'the name of a role, or dry_run, is null' USING ERRCODE = '22004';
    END IF;
    IF (SELECT count(DISTINCT n) FROM unnest(names) n) < cardinality(names) THEN
        RAISE EXCEPTION 'two of the roles have the same name'
            USING ERRCODE = '22023', HINT = 'Give each role its own name.';
    END IF;
    SELECT n INTO wrong FROM unnest(names) n WHERE starts_with(n::text, 'pg_') OR n IN ('', 'public', 'none', 'current_user', 'current_role', 'session_user');
    IF FOUND THEN
        RAISE EXCEPTION 'a role cannot be named "%"', wrong USING ERRCODE = '42939'; -- reserved_name
    END IF;
    -- A role that can do more than it should is somebody else's, or badly set up: not for this function to change.
    SELECT format('role "%s" cannot be used for this, because it %s', r.rolname, CASE
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
            USING ERRCODE = '42501', HINT = 'Take that away from the role, or pass another name to restful.setup_roles().';
    END IF;
    IF app_owner IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = app_owner) THEN
        RAISE EXCEPTION 'role "%" does not exist', app_owner USING ERRCODE = '42704';
    END IF;

    -- All of it follows from what is there before the first statement, so that a dry run prints what a run would do.
    RETURN QUERY SELECT * FROM restful.perform(ARRAY(
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
        SELECT s.statement FROM statements s ORDER BY s.step, s.place, s.statement), dry_run);
END
$function$;

COMMENT ON FUNCTION restful.setup_roles(name, name, name, name, name, name, name, name, boolean) IS
    'Creates the roles of a service and what they need, where it is missing, and returns the statements; with dry_run, only returns them';

-- idempotency/idempotency_records.sql
-- What was answered to requests with an Idempotency-Key. The library reads and writes the rows itself, without statements, and relies on
-- these columns and on the primary key. It deletes expired rows bit by bit, and VACUUM makes their room usable: hence often.
CREATE TABLE restful.idempotency_record (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    status integer NOT NULL,
    fingerprint bytea NOT NULL,
    headers text NOT NULL,
    body bytea
) USING heap WITH (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_threshold = 500, toast.autovacuum_vacuum_cost_delay = 0
);
COMMENT ON TABLE restful.idempotency_record IS 'Answers to requests with an Idempotency-Key, kept for replays until they expire. pg_dump leaves the rows out';
COMMENT ON COLUMN restful.idempotency_record.id IS 'The hash of the client''s identity and of its key';
COMMENT ON COLUMN restful.idempotency_record.fingerprint IS 'The hash of identity, key and request';
COMMENT ON COLUMN restful.idempotency_record.headers IS 'The response''s header fields, one in a line';
ALTER TABLE restful.idempotency_record ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.idempotency_record FROM PUBLIC;

CREATE FUNCTION restful.forget_idempotency_keys(expired_only boolean DEFAULT true) RETURNS bigint
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH gone AS (DELETE FROM restful.idempotency_record r WHERE NOT expired_only OR r.expires_at < clock_timestamp() RETURNING 1)
    SELECT count(*) FROM gone
$function$;
COMMENT ON FUNCTION restful.forget_idempotency_keys(boolean) IS 'Deletes the kept answers to requests with an Idempotency-Key that have expired, or all of them, and returns how many. A forgotten request runs again if it is retried';

-- oauth/authorization_server.sql
COMMENT ON COLUMN restful.oauth_client.confidential IS 'Whether it can keep a secret; a browser or an app on a phone cannot';

COMMENT ON TABLE restful.oauth_code IS 'Authorization codes that have not been exchanged yet';

COMMENT ON TABLE restful.oauth_grant IS 'What clients got in exchange for codes: a row lasts as long as its newest refresh token is valid, and is deleted when it is revoked';

COMMENT ON COLUMN restful.oauth_grant.code_hash IS 'The code that it was issued for: presenting that code again revokes the grant';

COMMENT ON COLUMN restful.oauth_grant.token_hash IS 'What belongs to its newest refresh token alone';

CREATE OR REPLACE FUNCTION restful.register_client(
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

CREATE OR REPLACE FUNCTION restful.rotate_client_secret(client_id text) RETURNS text
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

COMMENT ON FUNCTION restful.drop_client(text) IS
'Drops a client with its codes and refresh tokens; its access tokens stay valid until they expire. Returns whether there was one';

COMMENT ON FUNCTION restful.revoke_grants(text, text) IS
'Signs a subject out of one client or of all: its codes and refresh tokens are revoked, access tokens stay valid until they expire. Returns how many grants there were';

CREATE OR REPLACE FUNCTION restful.create_authorization_code(
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

-- lint/lint.sql
COMMENT ON TABLE restful.lint_exception IS
    'Findings that are intended: lint and object as restful.lint() names them, and the reason';

CREATE OR REPLACE FUNCTION restful.lints() RETURNS TABLE (lint text, level text, category text, title text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 40 SET search_path = pg_catalog, pg_temp AS $lints$
    VALUES
        ('rls_disabled_exposed', 'ERROR', 'exposure', 'a table that strangers reach has row-level security off'),
        ('policy_without_rls', 'ERROR', 'exposure', 'a table has policies, and row-level security is off'),
        ('definer_view_exposed', 'ERROR', 'exposure', 'a view passes the policies of its tables'),
        ('sensitive_columns_exposed', 'ERROR', 'exposure', 'strangers may read credentials of every row'),
        ('policy_uses_user_editable_claim', 'ERROR', 'policies', 'a policy decides by what users write themselves'),
        ('policy_reads_request_guc', 'ERROR', 'policies', 'a policy decides by a setting that any SQL user can change'),
        ('policy_recursive', 'ERROR', 'policies', 'a policy reads its own table through others, which PostgreSQL refuses'),
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
        ('no_statement_timeout', 'WARN', 'roles', 'requests of a role have no time limit'),
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
        ('invalid_index', 'INFO', 'tables', 'building an index has failed')
$lints$;

-- request/exposed_schemas.sql
COMMENT ON FUNCTION restful.exposed_schemas(text) IS
    'The schemas that a value of restful.schemas exposes, the default one first; null: those of this session, with the versions of the API';

-- json_schema/schema_of.sql
COMMENT ON FUNCTION restful.schema_of(regclass) IS
    'The JSON Schema (2020-12) of a row of a table or view as to_jsonb writes it, with the columns that the caller may read or write. A column is required if a writer must give its value.';

-- lint/context.sql
COMMENT ON FUNCTION restful.lint_api_roles() IS
    'Internal: the roles that requests of strangers run as: those that an HTTP layer''s role may take, and those named anon, anonymous or authenticated, also with a prefix (web_anon); without superusers and roles with BYPASSRLS';

COMMENT ON FUNCTION restful.lint_grantees() IS
    'Internal: the roles whose grants apply to strangers: PUBLIC (0), the roles of lint_api_roles(), and the roles that these inherit from';

COMMENT ON FUNCTION restful.lint_schemas() IS
    'Internal: the schemas that lint() examines by default: restful.schemas of this session and of the roles that HTTP layers log in as, and the versions of the API';

COMMENT ON FUNCTION restful.lint_grants(text[]) IS
    'Internal: what strangers are granted on tables and views of the schemas, and on their columns (attribute; 0 for the whole relation)';

COMMENT ON FUNCTION restful.lint_recursion(oid[]) IS
    'Internal: which of these policies read a table whose policies are already being read, and by which path';

COMMENT ON FUNCTION restful.lint_policy_name(oid, name, text) IS
    'Internal: a name that no other policy of the table has';

COMMENT ON FUNCTION restful.lint_merged_policies(oid) IS
    'Internal: statements that merge the permissive policies of a table into one for each command; null if PUBLIC has one among others';

-- lint/expressions.sql
COMMENT ON FUNCTION restful.lint_masked(text) IS
    'Internal: an expression of the same length whose quoted text contains nothing that looks like syntax';

COMMENT ON FUNCTION restful.lint_wrapped(text, text[], text) IS
    'Internal: an expression in which calls of these functions without a column are wrapped in sub-selects, which run once';

COMMENT ON FUNCTION restful.lint_is_always_true(text, text[]) IS
    'Internal: whether an expression is true for every row and every requester; not_null: the columns that cannot be null';

COMMENT ON FUNCTION restful.lint_is_sensitive(name) IS
    'Internal: whether a column''s name is typical of credentials or document numbers';

-- lint/tables.sql
COMMENT ON FUNCTION restful.lint_is_indexable(oid) IS
    'Internal: whether CREATE INDEX accepts columns of this type';

-- routes/routes.sql
CREATE TYPE restful.http_request AS (
    method text, path text, path_parameters jsonb, query jsonb, headers jsonb, cookies jsonb, body bytea
);
COMMENT ON TYPE restful.http_request IS
    'A request as the function of a route takes it: query has a list of values for each parameter, headers have names in lower case.';

CREATE TYPE restful.http_file AS (name text, media_type text, content bytea);
COMMENT ON TYPE restful.http_file IS 'A file of a form (multipart/form-data) as the function of a route takes it';

CREATE TABLE restful.route_group_entry (
    name text PRIMARY KEY,
    prefix text NOT NULL,
    host text
);
COMMENT ON TABLE restful.route_group_entry IS 'Groups of routes, declared by restful.route_group';
REVOKE ALL ON restful.route_group_entry FROM PUBLIC;
ALTER TABLE restful.route_group_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.route_group_entry', '');

CREATE TABLE restful.route_entry (
    key text PRIMARY KEY,
    pattern text NOT NULL,
    handler text NOT NULL,
    sources jsonb NOT NULL DEFAULT '{}',
    body_schema json,
    query_schema json,
    result_schema json,
    example jsonb,
    of_group text
);
COMMENT ON TABLE restful.route_entry IS 'Routes, declared by restful.route';
COMMENT ON COLUMN restful.route_entry.key IS 'The method and the path with the converters of its parameters: two routes with the same key take the same requests';
COMMENT ON COLUMN restful.route_entry.handler IS 'The function with its schema and the types of its parameters. A text, because pg_upgrade refuses columns of the type regprocedure';
COMMENT ON COLUMN restful.route_entry.body_schema IS 'The JSON Schema of bodies; a registered one as a reference';
COMMENT ON COLUMN restful.route_entry.query_schema IS 'The JSON Schema of the query parameters as an object';
COMMENT ON COLUMN restful.route_entry.result_schema IS 'The JSON Schema of results';
COMMENT ON COLUMN restful.route_entry.example IS 'An example of a request: an object with the members query, body and result';
COMMENT ON COLUMN restful.route_entry.of_group IS 'The group whose prefix and host are those of the route';
COMMENT ON COLUMN restful.route_entry.sources IS 'Where the values of parameters come from, by the names of the parameters';
REVOKE ALL ON restful.route_entry FROM PUBLIC;
ALTER TABLE restful.route_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.route_entry', '');

CREATE FUNCTION restful.route_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_route_changed';
COMMENT ON FUNCTION restful.route_changed() IS 'Internal: makes every session read the routes again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER route_changed AFTER INSERT OR UPDATE OR DELETE ON restful.route_entry
    FOR EACH ROW EXECUTE FUNCTION restful.route_changed();
CREATE TRIGGER route_truncated AFTER TRUNCATE ON restful.route_entry
    FOR EACH STATEMENT EXECUTE FUNCTION restful.route_changed();
ALTER TABLE restful.route_entry ENABLE ALWAYS TRIGGER route_changed, ENABLE ALWAYS TRIGGER route_truncated;
CREATE TRIGGER route_changed AFTER INSERT OR UPDATE OR DELETE ON restful.route_group_entry
    FOR EACH ROW EXECUTE FUNCTION restful.route_changed();
CREATE TRIGGER route_truncated AFTER TRUNCATE ON restful.route_group_entry
    FOR EACH STATEMENT EXECUTE FUNCTION restful.route_changed();
ALTER TABLE restful.route_group_entry ENABLE ALWAYS TRIGGER route_changed, ENABLE ALWAYS TRIGGER route_truncated;

CREATE FUNCTION restful.route_key(pattern text, types jsonb, sources jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_route_key';
COMMENT ON FUNCTION restful.route_key(text, jsonb, jsonb) IS
    'Internal: what tells the pattern of a route from others; an error for a malformed pattern or source. types: the types of the function''s parameters.';

CREATE FUNCTION restful.route_parameters(handler oid) RETURNS TABLE ("position" bigint, name text, base oid, mode "char")
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 5
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH RECURSIVE arguments AS (
        SELECT row_number() OVER (ORDER BY a.ordinality) AS "position", a.name, a.type, coalesce(a.mode, 'i') AS mode
        FROM pg_proc p, ROWS FROM (
            unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])), unnest(p.proargnames), unnest(p.proargmodes)
        ) WITH ORDINALITY a(type, name, mode, ordinality)
        WHERE p.oid = handler AND a.type IS NOT NULL AND coalesce(a.mode, 'i') IN ('i', 'b', 'v')
    ), below AS (
        SELECT a."position", a.name, a.mode, t.oid, t.typtype, t.typbasetype FROM arguments a JOIN pg_type t ON t.oid = a.type
        UNION ALL
        SELECT b."position", b.name, b.mode, t.oid, t.typtype, t.typbasetype FROM below b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
    )
    SELECT b."position", b.name, b.oid, b.mode FROM below b WHERE b.typtype <> 'd' ORDER BY b."position"
$function$;
COMMENT ON FUNCTION restful.route_parameters(oid) IS 'Internal: the input parameters of a function, with their types below domains';

CREATE FUNCTION restful.route_arguments(handler oid, sources jsonb) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'name', coalesce(a.name, ''),
        'of_type', t.typname,
        'kind', CASE
            WHEN t.oid IN ('json'::regtype, 'jsonb'::regtype) THEN 'json'
            WHEN t.oid = 'bytea'::regtype THEN 'bytea'
            WHEN t.oid = 'restful.http_request'::regtype THEN 'request'
            WHEN t.oid = 'restful.http_file'::regtype THEN 'file'
            WHEN t.typelem = 'restful.http_file'::regtype AND t.typcategory = 'A' THEN 'files'
            WHEN t.typcategory = 'A' THEN 'array'
            ELSE 'scalar'
        END,
        'required', a."position" <= p.pronargs - p.pronargdefaults,
        'source', sources ->> a.name) ORDER BY a."position"), '[]')
    FROM pg_proc p, restful.route_parameters(p.oid) a
    JOIN pg_type t ON t.oid = a.base
    WHERE p.oid = handler
$function$;
COMMENT ON FUNCTION restful.route_arguments(oid, jsonb) IS 'Internal: the parameters of a function, with where their values come from';

CREATE FUNCTION restful.try_route_example(pattern text, parameters jsonb, example jsonb, query_schema text) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_try_route_example';
COMMENT ON FUNCTION restful.try_route_example(text, jsonb, jsonb, text) IS
    'Internal: what a route makes of the request that its example stands for';

CREATE FUNCTION restful.route_pattern(pattern text, prefix text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE
        WHEN coalesce(prefix, '') = '' THEN pattern
        ELSE concat(split_part(pattern, ' ', 1), ' ', prefix, CASE WHEN substr(pattern, strpos(pattern, ' ') + 1) <> '/' THEN substr(pattern, strpos(pattern, ' ') + 1) END)
    END
$function$;
COMMENT ON FUNCTION restful.route_pattern(text, text) IS 'Internal: the pattern of a route behind the prefix of its group';

-- What tells a route from others. Two hosts never take the same request.
CREATE FUNCTION restful.route_key_in(pattern text, handler text, sources jsonb, prefix text, host text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT concat(host || ' ', restful.route_key(restful.route_pattern(pattern, prefix), (
        SELECT coalesce(jsonb_object_agg(a.name, t.typname), '{}')
        FROM restful.route_parameters(to_regprocedure(handler)) a JOIN pg_type t ON t.oid = a.base), sources))
$function$;
COMMENT ON FUNCTION restful.route_key_in(text, text, jsonb, text, text) IS 'Internal: the key of a route';

-- An example is refused if the route would refuse the request. Values are read by PostgreSQL's own types only: this runs as the owner of the
-- extension, and what another type does with a text is somebody else's code.
CREATE FUNCTION restful.check_route_example(
    pattern text, prefix text, handler oid, sources jsonb, example jsonb, body_schema json, query_schema json, result_schema json
) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    found text[] := '{}';
    tried jsonb;
    given record;
BEGIN
    IF example IS NULL THEN
        RETURN;
    END IF;
    IF jsonb_typeof(example) <> 'object' OR example - '{query,body,result}'::text[] <> '{}' OR jsonb_typeof(coalesce(example->'query', '{}')) <> 'object'
        OR example ? 'body' AND pattern LIKE 'GET %'
    THEN
        RAISE EXCEPTION 'the example of a route is malformed'
            USING ERRCODE = '22023', HINT = 'Write an object with query, an object of parameters, body, which a GET does not have, and result.';
    END IF;
    tried := restful.try_route_example(restful.route_pattern(pattern, prefix), restful.route_arguments(handler, sources), example, query_schema::text);
    IF body_schema IS NOT NULL THEN
        IF example ? 'body' THEN
            found := found || ARRAY(SELECT 'body: ' || v FROM unnest(restful.jsonschema_validation_errors(body_schema, (example->'body')::json)) v);
        ELSE
            found := found || 'body: it is missing'::text;
        END IF;
    END IF;
    IF query_schema IS NOT NULL THEN
        found := found || ARRAY(
            SELECT 'query: ' || v FROM unnest(restful.jsonschema_validation_errors(query_schema, coalesce(example->'query', '{}')::json)) v
            UNION
            SELECT 'query: ' || v FROM unnest(restful.jsonschema_validation_errors(query_schema, (tried->'query')::json)) v);
    END IF;
    IF result_schema IS NOT NULL AND example ? 'result' THEN
        found := found || ARRAY(SELECT 'result: ' || v FROM unnest(restful.jsonschema_validation_errors(result_schema, (example->'result')::json)) v);
    END IF;
    found := found || ARRAY(SELECT f FROM jsonb_array_elements_text(tried->'faults') f);
    -- What is left are filters and pages of the rows.
    found := found || ARRAY(
        SELECT DISTINCT 'query: no parameter takes ' || r.name FROM jsonb_array_elements_text(tried->'rest') r(name)
        WHERE NOT EXISTS (
            SELECT FROM pg_proc p
            LEFT JOIN pg_type t ON t.oid = p.prorettype
            LEFT JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN LATERAL unnest(p.proargnames, p.proargmodes) o(name, mode) ON o.mode IN ('o', 'b', 't')
            WHERE p.oid = handler AND (t.typrelid <> 0 OR p.prorettype = 'record'::regtype)
              AND (r.name IN (a.attname, o.name) OR r.name IN ('select', 'order', 'limit', 'offset', 'cursor', 'and', 'or') OR r.name ~ '[.>]')));
    FOR given IN
        SELECT a.name, v.value, format_type(t.oid, NULL) AS type
        FROM restful.route_parameters(handler) a
        JOIN jsonb_each(tried->'arguments') v ON v.key = a.name
        JOIN pg_type t ON t.oid = a.base
        JOIN pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END
        WHERE e.typnamespace = 'pg_catalog'::regnamespace AND e.typtype = 'b' OR e.typtype = 'e'
        ORDER BY a."position"
    LOOP
        BEGIN
            EXECUTE format('SELECT FROM jsonb_to_record($1) r(value %s) WHERE r.value IS NULL', given.type) USING jsonb_build_object('value', given.value);
        EXCEPTION WHEN OTHERS THEN
            found := found || format('%s: %s', given.name, SQLERRM);
        END;
    END LOOP;
    IF found <> '{}' THEN
        RAISE EXCEPTION 'the example of a route is not a request that it takes' USING ERRCODE = '23514', DETAIL = array_to_string(found, E'\n');
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.check_route_example(text, text, oid, jsonb, jsonb, json, json, json) IS 'Internal: an error for an example that is not valid';

CREATE FUNCTION restful.route(
    pattern text, handler regproc, sources jsonb DEFAULT '{}', body text DEFAULT NULL, query text DEFAULT NULL, result text DEFAULT NULL,
    example jsonb DEFAULT NULL, of_group text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    called record;
    within record;
    wrong text;
    key text;
    known text;
    body_schema json;
    query_schema json;
    result_schema json;
BEGIN
    IF pattern IS NULL OR handler IS NULL THEN
        RAISE EXCEPTION 'a route needs a pattern and a function' USING ERRCODE = '22004', HINT = 'restful.route(''POST /orders/{id}/cancel'', ''app.cancel_order'')';
    END IF;
    sources := coalesce(sources, '{}');
    IF jsonb_typeof(sources) <> 'object' THEN
        RAISE EXCEPTION 'the sources of a route are an object' USING ERRCODE = '22023', HINT = '{"session": "cookie:sid"}';
    END IF;
    SELECT p.oid, p.oid::regprocedure::text AS shown, p.prokind, p.prorettype, n.nspname, p.proname INTO called
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = handler;
    IF called.oid IS NULL OR called.prokind <> 'f' OR called.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype) THEN
        RAISE EXCEPTION '% is not a function that a request can call', handler
            USING ERRCODE = '42809', HINT = 'Procedures, aggregates and trigger functions cannot answer requests.';
    END IF;
    IF (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = called.proname AND n.nspname = called.nspname) > 1 THEN
        RAISE EXCEPTION 'there are several functions named %.%', called.nspname, called.proname
            USING ERRCODE = '42725', HINT = 'Give the function of a route a name of its own.';
    END IF;
    SELECT CASE WHEN a.mode = 'v' THEN 'is variadic' ELSE 'has no name' END INTO wrong
    FROM restful.route_parameters(handler) a WHERE coalesce(a.name, '') = '' OR a.mode = 'v' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a parameter of % %', called.shown, wrong
            USING ERRCODE = '42P13', HINT = 'Arguments are bound by name. Take several values as an array.';
    END IF;
    -- Until this transaction ends, the group is neither moved nor dropped. FOR KEY SHARE would let it be moved.
    SELECT g.prefix, g.host INTO within FROM restful.route_group_entry g WHERE g.name = of_group FOR SHARE;
    IF of_group IS NOT NULL AND NOT FOUND THEN
        RAISE EXCEPTION 'there is no group of routes named %', of_group USING ERRCODE = '42704', HINT = 'Declare it with restful.route_group.';
    END IF;
    key := restful.route_key_in(pattern, called.shown, sources, within.prefix, within.host);
    IF body IS NOT NULL AND pattern LIKE 'GET %' THEN
        RAISE EXCEPTION 'a GET has no body that a schema could describe' USING ERRCODE = '22023';
    END IF;
    SELECT s.document INTO body_schema FROM restful.read_schema(body) s;
    SELECT s.document INTO query_schema FROM restful.read_schema(query) s;
    SELECT s.document INTO result_schema FROM restful.read_schema(result) s;
    PERFORM restful.check_route_example(pattern, within.prefix, handler, sources, example, body_schema, query_schema, result_schema);
    DELETE FROM restful.route_entry e WHERE e.key = key AND to_regprocedure(e.handler) IS NULL;
    INSERT INTO restful.route_entry (key, pattern, handler, sources, body_schema, query_schema, result_schema, example, of_group)
    VALUES (key, pattern, called.shown, sources, body_schema, query_schema, result_schema, example, of_group)
    ON CONFLICT ON CONSTRAINT route_entry_pkey DO NOTHING;
    IF NOT FOUND THEN
        SELECT format('%s (%s)', e.pattern, e.handler) INTO known FROM restful.route_entry e WHERE e.key = key;
        RAISE EXCEPTION 'the route % takes the same requests as %', pattern, known
            USING ERRCODE = '42710', HINT = 'Change one of the patterns, or drop the other route with restful.drop_route.';
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.route(text, regproc, jsonb, text, text, text, jsonb, text) IS
    'Lets a function answer a method and a path, such as POST /orders/{id}/cancel. sources: where the values of parameters come from, if not from the path, the query and the body by their names: query:name, header:name, cookie:name, body, body:member. body, query, result: the JSON Schemas of bodies, of the query parameters as an object and of results, or the names of registered ones. example: a request and its result, an object with query, body and result, for the description of the API. of_group: the group whose prefix stands before the path';

CREATE FUNCTION restful.drop_route(pattern text, of_group text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    DELETE FROM restful.route_entry e WHERE e.pattern = pattern AND e.of_group IS NOT DISTINCT FROM of_group;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_route(text, text) IS 'Drops the route that was declared with this pattern, in this group if it has one; false if there is none';

CREATE FUNCTION restful.route_group(name text, prefix text DEFAULT '', host text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    clash record;
BEGIN
    IF coalesce(name, '') = '' OR prefix IS NULL THEN
        RAISE EXCEPTION 'a group of routes needs a name and a prefix' USING ERRCODE = '22004', HINT = 'restful.route_group(''blog'', ''/blog'')';
    END IF;
    host := lower(host);
    IF prefix !~ '^(/[^/]+)*$' OR host !~ '^([a-z0-9_-]+([.][a-z0-9_-]+)*|\[[0-9a-f:.]+\])$' THEN
        RAISE EXCEPTION 'the prefix or the host of a group of routes is malformed'
            USING ERRCODE = '22023', HINT = 'A prefix is a path without a slash at its end, such as /blog; a host is a name without a port, such as api.example.com.';
    END IF;
    -- The prefix is checked even if the group has no routes.
    PERFORM restful.hook_scope('* ' || nullif(prefix, ''));
    INSERT INTO restful.route_group_entry (name, prefix, host) VALUES (name, prefix, host)
    ON CONFLICT ON CONSTRAINT route_group_entry_pkey DO UPDATE SET prefix = EXCLUDED.prefix, host = EXCLUDED.host;
    -- A key may become that of another route of the group, so each gets one of its own first.
    UPDATE restful.route_entry e SET key = concat('~ ', e.key) WHERE e.of_group = name;
    SELECT e.pattern, format('%s (%s)', o.pattern, o.handler) AS known INTO clash
    FROM restful.route_entry e
    JOIN restful.route_entry o ON o.key = restful.route_key_in(e.pattern, e.handler, e.sources, prefix, host)
    WHERE e.of_group = name AND to_regprocedure(e.handler) IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'in the group %, the route % takes the same requests as %', name, clash.pattern, clash.known
            USING ERRCODE = '42710', HINT = 'Give the group another prefix or host, or drop one of the routes with restful.drop_route.';
    END IF;
    DELETE FROM restful.route_entry e WHERE e.of_group = name AND to_regprocedure(e.handler) IS NULL;
    UPDATE restful.route_entry e SET key = restful.route_key_in(e.pattern, e.handler, e.sources, prefix, host) WHERE e.of_group = name;
END
$function$;
COMMENT ON FUNCTION restful.route_group(text, text, text) IS
    'Declares a group of routes, or changes it: the prefix stands before the paths of its routes, and they take only requests for the host, if there is one';

CREATE FUNCTION restful.drop_route_group(name text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    -- Routes of the group that are being declared are seen below.
    PERFORM FROM restful.route_group_entry g WHERE g.name = name FOR UPDATE;
    IF EXISTS (SELECT FROM restful.route_entry e WHERE e.of_group = name AND to_regprocedure(e.handler) IS NOT NULL) THEN
        RAISE EXCEPTION 'the group % has routes', name USING ERRCODE = '2BP01', HINT = 'Drop them first with restful.drop_route(pattern, group).';
    END IF;
    IF EXISTS (SELECT FROM restful.hook_entry h WHERE h.requests = concat('group ', name)) THEN
        RAISE EXCEPTION 'the group % has hooks', name USING ERRCODE = '2BP01', HINT = 'Drop them first with restful.drop_hook(event, handler, requests).';
    END IF;
    DELETE FROM restful.route_entry e WHERE e.of_group = name;
    DELETE FROM restful.route_group_entry g WHERE g.name = name;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_route_group(text) IS 'Drops a group that has no routes; false if there is none';

CREATE FUNCTION restful.routes()
    RETURNS TABLE (method text, path text, handler text, host text, of_group text, sources jsonb, body_schema json, query_schema json, result_schema json, only_reads boolean, security_definer boolean, problem text)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT split_part(w.pattern, ' ', 1), substr(w.pattern, strpos(w.pattern, ' ') + 1), e.handler, g.host, e.of_group, e.sources, e.body_schema, e.query_schema, e.result_schema,
        p.provolatile <> 'v', p.prosecdef,
        CASE WHEN e.of_group IS NOT NULL AND g.name IS NULL THEN format('It answers no requests, because its group %s does not exist.', e.of_group) END
    FROM restful.route_entry e
    JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
    LEFT JOIN restful.route_group_entry g ON g.name = e.of_group
    CROSS JOIN LATERAL restful.route_pattern(e.pattern, g.prefix) w(pattern)
    ORDER BY 2, 1, 4
$function$;
COMMENT ON FUNCTION restful.routes() IS 'The routes whose functions exist, with their whole paths: a route goes with its function. problem: why a route answers no requests';

CREATE FUNCTION restful.sent(response restful.http_response) RETURNS bytea
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF (response).status IS NOT NULL THEN
        PERFORM set_config('response.status', (response).status::text, true);
    END IF;
    IF (response).headers IS NOT NULL THEN
        PERFORM set_config('response.headers', coalesce((
            SELECT jsonb_agg(jsonb_build_object(lower(h.key), v.value))
            FROM jsonb_each(CASE jsonb_typeof((response).headers) WHEN 'object' THEN (response).headers END) h,
                jsonb_array_elements_text(CASE jsonb_typeof(h.value) WHEN 'array' THEN h.value ELSE jsonb_build_array(h.value) END) v(value)), '[]')::text, true);
    END IF;
    RETURN (response).body;
END
$function$;
COMMENT ON FUNCTION restful.sent(restful.http_response) IS
    'Internal: makes status and header fields of a value those of the response, and returns its body. Part of the statements of calls.';

-- testing/testing.sql
-- Tests of an API. Nobody may execute these at first: whoever may can act for any subject, in the roles that they may take.
-- None of them has a search path of its own where the names in tests are the caller's.

CREATE FUNCTION restful.expect(
    method text, target text, send jsonb DEFAULT NULL, as_role name DEFAULT NULL, as_claims jsonb DEFAULT NULL,
    with_headers jsonb DEFAULT '{}', status integer DEFAULT NULL, headers jsonb DEFAULT '{}', body jsonb DEFAULT NULL,
    contains jsonb DEFAULT NULL, description text DEFAULT NULL
) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_expect';
COMMENT ON FUNCTION restful.expect(text, text, jsonb, name, jsonb, jsonb, integer, jsonb, jsonb, jsonb, text) IS
'For tests: makes a request as a role and with claims, compares status, header fields and body with what is given, and returns the result as TAP. Without a status, any below 400 is right; contains is a part of the body, as for jsonb''s operator @>';

CREATE FUNCTION restful.test_rows(query text, expected jsonb, rows jsonb, description text) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_test_rows';
COMMENT ON FUNCTION restful.test_rows(text, jsonb, jsonb, text) IS
'Internal: compares the rows of a query with those that a test expects';

CREATE FUNCTION restful.expect_rows(query text, rows jsonb, description text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $function$
DECLARE
    found pg_catalog.jsonb;
BEGIN
    EXECUTE pg_catalog.format(E'SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r)) FROM (%s\n) AS r', pg_catalog.rtrim(query, E'; \n'))
        INTO found;
    RETURN restful.test_rows(query, rows, coalesce(found, '[]'), description);
END
$function$;
COMMENT ON FUNCTION restful.expect_rows(text, jsonb, text) IS
'For tests: compares the rows of a query, as an array of objects, with what is given, and returns the result as TAP. The query runs with the rights of the caller';

CREATE FUNCTION restful.test_step(step text, name text DEFAULT NULL) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'restful_test_step';
COMMENT ON FUNCTION restful.test_step(text, text) IS
'Internal: what the functions for tests do with the results that the session keeps';

CREATE FUNCTION restful.test(pattern text DEFAULT 'test.%') RETURNS SETOF text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 100
AS $function$
DECLARE
    one record;
    has_ended boolean;
    message text;
    hint text;
    context text;
BEGIN
    RETURN NEXT restful.test_step('start');
    FOR one IN
        SELECT pg_catalog.concat(n.nspname, '.', p.proname) AS name, pg_catalog.format('SELECT %I.%I()', n.nspname, p.proname) AS call
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
        WHERE pg_catalog.concat(n.nspname, '.', p.proname) OPERATOR(pg_catalog.~~) pattern
          AND p.prokind OPERATOR(pg_catalog.=) 'f' AND p.pronargs OPERATOR(pg_catalog.=) 0
          AND p.prorettype OPERATOR(pg_catalog.<>) ALL (
              ARRAY['pg_catalog.trigger', 'pg_catalog.event_trigger']::pg_catalog.regtype[]::pg_catalog.oid[])
          AND n.nspname OPERATOR(pg_catalog.<>) ALL (ARRAY['restful', 'pg_catalog', 'information_schema'])
        ORDER BY n.nspname, p.proname
    LOOP
        PERFORM restful.test_step('begin', one.name);
        has_ended := false;
        message := NULL;
        BEGIN
            EXECUTE one.call;
            SET CONSTRAINTS ALL IMMEDIATE;
            has_ended := true;
            -- Undoes everything that the test has done.
            RAISE SQLSTATE 'RT000';
        EXCEPTION WHEN OTHERS OR assert_failure THEN
            IF NOT has_ended THEN
                GET STACKED DIAGNOSTICS message := MESSAGE_TEXT, hint := PG_EXCEPTION_HINT, context := PG_EXCEPTION_CONTEXT;
                -- without the lines that are those of this function
                context := pg_catalog.regexp_replace(context, '(^|\n)(SQL statement "SELECT [^\n]*"\n)?PL/pgSQL function restful\.test\(.*$', '');
                message := pg_catalog.concat_ws(E'\n', pg_catalog.concat(message, ' (', SQLSTATE, ')'),
                    CASE WHEN hint OPERATOR(pg_catalog.<>) '' THEN hint END, CASE WHEN context OPERATOR(pg_catalog.<>) '' THEN context END);
            END IF;
        END;
        RETURN QUERY SELECT pg_catalog.regexp_split_to_table(restful.test_step('end', message), '\n');
    END LOOP;
    RETURN NEXT restful.test_step('plan');
END
$function$;
COMMENT ON FUNCTION restful.test(text) IS
'Runs the tests: the functions without arguments whose name, with the schema, is LIKE the pattern, in the order of their names. What each does is undone. Returns the results as TAP 14';

CREATE FUNCTION restful.test_done() RETURNS text
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.test_step('done') $$;
COMMENT ON FUNCTION restful.test_done() IS
'Raises an error if a test of this session has failed, or none has run. For exit codes';

CREATE FUNCTION restful.test_junit() RETURNS text
LANGUAGE sql VOLATILE PARALLEL UNSAFE
AS $$ SELECT restful.test_step('junit') $$;
COMMENT ON FUNCTION restful.test_junit() IS
'The results of the tests of this session as JUnit XML';

CREATE FUNCTION restful.test_coverage() RETURNS TABLE (kind text, name text, role name, verdict text, detail text)
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
WITH found AS MATERIALIZED (
    SELECT restful.test_step('coverage')::jsonb AS found
), requests AS MATERIALIZED (
    SELECT r.method, r.schema, r.path, r.role, r.answered, r.refused
    FROM found f, jsonb_to_recordset(f.found -> 'requests')
        AS r (method text, schema text, path text, role name, answered bigint, refused bigint)
), seen AS MATERIALIZED (
    SELECT p.relation::oid, p.policy, p.clause, p.verdict, p.detail
    FROM found f, jsonb_to_recordset(f.found -> 'policies') AS p (relation bigint, policy name, clause text, verdict text, detail text)
), schemas AS MATERIALIZED (
    SELECT s.name FROM restful.lint_schemas() s (name)
), roles AS MATERIALIZED (
    SELECT a.name FROM restful.lint_api_roles() a
    UNION
    SELECT r.role FROM requests r
), of_extensions AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.deptype = 'e'
), granted AS MATERIALIZED (
    SELECT n.nspname, c.oid, c.relname, m.role, m.command
    FROM restful.access_matrix(array(SELECT s.name::text FROM schemas s), array(SELECT r.name::text FROM roles r)) m
    JOIN pg_class c ON c.oid = m.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE m.granted AND m.command <> 'TRUNCATE'
      AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
), routes AS (
    SELECT CASE g.command WHEN 'SELECT' THEN 'GET' WHEN 'INSERT' THEN 'POST' WHEN 'UPDATE' THEN 'PATCH' ELSE 'DELETE' END AS method,
        g.nspname, '/' || g.relname AS path, g.role
    FROM granted g
    UNION ALL
    SELECT 'PUT', g.nspname, '/' || g.relname, g.role
    FROM granted g
    WHERE g.command IN ('INSERT', 'UPDATE')
      AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = g.oid AND i.indisprimary)
    GROUP BY g.nspname, g.relname, g.role
    HAVING count(*) = 2
    UNION ALL
    SELECT DISTINCT NULL, n.nspname, '/rpc/' || p.proname, r.name
    FROM schemas s
    JOIN pg_namespace n ON n.nspname = s.name
    JOIN pg_proc p ON p.pronamespace = n.oid
    CROSS JOIN roles r
    WHERE p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND has_schema_privilege(r.name, n.oid, 'USAGE') AND has_function_privilege(r.name, p.oid, 'EXECUTE')
      AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
    UNION ALL
    SELECT DISTINCT d.method, n.nspname, d.path, r.name
    FROM restful.routes() d
    JOIN pg_proc p ON p.oid = to_regprocedure(d.handler)
    JOIN pg_namespace n ON n.oid = p.pronamespace
    CROSS JOIN roles r
    WHERE has_schema_privilege(r.name, n.oid, 'USAGE') AND has_function_privilege(r.name, p.oid, 'EXECUTE')
), requested AS MATERIALIZED (
    SELECT concat_ws(' ', t.method, t.path, CASE WHEN (SELECT count(*) FROM schemas) > 1 THEN 'of ' || t.nspname END) AS name, t.role,
        coalesce(sum(r.answered), 0) AS answered, coalesce(sum(r.refused), 0) AS refused
    FROM routes t
    -- a function is called by several methods
    LEFT JOIN requests r ON r.schema = t.nspname AND r.path = t.path AND r.role = t.role AND r.method = coalesce(t.method, r.method)
    GROUP BY 1, 2
), policies AS (
    SELECT p.polrelid, p.polname, c.relrowsecurity, e.clause
    FROM pg_policy p
    JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT 'USING' WHERE p.polcmd <> 'a' AND p.polqual IS NOT NULL
        UNION ALL
        SELECT 'WITH CHECK' WHERE p.polcmd IN ('*', 'a', 'w') AND num_nonnulls(p.polqual, p.polwithcheck) > 0
    ) e (clause)
    WHERE n.nspname IN (SELECT s.name FROM schemas s) OR c.oid IN (SELECT s.relation FROM seen s)
)
SELECT u.kind, u.name, u.role, u.verdict, u.detail
FROM (
    SELECT 1, 'route', r.name, r.role,
        CASE WHEN r.answered > 0 THEN 'covered' WHEN r.refused > 0 THEN 'only refused' ELSE 'never requested' END,
        CASE WHEN r.answered + r.refused > 0 THEN format('%s answered, %s refused', r.answered, r.refused) END
    FROM requested r
    UNION ALL
    SELECT 2, 'policy', format('%I on %s, %s', p.polname, p.polrelid::regclass, p.clause), NULL,
        coalesce(s.verdict, 'never allowed, never denied'),
        CASE
            WHEN NOT p.relrowsecurity THEN 'row-level security is not enabled'
            WHEN s.verdict IS NULL THEN 'no request to which it applies has touched the table'
            ELSE s.detail
        END
    FROM policies p
    LEFT JOIN seen s ON s.relation = p.polrelid AND s.policy = p.polname AND s.clause = p.clause
    UNION ALL
    SELECT 3, 'role', o.name, o.name,
        CASE WHEN EXISTS (SELECT FROM requests q WHERE q.role = o.name) THEN 'covered' ELSE 'never requested' END,
        (SELECT format('%s of %s routes requested', count(*) FILTER (WHERE r.answered + r.refused > 0), count(*))
         FROM requested r WHERE r.role = o.name)
    FROM roles o
) u (place, kind, name, role, verdict, detail)
ORDER BY u.place, u.name, u.role
$function$;
COMMENT ON FUNCTION restful.test_coverage() IS
'What the tests of this session have covered: each route of each role of requests, each expression of each policy, which should have let a row through and kept one away, and each role; unknown is what could not be found out';

CREATE FUNCTION restful.test_mutants() RETURNS TABLE (policy text, clause text, replaced_by text, statement text)
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
WITH seen AS MATERIALIZED (
    SELECT p.relation::oid
    FROM jsonb_to_recordset(restful.test_step('coverage')::jsonb -> 'policies') AS p (relation bigint)
), policies AS (
    SELECT c.oid AS rel, p.polname, p.polcmd, pg_get_expr(p.polqual, c.oid) AS qual, pg_get_expr(p.polwithcheck, c.oid) AS written
    FROM pg_policy p
    JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relrowsecurity AND (n.nspname IN (SELECT s.name FROM restful.lint_schemas() s (name)) OR c.oid IN (SELECT s.relation FROM seen s))
)
SELECT format('%I on %s', p.polname, p.rel::regclass), e.clause, m.value,
    -- Without an expression of its own, WITH CHECK is what USING is. It stays that.
    format('ALTER POLICY %I ON %s %s (%s)', p.polname, p.rel::regclass, e.clause, m.value)
        || CASE WHEN e.clause = 'USING' AND p.polcmd IN ('*', 'w') THEN format(' WITH CHECK (%s)', coalesce(p.written, p.qual)) ELSE '' END
FROM policies p
CROSS JOIN LATERAL (
    SELECT 'USING', p.qual WHERE p.polcmd <> 'a' AND p.qual IS NOT NULL
    UNION ALL
    SELECT 'WITH CHECK', coalesce(p.written, p.qual) WHERE p.polcmd IN ('*', 'a', 'w') AND num_nonnulls(p.written, p.qual) > 0
) e (clause, expression)
CROSS JOIN (VALUES ('true'), ('false')) m (value)
WHERE e.expression <> m.value
ORDER BY p.rel::regclass::text, p.polname, e.clause, m.value DESC
$function$;
COMMENT ON FUNCTION restful.test_mutants() IS
'Internal: the statements with which restful.test_mutations() changes policies';

CREATE FUNCTION restful.test_mutations(pattern text DEFAULT 'test.%')
RETURNS TABLE (policy text, clause text, replaced_by text, verdict text, failed text[])
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 100
AS $function$
#variable_conflict use_variable
DECLARE
    one record;
BEGIN
    PERFORM restful.test_step('save');
    PERFORM restful.test(pattern);
    failed := pg_catalog.string_to_array(restful.test_step('failed'), E'\n');
    IF pg_catalog.cardinality(failed) OPERATOR(pg_catalog.>) 0 THEN
        PERFORM restful.test_step('restore');
        RAISE assert_failure USING MESSAGE := 'tests fail although no policy is changed', DETAIL := pg_catalog.array_to_string(failed, E'\n');
    END IF;
    FOR one IN SELECT m.policy, m.clause, m.replaced_by, m.statement FROM restful.test_mutants() m LOOP
        policy := one.policy;
        clause := one.clause;
        replaced_by := one.replaced_by;
        BEGIN
            EXECUTE one.statement;
            PERFORM restful.test(pattern);
            -- Undoes the change.
            RAISE SQLSTATE 'RT000';
        EXCEPTION WHEN SQLSTATE 'RT000' THEN
            failed := pg_catalog.string_to_array(restful.test_step('failed'), E'\n');
        END;
        verdict := CASE WHEN pg_catalog.cardinality(failed) OPERATOR(pg_catalog.>) 0 THEN 'noticed' ELSE 'not noticed' END;
        RETURN NEXT;
    END LOOP;
    PERFORM restful.test_step('restore');
END
$function$;
COMMENT ON FUNCTION restful.test_mutations(text) IS
'Runs the tests with each expression of each policy replaced by true, and then by false, and returns which tests fail because of that. If none does, no test depends on the expression. For owners of the tables, where nobody else works: changing a policy locks its table';

-- hooks/hooks.sql
-- Hooks: functions that run before requests, after them, or when they fail. Functions write them, for administrators.

CREATE TABLE restful.hook_entry (
    event text NOT NULL CHECK (event IN ('before', 'after', 'error')),
    handler text NOT NULL,
    requests text NOT NULL,
    run_order integer NOT NULL DEFAULT 0,
    PRIMARY KEY (event, handler, requests)
);
COMMENT ON TABLE restful.hook_entry IS 'Hooks, declared by restful.hook';
COMMENT ON COLUMN restful.hook_entry.handler IS 'The function with its schema and the types of its parameters. A text, because pg_upgrade refuses columns of the type regprocedure';
REVOKE ALL ON restful.hook_entry FROM PUBLIC;
ALTER TABLE restful.hook_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.hook_entry', '');

CREATE FUNCTION restful.hook_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_hook_changed';
COMMENT ON FUNCTION restful.hook_changed() IS 'Internal: makes every session read the hooks again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER hook_changed AFTER INSERT OR UPDATE OR DELETE ON restful.hook_entry
    FOR EACH ROW EXECUTE FUNCTION restful.hook_changed();
CREATE TRIGGER hook_truncated AFTER TRUNCATE ON restful.hook_entry
    FOR EACH STATEMENT EXECUTE FUNCTION restful.hook_changed();
ALTER TABLE restful.hook_entry ENABLE ALWAYS TRIGGER hook_changed, ENABLE ALWAYS TRIGGER hook_truncated;

CREATE FUNCTION restful.hook_scope(scope text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_hook_scope';
COMMENT ON FUNCTION restful.hook_scope(text) IS 'Internal: an error for malformed requests of a hook';

CREATE FUNCTION restful.hook_is_callable(event text, function oid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT EXISTS (
        SELECT FROM pg_proc p
        CROSS JOIN (VALUES ('restful.http_request'::regtype::oid, 'restful.http_response'::regtype::oid)) AS types (request, response)
        WHERE p.oid = function AND p.prokind = 'f' AND NOT p.proretset
            AND (p.prorettype IN ('void'::regtype, response) OR event = 'before' AND p.prorettype = request)
            AND ARRAY(SELECT unnest(p.proargtypes)) = (CASE event WHEN 'before' THEN ARRAY[request] ELSE ARRAY[request, response] END)[1:p.pronargs]
    )
$function$;
COMMENT ON FUNCTION restful.hook_is_callable(text, oid) IS 'Internal: whether a function can be a hook for an event';

CREATE FUNCTION restful.hook(event text, handler regproc, requests text DEFAULT '*', run_order integer DEFAULT 0) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    called record;
    takes text := '(), (restful.http_request) or (restful.http_request, restful.http_response)';
    returns text := 'void or restful.http_response';
BEGIN
    IF event IS NULL OR event NOT IN ('before', 'after', 'error') OR handler IS NULL OR requests IS NULL OR run_order IS NULL THEN
        RAISE EXCEPTION 'a hook is for before, after or error, and needs a function'
            USING ERRCODE = '22023', HINT = 'restful.hook(''before'', ''app.check_request'')';
    END IF;
    PERFORM restful.hook_scope(requests);
    IF starts_with(requests, 'group ') THEN
        PERFORM FROM restful.route_group_entry g WHERE g.name = substr(requests, 7) FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no group of routes named %', substr(requests, 7)
                USING ERRCODE = '42704', HINT = 'Declare it first, with restful.route_group.';
        END IF;
    END IF;
    SELECT p.oid, p.oid::regprocedure::text AS shown, n.nspname, p.proname INTO called
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = handler;
    IF (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = called.proname AND n.nspname = called.nspname) > 1 THEN
        RAISE EXCEPTION 'there are several functions named %.%', called.nspname, called.proname
            USING ERRCODE = '42725', HINT = 'Give the function of a hook a name of its own.';
    END IF;
    IF NOT restful.hook_is_callable(event, called.oid) THEN
        IF event = 'before' THEN
            takes := '() or (restful.http_request)';
            returns := 'void, restful.http_request or restful.http_response';
        END IF;
        RAISE EXCEPTION '% cannot be a hook for %', called.shown, event
            USING ERRCODE = '42P13', DETAIL = format('Its parameters have to be %s, and it has to return %s.', takes, returns);
    END IF;
    INSERT INTO restful.hook_entry (event, handler, requests, run_order) VALUES (event, called.shown, requests, run_order)
    ON CONFLICT ON CONSTRAINT hook_entry_pkey DO UPDATE SET run_order = EXCLUDED.run_order;
END
$function$;
COMMENT ON FUNCTION restful.hook(text, regproc, text, integer) IS
    'Lets a function run before requests, after them, or when they fail (event: before, after, error). requests: *, a method, a method or * and a path as in routes, such as * /orders/{rest:path}, or a group of routes, such as group blog. run_order: those with a lower one run first';

CREATE FUNCTION restful.drop_hook(event text, handler text, requests text DEFAULT '*') RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    DELETE FROM restful.hook_entry e
    WHERE e.event = event AND handler IN (e.handler, regexp_replace(e.handler, '\([^()]*\)$', '')) AND e.requests = requests;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_hook(text, text, text) IS
    'Drops a hook that was declared with these arguments; false if there is none. handler: the function with its schema, with or without the types of its parameters';

CREATE FUNCTION restful.hooks()
    RETURNS TABLE (event text, number bigint, handler text, requests text, run_order integer, security_definer boolean, is_callable boolean)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 20
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT h.event, row_number() OVER (PARTITION BY h.event ORDER BY h.last, h.run_order, h.handler COLLATE "C", h.requests COLLATE "C"),
        h.handler, h.requests, h.run_order, h.prosecdef, h.is_callable
    FROM (
        SELECT e.event, false AS last, e.handler, e.requests, e.run_order, p.prosecdef, restful.hook_is_callable(e.event, p.oid) AS is_callable
        FROM restful.hook_entry e
        LEFT JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
        UNION ALL
        SELECT 'before', true, s.name, '*', NULL, (SELECT bool_or(p.prosecdef) FROM pg_proc p WHERE p.oid = to_regproc(s.name)),
            to_regproc(s.name) IS NOT NULL
        FROM nullif(current_setting('restful.pre_request', true), '') s(name)
        WHERE s.name IS NOT NULL
    ) h
    ORDER BY CASE h.event WHEN 'before' THEN 1 WHEN 'after' THEN 2 ELSE 3 END, 2
$function$;
COMMENT ON FUNCTION restful.hooks() IS
    'The hooks, in the order in which they run. That of the setting restful.pre_request is the last one before a request. Requests fail where a hook is not callable, because its function is missing or has changed';

-- limits/limits.sql
-- Limits of requests. Functions write them, for administrators. What clients have taken is in shared memory.

CREATE TABLE restful.limit_entry (
    name text PRIMARY KEY CHECK (name ~ '^[ -~]{1,120}$'),
    rate text NOT NULL,
    key_by text NOT NULL,
    requests text NOT NULL,
    unit text NOT NULL,
    burst bigint CHECK (burst > 0),
    cost bigint NOT NULL DEFAULT 1 CHECK (cost > 0)
);
COMMENT ON TABLE restful.limit_entry IS 'Limits of requests, declared by restful.limit';
REVOKE ALL ON restful.limit_entry FROM PUBLIC;
ALTER TABLE restful.limit_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.limit_entry', '');

CREATE FUNCTION restful.limit_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_limit_changed';
COMMENT ON FUNCTION restful.limit_changed() IS 'Internal: makes every session read the limits again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER limit_changed AFTER INSERT OR UPDATE OR DELETE ON restful.limit_entry
    FOR EACH ROW EXECUTE FUNCTION restful.limit_changed();
CREATE TRIGGER limit_truncated AFTER TRUNCATE ON restful.limit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION restful.limit_changed();
ALTER TABLE restful.limit_entry ENABLE ALWAYS TRIGGER limit_changed, ENABLE ALWAYS TRIGGER limit_truncated;

CREATE FUNCTION restful.check_limit(rate text, key_by text, unit text, burst bigint, cost bigint) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_check_limit';
COMMENT ON FUNCTION restful.check_limit(text, text, text, bigint, bigint) IS 'Internal: an error for a malformed limit';

CREATE FUNCTION restful.limit_keys() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_limit_keys';
COMMENT ON FUNCTION restful.limit_keys() IS 'Internal: the busiest keys of each limit';

CREATE FUNCTION restful.forget_limit(name text) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_forget_limit';
COMMENT ON FUNCTION restful.forget_limit(text) IS 'Gives all clients back what they have taken of a limit, at once and whatever becomes of the transaction';

CREATE FUNCTION restful.limit_problem(method text, path text, headers jsonb, claims jsonb) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_limit_problem';
COMMENT ON FUNCTION restful.limit_problem(text, text, jsonb, jsonb) IS 'Internal: counts a request of another HTTP layer; what to tell its client if a limit refuses it';

CREATE FUNCTION restful.limit(
    rate text,
    by text DEFAULT 'ip',
    requests text DEFAULT '*',
    unit text DEFAULT 'requests',
    burst bigint DEFAULT NULL,
    cost bigint DEFAULT 1,
    name text DEFAULT NULL
) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    IF rate IS NULL OR by IS NULL OR requests IS NULL OR unit IS NULL OR cost IS NULL THEN
        RAISE EXCEPTION 'a limit needs a rate' USING ERRCODE = '22004', HINT = 'restful.limit(''100 per hour'', by => ''ip'', requests => ''POST /orders'')';
    END IF;
    PERFORM restful.check_limit(rate, by, unit, burst, cost);
    PERFORM restful.hook_scope(requests);
    name := coalesce(name, format('%s by %s for %s', unit, by, requests));
    IF name !~ '^[ -~]{1,120}$' THEN
        RAISE EXCEPTION 'the name of a limit is malformed' USING ERRCODE = '22023', HINT = 'Give it a name of at most 120 printable ASCII characters, with name => ''orders''.';
    END IF;
    IF name = 'failed logins by ip' THEN
        RAISE EXCEPTION 'the name % is taken', name USING ERRCODE = '42710', HINT = 'Set restful.login_limit, or give the limit another name.';
    END IF;
    INSERT INTO restful.limit_entry (name, rate, key_by, requests, unit, burst, cost) VALUES (name, rate, by, requests, unit, burst, cost)
    ON CONFLICT ON CONSTRAINT limit_entry_pkey DO UPDATE
    SET rate = EXCLUDED.rate, key_by = EXCLUDED.key_by, requests = EXCLUDED.requests, unit = EXCLUDED.unit, burst = EXCLUDED.burst, cost = EXCLUDED.cost;
    RETURN name;
END
$function$;
COMMENT ON FUNCTION restful.limit(text, text, text, text, bigint, bigint, text) IS
    'Declares a limit of requests, such as 100 per hour or 5/second; 1000 per day, or changes that of the same name. by: ip, role, subject, api_key, tenant, all, or claim and a path. requests: as of restful.hook. unit: requests, rows, bytes, milliseconds or concurrent. burst: how much may be taken at once, if not the amount of the rate. cost: of one request. Returns the name';

CREATE FUNCTION restful.drop_limit(name text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
BEGIN
    DELETE FROM restful.limit_entry e WHERE e.name = name;
    RETURN FOUND;
END
$function$;
COMMENT ON FUNCTION restful.drop_limit(text) IS 'Drops a limit; false if there is none of this name';

CREATE FUNCTION restful.limits()
    RETURNS TABLE (name text, rate text, key_by text, requests text, unit text, burst bigint, cost bigint, busiest jsonb)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH keys AS MATERIALIZED (SELECT restful.limit_keys() AS of_limit)
    SELECT l.*, k.of_limit->l.name
    FROM (
        SELECT e.name, e.rate, e.key_by, e.requests, e.unit, e.burst, e.cost FROM restful.limit_entry e
        UNION ALL
        SELECT 'failed logins by ip', nullif(current_setting('restful.login_limit', true), ''), 'ip', 'with wrong credentials', 'requests', NULL, 1
        WHERE nullif(current_setting('restful.login_limit', true), '') IS NOT NULL
    ) l
    CROSS JOIN keys k
    ORDER BY l.name COLLATE "C"
$function$;
COMMENT ON FUNCTION restful.limits() IS
    'The limits of requests, each with its busiest keys: how many requests were refused and units taken since the key was last idle, how many requests are running, and in how many seconds all of it is free again';

CREATE FUNCTION restful.check_limits() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    problem jsonb := restful.limit_problem(
        current_setting('request.method', true), current_setting('request.path', true),
        nullif(current_setting('request.headers', true), '')::jsonb, nullif(current_setting('request.jwt.claims', true), '')::jsonb);
BEGIN
    IF problem IS NOT NULL THEN
        RAISE SQLSTATE 'PGRST' USING MESSAGE = (problem->'message')::text, DETAIL = (problem->'detail')::text;
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.check_limits() IS
    'For PostgREST''s db-pre-request: counts the request for the limits that count requests, and refuses it beyond one. Requests of restful.serve need no such function';

-- history/row_history.sql
-- The history of rows: what was written when, by whom, and in which request.

CREATE TABLE restful.audit_entry (
    audit integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE restful.audit_entry IS 'Audits of tables, begun by restful.audit. The triggers of a table have the number of its audit';
REVOKE ALL ON restful.audit_entry FROM PUBLIC;
ALTER TABLE restful.audit_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.audit_entry', '');
SELECT pg_catalog.pg_extension_config_dump('restful.audit_entry_audit_seq', '');

CREATE TABLE restful.row_history (
    audit integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    operation text NOT NULL,
    key jsonb,
    "row" jsonb,
    role text NOT NULL,
    subject text,
    api_key text,
    method text,
    path text,
    request_id text
);
CREATE INDEX row_history_key ON restful.row_history (audit, key, id);
CREATE INDEX row_history_at ON restful.row_history (audit, at);
COMMENT ON TABLE restful.row_history IS 'What has happened to the rows of audited tables: the row after each change, and who has made it. The triggers of restful.audit write it';
REVOKE ALL ON restful.row_history FROM PUBLIC;
ALTER TABLE restful.row_history ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.row_history', '');
SELECT pg_catalog.pg_extension_config_dump('restful.row_history_id_seq', '');

CREATE FUNCTION restful.note_row() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_note_row';
COMMENT ON FUNCTION restful.note_row() IS 'Internal: the trigger of restful.audit';

CREATE FUNCTION restful.audit_of(rel regclass) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT encode(substr(t.tgargs, 1, length(t.tgargs) - 1), 'escape')::integer
    FROM pg_trigger t WHERE t.tgrelid = rel AND t.tgname = 'restful_note_row' AND t.tgfoid = 'restful.note_row'::regproc
$function$;
COMMENT ON FUNCTION restful.audit_of(regclass) IS 'Internal: the number of the audit of a table; null without one';

CREATE FUNCTION restful.audit(rel regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    named record;
    number integer;
    history text;
    as_of text;
BEGIN
    SELECT n.nspname, c.relname, c.relkind, c.relispartition, c.relpersistence, c.relforcerowsecurity, o.rolname, EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_key INTO named
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner WHERE c.oid = rel;
    IF NOT FOUND OR named.relkind NOT IN ('r', 'p') OR named.relispartition OR named.relpersistence = 't' OR named.nspname IN ('pg_catalog', 'information_schema', 'restful') THEN
        RAISE EXCEPTION '% cannot be audited', rel
            USING ERRCODE = '42809', HINT = 'Audit a table, and a partitioned table as a whole.';
    ELSIF NOT named.has_key THEN
        RAISE EXCEPTION '% has no primary key', rel USING ERRCODE = '42P16', HINT = 'Give it one: the history tells rows apart by their keys.';
    ELSIF named.relforcerowsecurity THEN
        RAISE EXCEPTION '% has policies for its owner', rel
            USING ERRCODE = '55000', HINT = 'They would hide rows while the history begins. Use ALTER TABLE ... NO FORCE ROW LEVEL SECURITY until then.';
    END IF;
    history := format('%I.%I', named.nspname, named.relname || '_history');
    as_of := format('%I.%I', named.nspname, named.relname || '_as_of');
    -- From here on nobody writes the table until this transaction has ended.
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', rel);
    IF restful.audit_of(rel) IS NOT NULL THEN
        RAISE EXCEPTION '% is audited already', rel USING ERRCODE = '42710';
    END IF;
    INSERT INTO restful.audit_entry DEFAULT VALUES RETURNING audit INTO number;
    EXECUTE format('CREATE TRIGGER restful_note_row AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION restful.note_row(%L)', rel, number);
    EXECUTE format('CREATE TRIGGER restful_note_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION restful.note_row(%L)', rel, number);
    EXECUTE format($view$CREATE VIEW %s WITH (security_barrier) AS
        SELECT h.id, h.at, h.transaction_id, h.operation, h.key, h."row", h.role, h.subject, h.api_key, h.method, h.path, h.request_id
        FROM restful.row_history h WHERE h.audit = %s$view$, history, number);
    EXECUTE format('COMMENT ON VIEW %s IS %L', history, format('The history of %s: the row after each change, and who has made it', rel));
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', history);
    EXECUTE format('GRANT SELECT ON %s TO %I WITH GRANT OPTION', history, named.rolname);
    -- It runs with the rights of whoever calls it, because reading values back may run code of the table's owner.
    EXECUTE format($create$CREATE FUNCTION %1$s(at timestamptz) RETURNS SETOF %2$s
    LANGUAGE plpgsql STABLE STRICT ROWS 1000
    SET search_path = pg_catalog, pg_temp
AS $as_of$
#variable_conflict use_variable
DECLARE
    began timestamptz := (SELECT min(h.at) FROM %3$s h WHERE h.operation = 'BEGIN');
    emptied bigint := (SELECT max(h.id) FROM %3$s h WHERE h.at <= at AND h.operation IN ('TRUNCATE', 'BEGIN'));
BEGIN
    IF began IS NULL OR at < began THEN
        RAISE EXCEPTION 'the history begins at %%', began USING ERRCODE = '22023', HINT = 'Ask for a later time.';
    END IF;
    -- Parsed each time, because columns come and go.
    RETURN QUERY EXECUTE $query$
        SELECT (jsonb_populate_record(NULL::%2$s, l."row")).*
        FROM (
            SELECT DISTINCT ON (h.key) h."row" FROM %3$s h
            WHERE h.at <= $1 AND h.id > $2 AND h.key IS NOT NULL
            ORDER BY h.key, h.id DESC
        ) l
        WHERE l."row" IS NOT NULL$query$ USING at, emptied;
END
$as_of$$create$, as_of, rel, history);
    EXECUTE format('COMMENT ON FUNCTION %s(timestamptz) IS %L', as_of, format('The rows of %s as they were at a time, for roles that may read its history', rel));
    EXECUTE format($begin$INSERT INTO restful.row_history (audit, operation, role) VALUES (%s, 'BEGIN', session_user)$begin$, number);
    PERFORM restful.note_rows(rel, rel::text, number);
END
$function$;
COMMENT ON FUNCTION restful.audit(regclass) IS
    'Keeps the history of a table from now on: who has written which row when, in which request. Makes the view TABLE_history and the function TABLE_as_of(time) beside it, for roles with SELECT on the view';

CREATE FUNCTION restful.note_rows(rel regclass, name text, audit integer) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_note_rows';
COMMENT ON FUNCTION restful.note_rows(regclass, text, integer) IS 'Internal: notes the rows that a table has';

CREATE FUNCTION restful.drop_audit(rel regclass) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    number integer := restful.audit_of(rel);
BEGIN
    IF number IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TRIGGER restful_note_row ON %1$s', rel);
    EXECUTE format('DROP TRIGGER IF EXISTS restful_note_truncate ON %1$s', rel);
    RETURN true;
END
$function$;
COMMENT ON FUNCTION restful.drop_audit(regclass) IS
    'Ends the audit of a table; false if it has none. Its history stays, with the view and the function that read it';

CREATE FUNCTION restful.forget_history(history regclass, before timestamptz) RETURNS bigint
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    number integer := (SELECT substring(pg_get_viewdef(c.oid) FROM 'audit = ([0-9]+)')::integer FROM pg_class c
        WHERE c.oid = history AND c.relkind = 'v' AND pg_get_viewdef(c.oid) ~ 'FROM restful[.]row_history h');
    emptied bigint;
    gone bigint;
BEGIN
    IF number IS NULL THEN
        RAISE EXCEPTION '% is not the history of a table', history USING ERRCODE = '42809', HINT = 'Name the view that restful.audit has made: shop.orders_history.';
    END IF;
    SELECT max(h.id) INTO emptied FROM restful.row_history h WHERE h.audit = number AND h.at < before AND h.operation IN ('TRUNCATE', 'BEGIN');
    DELETE FROM restful.row_history h
    WHERE h.audit = number AND h.at < before AND (
        h.id < emptied
        OR h.operation = 'DELETE'
        OR h.key IS NOT NULL AND EXISTS (SELECT FROM restful.row_history later WHERE later.audit = number AND later.key = h.key AND later.id > h.id AND later.at < before));
    GET DIAGNOSTICS gone = ROW_COUNT;
    -- Earlier times cannot be asked for any more.
    UPDATE restful.row_history h SET at = before, operation = 'BEGIN' WHERE h.audit = number AND h.id = emptied;
    RETURN gone;
END
$function$;
COMMENT ON FUNCTION restful.forget_history(regclass, timestamptz) IS
    'Forgets what no longer counts at a time, for a history such as shop.orders_history. The rows as of that time and later stay. Returns how many changes were forgotten';

-- versions/versions.sql
-- Versions of the API: schemas that have a path of their own, and dates on which they go. Functions of administrators declare them.
CREATE TABLE restful.api_version (
    name text COLLATE "C" PRIMARY KEY,
    schema name NOT NULL UNIQUE,
    deprecated_at timestamptz,
    sunset_at timestamptz,
    successor text COLLATE "C",
    docs text COLLATE "C",
    -- unreserved characters (RFC 3986, section 2.3), so that the name is the same in every URL
    CONSTRAINT name_is_a_path_segment CHECK (name ~ '^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,62}$' AND name NOT IN ('rpc', 'batch', 'oauth')),
    CONSTRAINT schema_can_be_exposed CHECK (schema NOT IN ('pg_catalog', 'information_schema', 'restful')),
    -- what a date of HTTP can say (RFC 9110, section 5.6.7)
    CONSTRAINT dates_are_dates_of_http CHECK (
        deprecated_at >= '1970-01-01 00:00:00+00' AND deprecated_at < '10000-01-01 00:00:00+00'
        AND sunset_at >= '1970-01-01 00:00:00+00' AND sunset_at < '10000-01-01 00:00:00+00'),
    -- RFC 9745, section 4
    CONSTRAINT sunset_follows_deprecation CHECK (sunset_at >= deprecated_at),
    CONSTRAINT successor_is_another CHECK (successor <> name),
    CONSTRAINT docs_is_a_url CHECK (docs ~ '^https?://[!#-;=?-\[\]_a-z~]+$')
);
COMMENT ON TABLE restful.api_version IS 'Versions of the API: what restful.version() has declared';
SELECT pg_catalog.pg_extension_config_dump('restful.api_version', '');

CREATE FUNCTION restful.api_version_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_api_version_changed';
COMMENT ON FUNCTION restful.api_version_changed() IS
    'Internal: makes every session read the versions of the API again';
-- FOR EACH ROW and ENABLE ALWAYS: where a subscription writes the table, no other trigger fires.
CREATE TRIGGER api_version_changed AFTER INSERT OR UPDATE OR DELETE ON restful.api_version
    FOR EACH ROW EXECUTE FUNCTION restful.api_version_changed();
CREATE TRIGGER api_version_truncated AFTER TRUNCATE ON restful.api_version
    FOR EACH STATEMENT EXECUTE FUNCTION restful.api_version_changed();
ALTER TABLE restful.api_version ENABLE ALWAYS TRIGGER api_version_changed, ENABLE ALWAYS TRIGGER api_version_truncated;

CREATE VIEW restful.versions AS
    SELECT v.name, v.schema,
        CASE
            WHEN v.sunset_at OPERATOR(pg_catalog.<=) pg_catalog.now() THEN 'gone'
            WHEN v.deprecated_at OPERATOR(pg_catalog.<=) pg_catalog.now() THEN 'deprecated'
            ELSE 'current'
        END AS state,
        v.deprecated_at, v.sunset_at, v.successor, v.docs,
        ARRAY(
            SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
            WHERE c.relname OPERATOR(pg_catalog.=) v.name::pg_catalog.name
              AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog."char"[])
              AND EXISTS (SELECT FROM restful.lint_schemas() s WHERE s OPERATOR(pg_catalog.=) n.nspname)
            ORDER BY 1
        ) AS hides
    FROM restful.api_version v;
COMMENT ON VIEW restful.versions IS
    'The versions of the API; state: current, deprecated or gone; hides: exposed relations of that name, which no path without a version reaches';

CREATE FUNCTION restful.version(
    name text,
    schema text,
    deprecated_at timestamptz DEFAULT NULL,
    sunset_at timestamptz DEFAULT NULL,
    successor text DEFAULT NULL,
    docs text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
AS $function$
#variable_conflict use_column
DECLARE
    other text;
BEGIN
    IF version.name IS NULL OR version.schema IS NULL THEN
        RAISE EXCEPTION 'the name or the schema is null' USING ERRCODE = '22004';
    END IF;
    IF version.name COLLATE "C" !~ '^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,62}$' OR version.name COLLATE "C" IN ('rpc', 'batch', 'oauth') THEN
        RAISE EXCEPTION 'a version cannot be named "%"', version.name
            USING ERRCODE = '22023',
                HINT = 'A name is the first segment of paths, such as v1 or 2026-01: letters, digits, "-", "_", "~" and "."; rpc, batch and oauth have their meaning.';
    END IF;
    IF version.schema COLLATE "C" IN ('pg_catalog', 'information_schema', 'restful') THEN
        RAISE EXCEPTION 'schema "%" cannot be exposed', version.schema USING ERRCODE = '22023';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname::text COLLATE "C" = version.schema) THEN
        RAISE EXCEPTION 'schema "%" does not exist', version.schema USING ERRCODE = '3F000';
    END IF;
    IF version.deprecated_at NOT BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 23:59:59+00'
        OR version.sunset_at NOT BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 23:59:59+00'
    THEN
        RAISE EXCEPTION 'a date lies outside the years 1970 to 9999' USING ERRCODE = '22008';
    END IF;
    IF version.sunset_at < version.deprecated_at THEN
        RAISE EXCEPTION 'version "%" would go before it is deprecated', version.name
            USING ERRCODE = '22023', HINT = 'Pass a sunset_at that is not earlier than deprecated_at (RFC 9745).';
    END IF;
    IF version.docs COLLATE "C" !~ '^https?://[!#-;=?-\[\]_a-z~]+$' THEN
        RAISE EXCEPTION 'docs is not a URL of http or https' USING ERRCODE = '22023';
    END IF;
    -- One declaration at a time: two could take each other's names.
    LOCK TABLE restful.api_version IN SHARE ROW EXCLUSIVE MODE;
    IF version.successor COLLATE "C" = version.name
        OR version.successor IS NOT NULL AND NOT EXISTS (SELECT FROM restful.api_version v WHERE v.name = version.successor COLLATE "C")
    THEN
        RAISE EXCEPTION 'there is no other version "%"', version.successor
            USING ERRCODE = '42704', HINT = 'Declare the successor first.';
    END IF;
    SELECT v.name INTO other FROM restful.api_version v
    WHERE v.schema::text COLLATE "C" = version.schema AND v.name <> version.name COLLATE "C";
    IF FOUND THEN
        RAISE EXCEPTION 'schema "%" is version "%" already', version.schema, other
            USING ERRCODE = '42710', HINT = format('Call restful.drop_version(%L) first.', other);
    END IF;
    -- A profile names a version or a schema. No name may mean two.
    SELECT s.name INTO other
    FROM (
        SELECT l.name::text FROM restful.lint_schemas() l (name) WHERE l.name::text COLLATE "C" = version.name
        UNION ALL
        SELECT v.schema::text FROM restful.api_version v
        WHERE v.name <> version.name COLLATE "C" AND v.schema::text COLLATE "C" = version.name
    ) s (name)
    WHERE s.name COLLATE "C" <> version.schema
    UNION ALL
    SELECT v.name FROM restful.api_version v WHERE v.name = version.schema COLLATE "C" AND v.name <> version.name COLLATE "C"
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the profile "%" would name two schemas', other
            USING ERRCODE = '42710', HINT = 'Name the version otherwise.';
    END IF;
    SELECT format('%I.%I', n.nspname, c.relname) INTO other
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname::text COLLATE "C" = version.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname IN (SELECT restful.lint_schemas());
    -- A version that is declared keeps its path when such a relation comes later.
    IF FOUND AND NOT EXISTS (SELECT FROM restful.api_version v WHERE v.name = version.name COLLATE "C") THEN
        RAISE EXCEPTION 'the path /% is that of "%"', version.name, other
            USING ERRCODE = '42710', HINT = 'Name the version otherwise.';
    END IF;
    INSERT INTO restful.api_version AS v (name, schema, deprecated_at, sunset_at, successor, docs)
    VALUES (version.name, version.schema, version.deprecated_at, version.sunset_at, version.successor, version.docs)
    ON CONFLICT (name) DO UPDATE
    SET (schema, deprecated_at, sunset_at, successor, docs)
        = (excluded.schema, excluded.deprecated_at, excluded.sunset_at, excluded.successor, excluded.docs);
END
$function$;
COMMENT ON FUNCTION restful.version(text, text, timestamptz, timestamptz, text, text) IS
    'Declares a version of the API, or declares it anew: requests to /name go to the schema, which is exposed by this; deprecated_at, sunset_at, successor, docs: what its clients are told, and from when on they are answered with 410';

CREATE FUNCTION restful.drop_version(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    other text;
BEGIN
    LOCK TABLE restful.api_version IN SHARE ROW EXCLUSIVE MODE;
    SELECT v.name INTO other FROM restful.api_version v WHERE v.successor = drop_version.name COLLATE "C" ORDER BY v.name LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'version "%" is the successor of version "%"', drop_version.name, other
            USING ERRCODE = '2BP01', HINT = 'Drop that one first, or declare another successor for it.';
    END IF;
    DELETE FROM restful.api_version v WHERE v.name = drop_version.name COLLATE "C";
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no version "%"', drop_version.name USING ERRCODE = '42704', HINT = 'See restful.versions.';
    END IF;
END
$function$;
COMMENT ON FUNCTION restful.drop_version(text) IS
    'Forgets a version of the API: its path, and the exposure of its schema unless restful.schemas lists it; the schema stays';

-- lint/context.sql, which reads the versions
CREATE OR REPLACE FUNCTION restful.lint_schemas() RETURNS SETOF name
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
    UNION
    SELECT v.schema FROM restful.api_version v JOIN pg_catalog.pg_namespace n ON n.nspname = v.schema
$lint_schemas$;

-- versions/version_changes.sql
-- What is different for clients that move from one version of the API to another, from PostgreSQL's catalogue.
CREATE FUNCTION restful.version_schema(version text) RETURNS oid
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found oid := coalesce(
        (SELECT n.oid FROM restful.api_version v JOIN pg_namespace n ON n.nspname = v.schema WHERE v.name = version COLLATE "C"),
        (SELECT n.oid FROM pg_namespace n WHERE n.nspname::text COLLATE "C" = version));
BEGIN
    IF found IS NULL THEN
        RAISE EXCEPTION 'there is no version and no schema "%"', version USING ERRCODE = '42704', HINT = 'See restful.versions.';
    END IF;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION restful.version_schema(text) IS
    'Internal: the schema that a version is, or the schema of that name';

-- A type as clients of both versions can name it: those of the schema itself without it.
CREATE FUNCTION restful.version_type(type oid, typmod integer, schema oid) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN starts_with(f.name, n.prefix) THEN substr(f.name, length(n.prefix) + 1) ELSE f.name END
    FROM (SELECT format_type(type, typmod)) f (name), (SELECT quote_ident(nspname) || '.' FROM pg_namespace WHERE oid = schema) n (prefix)
$function$;
COMMENT ON FUNCTION restful.version_type(oid, integer, oid) IS
    'Internal: the name of a type, without the schema if that is this one';

-- Relations with who may do what by grants of their own: 0 is PUBLIC.
CREATE FUNCTION restful.version_relations(schema oid)
    RETURNS TABLE (name name, relation oid, events integer, readers oid[], writers oid[])
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT c.relname, c.oid, pg_relation_is_updatable(c.oid, true) & 28,
        coalesce(array_agg(DISTINCT g.grantee) FILTER (WHERE g.privilege = 'SELECT'), '{}'),
        coalesce(array_agg(DISTINCT g.grantee) FILTER (WHERE g.privilege IN ('INSERT', 'UPDATE', 'DELETE')), '{}')
    FROM pg_class c
    LEFT JOIN LATERAL (
        SELECT a.grantee, a.privilege_type FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner
        UNION
        SELECT a.grantee, a.privilege_type FROM pg_attribute t, aclexplode(t.attacl) a
        WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped AND a.grantee <> c.relowner
    ) g (grantee, privilege) ON true
    WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    GROUP BY c.oid, c.relname
$function$;
COMMENT ON FUNCTION restful.version_relations(oid) IS
    'Internal: the relations of a schema; events: 4 UPDATE, 8 INSERT, 16 DELETE can be done; readers, writers: who has been granted that';

CREATE FUNCTION restful.version_columns(schema oid)
    RETURNS TABLE (
        relation oid, "column" name, number smallint, type text, base oid, typmod integer, labels text[], nullable boolean, required boolean,
        writable boolean)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1000
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT a.attrelid, a.attname, a.attnum, restful.version_type(a.atttypid, a.atttypmod, schema), a.atttypid, a.atttypmod,
        (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = a.atttypid),
        NOT (a.attnotnull OR t.typnotnull),
        (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL,
        pg_column_is_updatable(a.attrelid, a.attnum, true) AND a.attidentity <> 'a' AND a.attgenerated = ''
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
$function$;
COMMENT ON FUNCTION restful.version_columns(oid) IS
    'Internal: the columns of the relations of a schema; labels: those of its enum; required: an INSERT has to have it';

-- Keys and constraints in a form that is the same in both versions.
CREATE FUNCTION restful.version_constraints(schema oid) RETURNS TABLE (relation oid, kind text, definition text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1000
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT k.conrelid, CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique key' WHEN 'f' THEN 'foreign key' ELSE 'check' END,
        CASE k.contype
            WHEN 'c' THEN pg_get_constraintdef(k.oid, true)
            ELSE own.list || CASE WHEN k.contype = 'f'
                THEN ' to ' || CASE WHEN r.relnamespace <> schema THEN quote_ident(r.relnamespace::regnamespace::text) || '.' ELSE '' END
                    || quote_ident(r.relname) || ' ' || other.list
                ELSE '' END
        END
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    LEFT JOIN pg_class r ON r.oid = k.confrelid
    CROSS JOIN LATERAL (
        SELECT '(' || string_agg(quote_ident(a.attname), ', ' ORDER BY u.place) || ')'
        FROM unnest(k.conkey) WITH ORDINALITY u (number, place) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
    ) own (list)
    CROSS JOIN LATERAL (
        SELECT '(' || string_agg(quote_ident(a.attname), ', ' ORDER BY u.place) || ')'
        FROM unnest(k.confkey) WITH ORDINALITY u (number, place) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number
    ) other (list)
    WHERE c.relnamespace = schema AND NOT c.relispartition AND k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0
$function$;
COMMENT ON FUNCTION restful.version_constraints(oid) IS
    'Internal: the keys and checks of the tables of a schema';

-- One row per argument; a function without arguments has one row whose argument is null. Functions are told apart by the names of
-- their arguments, as callers do.
CREATE FUNCTION restful.version_functions(schema oid)
    RETURNS TABLE (function oid, name name, arguments text[], types text[], required integer, result text, reads boolean, callers oid[])
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT p.oid, p.proname, coalesce(i.names, '{}'), coalesce(i.types, '{}'), p.pronargs - p.pronargdefaults,
        CASE WHEN p.proretset THEN 'SETOF ' ELSE '' END || coalesce(i.columns, restful.version_type(p.prorettype, -1, schema)),
        p.provolatile <> 'v',
        ARRAY(SELECT DISTINCT a.grantee FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner)
    FROM pg_proc p
    CROSS JOIN LATERAL (
        SELECT array_agg(coalesce(e.name, '') ORDER BY e.place) FILTER (WHERE coalesce(e.mode, 'i') IN ('i', 'b', 'v')) AS names,
            array_agg(restful.version_type(e.type, -1, schema) ORDER BY e.place)
                FILTER (WHERE coalesce(e.mode, 'i') IN ('i', 'b', 'v')) AS types,
            '(' || string_agg(coalesce(quote_ident(nullif(e.name, '')) || ' ', '') || restful.version_type(e.type, -1, schema), ', ' ORDER BY e.place)
                FILTER (WHERE e.mode IN ('o', 'b', 't')) || ')' AS columns
        FROM ROWS FROM (unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])), unnest(p.proargnames), unnest(p.proargmodes))
            WITH ORDINALITY e (type, name, mode, place)
        WHERE e.type IS NOT NULL
    ) i
    WHERE p.pronamespace = schema AND p.prokind = 'f'
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
$function$;
COMMENT ON FUNCTION restful.version_functions(oid) IS
    'Internal: the functions of a schema; required: how many arguments have no default; reads: GET may call it; callers: who has been granted it';

-- 'same', or whether the values of the new type are all, or only some, of those of the old one.
CREATE FUNCTION restful.version_type_change(
    old text, old_type oid, old_typmod integer, old_labels text[], new text, new_type oid, new_typmod integer, new_labels text[]
) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE
        WHEN old_labels <@ new_labels AND new_labels <@ old_labels THEN 'same'
        WHEN old_labels <@ new_labels THEN 'wider'
        WHEN new_labels <@ old_labels THEN 'narrower'
        WHEN old_labels IS NOT NULL OR new_labels IS NOT NULL THEN 'other'
        WHEN old = new THEN 'same'
        WHEN o.kind = n.kind AND o.place < n.place THEN 'wider'
        WHEN o.kind = n.kind AND o.place > n.place THEN 'narrower'
        ELSE 'other'
    END
    FROM (VALUES (
        CASE WHEN old_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'integer'
            WHEN old_type IN ('varchar'::regtype, 'text'::regtype) THEN 'text' END,
        CASE WHEN old_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN (SELECT t.typlen::integer FROM pg_type t WHERE t.oid = old_type)
            WHEN old_typmod = -1 THEN 2147483647 ELSE old_typmod END)) o (kind, place),
        (VALUES (
        CASE WHEN new_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN 'integer'
            WHEN new_type IN ('varchar'::regtype, 'text'::regtype) THEN 'text' END,
        CASE WHEN new_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN (SELECT t.typlen::integer FROM pg_type t WHERE t.oid = new_type)
            WHEN new_typmod = -1 THEN 2147483647 ELSE new_typmod END)) n (kind, place)
$function$;
COMMENT ON FUNCTION restful.version_type_change(text, oid, integer, text[], text, oid, integer, text[]) IS
    'Internal: whether a type is the same, wider, narrower or other';

CREATE FUNCTION restful.version_changes(old text, new text)
    RETURNS TABLE (object text, change text, breaks text, roles text[], detail text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp SET jit = off
AS $function$
    WITH schemas (old_schema, new_schema) AS MATERIALIZED (
        SELECT restful.version_schema(old), restful.version_schema(new)
    ), old_relations AS MATERIALIZED (
        SELECT r.* FROM schemas s, restful.version_relations(s.old_schema) r
    ), new_relations AS MATERIALIZED (
        SELECT r.* FROM schemas s, restful.version_relations(s.new_schema) r
    ), relations AS MATERIALIZED (
        SELECT quote_ident(o.name) AS path, o.relation AS old_relation, n.relation AS new_relation, o.events AS old_events,
            n.events AS new_events, o.readers, o.writers
        FROM old_relations o JOIN new_relations n USING (name)
    ), old_columns AS MATERIALIZED (
        SELECT c.* FROM schemas s, restful.version_columns(s.old_schema) c
    ), new_columns AS MATERIALIZED (
        SELECT c.* FROM schemas s, restful.version_columns(s.new_schema) c
    ), columns AS MATERIALIZED (
        SELECT r.path || '.' || quote_ident(coalesce(o."column", n."column")) AS path, r.readers, r.writers, r.old_events, r.new_events,
            r.old_relation, r.new_relation, o.number AS old_number, n.number AS new_number, o.type AS old_type, n.type AS new_type,
            o.nullable AS old_nullable, n.nullable AS new_nullable, o.required AS old_required, n.required AS new_required,
            o.writable AS old_writable, n.writable AS new_writable, o.labels AS old_labels, n.labels AS new_labels,
            CASE WHEN o.number IS NOT NULL AND n.number IS NOT NULL THEN restful.version_type_change(
                o.type, o.base, o.typmod, o.labels, n.type, n.base, n.typmod, n.labels) END AS type_change
        FROM (
            SELECT r.*, c."column" FROM relations r JOIN old_columns c ON c.relation = r.old_relation
            UNION
            SELECT r.*, c."column" FROM relations r JOIN new_columns c ON c.relation = r.new_relation
        ) r
        LEFT JOIN old_columns o ON o.relation = r.old_relation AND o."column" = r."column"
        LEFT JOIN new_columns n ON n.relation = r.new_relation AND n."column" = r."column"
    ), old_constraints AS MATERIALIZED (
        SELECT r.path, r.readers, r.writers, k.kind, k.definition
        FROM schemas s, restful.version_constraints(s.old_schema) k JOIN relations r ON r.old_relation = k.relation
    ), new_constraints AS MATERIALIZED (
        SELECT r.path, r.readers, r.writers, k.kind, k.definition
        FROM schemas s, restful.version_constraints(s.new_schema) k JOIN relations r ON r.new_relation = k.relation
    ), constraints AS MATERIALIZED (
        SELECT k.*, false AS is_new
        FROM old_constraints k
        WHERE NOT EXISTS (SELECT FROM new_constraints m WHERE (m.path, m.kind, m.definition) = (k.path, k.kind, k.definition))
        UNION ALL
        SELECT k.*, true
        FROM new_constraints k
        WHERE NOT EXISTS (SELECT FROM old_constraints m WHERE (m.path, m.kind, m.definition) = (k.path, k.kind, k.definition))
    ), old_functions AS MATERIALIZED (
        SELECT f.*, count(*) OVER (PARTITION BY f.name) AS overloads, format('rpc/%I(%s)', f.name, array_to_string(f.arguments, ', ')) AS path
        FROM schemas s, restful.version_functions(s.old_schema) f
    ), new_functions AS MATERIALIZED (
        SELECT f.*, count(*) OVER (PARTITION BY f.name) AS overloads, format('rpc/%I(%s)', f.name, array_to_string(f.arguments, ', ')) AS path
        FROM schemas s, restful.version_functions(s.new_schema) f
    ), functions AS MATERIALIZED (
        -- by their arguments; the only one of a name is also itself with other arguments
        SELECT DISTINCT ON (o.function) o.path, o.callers, o.reads AS old_reads, n.reads AS new_reads, o.result AS old_result,
            n.result AS new_result, o.arguments AS old_arguments, n.arguments AS new_arguments, o.types AS old_types, n.types AS new_types,
            o.required AS old_required, n.required AS new_required, o.function AS old_function, n.function AS new_function,
            CASE WHEN o.reads THEN 'readers' ELSE 'writers' END AS who
        FROM old_functions o
        JOIN new_functions n ON n.name = o.name AND (n.arguments = o.arguments OR o.overloads = 1 AND n.overloads = 1)
        ORDER BY o.function, n.types = o.types DESC, n.function
    ), grantees AS MATERIALIZED (
        SELECT r.relation, g.role
        FROM old_relations r, LATERAL (SELECT unnest(r.readers) UNION SELECT unnest(r.writers)) g (role)
    ), changes (object, change, breaks, affected, detail) AS (
        SELECT quote_ident(o.name), 'relation removed', CASE o.events WHEN 0 THEN 'readers' ELSE 'both' END, o.readers || o.writers, NULL
        FROM old_relations o WHERE NOT EXISTS (SELECT FROM new_relations n WHERE n.name = o.name)
        UNION ALL
        SELECT quote_ident(n.name), 'relation added', NULL, NULL, NULL
        FROM new_relations n WHERE NOT EXISTS (SELECT FROM old_relations o WHERE o.name = n.name)
        UNION ALL
        SELECT r.path, 'no longer takes ' || e.method, 'writers', r.writers, NULL
        FROM relations r, (VALUES (8, 'POST'), (4, 'PATCH'), (16, 'DELETE')) e (bit, method)
        WHERE r.old_events & e.bit <> 0 AND r.new_events & e.bit = 0
        UNION ALL
        SELECT c.path, 'column removed', CASE WHEN c.old_writable THEN 'both' ELSE 'readers' END, c.readers || c.writers, NULL
        FROM columns c WHERE c.new_number IS NULL
        UNION ALL
        SELECT c.path, 'column added', CASE WHEN c.new_required AND c.old_events & 8 <> 0 THEN 'writers' END,
            CASE WHEN c.new_required AND c.old_events & 8 <> 0 THEN c.writers END,
            CASE WHEN c.new_required THEN 'required' ELSE c.new_type END
        FROM columns c WHERE c.old_number IS NULL
        UNION ALL
        SELECT c.path, 'type changed',
            CASE c.type_change WHEN 'wider' THEN 'readers' WHEN 'narrower' THEN CASE WHEN c.old_writable THEN 'writers' END
                ELSE CASE WHEN c.old_writable THEN 'both' ELSE 'readers' END END,
            CASE c.type_change WHEN 'wider' THEN c.readers WHEN 'narrower' THEN CASE WHEN c.old_writable THEN c.writers END
                ELSE c.readers || c.writers END,
            format('%s to %s', coalesce(array_to_string(c.old_labels, '|'), c.old_type), coalesce(array_to_string(c.new_labels, '|'), c.new_type))
        FROM columns c WHERE c.type_change <> 'same'
        UNION ALL
        SELECT c.path, 'can be null', 'readers', c.readers, NULL
        FROM columns c WHERE NOT c.old_nullable AND c.new_nullable
        UNION ALL
        SELECT c.path, CASE WHEN c.new_required THEN 'required' ELSE 'cannot be null' END,
            CASE WHEN c.old_writable THEN 'writers' END, CASE WHEN c.old_writable THEN c.writers END, NULL
        FROM columns c
        WHERE c.old_nullable AND NOT c.new_nullable OR NOT c.old_required AND c.new_required AND NOT c.old_nullable
        UNION ALL
        SELECT c.path, 'no longer writable', 'writers', c.writers, NULL
        FROM columns c
        WHERE c.old_writable AND NOT c.new_writable AND c.new_number IS NOT NULL AND c.new_events & 12 <> 0
        UNION ALL
        SELECT k.path, k.kind || CASE WHEN k.is_new THEN ' added' ELSE ' removed' END,
            CASE
                WHEN k.kind = 'primary key' AND k.is_new THEN NULL
                WHEN k.kind = 'primary key' THEN 'both'
                WHEN k.kind = 'unique key' OR k.is_new THEN 'writers'
                ELSE 'readers'
            END,
            CASE
                WHEN k.kind = 'primary key' AND k.is_new THEN NULL
                WHEN k.kind = 'primary key' THEN k.readers || k.writers
                WHEN k.kind = 'unique key' OR k.is_new THEN k.writers
                ELSE k.readers
            END,
            k.definition
        FROM constraints k
        UNION ALL
        SELECT o.path, 'function removed', CASE WHEN o.reads THEN 'readers' ELSE 'writers' END, o.callers, NULL
        FROM old_functions o WHERE NOT EXISTS (SELECT FROM functions f WHERE f.old_function = o.function)
        UNION ALL
        SELECT n.path, 'function added', NULL, NULL, NULL
        FROM new_functions n WHERE NOT EXISTS (SELECT FROM functions f WHERE f.new_function = n.function)
        UNION ALL
        SELECT f.path, 'argument removed', f.who, f.callers, a.name
        FROM functions f, unnest(f.old_arguments) a (name) WHERE a.name <> ALL (f.new_arguments)
        UNION ALL
        SELECT f.path, 'argument added', CASE WHEN a.place <= f.new_required THEN f.who END, CASE WHEN a.place <= f.new_required THEN f.callers END,
            a.name || CASE WHEN a.place <= f.new_required THEN ', required' ELSE '' END
        FROM functions f, unnest(f.new_arguments) WITH ORDINALITY a (name, place) WHERE a.name <> ALL (f.old_arguments)
        UNION ALL
        SELECT f.path, 'argument required', f.who, f.callers, n.name
        FROM functions f, unnest(f.new_arguments) WITH ORDINALITY n (name, place)
        JOIN unnest(f.old_arguments) WITH ORDINALITY o (name, place) ON o.name = n.name
        WHERE o.place > f.old_required AND n.place <= f.new_required AND n.name <> ''
        UNION ALL
        SELECT f.path, 'argument has another type', f.who, f.callers, format('%s: %s to %s', n.name, o.type, n.type)
        FROM functions f, ROWS FROM (unnest(f.new_arguments), unnest(f.new_types)) WITH ORDINALITY n (name, type, place)
        JOIN ROWS FROM (unnest(f.old_arguments), unnest(f.old_types)) WITH ORDINALITY o (name, type, place)
            ON o.name = n.name AND (n.name <> '' OR o.place = n.place)
        WHERE o.type <> n.type
        UNION ALL
        SELECT f.path, 'result has another type', f.who, f.callers, format('%s to %s', f.old_result, f.new_result)
        FROM functions f WHERE f.old_result <> f.new_result
        UNION ALL
        SELECT f.path, 'no longer takes GET', 'readers', f.callers, NULL
        FROM functions f WHERE f.old_reads AND NOT f.new_reads
        UNION ALL
        -- without USAGE, no other right counts
        SELECT quote_ident(n.nspname), 'right lost: USAGE', 'both', array_agg(u.role), NULL
        FROM schemas s
        JOIN pg_namespace n ON n.oid = s.new_schema
        CROSS JOIN LATERAL (
            SELECT g.role FROM grantees g UNION SELECT unnest(f.callers) FROM old_functions f
        ) u (role)
        WHERE has_schema_privilege(u.role, s.old_schema, 'USAGE') AND NOT has_schema_privilege(u.role, s.new_schema, 'USAGE')
        GROUP BY n.nspname
        UNION ALL
        SELECT r.path, 'right lost: ' || p.privilege, p.who, array_agg(g.role), NULL
        FROM relations r
        JOIN grantees g ON g.relation = r.old_relation
        CROSS JOIN (VALUES ('SELECT', 'readers'), ('INSERT', 'writers'), ('UPDATE', 'writers'), ('DELETE', 'writers')) p (privilege, who)
        WHERE CASE WHEN p.privilege = 'DELETE'
            THEN has_table_privilege(g.role, r.old_relation, 'DELETE') AND NOT has_table_privilege(g.role, r.new_relation, 'DELETE')
            ELSE has_any_column_privilege(g.role, r.old_relation, p.privilege) AND NOT has_any_column_privilege(g.role, r.new_relation, p.privilege)
        END
        GROUP BY r.path, p.privilege, p.who
        UNION ALL
        -- of a column, where the relation keeps that of others
        SELECT c.path, 'right lost: ' || p.privilege, p.who, array_agg(g.role), NULL
        FROM columns c
        JOIN grantees g ON g.relation = c.old_relation
        CROSS JOIN (VALUES ('SELECT', 'readers'), ('INSERT', 'writers'), ('UPDATE', 'writers')) p (privilege, who)
        WHERE c.old_number IS NOT NULL AND c.new_number IS NOT NULL
          AND has_column_privilege(g.role, c.old_relation, c.old_number, p.privilege)
          AND NOT has_column_privilege(g.role, c.new_relation, c.new_number, p.privilege)
          AND has_any_column_privilege(g.role, c.new_relation, p.privilege)
        GROUP BY c.path, p.privilege, p.who
        UNION ALL
        SELECT f.path, 'right lost: EXECUTE', f.who, array_agg(c.role), NULL
        FROM functions f, unnest(f.callers) c (role)
        WHERE NOT has_function_privilege(c.role, f.new_function, 'EXECUTE')
        GROUP BY f.path, f.who
    )
    SELECT c.object, c.change, CASE c.breaks WHEN 'both' THEN 'readers and writers' ELSE coalesce(c.breaks, 'nobody') END,
        ARRAY(
            SELECT DISTINCT CASE a.role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.role)::text END
            FROM unnest(c.affected) a (role)
            ORDER BY 1
        ),
        c.detail
    FROM changes c
    ORDER BY c.breaks IS NULL, c.object COLLATE "C", c.change COLLATE "C", c.detail COLLATE "C"
$function$;
COMMENT ON FUNCTION restful.version_changes(text, text) IS
    'What a new version of the API changes for clients of an old one; breaks: readers, writers, readers and writers, or nobody; roles: who has been granted what breaks. Each version is named by itself or by its schema.';

-- health/health.sql
-- Whether everything that the extension needs is there, and what operators watch.

CREATE FUNCTION restful.shared_memory() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_shared_memory';
COMMENT ON FUNCTION restful.shared_memory() IS
    'Internal: the size of the memory that all sessions share, or why there is none';

CREATE FUNCTION restful.health() RETURNS TABLE ("check" text, state text, detail text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 7
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH numbers (name, value, limit_at, shown, reason) AS (
        SELECT 'connections', a.used::numeric, 0.9 * a.allowed, format('%s of %s', a.used, a.allowed), 'new connections will soon be refused'
        FROM (
            SELECT count(*) FILTER (WHERE s.backend_type = 'client backend'),
                current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            FROM pg_stat_activity s
        ) a (used, allowed)
        UNION ALL
        SELECT 'replication', extract(epoch FROM r.lag), 30, coalesce(round(extract(epoch FROM r.lag), 1) || ' s behind', 'no standby'), 'what standbys answer is old'
        FROM (
            SELECT CASE
                WHEN NOT pg_is_in_recovery() THEN (SELECT max(s.replay_lag) FROM pg_stat_replication s)
                -- Where everything that was received is replayed, a quiet primary is the reason.
                WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN interval '0'
                ELSE clock_timestamp() - pg_last_xact_replay_timestamp()
            END
        ) r (lag)
        UNION ALL
        SELECT 'locks', extract(epoch FROM w.longest), 10, coalesce(round(extract(epoch FROM w.longest), 1) || ' s waited for', 'nobody waits'), 'a session waits for another one that keeps a lock'
        FROM (SELECT clock_timestamp() - min(l.waitstart) FROM pg_locks l WHERE NOT l.granted) w (longest)
        UNION ALL
        SELECT 'transactions', extract(epoch FROM t.longest), 3600, coalesce(round(extract(epoch FROM t.longest)) || ' s', 'none'), 'a transaction has been open for so long that dead rows cannot be removed'
        FROM (SELECT clock_timestamp() - min(a.xact_start) FROM pg_stat_activity a WHERE a.backend_type = 'client backend' AND a.datname = current_database()) t (longest)
        UNION ALL
        SELECT 'idempotency_keys', pg_total_relation_size('restful.idempotency_record'), 0.9 * m.most, format('%s of %s', pg_size_pretty(pg_total_relation_size('restful.idempotency_record')), pg_size_pretty(m.most)),
            'new keys will soon be refused (restful.idempotency_max_size)'
        FROM pg_size_bytes(coalesce(current_setting('restful.idempotency_max_size', true), '4GB')) m (most)
        UNION ALL
        SELECT 'transaction_ids', age(d.datfrozenxid), 1500000000, age(d.datfrozenxid) || ' used', 'the database needs VACUUM before transaction identifiers run out'
        FROM pg_database d WHERE d.datname = current_database()
    )
    SELECT 'shared_memory', CASE WHEN m.found->>'unavailable' IS NULL THEN 'ok' ELSE 'degraded' END,
        coalesce(m.found->>'unavailable', pg_size_pretty((m.found->>'bytes')::bigint))
    FROM (SELECT restful.shared_memory()) m(found)
    UNION ALL
    SELECT n.name, CASE WHEN n.value >= n.limit_at THEN 'degraded' ELSE 'ok' END,
        CASE WHEN n.value >= n.limit_at THEN format('%s: %s', n.shown, n.reason) ELSE n.shown END
    FROM numbers n
$function$;
COMMENT ON FUNCTION restful.health() IS
    'What works as it should (ok) and what needs attention (degraded). Without shared memory there are no statistics of requests';

CREATE FUNCTION restful.liveness() RETURNS restful.http_response
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT ROW(200, '{"content-type": "application/health+json", "cache-control": "no-store"}', convert_to('{"status": "pass"}', 'UTF8'))::restful.http_response
$function$;
COMMENT ON FUNCTION restful.liveness() IS 'For a route such as GET /health: the database answers';

CREATE FUNCTION restful.readiness(max_lag interval DEFAULT '5 minutes') RETURNS restful.http_response
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH checks AS MATERIALIZED (
        SELECT h."check", h.state, h.detail FROM restful.health() h
    ), verdict (is_late) AS (
        SELECT pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
            AND clock_timestamp() - pg_last_xact_replay_timestamp() > coalesce(max_lag, '5 minutes')
    )
    SELECT ROW(CASE WHEN coalesce(v.is_late, false) THEN 503 ELSE 200 END, '{"content-type": "application/health+json", "cache-control": "no-store"}',
        convert_to(jsonb_build_object(
            'status', CASE WHEN coalesce(v.is_late, false) THEN 'fail' WHEN EXISTS (SELECT FROM checks c WHERE c.state <> 'ok') THEN 'warn' ELSE 'pass' END,
            'checks', (SELECT jsonb_object_agg(c."check", jsonb_build_array(jsonb_build_object('status', CASE c.state WHEN 'ok' THEN 'pass' ELSE 'warn' END, 'output', c.detail))) FROM checks c)
        )::text, 'UTF8'))::restful.http_response
    FROM verdict v
$function$;
COMMENT ON FUNCTION restful.readiness(interval) IS
    'For a route such as GET /ready: the checks of restful.health(), and 503 on a standby that is further behind than max_lag';

-- statistics/statistics.sql
-- What requests did, as the sessions of the server count it in shared memory.

CREATE FUNCTION restful.stat_entries() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_stat_entries';
COMMENT ON FUNCTION restful.stat_entries() IS 'Internal: the counters of the requests of this database';

CREATE FUNCTION restful.stat_bounds() RETURNS double precision[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'restful_stat_bounds';
COMMENT ON FUNCTION restful.stat_bounds() IS
    'The upper bounds, in seconds, of what the counts in buckets of restful.stat_requests() count: requests that took at most this long';

CREATE FUNCTION restful.stat_queries() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_stat_queries';
COMMENT ON FUNCTION restful.stat_queries() IS 'Internal: which statements the requests of this database have run';

CREATE FUNCTION restful.stat_reset() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_stat_reset';
COMMENT ON FUNCTION restful.stat_reset() IS 'Forgets the statistics of the requests of this database';

CREATE FUNCTION restful.stat_requests() RETURNS TABLE (
        schema text, route text, method text, status_class text, calls bigint, rows bigint, bytes_in bigint, bytes_out bigint,
        planned bigint, rate_limited bigint, plan_time double precision, execution_time double precision, total_time double precision,
        mean_time double precision, max_time double precision, p50 double precision, p95 double precision, p99 double precision, buckets bigint[])
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT e.schema, e.route, e.method, e.status_class, e.calls, e.rows, e.bytes_in, e.bytes_out, e.planned, e.rate_limited,
        e.plan_time, e.execution_time, e.total_time, e.total_time / e.calls, e.max_time, e.p50, e.p95, e.p99, e.buckets
    FROM jsonb_to_recordset(restful.stat_entries()) e (
        schema text, route text, method text, status_class text, calls bigint, rows bigint, bytes_in bigint, bytes_out bigint,
        planned bigint, rate_limited bigint, plan_time double precision, execution_time double precision, total_time double precision,
        max_time double precision, p50 double precision, p95 double precision, p99 double precision, buckets bigint[])
    ORDER BY e.total_time DESC
$function$;
COMMENT ON FUNCTION restful.stat_requests() IS
    'The requests of this database since the server started or restful.stat_reset() was called, by route, method and class of the status; none is for requests that were cancelled or whose transaction could not go on. Times are in milliseconds';

CREATE FUNCTION restful.stat_statements() RETURNS TABLE (
        schema text, route text, method text, queryid bigint, requests bigint, query text, calls bigint, rows bigint, total_exec_time double precision, mean_exec_time double precision)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    source text;
    statements text := 'SELECT NULL::bigint, NULL::text, NULL::bigint, NULL::bigint, NULL::double precision WHERE false';
BEGIN
    -- The function of the extension, wherever it was installed, and no other of this name.
    SELECT p.oid::regproc::text INTO source
    FROM pg_extension x
    JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = x.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc p ON p.oid = d.objid
    WHERE x.extname = 'pg_stat_statements' AND p.proname = 'pg_stat_statements';
    IF FOUND THEN
        statements := format($$
            SELECT s.queryid, min(s.query), sum(s.calls)::bigint, sum(s.rows)::bigint, sum(s.total_exec_time)
            FROM %s(true) s
            WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AND s.toplevel IS NOT NULL
            GROUP BY s.queryid $$, source);
    END IF;
    RETURN QUERY EXECUTE format($$
        WITH templates AS (
            SELECT DISTINCT e.template, e.schema, e.route, e.method
            FROM jsonb_to_recordset(restful.stat_entries()) e (template bigint, schema text, route text, method text)
        )
        SELECT t.schema, t.route, t.method, q.queryid, q.calls, s.query, s.calls, s.rows, s.total_exec_time, s.total_exec_time / nullif(s.calls, 0)
        FROM jsonb_to_recordset(restful.stat_queries()) q (template bigint, queryid bigint, calls bigint)
        JOIN templates t ON t.template = q.template
        LEFT JOIN (%s) s (queryid, query, calls, rows, total_exec_time) ON s.queryid = q.queryid
        ORDER BY s.total_exec_time DESC NULLS LAST, q.calls DESC $$, statements);
END
$function$;
COMMENT ON FUNCTION restful.stat_statements() IS
    'Which statements the requests of a route have run, with what pg_stat_statements knows of them if it is installed. requests counts the requests of the route that have run the statement; calls, rows and times are those of the statement, whoever ran it. Empty unless PostgreSQL computes identifiers of statements (compute_query_id)';

CREATE FUNCTION restful.stat_uses() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_stat_uses';
COMMENT ON FUNCTION restful.stat_uses() IS 'Internal: who has used deprecated versions of the API of this database';

CREATE FUNCTION restful.deprecated_use() RETURNS TABLE (
        version text, subject text, role text, method text, calls bigint, first_at timestamptz, last_at timestamptz)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 50
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT u.version, u.subject, u.role, u.method, u.calls, u.first_at, u.last_at
    FROM jsonb_to_recordset(restful.stat_uses()) u (
        version text, subject text, role text, method text, calls bigint, first_at timestamptz, last_at timestamptz)
    ORDER BY u.last_at DESC
$function$;
COMMENT ON FUNCTION restful.deprecated_use() IS
    'Who has used a deprecated version of the API since the server started, and must still be told';

-- statistics/metrics.sql
-- What Prometheus reads.

CREATE FUNCTION restful.metric(name text, type text, help text, samples text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT concat('# HELP ', name, ' ', help, E'\n# TYPE ', name, ' ', type, E'\n', array_to_string(samples, ''))
    WHERE cardinality(samples) > 0
$function$;
COMMENT ON FUNCTION restful.metric(text, text, text, text[]) IS 'Internal: a metric in the text format of Prometheus; null without samples';

CREATE FUNCTION restful.metric_sample(name text, labels jsonb, value double precision) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT concat(name, '{' || (
            SELECT string_agg(format('%s="%s"', l.key, replace(replace(replace(coalesce(l.value, ''), '\', '\\'), '"', '\"'), E'\n', '\n')), ',' ORDER BY l.ordinality)
            FROM jsonb_each_text(labels) WITH ORDINALITY l
        ) || '}', ' ', value, E'\n')
$function$;
COMMENT ON FUNCTION restful.metric_sample(text, jsonb, double precision) IS 'Internal: a sample in the text format of Prometheus';

CREATE FUNCTION restful.metrics() RETURNS restful.http_response
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH requests AS MATERIALIZED (
        SELECT r.*, jsonb_build_object('db_namespace', current_database(), 'schema', r.schema, 'http_request_method', r.method, 'http_route', r.route, 'status_class', r.status_class) AS labels
        FROM restful.stat_requests() r
    ), histogram AS (
        SELECT array_agg(
            (SELECT string_agg(restful.metric_sample('http_server_request_duration_seconds_bucket', r.labels || jsonb_build_object('le', b.bound), b.number), '' ORDER BY b.ordinality)
             FROM unnest(restful.stat_bounds(), r.buckets) WITH ORDINALITY b (bound, number, ordinality))
            || restful.metric_sample('http_server_request_duration_seconds_bucket', r.labels || '{"le": "+Inf"}', r.calls)
            || restful.metric_sample('http_server_request_duration_seconds_sum', r.labels, r.total_time / 1000)
            || restful.metric_sample('http_server_request_duration_seconds_count', r.labels, r.calls)) AS samples
        FROM requests r
    ), counters AS (
        SELECT c.place, c.name, c.help, array_agg(restful.metric_sample(c.name, r.labels, c.value)) AS samples
        FROM requests r
        CROSS JOIN LATERAL (VALUES
            (2, 'pg_restful_response_rows_total', 'Rows in the bodies of responses.', r.rows::double precision),
            (3, 'pg_restful_request_body_bytes_total', 'Bytes of the bodies of requests.', r.bytes_in),
            (4, 'pg_restful_response_body_bytes_total', 'Bytes of the bodies of responses.', r.bytes_out),
            (5, 'pg_restful_planned_requests_total', 'Requests whose statement had to be planned.', r.planned),
            (6, 'pg_restful_limited_requests_total', 'Requests that were answered with 429.', r.rate_limited),
            (7, 'pg_restful_planning_seconds_total', 'Time that planning took.', r.plan_time / 1000),
            (8, 'pg_restful_execution_seconds_total', 'Time that executing took, without planning.', r.execution_time / 1000)
        ) c (place, name, help, value)
        GROUP BY c.place, c.name, c.help
    ), others (place, name, type, help, samples) AS (
        SELECT 9, 'pg_restful_deprecated_requests_total', 'counter', 'Requests to deprecated versions of the API.', array_agg(restful.metric_sample('pg_restful_deprecated_requests_total', u.labels, u.calls))
        FROM (SELECT jsonb_build_object('db_namespace', current_database(), 'version', d.version), sum(d.calls) FROM restful.deprecated_use() d GROUP BY d.version) u (labels, calls)
        UNION ALL
        SELECT 10, 'pg_restful_check_degraded', 'gauge', '1 for what needs attention, with the names of restful.health().',
            array_agg(restful.metric_sample('pg_restful_check_degraded', jsonb_build_object('db_namespace', current_database(), 'check', h."check"), (h.state <> 'ok')::int))
        FROM restful.health() h
        UNION ALL
        SELECT 11, 'pg_restful_idempotency_records_bytes', 'gauge', 'The size of the kept answers to requests with an Idempotency-Key.',
            ARRAY[restful.metric_sample('pg_restful_idempotency_records_bytes', jsonb_build_object('db_namespace', current_database()), pg_total_relation_size('restful.idempotency_record'))]
        UNION ALL
        SELECT 12, 'pg_restful_build_info', 'gauge', 'The version of the extension in the database.',
            ARRAY[restful.metric_sample('pg_restful_build_info', jsonb_build_object('version', (SELECT x.extversion FROM pg_extension x WHERE x.extname = 'pg_restful')), 1)]
    ), metrics (place, text) AS (
        SELECT 1, restful.metric('http_server_request_duration_seconds', 'histogram', 'Duration of requests.', h.samples) FROM histogram h
        UNION ALL
        SELECT c.place, restful.metric(c.name, 'counter', c.help, c.samples) FROM counters c
        UNION ALL
        SELECT o.place, restful.metric(o.name, o.type, o.help, o.samples) FROM others o
    )
    SELECT ROW(200, '{"content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store"}', convert_to(string_agg(m.text, '' ORDER BY m.place), 'UTF8'))::restful.http_response
    FROM metrics m
$function$;
COMMENT ON FUNCTION restful.metrics() IS
    'For a route such as GET /metrics: the statistics of requests and the checks of restful.health() in the text format of Prometheus, with the names of OpenTelemetry';

-- statistics/dashboard.sql
-- What the dashboard of the gateway draws.

CREATE FUNCTION restful.dashboard() RETURNS restful.http_response
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT ROW(200, '{"content-type": "application/json", "cache-control": "no-store"}', convert_to(jsonb_build_object(
        'at', floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
        'database', current_database(),
        'bounds', to_jsonb(restful.stat_bounds()),
        'requests', (SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM restful.stat_requests() r),
        'statements', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM (SELECT s.* FROM restful.stat_statements() s ORDER BY s.requests DESC LIMIT 50) s),
        'checks', (SELECT coalesce(jsonb_agg(to_jsonb(h)), '[]') FROM restful.health() h),
        'limits', (SELECT coalesce(jsonb_agg(to_jsonb(l)), '[]') FROM restful.limits() l)
    )::text, 'UTF8'))::restful.http_response
$function$;
COMMENT ON FUNCTION restful.dashboard() IS
    'For the route GET /dashboard.json, which the dashboard of the gateway reads: statistics, statements, checks and limits as one JSON document';

-- install/grants.sql
-- Default privileges were meant for other objects than these.
DO $revoke$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM %s CASCADE', p.oid::pg_catalog.regprocedure,
            CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
        FROM pg_catalog.pg_proc p,
            pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
        WHERE p.oid OPERATOR(pg_catalog.=) ANY (ARRAY[
                'restful.query(pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb)',
                'restful.perform(pg_catalog.text[], pg_catalog.bool)',
                'restful.batch(pg_catalog.jsonb, pg_catalog.jsonb)',
                'restful.forward(pg_catalog.text, pg_catalog.text, pg_catalog.bytea, pg_catalog.jsonb)',
                'restful.read_postgrest(pg_catalog.text)',
                'restful.import_postgrest(pg_catalog.text, pg_catalog.name)',
                'restful.forget_idempotency_keys(pg_catalog.bool)',
                'restful.count_element(pg_catalog.int8)',
                'restful.patched(pg_catalog.bytea, pg_catalog.bool, pg_catalog.json)',
                'restful.embedded_object(pg_catalog.text, "any")',
                'restful.embedded_object(pg_catalog.record)',
                'restful.embedded_objects_add(pg_catalog.internal, pg_catalog.text, "any")',
                'restful.embedded_values_add(pg_catalog.internal, pg_catalog.anyelement)',
                'restful.embedded_array(pg_catalog.internal)',
                'restful.embedded_objects(pg_catalog.text, "any")',
                'restful.embedded_values(pg_catalog.anyelement)',
                'restful.route_changed()',
                'restful.route_key(pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb)',
                'restful.route_parameters(pg_catalog.oid)',
                'restful.route(pg_catalog.text, pg_catalog.regproc, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text)',
                'restful.route_pattern(pg_catalog.text, pg_catalog.text)',
                'restful.route_key_in(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.text, pg_catalog.text)',
                'restful.route_arguments(pg_catalog.oid, pg_catalog.jsonb)',
                'restful.try_route_example(pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.text)',
                'restful.check_route_example(pg_catalog.text, pg_catalog.text, pg_catalog.oid, pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.json, pg_catalog.json, pg_catalog.json)',
                'restful.route_group(pg_catalog.text, pg_catalog.text, pg_catalog.text)',
                'restful.drop_route_group(pg_catalog.text)',
                'restful.drop_route(pg_catalog.text, pg_catalog.text)',
                'restful.routes()',
                'restful.sent(restful.http_response)',
                'restful.resource_changed()',
                'restful.set_resource(pg_catalog.regclass, pg_catalog.jsonb)',
                'restful.require_idempotency_key(pg_catalog.regclass, pg_catalog.bool)',
                'restful.require_match(pg_catalog.regclass, pg_catalog.bool)',
                'restful.cache_control(pg_catalog.regclass, pg_catalog.text)',
                'restful.last_modified(pg_catalog.regclass, pg_catalog.name)',
                'restful.row_version(pg_catalog.oid, pg_catalog.xid, pg_catalog.tid)',
                'restful.row_digest(pg_catalog.record)',
                'restful.changed_second(pg_catalog.timestamptz)',
                'restful.not_changed_since(pg_catalog.timestamptz, pg_catalog.int8)',
                'restful.api_version_changed()',
                'restful.version(pg_catalog.text, pg_catalog.text, pg_catalog.timestamptz, pg_catalog.timestamptz, pg_catalog.text, pg_catalog.text)',
                'restful.drop_version(pg_catalog.text)',
                'restful.version_schema(pg_catalog.text)',
                'restful.version_type(pg_catalog.oid, pg_catalog.int4, pg_catalog.oid)',
                'restful.version_relations(pg_catalog.oid)',
                'restful.version_columns(pg_catalog.oid)',
                'restful.version_constraints(pg_catalog.oid)',
                'restful.version_functions(pg_catalog.oid)',
                'restful.version_type_change(pg_catalog.text, pg_catalog.oid, pg_catalog.int4, pg_catalog.text[], pg_catalog.text, pg_catalog.oid, pg_catalog.int4, pg_catalog.text[])',
                'restful.version_changes(pg_catalog.text, pg_catalog.text)',
                'restful.expect(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.name, pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.int4, pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.text)',
                'restful.test_rows(pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.text)',
                'restful.expect_rows(pg_catalog.text, pg_catalog.jsonb, pg_catalog.text)',
                'restful.test_step(pg_catalog.text, pg_catalog.text)',
                'restful.test(pg_catalog.text)',
                'restful.test_done()',
                'restful.test_junit()',
                'restful.test_coverage()',
                'restful.test_mutants()',
                'restful.test_mutations(pg_catalog.text)',
                'restful.shared_memory()',
                'restful.hook_changed()',
                'restful.hook_scope(pg_catalog.text)',
                'restful.hook_is_callable(pg_catalog.text, pg_catalog.oid)',
                'restful.hook(pg_catalog.text, pg_catalog.regproc, pg_catalog.text, pg_catalog.int4)',
                'restful.drop_hook(pg_catalog.text, pg_catalog.text, pg_catalog.text)',
                'restful.hooks()',
                'restful.limit_changed()',
                'restful.check_limit(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.int8, pg_catalog.int8)',
                'restful.limit_keys()',
                'restful.forget_limit(pg_catalog.text)',
                'restful.limit_problem(pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.jsonb)',
                'restful.limit(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.int8, pg_catalog.int8, pg_catalog.text)',
                'restful.drop_limit(pg_catalog.text)',
                'restful.limits()',
                'restful.check_limits()',
                'restful.note_row()',
                'restful.audit_of(pg_catalog.regclass)',
                'restful.audit(pg_catalog.regclass)',
                'restful.note_rows(pg_catalog.regclass, pg_catalog.text, pg_catalog.int4)',
                'restful.drop_audit(pg_catalog.regclass)',
                'restful.forget_history(pg_catalog.regclass, pg_catalog.timestamptz)',
                'restful.health()',
                'restful.liveness()',
                'restful.readiness(pg_catalog.interval)',
                'restful.metric(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text[])',
                'restful.metric_sample(pg_catalog.text, pg_catalog.jsonb, pg_catalog.float8)',
                'restful.metrics()',
                'restful.dashboard()',
                'restful.stat_entries()',
                'restful.stat_bounds()',
                'restful.stat_queries()',
                'restful.stat_reset()',
                'restful.stat_requests()',
                'restful.stat_statements()',
                'restful.stat_uses()',
                'restful.deprecated_use()'
            ]::pg_catalog.regprocedure[])
          AND a.grantee OPERATOR(pg_catalog.<>) p.proowner
        GROUP BY 1
        UNION ALL
        SELECT pg_catalog.format('REVOKE ALL ON TABLE %s FROM %s CASCADE', c.oid::pg_catalog.regclass,
            CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
        FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
        WHERE c.oid OPERATOR(pg_catalog.=) ANY (ARRAY['restful.resource', 'restful.idempotency_record', 'restful.cursor_secret', 'restful.route_group_entry', 'restful.route_entry', 'restful.hook_entry', 'restful.limit_entry', 'restful.audit_entry', 'restful.row_history', 'restful.api_version', 'restful.versions']::pg_catalog.regclass[])
          AND a.grantee OPERATOR(pg_catalog.<>) c.relowner
        GROUP BY 1
    LOOP
        EXECUTE statement;
    END LOOP;
END
$revoke$;
GRANT EXECUTE ON FUNCTION
    restful.query(text, jsonb, jsonb),
    restful.perform(text[], boolean),
    restful.batch(jsonb, jsonb),
    restful.forward(text, text, bytea, jsonb),
    restful.read_postgrest(text),
    restful.import_postgrest(text, name),
    restful.stat_bounds(),
    restful.check_limits(),
    restful.count_element(bigint),
    restful.patched(bytea, boolean, json),
    restful.sent(restful.http_response),
    restful.embedded_object(text, VARIADIC "any"),
    restful.embedded_object(record),
    restful.embedded_objects(text, VARIADIC "any"),
    restful.embedded_values(anyelement),
    restful.set_resource(regclass, jsonb),
    restful.require_idempotency_key(regclass, boolean),
    restful.require_match(regclass, boolean),
    restful.cache_control(regclass, text),
    restful.last_modified(regclass, name),
    -- part of the statements of items, which run as the request's role
    restful.row_version(oid, xid, tid),
    restful.row_digest(record),
    restful.changed_second(timestamptz),
    restful.not_changed_since(timestamptz, bigint)
TO PUBLIC;
-- Clients are told of the versions that there are, and everybody may read the catalogue that they are compared by.
GRANT SELECT ON restful.api_version, restful.versions TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    restful.version_changes(text, text),
    restful.version_schema(text),
    restful.version_type(oid, integer, oid),
    restful.version_relations(oid),
    restful.version_columns(oid),
    restful.version_constraints(oid),
    restful.version_functions(oid),
    restful.version_type_change(text, oid, integer, text[], text, oid, integer, text[])
TO PUBLIC;
