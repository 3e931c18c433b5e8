-- STABLE: it reads the catalogue. It has no search path of its own: names in the expression are the caller's.
CREATE FUNCTION restful.parse_expression(rel regclass, expression text, attnum smallint DEFAULT 0) RETURNS pg_node_tree
    LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'restful_parse_expression';
COMMENT ON FUNCTION restful.parse_expression(regclass, text, smallint) IS
    'Internal: the tree of an expression for a policy of a table, or for the default of its column attnum, as pg_get_expr reads it; an error if the text is not exactly one expression';
