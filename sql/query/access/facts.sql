-- What decides whether a role ($3) can run a command ($2) on the rows of a relation ($1).
WITH plain AS (
    -- Types whose literals are read without running code that is not a superuser's: no domains, nor what may hold some.
    SELECT t.oid
    FROM pg_type t
    LEFT JOIN pg_type e ON e.oid = t.typelem
    WHERE (t.typtype IN ('b', 'e') AND (e.oid IS NULL OR e.typtype IN ('b', 'e')))
       OR (t.typtype IN ('r', 'm') AND t.typnamespace = 'pg_catalog'::regnamespace)
       OR t.typname = 'unknown' AND t.typnamespace = 'pg_catalog'::regnamespace
)
SELECT json_build_object(
    'schema', n.nspname,
    'name', c.relname,
    'relation', format('%I.%I', n.nspname, c.relname),
    'row_type', c.reltype::int8,
    'kind', CASE c.relkind
        WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'f' THEN 'foreign table' ELSE 'other' END,
    'owner', pg_get_userbyid(c.relowner),
    'row_security', c.relrowsecurity,
    'forced', c.relforcerowsecurity,
    'invoker', coalesce((
        SELECT o.option_value::boolean FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'security_invoker'), false),
    'protected_parents', array(
        SELECT format('%I.%I', pn.nspname, p.relname)
        FROM pg_partition_ancestors(c.oid) a
        JOIN pg_class p ON p.oid = a.relid
        JOIN pg_namespace pn ON pn.oid = p.relnamespace
        WHERE a.relid <> c.oid AND p.relrowsecurity),
    'active_for_caller', row_security_active(c.oid),
    'role', r.rolname,
    'superuser', r.rolsuper,
    'bypasses', r.rolbypassrls,
    'owns', pg_has_role(r.oid, c.relowner, 'USAGE'),
    'schema_usage', has_schema_privilege(r.oid, n.oid, 'USAGE'),
    'privilege', has_table_privilege(r.oid, c.oid, $2),
    'columns', coalesce((
        SELECT json_agg(json_build_object(
            'name', a.attname,
            'base_type', format_type(b.oid, NULL),
            'is_plain', b.oid IN (SELECT plain.oid FROM plain),
            'granted', CASE $2 WHEN 'DELETE' THEN false ELSE has_column_privilege(r.oid, c.oid, a.attnum, $2) END,
            'readable', has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT'),
            'updatable', has_column_privilege(r.oid, c.oid, a.attnum, 'UPDATE'),
            'expression', CASE
                WHEN a.attidentity <> '' THEN format('nextval(%L::regclass)',
                    pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname))
                ELSE pg_get_expr(d.adbin, d.adrelid)
            END,
            'has_plain_literals', NOT EXISTS (
                SELECT FROM regexp_matches(d.adbin::text, ':consttype (\d+)', 'g') AS m (number)
                WHERE NOT EXISTS (SELECT FROM plain WHERE plain.oid = m.number[1]::oid)),
            'generated', a.attgenerated <> '') ORDER BY a.attnum)
        FROM pg_attribute a
        CROSS JOIN LATERAL (
            WITH RECURSIVE below AS (
                SELECT t.oid, t.typtype, t.typbasetype FROM pg_type t WHERE t.oid = a.atttypid
                UNION ALL
                SELECT t.oid, t.typtype, t.typbasetype FROM below d JOIN pg_type t ON t.oid = d.typbasetype WHERE d.typtype = 'd')
            SELECT w.oid FROM below w WHERE w.typtype <> 'd') b
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
    'primary_key', array(
        SELECT a.attname
        FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts
        ORDER BY k.place),
    'policies', coalesce((
        SELECT json_agg(json_build_object(
            'name', p.polname,
            'permissive', p.polpermissive,
            'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
            'roles', (
                SELECT json_agg(CASE u.oid WHEN 0 THEN 'public' ELSE pg_get_userbyid(u.oid)::text END ORDER BY u.oid)
                FROM unnest(p.polroles) AS u (oid)),
            'applies', EXISTS (
                SELECT FROM unnest(p.polroles) AS u (oid)
                WHERE CASE u.oid WHEN 0 THEN true ELSE pg_has_role(r.oid, u.oid, 'USAGE') END),
            'has_plain_literals', NOT EXISTS (
                SELECT FROM regexp_matches(concat(p.polqual::text, p.polwithcheck::text)::text, ':consttype (\d+)', 'g') AS m (number)
                WHERE NOT EXISTS (SELECT FROM plain WHERE plain.oid = m.number[1]::oid)),
            'using', pg_get_expr(p.polqual, p.polrelid),
            'check', pg_get_expr(p.polwithcheck, p.polrelid)) ORDER BY p.polname)
        FROM pg_policy p
        WHERE p.polrelid = c.oid), '[]'))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN pg_roles r
WHERE c.oid = $1 AND r.rolname = $3
