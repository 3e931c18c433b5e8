-- Roles of an application: who may do what, and for which tenant. They are rows, not roles of PostgreSQL, and take effect in the next
-- statement. Only the owner may use the tables; the functions that answer questions do so about the subject of the request alone.

CREATE TABLE restful.rbac_role (
    name text PRIMARY KEY,
    permissions text[] NOT NULL,
    inherits text[] NOT NULL,
    can_grant text[] NOT NULL,
    -- What follows from these and from the inherited roles, for lookups without recursion: written by restful.derive_roles.
    all_roles text[] NOT NULL DEFAULT '{}',
    all_permissions text[] NOT NULL DEFAULT '{}',
    all_can_grant text[] NOT NULL DEFAULT '{}',
    patterns text[] NOT NULL DEFAULT '{}',
    CONSTRAINT name_is_short CHECK (octet_length(name) BETWEEN 1 AND 255 AND name !~ '[[:space:][:cntrl:]]')
);
COMMENT ON TABLE restful.rbac_role IS 'Roles of the application, defined by restful.define_role';
COMMENT ON COLUMN restful.rbac_role.patterns IS 'All permissions as patterns of LIKE';

CREATE TABLE restful.rbac_grant (
    subject text NOT NULL,
    role text NOT NULL REFERENCES restful.rbac_role,
    tenant text,
    expires_at timestamptz,
    granted_at timestamptz NOT NULL,
    granted_by text,
    granted_as text NOT NULL,
    CONSTRAINT subject_is_short CHECK (octet_length(subject) BETWEEN 1 AND 255),
    CONSTRAINT tenant_is_short CHECK (octet_length(tenant) BETWEEN 1 AND 255)
);
-- Also how the grants of a subject are found.
CREATE UNIQUE INDEX rbac_grant_key ON restful.rbac_grant (subject, role, coalesce(tenant, ''));
-- A grant is known by its tenant too, which may be null, as no primary key may. Publications need to know it for UPDATE and DELETE.
ALTER TABLE restful.rbac_grant REPLICA IDENTITY FULL;
CREATE INDEX rbac_grant_tenant ON restful.rbac_grant (tenant) WHERE tenant IS NOT NULL;
COMMENT ON TABLE restful.rbac_grant IS 'Who has which role, granted by restful.grant_role';
COMMENT ON COLUMN restful.rbac_grant.tenant IS 'The tenant it applies to; null for all';
COMMENT ON COLUMN restful.rbac_grant.granted_by IS 'The subject who granted it; null for an administrator';
COMMENT ON COLUMN restful.rbac_grant.granted_as IS 'The login role of the session that granted it';

-- A second barrier behind the missing grants; it does not stop the owner.
ALTER TABLE restful.rbac_role ENABLE ROW LEVEL SECURITY;
ALTER TABLE restful.rbac_grant ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.rbac_role, restful.rbac_grant FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('restful.rbac_role', '');
SELECT pg_catalog.pg_extension_config_dump('restful.rbac_grant', '');

CREATE VIEW restful.rbac_held AS
SELECT g.subject, g.tenant, g.expires_at, r.all_roles, r.all_permissions, r.all_can_grant, r.patterns
FROM restful.rbac_grant g
JOIN restful.rbac_role r ON r.name = g.role
-- the statement's time, not the transaction's: a long transaction does not hold on to what expires
WHERE g.expires_at IS NULL OR g.expires_at > statement_timestamp();
REVOKE ALL ON restful.rbac_held FROM PUBLIC;
COMMENT ON VIEW restful.rbac_held IS 'Internal: grants in force, with what follows from their roles';

-- Definitions

CREATE FUNCTION restful.derive_roles() RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH RECURSIVE included (name, role) AS (
        SELECT r.name, r.name FROM restful.rbac_role r
        UNION
        SELECT i.name, inherited
        FROM included i JOIN restful.rbac_role r ON r.name = i.role, unnest(r.inherits) inherited
    ), derived AS (
        SELECT i.name, array_agg(i.role ORDER BY i.role) AS roles,
            ARRAY(SELECT DISTINCT p FROM restful.rbac_role r, unnest(r.permissions) p WHERE r.name = ANY (array_agg(i.role)) ORDER BY p) AS permissions,
            ARRAY(SELECT DISTINCT c FROM restful.rbac_role r, unnest(r.can_grant) c WHERE r.name = ANY (array_agg(i.role)) ORDER BY c) AS can_grant
        FROM included i
        GROUP BY i.name
    )
    UPDATE restful.rbac_role r
    SET all_roles = d.roles, all_permissions = d.permissions, all_can_grant = d.can_grant,
        -- what LIKE takes for more than itself is escaped, and the star at the end stands for any text
        patterns = ARRAY(SELECT regexp_replace(regexp_replace(p, E'([\\\\%_])', E'\\\\\\1', 'g'), '[*]$', '%') FROM unnest(d.permissions) p)
    FROM derived d
    WHERE d.name = r.name
      AND (r.all_roles, r.all_permissions, r.all_can_grant) IS DISTINCT FROM (d.roles, d.permissions, d.can_grant)
$function$;
COMMENT ON FUNCTION restful.derive_roles() IS 'Internal: updates the columns that are derived from the definitions of roles';

CREATE FUNCTION restful.lock_roles() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- One definition at a time: two could make a cycle together. The rows too, so that a transaction with an older snapshot fails.
    LOCK TABLE restful.rbac_role IN SHARE ROW EXCLUSIVE MODE;
    PERFORM FROM restful.rbac_role FOR NO KEY UPDATE;
END
$function$;
COMMENT ON FUNCTION restful.lock_roles() IS 'Internal: makes other definitions of roles wait';

CREATE FUNCTION restful.define_role(name text, permissions text[], inherits text[] DEFAULT '{}', can_grant text[] DEFAULT '{}')
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    wrong text;
BEGIN
    IF name IS NULL OR octet_length(name) NOT BETWEEN 1 AND 255 OR name ~ '[[:space:][:cntrl:]]' THEN
        RAISE EXCEPTION 'a role cannot be named "%"', name
            USING ERRCODE = '22023', HINT = 'A name has 1 to 255 bytes and no blanks.';
    END IF;
    permissions := coalesce(permissions, '{}');
    inherits := coalesce(inherits, '{}');
    can_grant := coalesce(can_grant, '{}');
    SELECT coalesce(p, 'null') INTO wrong
    FROM unnest(permissions) p
    WHERE p IS NULL OR octet_length(p) > 255 OR p !~ '^([*]|[^*.[:space:][:cntrl:]]+([.][^*.[:space:][:cntrl:]]+)*([.][*])?)$'
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is not a permission', wrong
            USING ERRCODE = '22023', HINT = 'A permission consists of words separated by dots, like posts.update; the last word may be *, which stands for anything.';
    END IF;
    PERFORM restful.lock_roles();
    SELECT coalesce(r, 'null') INTO wrong
    FROM unnest(inherits || can_grant) r
    WHERE r IS NULL OR (r <> name AND NOT EXISTS (SELECT FROM restful.rbac_role d WHERE d.name = r))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'role "%" is not defined', wrong
            USING ERRCODE = '42704', HINT = 'Define a role before the roles that inherit or grant it.';
    END IF;
    SELECT r INTO wrong
    FROM unnest(inherits) r
    WHERE r = name OR EXISTS (SELECT FROM restful.rbac_role d WHERE d.name = r AND name = ANY (d.all_roles))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'role "%" cannot inherit "%", which inherits it', name, wrong
            USING ERRCODE = '0LP01', HINT = 'See restful.list_roles().'; -- invalid_grant_operation, as for PostgreSQL's roles
    END IF;
    INSERT INTO restful.rbac_role AS r (name, permissions, inherits, can_grant)
    VALUES (name, permissions, inherits, can_grant)
    ON CONFLICT ON CONSTRAINT rbac_role_pkey DO UPDATE
    SET permissions = excluded.permissions, inherits = excluded.inherits, can_grant = excluded.can_grant;
    PERFORM restful.derive_roles();
END
$function$;
COMMENT ON FUNCTION restful.define_role(text, text[], text[], text[]) IS
    'Defines or redefines a role of the application: its permissions (posts.update, posts.*, *), the roles it inherits, and the roles that its holders may grant';

CREATE FUNCTION restful.drop_role(name text, cascade boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    used text;
BEGIN
    PERFORM restful.lock_roles();
    IF cascade THEN
        DELETE FROM restful.rbac_grant g WHERE g.role = name;
        UPDATE restful.rbac_role r
        SET inherits = array_remove(r.inherits, name), can_grant = array_remove(r.can_grant, name)
        WHERE name = ANY (r.inherits || r.can_grant);
    ELSE
        SELECT string_agg(u.usage, ', ' ORDER BY u.usage) INTO used
        FROM (
            SELECT 'role "' || r.name || '"' FROM restful.rbac_role r WHERE r.name <> name AND name = ANY (r.inherits || r.can_grant)
            UNION ALL
            SELECT 'its grants (' || count(*) || ')' FROM restful.rbac_grant g WHERE g.role = name HAVING count(*) > 0
        ) u (usage);
        IF used IS NOT NULL THEN
            RAISE EXCEPTION 'role "%" is in use', name
                USING ERRCODE = '2BP01', DETAIL = 'By ' || used || '.', HINT = 'Change those first, or pass cascade => true to revoke it everywhere.';
        END IF;
    END IF;
    DELETE FROM restful.rbac_role r WHERE r.name = name;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM restful.derive_roles();
    RETURN true;
END
$function$;
COMMENT ON FUNCTION restful.drop_role(text, boolean) IS
    'Drops a role of the application, which must be unused; with cascade, it is first revoked everywhere. Returns false if there was none';

-- Grants

-- A function's variables take the collation of its arguments, which may be one that its caller made, and takes other texts for equal.
-- Where who asks or what is granted is compared, the collation is said.
CREATE FUNCTION restful.set_grant(granted boolean, subject text, role text, tenant text, expires_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    IF set_grant.granted IS NULL OR set_grant.subject IS NULL OR set_grant.role IS NULL THEN
        RAISE EXCEPTION 'the subject or the role of the grant is null' USING ERRCODE = '22004';
    END IF;
    IF NOT set_grant.granted THEN
        DELETE FROM restful.rbac_grant g
        WHERE g.subject = set_grant.subject COLLATE "default" AND g.role = set_grant.role COLLATE "default"
          AND coalesce(g.tenant, '') = coalesce(set_grant.tenant, '') COLLATE "default";
        RETURN FOUND;
    END IF;
    IF octet_length(set_grant.subject) NOT BETWEEN 1 AND 255 OR octet_length(set_grant.tenant) NOT BETWEEN 1 AND 255 THEN
        RAISE EXCEPTION 'a subject and a tenant have 1 to 255 bytes'
            USING ERRCODE = '22023', HINT = 'A grant for every tenant has a null tenant.';
    END IF;
    IF set_grant.expires_at <= statement_timestamp() THEN
        RAISE EXCEPTION 'the grant would already have expired' USING ERRCODE = '22023', HINT = 'See restful.revoke_role(subject, role, tenant).';
    END IF;
    -- It cannot be dropped until this transaction ends.
    PERFORM FROM restful.rbac_role r WHERE r.name = set_grant.role COLLATE "default" FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'role "%" is not defined', set_grant.role USING ERRCODE = '42704', HINT = 'Define it with restful.define_role(name, permissions).';
    END IF;
    INSERT INTO restful.rbac_grant (subject, role, tenant, expires_at, granted_at, granted_by, granted_as)
    VALUES (set_grant.subject, set_grant.role, set_grant.tenant, set_grant.expires_at, statement_timestamp(), restful.user_id(), session_user)
    ON CONFLICT (subject, role, coalesce(tenant, '')) DO UPDATE
    SET expires_at = excluded.expires_at, granted_at = excluded.granted_at, granted_by = excluded.granted_by,
        granted_as = excluded.granted_as;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION restful.set_grant(boolean, text, text, text, timestamptz) IS
    'Internal: grants or revokes without checking who grants; administrators may execute it';

CREATE FUNCTION restful.set_grant_as_subject(granted boolean, subject text, role text, tenant text, expires_at timestamptz)
    RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
    granter text := restful.user_id();
    until timestamptz;
BEGIN
    -- The rows that allow it are locked: what is revoked at the same time either waits for this transaction, or is seen by it.
    SELECT g.expires_at INTO until
    FROM restful.rbac_grant g
    JOIN restful.rbac_role r ON r.name = g.role
    WHERE g.subject = granter COLLATE "default"
      AND (g.tenant IS NULL OR g.tenant = tenant COLLATE "default")
      AND (g.expires_at IS NULL OR g.expires_at > statement_timestamp())
      AND role COLLATE "default" = ANY (r.all_can_grant)
    ORDER BY g.expires_at DESC NULLS FIRST
    LIMIT 1
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'permission denied to grant or revoke role "%"', role
            USING ERRCODE = '42501',
                HINT = CASE WHEN tenant IS NULL THEN 'For all tenants, this needs a role without a tenant that can grant it.'
                    ELSE 'This needs a role that can grant it, in this tenant or without a tenant.' END;
    END IF;
    IF granted AND until IS NOT NULL AND (expires_at IS NULL OR expires_at > until) THEN
        RAISE EXCEPTION 'role "%" cannot be granted for longer than the right to grant it lasts', role
            USING ERRCODE = '42501', HINT = 'Pass expires_at => ' || quote_literal(until) || ' or earlier.';
    END IF;
    RETURN restful.set_grant(granted, subject, role, tenant, expires_at);
END
$function$;
COMMENT ON FUNCTION restful.set_grant_as_subject(boolean, text, text, text, timestamptz) IS
    'Internal: grants or revokes what the roles of the request''s subject can grant';

CREATE FUNCTION restful.change_grant(granted boolean, subject text, role text, tenant text, expires_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- What a request grants is granted by its subject, whatever role it runs as, or whoever owns the function that it calls.
    IF restful.user_id() IS NOT NULL OR restful.method() <> 'sql' THEN
        RETURN restful.set_grant_as_subject(granted, subject, role, tenant, expires_at);
    END IF;
    IF NOT has_function_privilege('restful.set_grant(boolean,text,text,text,timestamptz)', 'EXECUTE') THEN
        RAISE EXCEPTION 'permission denied to grant or revoke roles'
            USING ERRCODE = '42501', HINT = 'This needs a request whose subject has a role that can grant, or the right to execute restful.set_grant, which restful.setup_roles() gives to administrators.';
    END IF;
    RETURN restful.set_grant(granted, subject, role, tenant, expires_at);
END
$function$;
COMMENT ON FUNCTION restful.change_grant(boolean, text, text, text, timestamptz) IS
    'Internal: grants or revokes with the rights of the request''s subject, or, outside a request, of the current role';

CREATE FUNCTION restful.grant_role(subject text, role text, tenant text DEFAULT NULL, expires_at timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$ BEGIN PERFORM restful.change_grant(true, subject, role, tenant, expires_at); END $function$;
COMMENT ON FUNCTION restful.grant_role(text, text, text, timestamptz) IS
    'Gives a subject a role of the application, for one tenant or for all, until a given time or for ever; granting it again replaces the expiry. The subject of a request can grant what its roles can grant';

CREATE FUNCTION restful.revoke_role(subject text, role text, tenant text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
AS $function$ BEGIN RETURN restful.change_grant(false, subject, role, tenant, NULL); END $function$;
COMMENT ON FUNCTION restful.revoke_role(text, text, text) IS
    'Takes a role of the application from a subject, in one tenant or, with null, for all tenants; returns false if there was no such grant. The subject of a request can revoke what its roles can grant';

-- Questions about the subject of the request. In plpgsql, which keeps its plans: a policy may ask once per row.

CREATE FUNCTION restful.has_role(role text, tenant text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
BEGIN
    RETURN asking IS NOT NULL AND EXISTS (
        SELECT FROM restful.rbac_held h
        WHERE h.subject = asking COLLATE "default" AND (h.tenant IS NULL OR h.tenant = has_role.tenant COLLATE "default") AND has_role.role COLLATE "default" = ANY (h.all_roles));
END
$function$;
COMMENT ON FUNCTION restful.has_role(text, text) IS
    'Whether the request''s subject has a role, directly or by inheritance: for all tenants, or for this one';

CREATE FUNCTION restful.has_any_role(roles text[], tenant text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
BEGIN
    RETURN asking IS NOT NULL AND EXISTS (
        SELECT FROM restful.rbac_held h
        WHERE h.subject = asking COLLATE "default" AND (h.tenant IS NULL OR h.tenant = has_any_role.tenant COLLATE "default") AND h.all_roles && roles COLLATE "default");
END
$function$;
COMMENT ON FUNCTION restful.has_any_role(text[], text) IS 'Whether the request''s subject has one of the roles; see restful.has_role';

CREATE FUNCTION restful.has_permission(permission text, tenant text DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
BEGIN
    RETURN asking IS NOT NULL AND EXISTS (
        SELECT FROM restful.rbac_held h
        WHERE h.subject = asking COLLATE "default" AND (h.tenant IS NULL OR h.tenant = has_permission.tenant COLLATE "default") AND permission COLLATE "default" LIKE ANY (h.patterns));
END
$function$;
COMMENT ON FUNCTION restful.has_permission(text, text) IS
    'Whether one of the roles of the request''s subject has a permission: for all tenants, or for this one. In policies: (select restful.has_permission(...)), or restful.tenants_with';

CREATE FUNCTION restful.authorize(permission text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
AS $function$ SELECT restful.has_permission(permission, NULL) $function$;
COMMENT ON FUNCTION restful.authorize(text) IS 'The same as restful.has_permission(permission)';

CREATE FUNCTION restful.permissions(tenant text DEFAULT NULL) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT p
        FROM restful.rbac_held h, unnest(h.all_permissions) p
        WHERE h.subject = asking COLLATE "default" AND (h.tenant IS NULL OR h.tenant = permissions.tenant COLLATE "default")
        ORDER BY p);
END
$function$;
COMMENT ON FUNCTION restful.permissions(text) IS
    'The permissions of the request''s subject, as its roles spell them: those for all tenants and those for this one';

CREATE FUNCTION restful.tenants_with(permission text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    asking text := restful.user_id();
    tenants text[];
BEGIN
    IF asking IS NULL THEN
        RETURN;
    END IF;
    tenants := ARRAY(SELECT DISTINCT h.tenant FROM restful.rbac_held h WHERE h.subject = asking COLLATE "default" AND permission COLLATE "default" LIKE ANY (h.patterns));
    IF array_position(tenants, NULL) IS NULL THEN
        RETURN QUERY SELECT unnest(tenants);
        RETURN;
    END IF;
    -- For all tenants: from one to the next in the index, however often each is granted.
    RETURN QUERY
    WITH RECURSIVE known AS (
        (SELECT g.tenant FROM restful.rbac_grant g WHERE g.tenant IS NOT NULL ORDER BY g.tenant LIMIT 1)
        UNION ALL
        SELECT (SELECT g.tenant FROM restful.rbac_grant g WHERE g.tenant > k.tenant ORDER BY g.tenant LIMIT 1)
        FROM known k
        WHERE k.tenant IS NOT NULL
    )
    SELECT k.tenant FROM known k WHERE k.tenant IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION restful.tenants_with(text) IS
    'The tenants for which the request''s subject has a permission, for policies: tenant_id in (select restful.tenants_with(...)). A subject that has it for all tenants gets every tenant that is named in a grant';

CREATE FUNCTION restful.tenant_uuids_with(permission text) RETURNS SETOF uuid
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT CASE WHEN t ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' THEN t::uuid END
    FROM restful.tenants_with(permission) t
    WHERE t ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'
$function$;
COMMENT ON FUNCTION restful.tenant_uuids_with(text) IS 'Like restful.tenants_with, but only the tenants that are UUIDs';

-- VOLATILE, so that no call of it is ever left out.
CREATE FUNCTION restful.require(permission text, tenant text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF restful.has_permission(permission, tenant) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'permission "%" is required%', permission, coalesce(' for tenant "' || tenant || '"', '')
        USING ERRCODE = '42501', HINT = 'Ask for a role that has this permission.';
END
$function$;
COMMENT ON FUNCTION restful.require(text, text) IS
    'Raises an error (42501) unless the request''s subject has a permission; see restful.has_permission';

-- Readers for administrators and auditors

CREATE FUNCTION restful.list_roles()
    RETURNS TABLE (name text, permissions text[], inherits text[], can_grant text[], all_permissions text[], grants bigint)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT r.name, r.permissions, r.inherits, r.can_grant, r.all_permissions,
        (SELECT count(*) FROM restful.rbac_grant g WHERE g.role = r.name)
    FROM restful.rbac_role r
    ORDER BY r.name
$function$;
COMMENT ON FUNCTION restful.list_roles() IS 'The roles of the application, the permissions that they have by inheritance too, and how often each is granted';

CREATE FUNCTION restful.roles_of(subject text)
    RETURNS TABLE (role text, tenant text, expires_at timestamptz, is_active boolean, granted_at timestamptz, granted_by text, granted_as text)
    LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 10
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT g.role, g.tenant, g.expires_at, g.expires_at IS NULL OR g.expires_at > statement_timestamp(), g.granted_at, g.granted_by, g.granted_as
    FROM restful.rbac_grant g
    WHERE g.subject = roles_of.subject
    ORDER BY g.role, g.tenant
$function$;
COMMENT ON FUNCTION restful.roles_of(text) IS 'The grants of a subject, including expired ones: who granted them (null: an administrator), and in a session of which login role';
