-- $1: the kid, or null for the newest key
SELECT i.issuer, i.audiences, s.kid, s.algorithm, s.secret
FROM restful.secret_key s
JOIN restful.token_issuer i ON i.issuer OPERATOR(pg_catalog.=) s.issuer
WHERE $1 IS NULL OR s.kid OPERATOR(pg_catalog.=) $1
ORDER BY s.created_at DESC, s.kid
LIMIT 1
