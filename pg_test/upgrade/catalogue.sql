-- Everything that the catalogue says about an extension's objects, as lines of text: the catalogue's rows, with names instead of OIDs.
-- Two databases with the same objects give the same lines, because columns that differ between databases anyway are left out.
CREATE FUNCTION pg_temp.catalogue(extension text) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET check_function_bodies = off
AS $catalogue$
DECLARE
    -- storage, statistics, and node trees; the readable form of the trees is added below
    left_out CONSTANT text[] := '{oid,relfilenode,relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,reltoastrelid,
        relhasindex,conbin,adbin,tgqual,polqual,polwithcheck,indexprs,indpred,ev_action,ev_qual,prosqlbody,proargdefaults,typdefaultbin}';
    catalogue record;
    columns text;
    readable text;
BEGIN
    CREATE TEMP TABLE member ON COMMIT DROP AS
        WITH RECURSIVE member (classid, objid) AS (
            SELECT 'pg_extension'::regclass::oid, x.oid FROM pg_extension x WHERE x.extname = extension
            UNION
            SELECT d.classid, d.objid
            FROM member m JOIN pg_depend d ON d.refclassid = m.classid AND d.refobjid = m.objid
            WHERE d.deptype IN ('e', 'i', 'a') AND d.classid <> 'pg_extension'::regclass
              AND (m.classid <> 'pg_extension'::regclass OR d.deptype = 'e')
        )
        SELECT m.classid, m.objid FROM member m;
    FOR catalogue IN
        SELECT c.oid, c.relname, c.relname AS of_objects, 'oid' AS reference
        FROM pg_class c
        WHERE c.relname IN (SELECT k.relname FROM member m JOIN pg_class k ON k.oid = m.classid)
        UNION ALL
        -- catalogues whose rows belong to an object of another catalogue
        SELECT format('pg_catalog.%I', v.name)::regclass, v.name, v.of_objects, v.reference
        FROM (VALUES ('pg_attribute', 'pg_class', 'attrelid'), ('pg_index', 'pg_class', 'indexrelid'), ('pg_inherits', 'pg_class', 'inhrelid'),
            ('pg_sequence', 'pg_class', 'seqrelid'), ('pg_enum', 'pg_type', 'enumtypid'), ('pg_range', 'pg_type', 'rngtypid'),
            ('pg_aggregate', 'pg_proc', 'aggfnoid')) v (name, of_objects, reference)
        ORDER BY 2
    LOOP
        -- each column as text: an OID becomes the name of its object, an access control list is sorted
        SELECT string_agg(format('%L, %s', a.attname, CASE
                WHEN a.attname = 'extconfig'
                    THEN '(SELECT array_agg(o::regclass::text || '' '' || c ORDER BY n) FROM unnest(t.extconfig, t.extcondition) WITH ORDINALITY u (o, c, n))'
                -- some builds of PostgreSQL count here how often a type was changed
                WHEN a.attname = 'attoptions'
                    THEN '(SELECT array_agg(o ORDER BY o) FROM unnest(t.attoptions) o WHERE o NOT LIKE ''pg_attver=%'')'
                WHEN k.pktable IS NOT NULL AND a.atttypid IN ('oid'::regtype, 'regproc'::regtype)
                    THEN format('CASE t.%1$I::oid WHEN 0 THEN NULL ELSE pg_describe_object(%2$L::regclass, t.%1$I::oid, 0) END', a.attname, k.pktable)
                WHEN k.pktable IS NOT NULL
                    THEN format('(SELECT array_agg(pg_describe_object(%2$L::regclass, o::oid, 0) ORDER BY n) FROM unnest(t.%1$I::oid[]) WITH ORDINALITY u (o, n) WHERE o <> 0)',
                        a.attname, k.pktable)
                WHEN a.atttypid = 'aclitem[]'::regtype
                    THEN format('(SELECT array_agg(i::text ORDER BY i::text) FROM unnest(t.%I) i)', a.attname)
                ELSE format('t.%I::text', a.attname) END), ', ' ORDER BY a.attnum)
        INTO columns
        FROM pg_attribute a
        LEFT JOIN LATERAL (
            SELECT f.pktable FROM pg_get_catalog_foreign_keys() f
            WHERE f.fktable = catalogue.oid AND f.fkcols = ARRAY[a.attname::text] AND f.pkcols = '{oid}'
            LIMIT 1) k ON true
        WHERE a.attrelid = catalogue.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (left_out)
          AND NOT (catalogue.relname = 'pg_extension' AND a.attname IN ('extversion', 'extcondition'));
        readable := CASE catalogue.relname
            WHEN 'pg_proc' THEN $$, 'definition', CASE t.prokind WHEN 'a' THEN NULL ELSE pg_get_functiondef(t.oid) END$$
            WHEN 'pg_attrdef' THEN $$, 'expression', pg_get_expr(t.adbin, t.adrelid)$$
            WHEN 'pg_constraint' THEN $$, 'definition', pg_get_constraintdef(t.oid)$$
            WHEN 'pg_trigger' THEN $$, 'definition', pg_get_triggerdef(t.oid)$$
            WHEN 'pg_index' THEN $$, 'definition', pg_get_indexdef(t.indexrelid)$$
            WHEN 'pg_rewrite' THEN $$, 'definition', pg_get_ruledef(t.oid)$$
            WHEN 'pg_policy' THEN $$, 'using', pg_get_expr(t.polqual, t.polrelid), 'check', pg_get_expr(t.polwithcheck, t.polrelid)$$
            WHEN 'pg_type' THEN $$, 'default', pg_get_expr(t.typdefaultbin, 0)$$
            ELSE '' END;
        RETURN QUERY EXECUTE format(
            $$SELECT %1$L || ' ' || i.identity || %2$s || ' ' || p.name || ': ' || p.value
            FROM member m JOIN %1$I t ON t.%3$I::oid = m.objid,
                pg_identify_object(m.classid, m.objid, 0) i,
                jsonb_each_text(jsonb_build_object(%4$s%5$s)) p (name, value)
            WHERE m.classid = '%6$I'::regclass AND p.value IS NOT NULL$$,
            catalogue.relname, CASE catalogue.relname WHEN 'pg_attribute' THEN $$'.' || t.attname$$ ELSE $$''$$ END,
            catalogue.reference, columns, readable, catalogue.of_objects);
    END LOOP;
    RETURN QUERY
        SELECT 'comment ' || pg_describe_object(d.classoid, d.objoid, d.objsubid) || ': ' || d.description
        FROM member m JOIN pg_description d ON d.classoid = m.classid AND d.objoid = m.objid
        UNION ALL
        SELECT 'label ' || pg_describe_object(l.classoid, l.objoid, l.objsubid) || ': ' || l.provider || ' ' || l.label
        FROM member m JOIN pg_seclabel l ON l.classoid = m.classid AND l.objoid = m.objid
        UNION ALL
        -- the grants that pg_dump considers the extension's own
        SELECT 'initial rights ' || pg_describe_object(p.classoid, p.objoid, p.objsubid) || ': '
            || (SELECT string_agg(i::text, ', ' ORDER BY i::text) FROM unnest(p.initprivs) i)
        FROM member m JOIN pg_init_privs p ON p.classoid = m.classid AND p.objoid = m.objid
        UNION ALL
        SELECT 'dependency ' || pg_describe_object(d.classid, d.objid, d.objsubid) || ' ' || d.deptype::text || ' '
            || pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
        FROM member m JOIN pg_depend d ON d.classid = m.classid AND d.objid = m.objid
        UNION ALL
        SELECT 'shared dependency ' || pg_describe_object(d.classid, d.objid, d.objsubid) || ' ' || d.deptype::text || ' '
            || pg_describe_object(d.refclassid, d.refobjid, 0)
        FROM member m JOIN pg_shdepend d ON d.classid = m.classid AND d.objid = m.objid
            AND d.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database());
END
$catalogue$;
