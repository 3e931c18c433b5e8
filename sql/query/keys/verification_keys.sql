SELECT i.issuer, i.audiences, i.role_path, k.kid, k.jwk, NULL::pg_catalog.text, NULL::pg_catalog.bytea
FROM restful.token_issuer i
JOIN restful.public_key k ON k.issuer OPERATOR(pg_catalog.=) i.issuer
UNION ALL
SELECT i.issuer, i.audiences, i.role_path, s.kid, NULL::pg_catalog.jsonb, s.algorithm, s.secret
FROM restful.token_issuer i
JOIN restful.secret_key s ON s.issuer OPERATOR(pg_catalog.=) i.issuer
WHERE s.algorithm OPERATOR(pg_catalog.~~) 'HS%'
