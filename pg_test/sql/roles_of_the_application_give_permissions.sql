-- Permissions through roles: wildcards, inheritance, tenants, expiry; only for the subject of the request.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role app_proxy login;
alter role app_proxy set restful.trusted_authenticators = 'app_proxy';
grant alice to app_proxy;
select restful.define_role('reader', '{posts.read, a_b.read, "100%.read"}');
select restful.define_role('editor', '{posts.*}', inherits => '{reader}');
select restful.define_role('chief', '{*}', inherits => '{editor}', can_grant => '{editor}');
select restful.grant_role('ann', 'editor', 'north');
select restful.grant_role('ann', 'reader', 'south');
select restful.grant_role('ann', 'reader', '6d9a6a6e-0c1f-4c5e-9d39-0d9c4a5f6b70');
select restful.grant_role('bea', 'editor');
select restful.grant_role('cleo', 'chief', 'north');
select restful.grant_role('dan', 'reader', expires_at => now() + '1 hour');
create function answers(permission text) returns text language sql as $$
select format('%s: everywhere %s, north %s, south %s, west %s', permission, restful.has_permission(permission),
    restful.has_permission(permission, 'north'), restful.has_permission(permission, 'south'), restful.has_permission(permission, 'west')) $$;
\c - app_proxy
set role alice;
-- ann edits in the north, reads in the south
set request.jwt.claims = '{"role": "alice", "sub": "ann"}';
select answers(p) from unnest('{posts.read, posts.delete, posts.comments.delete, posts, postsx.read, users.read}'::text[]) p;
-- characters that are special in LIKE stand for themselves
select answers(p) from unnest('{a_b.read, axb.read, 100%.read, 1000.read, posts.%, posts.*, *}'::text[]) p;
select answers(null), restful.authorize('posts.read'), restful.has_permission('posts.read', ''), restful.has_permission('posts.read', '%');
select restful.has_role('editor', 'north'), restful.has_role('reader', 'north'), restful.has_role('editor', 'south'), restful.has_role('reader');
select restful.has_any_role('{chief, editor}', 'north'), restful.has_any_role('{chief, editor}', 'south'), restful.has_any_role('{}', 'north'), restful.has_any_role(null, 'north');
select restful.permissions(), restful.permissions('north'), restful.permissions('south');
select array(select restful.tenants_with('posts.read') order by 1), array(select restful.tenants_with('posts.delete')), array(select restful.tenants_with('users.read'));
select restful.tenant_uuids_with('posts.read');
-- bea edits everywhere: in every tenant for which there is a grant
set request.jwt.claims = '{"role": "alice", "sub": "bea"}';
select answers('posts.delete');
select array(select restful.tenants_with('posts.delete') order by 1), array(select restful.tenants_with('users.read'));
-- cleo may do anything in the north
set request.jwt.claims = '{"role": "alice", "sub": "cleo"}';
select answers(p) from unnest('{posts.delete, users.read, *}'::text[]) p;
select restful.has_role('reader', 'north'), restful.has_role('chief', 'south');
-- dan reads for an hour
set request.jwt.claims = '{"role": "alice", "sub": "dan"}';
select answers('posts.read');
select as_superuser($$update restful.rbac_grant set expires_at = now() where subject = 'dan'$$);
select answers('posts.read');
select restful.require('posts.read', 'north');
-- no permissions: without a subject, with claims of another role, in a session that is not trusted
set request.jwt.claims = '{"role": "alice", "email": "alice@library.example"}';
select answers('posts.read'), restful.permissions('north'), array(select restful.tenants_with('posts.read')), restful.has_any_role('{reader}', 'north');
set request.jwt.claims = '{"role": "bob", "sub": "bea"}';
select answers('posts.read');
\c - alice
set request.jwt.claims = '{"role": "alice", "sub": "bea"}';
select answers('posts.read');
select restful.require('posts.read');
-- an invalid definition is refused and changes nothing
\c - postgres
select restful.define_role('', '{}');
select restful.define_role('two words', '{}');
select restful.define_role('x', '{posts.*.read}');
select restful.define_role('x', '{posts.}');
select restful.define_role('x', '{null}');
select restful.define_role('x', '{}', inherits => '{nobody}');
select restful.define_role('x', '{}', can_grant => '{nobody}');
select restful.define_role('reader', '{}', inherits => '{chief}');
select restful.define_role('reader', '{}', inherits => '{reader}');
select restful.grant_role('ann', 'nobody');
select restful.grant_role('ann', 'reader', '');
select restful.grant_role('', 'reader');
select restful.grant_role(null, 'reader');
select restful.grant_role('ann', 'reader', expires_at => now());
select restful.drop_role('editor');
select name, permissions, inherits, can_grant, grants from restful.list_roles();
-- redefined and dropped
select restful.define_role('reader', '{posts.list}');
select name, all_permissions from restful.list_roles();
select restful.drop_role('editor', cascade => true), restful.drop_role('editor');
select name, permissions, inherits, can_grant, all_permissions, grants from restful.list_roles();
select role, tenant, is_active, granted_by, granted_as from restful.roles_of('ann');
drop role app_proxy;
