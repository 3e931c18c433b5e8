-- The registered schema of a name ($1) and version ($2, null for the current one), or else the one whose $id is the name.
SELECT s.schema
FROM (
    SELECT n.schema, 0 AS rank, n.version
    FROM restful.json_schema n
    WHERE n.name OPERATOR(pg_catalog.=) $1
      AND ($2::pg_catalog.int4 IS NULL OR n.version OPERATOR(pg_catalog.=) $2)
    UNION ALL
    SELECT i.schema, 1, i.version
    FROM restful.json_schema i
    WHERE pg_catalog.rtrim(coalesce(i.schema OPERATOR(pg_catalog.->>) '$id', i.schema OPERATOR(pg_catalog.->>) 'id'), '#')
          OPERATOR(pg_catalog.=) $1
      AND NOT EXISTS (
          SELECT FROM restful.json_schema later
          WHERE later.name OPERATOR(pg_catalog.=) i.name AND later.version OPERATOR(pg_catalog.>) i.version)
) s
ORDER BY s.rank, s.version DESC
LIMIT 1
