SELECT pg_catalog.jsonb_build_object('keys', coalesce(pg_catalog.jsonb_agg(k.jwk ORDER BY k.issuer, k.kid), '[]'))
FROM restful.public_key k
JOIN restful.secret_key s ON s.issuer OPERATOR(pg_catalog.=) k.issuer AND s.kid OPERATOR(pg_catalog.=) k.kid
