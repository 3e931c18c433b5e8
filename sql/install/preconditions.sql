-- The schema has to be the extension's own: an object that somebody put there before could stand in for one of ours.
DO $check$
BEGIN
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_depend d
        WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
          AND d.refobjid OPERATOR(pg_catalog.=) '@extschema@'::pg_catalog.regnamespace
          AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass
          AND d.deptype OPERATOR(pg_catalog.=) 'n'
          -- what this extension itself has made so far
          AND NOT EXISTS (
              SELECT
              FROM pg_catalog.pg_depend m
              JOIN pg_catalog.pg_extension x ON x.oid OPERATOR(pg_catalog.=) m.refobjid
              WHERE m.classid OPERATOR(pg_catalog.=) d.classid
                AND m.objid OPERATOR(pg_catalog.=) d.objid
                AND m.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass
                AND m.deptype OPERATOR(pg_catalog.=) 'e'
                AND x.extname OPERATOR(pg_catalog.=) 'pg_restful')
    ) THEN
        RAISE EXCEPTION 'schema "restful" contains objects that the extension did not create'
            USING ERRCODE = '42710', -- duplicate_object
                  HINT = 'Move them to another schema, or drop them, and create the extension again.';
    END IF;
    IF EXISTS (
        SELECT
        FROM pg_catalog.pg_namespace n
        WHERE n.oid OPERATOR(pg_catalog.=) '@extschema@'::pg_catalog.regnamespace
          AND n.nspowner OPERATOR(pg_catalog.<>) (
              SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
    ) THEN
        RAISE EXCEPTION 'schema "restful" belongs to another role'
            USING ERRCODE = '42501',
                  HINT = 'Drop the schema, or create the extension as its owner.';
    END IF;
    IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'pg_restful needs a database with encoding UTF8, not %', pg_catalog.current_setting('server_encoding')
            USING ERRCODE = '0A000', HINT = 'Create a database with ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
END
$check$;
