-- Notes the rows that a table has when its audit begins: $1 the audit, $2 the rows, $3 the columns of the key, $4 the role.
INSERT INTO restful.row_history (audit, operation, key, row, role)
SELECT $1::integer, 'INSERT', (SELECT jsonb_agg(r.row->u.name ORDER BY u.number) FROM unnest($3::text[]) WITH ORDINALITY u (name, number)), r.row, $4::text
FROM (SELECT t::jsonb FROM unnest($2::text[]) t) r (row)
