-- The hooks, in the order in which they run.
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'event', e.event,
    'scope', e.requests,
    'schema', coalesce(n.nspname, ''),
    'name', coalesce(p.proname, e.handler),
    'parameters', coalesce(p.pronargs, 0),
    'returns', CASE p.prorettype
        WHEN 'restful.http_request'::regtype THEN 'request'
        WHEN 'restful.http_response'::regtype THEN 'response'
        ELSE 'void'
    END,
    'is_callable', restful.hook_is_callable(e.event, p.oid)
) ORDER BY e.run_order, e.handler COLLATE "C", e.requests COLLATE "C"), '[]')
FROM restful.hook_entry e
LEFT JOIN pg_proc p ON p.oid = to_regprocedure(e.handler)
LEFT JOIN pg_namespace n ON n.oid = p.pronamespace
