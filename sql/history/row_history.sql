-- The history of rows: what was written when, by whom, and in which request.

CREATE TABLE restful.audit_entry (
    audit integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE restful.audit_entry IS 'Audits of tables, begun by restful.audit. The triggers of a table have the number of its audit';
REVOKE ALL ON restful.audit_entry FROM PUBLIC;
ALTER TABLE restful.audit_entry ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.audit_entry', '');
SELECT pg_catalog.pg_extension_config_dump('restful.audit_entry_audit_seq', '');

CREATE TABLE restful.row_history (
    audit integer NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    operation text NOT NULL,
    key jsonb,
    "row" jsonb,
    role text NOT NULL,
    subject text,
    api_key text,
    method text,
    path text,
    request_id text
);
CREATE INDEX row_history_key ON restful.row_history (audit, key, id);
CREATE INDEX row_history_at ON restful.row_history (audit, at);
COMMENT ON TABLE restful.row_history IS 'What has happened to the rows of audited tables: the row after each change, and who has made it. The triggers of restful.audit write it';
REVOKE ALL ON restful.row_history FROM PUBLIC;
ALTER TABLE restful.row_history ENABLE ROW LEVEL SECURITY;
SELECT pg_catalog.pg_extension_config_dump('restful.row_history', '');
SELECT pg_catalog.pg_extension_config_dump('restful.row_history_id_seq', '');

CREATE FUNCTION restful.note_row() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'restful_note_row';
COMMENT ON FUNCTION restful.note_row() IS 'Internal: the trigger of restful.audit';

CREATE FUNCTION restful.audit_of(rel regclass) RETURNS integer
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT encode(substr(t.tgargs, 1, length(t.tgargs) - 1), 'escape')::integer
    FROM pg_trigger t WHERE t.tgrelid = rel AND t.tgname = 'restful_note_row' AND t.tgfoid = 'restful.note_row'::regproc
$function$;
COMMENT ON FUNCTION restful.audit_of(regclass) IS 'Internal: the number of the audit of a table; null without one';

CREATE FUNCTION restful.audit(rel regclass) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    named record;
    number integer;
    history text;
    as_of text;
BEGIN
    SELECT n.nspname, c.relname, c.relkind, c.relispartition, c.relpersistence, c.relforcerowsecurity, o.rolname, EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_key INTO named
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner WHERE c.oid = rel;
    IF NOT FOUND OR named.relkind NOT IN ('r', 'p') OR named.relispartition OR named.relpersistence = 't' OR named.nspname IN ('pg_catalog', 'information_schema', 'restful') THEN
        RAISE EXCEPTION '% cannot be audited', rel
            USING ERRCODE = '42809', HINT = 'Audit a table, and a partitioned table as a whole.';
    ELSIF NOT named.has_key THEN
        RAISE EXCEPTION '% has no primary key', rel USING ERRCODE = '42P16', HINT = 'Give it one: the history tells rows apart by their keys.';
    ELSIF named.relforcerowsecurity THEN
        RAISE EXCEPTION '% has policies for its owner', rel
            USING ERRCODE = '55000', HINT = 'They would hide rows while the history begins. Use ALTER TABLE ... NO FORCE ROW LEVEL SECURITY until then.';
    END IF;
    history := format('%I.%I', named.nspname, named.relname || '_history');
    as_of := format('%I.%I', named.nspname, named.relname || '_as_of');
    -- From here on nobody writes the table until this transaction has ended.
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', rel);
    IF restful.audit_of(rel) IS NOT NULL THEN
        RAISE EXCEPTION '% is audited already', rel USING ERRCODE = '42710';
    END IF;
    INSERT INTO restful.audit_entry DEFAULT VALUES RETURNING audit INTO number;
    EXECUTE format('CREATE TRIGGER restful_note_row AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION restful.note_row(%L)', rel, number);
    EXECUTE format('CREATE TRIGGER restful_note_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION restful.note_row(%L)', rel, number);
    EXECUTE format($view$CREATE VIEW %s WITH (security_barrier) AS
        SELECT h.id, h.at, h.transaction_id, h.operation, h.key, h."row", h.role, h.subject, h.api_key, h.method, h.path, h.request_id
        FROM restful.row_history h WHERE h.audit = %s$view$, history, number);
    EXECUTE format('COMMENT ON VIEW %s IS %L', history, format('The history of %s: the row after each change, and who has made it', rel));
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', history);
    EXECUTE format('GRANT SELECT ON %s TO %I WITH GRANT OPTION', history, named.rolname);
    -- It runs with the rights of whoever calls it, because reading values back may run code of the table's owner.
    EXECUTE format($create$CREATE FUNCTION %1$s(at timestamptz) RETURNS SETOF %2$s
    LANGUAGE plpgsql STABLE STRICT ROWS 1000
    SET search_path = pg_catalog, pg_temp
AS $as_of$
#variable_conflict use_variable
DECLARE
    began timestamptz := (SELECT min(h.at) FROM %3$s h WHERE h.operation = 'BEGIN');
    emptied bigint := (SELECT max(h.id) FROM %3$s h WHERE h.at <= at AND h.operation IN ('TRUNCATE', 'BEGIN'));
BEGIN
    IF began IS NULL OR at < began THEN
        RAISE EXCEPTION 'the history begins at %%', began USING ERRCODE = '22023', HINT = 'Ask for a later time.';
    END IF;
    -- Parsed each time, because columns come and go.
    RETURN QUERY EXECUTE $query$
        SELECT (jsonb_populate_record(NULL::%2$s, l."row")).*
        FROM (
            SELECT DISTINCT ON (h.key) h."row" FROM %3$s h
            WHERE h.at <= $1 AND h.id > $2 AND h.key IS NOT NULL
            ORDER BY h.key, h.id DESC
        ) l
        WHERE l."row" IS NOT NULL$query$ USING at, emptied;
END
$as_of$$create$, as_of, rel, history);
    EXECUTE format('COMMENT ON FUNCTION %s(timestamptz) IS %L', as_of, format('The rows of %s as they were at a time, for roles that may read its history', rel));
    EXECUTE format($begin$INSERT INTO restful.row_history (audit, operation, role) VALUES (%s, 'BEGIN', session_user)$begin$, number);
    PERFORM restful.note_rows(rel, rel::text, number);
END
$function$;
COMMENT ON FUNCTION restful.audit(regclass) IS
    'Keeps the history of a table from now on: who has written which row when, in which request. Makes the view TABLE_history and the function TABLE_as_of(time) beside it, for roles with SELECT on the view';

CREATE FUNCTION restful.note_rows(rel regclass, name text, audit integer) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_note_rows';
COMMENT ON FUNCTION restful.note_rows(regclass, text, integer) IS 'Internal: notes the rows that a table has';

CREATE FUNCTION restful.drop_audit(rel regclass) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    number integer := restful.audit_of(rel);
BEGIN
    IF number IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TRIGGER restful_note_row ON %1$s', rel);
    EXECUTE format('DROP TRIGGER IF EXISTS restful_note_truncate ON %1$s', rel);
    RETURN true;
END
$function$;
COMMENT ON FUNCTION restful.drop_audit(regclass) IS
    'Ends the audit of a table; false if it has none. Its history stays, with the view and the function that read it';

CREATE FUNCTION restful.forget_history(history regclass, before timestamptz) RETURNS bigint
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    number integer := (SELECT substring(pg_get_viewdef(c.oid) FROM 'audit = ([0-9]+)')::integer FROM pg_class c
        WHERE c.oid = history AND c.relkind = 'v' AND pg_get_viewdef(c.oid) ~ 'FROM restful[.]row_history h');
    emptied bigint;
    gone bigint;
BEGIN
    IF number IS NULL THEN
        RAISE EXCEPTION '% is not the history of a table', history USING ERRCODE = '42809', HINT = 'Name the view that restful.audit has made: shop.orders_history.';
    END IF;
    SELECT max(h.id) INTO emptied FROM restful.row_history h WHERE h.audit = number AND h.at < before AND h.operation IN ('TRUNCATE', 'BEGIN');
    DELETE FROM restful.row_history h
    WHERE h.audit = number AND h.at < before AND (
        h.id < emptied
        OR h.operation = 'DELETE'
        OR h.key IS NOT NULL AND EXISTS (SELECT FROM restful.row_history later WHERE later.audit = number AND later.key = h.key AND later.id > h.id AND later.at < before));
    GET DIAGNOSTICS gone = ROW_COUNT;
    -- Earlier times cannot be asked for any more.
    UPDATE restful.row_history h SET at = before, operation = 'BEGIN' WHERE h.audit = number AND h.id = emptied;
    RETURN gone;
END
$function$;
COMMENT ON FUNCTION restful.forget_history(regclass, timestamptz) IS
    'Forgets what no longer counts at a time, for a history such as shop.orders_history. The rows as of that time and later stay. Returns how many changes were forgotten';
