-- What a view is made of, as a node tree.
SELECT r.ev_action::pg_catalog.text
FROM pg_catalog.pg_rewrite r
WHERE r.ev_class = $1::pg_catalog.oid AND r.rulename = '_RETURN'
