SELECT has_function_privilege($1::oid, 'EXECUTE')::text
