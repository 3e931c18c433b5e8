-- When the keys $1 were used: $2, in seconds since 1970. A row that another transaction holds is left to it: a request waits for no
-- other one.
WITH free AS (
    SELECT u.id, n.last_used
    FROM (
        SELECT s.id, pg_catalog.to_timestamp(s.seconds) AS last_used
        FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.float8[])) s (id, seconds)
    ) n
    JOIN restful.api_key_use u ON u.id OPERATOR(pg_catalog.=) n.id
    WHERE u.last_used IS NULL
       OR u.last_used OPERATOR(pg_catalog.<) (n.last_used OPERATOR(pg_catalog.-) '1 minute'::pg_catalog.interval)
    FOR UPDATE OF u SKIP LOCKED
)
UPDATE restful.api_key_use u
SET last_used = f.last_used
FROM free f
WHERE u.id OPERATOR(pg_catalog.=) f.id
