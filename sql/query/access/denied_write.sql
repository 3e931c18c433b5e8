-- Of a write ($3: INSERT or UPDATE) to a relation ($1) that was refused: which of the columns that it sets ($2, as JSON) the database fills
-- in, and whether the current user may set them, read any, and read those that it compares ($4, as JSON).
WITH columns AS (
    SELECT a.attname, a.attnum, to_jsonb($2::json) ? a.attname AS is_set, to_jsonb($4::json) ? a.attname AS is_compared
    FROM pg_attribute a
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT json_build_object(
    'presets', array(
        SELECT c.attname
        FROM columns c JOIN pg_attrdef d ON d.adrelid = $1 AND d.adnum = c.attnum
        WHERE c.is_set AND pg_get_expr(d.adbin, d.adrelid) LIKE 'restful.preset(%' AND NOT has_column_privilege($1, c.attnum, $3)
        ORDER BY c.attnum),
    'may_set', NOT EXISTS (SELECT FROM columns c WHERE c.is_set AND NOT has_column_privilege($1, c.attnum, $3)),
    'may_read', has_any_column_privilege($1, 'SELECT'),
    'may_compare', NOT EXISTS (SELECT FROM columns c WHERE c.is_compared AND NOT has_column_privilege($1, c.attnum, 'SELECT')))
WHERE has_any_column_privilege($1, $3)
