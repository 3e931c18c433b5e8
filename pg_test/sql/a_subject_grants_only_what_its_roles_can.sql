-- In a request, the subject grants what its roles can grant. Without a request, anyone who may execute restful.set_grant grants.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role app_proxy login noinherit;
create role app_admin;
create role app_boss login in role app_admin;
alter role app_proxy set restful.trusted_authenticators = 'app_proxy';
grant alice, app_admin to app_proxy;
grant execute on function restful.define_role, restful.drop_role, restful.set_grant, restful.roles_of to app_admin;
-- a developer's function that lends all its rights
create function library.invite(subject text, role text, tenant text) returns void language sql security definer
as $$ select restful.grant_role(subject, role, tenant) $$;
-- an administrator, who may execute the functions
\c - app_boss
select restful.define_role('member', '{posts.read}');
select restful.define_role('manager', '{posts.*}', inherits => '{member}', can_grant => '{member}');
select restful.define_role('head', '{*}', inherits => '{manager}', can_grant => '{manager, head}');
select restful.grant_role('mia', 'manager', 'north');
select restful.grant_role('hal', 'head', 'north', now() + '1 day');
select restful.grant_role('eve', 'member', 'north');
-- nobody can use the tables directly
select * from restful.rbac_grant;
insert into restful.rbac_role values ('x', '{*}', '{}', '{}');
select * from restful.rbac_held;
select restful.derive_roles();
\c - app_proxy
set role alice;
-- escalation by role: a member can grant nothing to others or to herself, under any name
set request.jwt.claims = '{"role": "alice", "sub": "eve"}';
select restful.grant_role('eve', 'manager', 'north');
select restful.grant_role('eve', 'member', 'south');
select restful.grant_role('eve', 'no such role', 'north');
select restful.revoke_role('mia', 'manager', 'north');
select library.invite('eve', 'head', 'north');
select restful.set_grant(true, 'eve', 'head', null, null);
select restful.set_grant_as_subject(true, 'eve', 'head', null, null);
select restful.define_role('member', '{*}');
select restful.drop_role('member', true);
-- nor with an administrator's role: a request acts for its subject
reset role; set role app_admin;
set request.jwt.claims = '{"role": "app_admin", "sub": "eve"}';
select restful.grant_role('eve', 'head', 'north');
reset role; set role alice;
-- a manager grants membership, and only in her tenant
set request.jwt.claims = '{"role": "alice", "sub": "mia"}';
select restful.grant_role('kim', 'member', 'north');
select library.invite('lou', 'member', 'north');
select restful.grant_role('kim', 'member', 'south');
select restful.grant_role('kim', 'member');
select restful.grant_role('kim', 'member', '');
select restful.grant_role('kim', 'manager', 'north');
select restful.grant_role('mia', 'head', 'north');
select restful.revoke_role('hal', 'head', 'north');
select restful.revoke_role('lou', 'member', 'north');
-- escalation by override: a head's right ends tomorrow, and so does what he grants, even to himself
set request.jwt.claims = '{"role": "alice", "sub": "hal"}';
\set VERBOSITY terse
select restful.grant_role('hal', 'head', 'north');
select restful.grant_role('hal', 'head', 'north', now() + '2 days');
select restful.grant_role('hal', 'head', 'north', 'infinity');
select restful.grant_role('kim', 'manager', 'north', now() + '1 hour');
-- through inheritance, a head can grant what a manager can grant
select restful.grant_role('kim', 'member', 'north', now() + '1 hour');
-- refused within a request and without one: no subject, no claims, a SQL user, the HTTP layer itself
set request.jwt.claims = '{"role": "alice", "aud": "x"}';
select restful.grant_role('eve', 'head', 'north');
select library.invite('eve', 'head', 'north');
set request.jwt.claims = '';
select restful.grant_role('eve', 'head', 'north');
reset role;
select restful.grant_role('eve', 'head', 'north');
\c - alice
set request.jwt.claims = '{"role": "alice", "sub": "hal"}';
select restful.grant_role('eve', 'head', 'north');
-- her own objects with the names of the tables and functions are not used in their place
create temp table rbac_held (subject text, tenant text, all_roles text[], patterns text[]);
insert into rbac_held values ('alice', null, '{head}', '{%}');
create function pg_temp.user_id() returns text language sql as $$ select 'alice' $$;
create function pg_temp.statement_timestamp() returns timestamptz language sql as $$ select '-infinity'::timestamptz $$;
set search_path = pg_temp, restful, pg_catalog;
select restful.has_permission('posts.read'), restful.has_role('head'), array(select restful.tenants_with('posts.read'));
-- an expired or revoked right no longer counts
\c - postgres
update restful.rbac_grant set expires_at = now() where subject = 'hal';
\c - app_boss
select restful.revoke_role('mia', 'manager', 'north');
\c - app_proxy
set role alice;
set request.jwt.claims = '{"role": "alice", "sub": "hal"}';
select restful.grant_role('hal', 'member', 'north', now() + '1 hour');
set request.jwt.claims = '{"role": "alice", "sub": "mia"}';
select restful.grant_role('mia', 'member', 'north');
-- who granted what
\c - app_boss
select s, r.role, r.tenant, r.expires_at is not null, r.granted_by, r.granted_as
from unnest('{eve, hal, kim, lou, mia}'::text[]) s, restful.roles_of(s) r order by s, r.role;
\c - postgres
drop owned by app_admin, app_boss;
drop role app_boss, app_admin, app_proxy;
