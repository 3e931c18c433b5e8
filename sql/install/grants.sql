-- Grants are decided function by function, and last, when all functions exist. PUBLIC may execute what runs with the caller's rights alone.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA restful FROM PUBLIC;
-- Default privileges (ALTER DEFAULT PRIVILEGES) were meant for other objects than these: what they have granted is revoked.
DO $revoke$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT pg_catalog.format('REVOKE ALL ON %s FROM %s CASCADE', o.name,
            CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0::pg_catalog.oid THEN 'PUBLIC'
                ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END)
        FROM (
            SELECT pg_catalog.format('SCHEMA %I', n.nspname), n.nspowner, n.nspacl
            FROM pg_catalog.pg_namespace n
            WHERE n.nspname OPERATOR(pg_catalog.=) 'restful'
            UNION ALL
            SELECT pg_catalog.format('TABLE restful.%I', c.relname), c.relowner, c.relacl
            FROM pg_catalog.pg_class c
            WHERE c.relnamespace OPERATOR(pg_catalog.=) 'restful'::pg_catalog.regnamespace
            UNION ALL
            SELECT pg_catalog.format('ROUTINE restful.%I(%s)', p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), p.proowner, p.proacl
            FROM pg_catalog.pg_proc p
            WHERE p.pronamespace OPERATOR(pg_catalog.=) 'restful'::pg_catalog.regnamespace
        ) o (name, owner, acl), pg_catalog.aclexplode(o.acl) a
        WHERE a.grantee OPERATOR(pg_catalog.<>) o.owner
        GROUP BY 1
    LOOP
        EXECUTE statement;
    END LOOP;
END
$revoke$;
GRANT USAGE ON SCHEMA restful TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    restful.serve(text, text, jsonb, bytea),
    restful.request(text, text, jsonb, jsonb),
    restful.forward(text, text, bytea, jsonb),
    restful.get(text, jsonb),
    restful.head(text, jsonb),
    restful.query(text, jsonb, jsonb),
    restful.post(text, jsonb, jsonb),
    restful.put(text, jsonb, jsonb),
    restful.patch(text, jsonb, jsonb),
    restful.delete(text, jsonb),
    restful.batch(jsonb, jsonb),
    restful.schema_of(regclass),
    -- reads PostgreSQL's catalogue alone, which everybody may
    restful.access_matrix(text[], text[]),
    -- part of the statements of writes, which run as the request's role
    restful.record_source(bytea, text[], integer, integer[], integer[]),
    restful.patched(bytea, boolean, json),
    restful.sent(restful.http_response),
    restful.count_row(boolean),
    restful.count_update(),
    restful.count_element(bigint),
    -- part of the statements that embed relations
    restful.embedded_object(text, VARIADIC "any"),
    restful.embedded_object(record),
    restful.embedded_objects(text, VARIADIC "any"),
    restful.embedded_values(anyelement),
    -- for the owner of the relation that they are about
    restful.set_resource(regclass, jsonb),
    restful.require_idempotency_key(regclass, boolean),
    restful.require_match(regclass, boolean),
    restful.cache_control(regclass, text),
    restful.last_modified(regclass, name),
    -- part of the statements of items, which run as the request's role
    restful.row_version(oid, xid, tid),
    restful.row_digest(record),
    restful.changed_second(timestamptz),
    restful.not_changed_since(timestamptz, bigint)
TO PUBLIC;
-- settings of the session, or a text that the caller has
GRANT EXECUTE ON FUNCTION
    restful.exposed_schemas(text),
    restful.setting_names(text),
    restful.read_postgrest(text),
    restful.import_postgrest(text, name),
    restful.stat_bounds()
TO PUBLIC;
-- for PostgREST's db-pre-request
GRANT EXECUTE ON FUNCTION restful.check_limits() TO PUBLIC;
-- the identity of whoever asks
GRANT EXECUTE ON FUNCTION
    restful.uid(),
    restful.user_id(),
    restful.role(),
    restful.email(),
    restful.jwt(),
    restful.claims(),
    restful.claim(text),
    restful.tenant_id(),
    restful.scopes(),
    restful.has_scope(text),
    restful.aal(),
    restful.method(),
    restful.is_authenticated(),
    -- what it makes is the caller's, by PostgreSQL's rules
    restful.install_auth_api(name)
TO PUBLIC;
-- These answer about the subject of the request alone.
GRANT EXECUTE ON FUNCTION
    restful.has_role(text, text),
    restful.has_any_role(text[], text),
    restful.has_permission(text, text),
    restful.authorize(text),
    restful.permissions(text),
    restful.tenants_with(text),
    restful.tenant_uuids_with(text),
    restful.require(text, text)
TO PUBLIC;
-- What these grant is what the subject's roles can grant; without a request, who calls has to have the right to restful.set_grant.
GRANT EXECUTE ON FUNCTION
    restful.grant_role(text, text, text, timestamptz),
    restful.revoke_role(text, text, text),
    restful.change_grant(boolean, text, text, text, timestamptz),
    restful.set_grant_as_subject(boolean, text, text, text, timestamptz)
TO PUBLIC;
-- with the caller's rights alone
GRANT EXECUTE ON FUNCTION
    restful.setup_roles(name, name, name, name, name, name, name, name, boolean),
    restful.administration()
TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    restful.jsonschema_in(cstring),
    restful.jsonschema_out(restful.jsonschema),
    restful.jsonschema_recv(internal),
    restful.jsonschema_send(restful.jsonschema),
    restful.jsonschema_from_json(json),
    restful.jsonschema_from_jsonb(jsonb),
    restful.json_matches_schema(json, json),
    restful.jsonb_matches_schema(json, jsonb),
    restful.jsonschema_is_valid(json),
    restful.jsonschema_validation_errors(json, json),
    restful.json_matches_compiled_schema(restful.jsonschema, json),
    restful.jsonb_matches_compiled_schema(restful.jsonschema, jsonb),
    restful.json_validation_errors_compiled(restful.jsonschema, json),
    restful.jsonb_validation_errors_compiled(restful.jsonschema, jsonb),
    restful.is_valid(jsonb, jsonb, boolean),
    restful.validate(jsonb, jsonb, boolean, boolean),
    restful.schema_changes(jsonb, jsonb),
    -- what they change is the caller's, by PostgreSQL's rules; who makes a trigger has to be allowed its function
    restful.constrain(regclass, name, text, text, text),
    restful.unconstrain(regclass, name),
    restful.enforce_schema(),
    restful.bound_schemas(regclass),
    restful.validation_report(regclass, name, text),
    restful.validation_query(regclass, name, text, boolean),
    restful.read_schema(text),
    restful.tables_of(regclass)
TO PUBLIC;
-- These run with the caller's rights on restful.json_schema, which are granted like those on any table.
GRANT EXECUTE ON FUNCTION
    restful.register_schema(text, jsonb, text),
    restful.get_schema(text, integer),
    restful.list_schemas(),
    restful.drop_schema(text, integer)
TO PUBLIC;
-- Their statements are the caller's, by PostgreSQL's rules; policies and grants are for a table's owner to make. The default of a
-- preset column is computed by whoever inserts.
GRANT EXECUTE ON FUNCTION
    restful.perform(text[], boolean),
    restful.parse_expression(regclass, text, smallint),
    restful.policy_table(regclass),
    restful.policy_roles(text[]),
    restful.policy_commands(text[]),
    restful.policy_column(regclass, name),
    restful.policy_cast(text, text),
    restful.policy_index(regclass, name, boolean),
    restful.make_policies(regclass, text, name, text[], text[], text[], text, boolean, name, boolean, boolean),
    restful.make_policies_of_tree(regclass, text, name, text[], text[], pg_node_tree, boolean),
    restful.enable_rls(regclass, boolean, boolean),
    restful.policy_owner(regclass, name, text[], text[], boolean, name, boolean),
    restful.policy_tenant(regclass, name, text, text, text[], boolean, name, boolean),
    restful.policy_permission(regclass, text, text, text[], boolean, name),
    restful.policy_public_read(regclass, text[], text, boolean, name),
    restful.policy_restrict(regclass, text, text, text[], boolean),
    restful.drop_policies(regclass, name, boolean),
    restful.preset(anyelement),
    restful.preset_columns(regclass),
    restful.writable_columns(regclass, name[]),
    restful.granted_columns(regclass, oid, text),
    restful.column_list(name[]),
    restful.make_grants(regclass, text[], text[], name[], boolean),
    restful.expose(regclass, text[], text[], name[], boolean, boolean),
    restful.unexpose(regclass, text[], boolean),
    restful.make_preset(regclass, name, pg_node_tree, boolean),
    restful.column_preset(regclass, name, text, boolean),
    restful.drop_preset(regclass, name, boolean)
TO PUBLIC;
-- Lints read the catalogue, which everybody may read, and the exceptions.
GRANT EXECUTE ON FUNCTION
    restful.lint(text[],text),
    restful.lint_alter_policy(text,text,text),
    restful.lint_api_roles(),
    restful.lint_authenticators(),
    restful.lint_by_set(text,oid),
    restful.lint_calls_with(text,text[],text),
    restful.lint_columns(oid,smallint[]),
    restful.lint_command("char"),
    restful.lint_exposure(text[]),
    restful.lint_function(text[]),
    restful.lint_grantees(),
    restful.lint_grants(text[]),
    restful.lint_groups(text),
    restful.lint_has_sub_select(oid),
    restful.lint_holds_for_nobody(text,text[]),
    restful.lint_is_always_true(text,text[]),
    restful.lint_is_indexable(oid),
    restful.lint_is_read(oid,oid,"char"),
    restful.lint_is_sensitive(name),
    restful.lint_is_under_policies(oid,oid),
    restful.lint_known_subject(text,text[]),
    restful.lint_masked(text),
    restful.lint_merged_policies(oid),
    restful.lint_names(text),
    restful.lint_new_key(oid),
    restful.lint_of_subjects(text,text[]),
    restful.lint_policies(text[]),
    restful.lint_policy(text[]),
    restful.lint_policy_name(oid,name,text),
    restful.lint_policy_roles(oid[]),
    restful.lint_reads_only(oid),
    restful.lint_recursion(oid[]),
    restful.lint_relations(text[]),
    restful.lint_role(text[]),
    restful.lint_role_list(oid[]),
    restful.lint_role_settings(),
    restful.lint_safe_minor(integer),
    restful.lint_schemas(),
    restful.lint_serves(oid,smallint[]),
    restful.lint_table(text[]),
    restful.lint_trusted_metadata(text),
    restful.lint_verified_claims(text),
    restful.lint_wrapped(text,text[],text),
    restful.lints()
TO PUBLIC;
GRANT SELECT ON restful.lint_exception TO PUBLIC;
-- Clients are told of the versions that there are, and everybody may read the catalogue that they are compared by.
GRANT SELECT ON restful.api_version, restful.versions TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    restful.version_changes(text, text),
    restful.version_schema(text),
    restful.version_type(oid, integer, oid),
    restful.version_relations(oid),
    restful.version_columns(oid),
    restful.version_constraints(oid),
    restful.version_functions(oid),
    restful.version_type_change(text, oid, integer, text[], text, oid, integer, text[])
TO PUBLIC;
