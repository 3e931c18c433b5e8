-- $1: the id of the key
SELECT k.hash, k.subject, k.role::pg_catalog.text, k.scopes, k.claims,
    extract(epoch FROM k.expires_at)::pg_catalog.float8, k.revoked_at IS NOT NULL
FROM restful.api_key k
WHERE k.id OPERATOR(pg_catalog.=) $1
