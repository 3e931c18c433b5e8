SELECT pg_catalog.has_function_privilege($1::pg_catalog.oid, 'EXECUTE')::pg_catalog.text
