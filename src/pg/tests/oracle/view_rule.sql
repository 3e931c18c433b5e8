-- What a view is made of, as a node tree.
SELECT r.ev_action::text
FROM pg_rewrite r
WHERE r.ev_class = $1::oid AND r.rulename = '_RETURN'
