-- $1: the issuer. A key whose issuer has its role elsewhere would make tokens without a role.
SELECT i.issuer, i.audiences, s.kid, s.algorithm, s.secret
FROM restful.secret_key s
JOIN restful.token_issuer i ON i.issuer OPERATOR(pg_catalog.=) s.issuer
WHERE i.issuer OPERATOR(pg_catalog.=) ANY (ARRAY[$1, '']) AND i.role_path OPERATOR(pg_catalog.=) ANY (ARRAY['$.role', 'role'])
ORDER BY i.issuer OPERATOR(pg_catalog.=) $1 DESC, s.algorithm OPERATOR(pg_catalog.~~) 'HS%', s.created_at DESC, s.kid
LIMIT 1
