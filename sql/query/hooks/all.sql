-- The hooks whose functions exist, in the order in which they run.
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'event', e.event,
    'scope', e.requests,
    'schema', n.nspname,
    'name', p.proname,
    'parameters', p.pronargs,
    'returns', CASE p.prorettype
        WHEN 'restful.http_request'::regtype THEN 'request'
        WHEN 'restful.http_response'::regtype THEN 'response'
        ELSE 'void'
    END) ORDER BY e.run_order, e.handler COLLATE "C", e.requests COLLATE "C"), '[]')
FROM restful.hook_entry e
JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
JOIN pg_namespace n ON n.oid = p.pronamespace
