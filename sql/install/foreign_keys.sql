-- pg_restore loads the rows of these tables in any order, with --jobs several tables at once, after CREATE EXTENSION has made their
-- foreign keys: a key that checks new rows loses them. So between tables that are dumped, foreign keys say what becomes of rows whose
-- referenced row goes, and check none. The functions that write such rows lock the referenced row FOR KEY SHARE, as a check would.
DO $references$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::pg_catalog.regclass, t.tgname)
        FROM pg_catalog.pg_extension x
        JOIN pg_catalog.pg_constraint c ON c.conrelid OPERATOR(pg_catalog.=) ANY (x.extconfig)
            AND c.confrelid OPERATOR(pg_catalog.=) ANY (x.extconfig)
        JOIN pg_catalog.pg_trigger t ON t.tgconstraint OPERATOR(pg_catalog.=) c.oid
        WHERE x.extname OPERATOR(pg_catalog.=) 'pg_restful' AND c.contype OPERATOR(pg_catalog.=) 'f'
          AND t.tgfoid OPERATOR(pg_catalog.=) ANY (ARRAY['"RI_FKey_check_ins"'::pg_catalog.regproc, '"RI_FKey_check_upd"'::pg_catalog.regproc])
    LOOP
        EXECUTE statement;
    END LOOP;
END
$references$;
