-- Of a row that another transaction has just changed, the other columns stay as they are then.
UPDATE restful.resource AS r
SET (require_match, require_idempotency_key, cache_control, last_modified) = (
    SELECT n.require_match, n.require_idempotency_key, n.cache_control, n.last_modified
    FROM pg_catalog.jsonb_populate_record(r, $2) n
)
WHERE r.relation OPERATOR(pg_catalog.=) $1
