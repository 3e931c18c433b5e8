-- Notes what has happened to a row: $1 the audit, $2 the operation, $3 and $4 the row before and after, $5 the columns of its key, $6 the role. A row whose
-- key has changed is another one.
WITH changed AS (
    SELECT $3::jsonb AS before, $4::jsonb AS after,
        (SELECT jsonb_agg($3::jsonb->u.name ORDER BY u.number) FROM unnest($5::text[]) WITH ORDINALITY u (name, number) WHERE $3 IS NOT NULL) AS old_key,
        (SELECT jsonb_agg($4::jsonb->u.name ORDER BY u.number) FROM unnest($5::text[]) WITH ORDINALITY u (name, number) WHERE $4 IS NOT NULL) AS new_key
), noted (number, operation, key, row) AS (
    SELECT 1, $2::text, coalesce(c.new_key, c.old_key), c.after FROM changed c WHERE $3 IS NULL OR $4 IS NULL OR c.old_key = c.new_key
    UNION ALL
    SELECT 1, 'DELETE', c.old_key, NULL FROM changed c WHERE c.old_key <> c.new_key
    UNION ALL
    SELECT 2, 'INSERT', c.new_key, c.after FROM changed c WHERE c.old_key <> c.new_key
)
INSERT INTO restful.row_history (audit, operation, key, row, role, subject, api_key, method, path, request_id)
SELECT $1::integer, n.operation, n.key, n.row, $6::text, restful.user_id(), restful.claim('key_id'),
    nullif(current_setting('request.method', true), ''), nullif(current_setting('request.path', true), ''),
    (nullif(current_setting('request.headers', true), '')::json)->>'x-request-id'
FROM noted n
ORDER BY n.number
