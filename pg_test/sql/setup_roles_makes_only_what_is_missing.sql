-- The roles of a service: printed, created, created again, repaired. Roles that could do more than they should are refused.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
-- the same output on every version: PostgreSQL 16 has options of membership
create function setup(dry_run boolean, anon name default 'app_anon', app_owner name default null) returns setof text language sql as $$
select replace(replace(s, current_database(), 'DATABASE'), ' WITH INHERIT FALSE, SET TRUE', '')
from restful.setup_roles('app_gate', anon, 'app_user', 'app_service', 'app_service_gate', 'app_admin', 'app_auditor', app_owner, dry_run) s $$;
select setup(true);
-- nothing was created; alice may not call it
select count(*) from pg_roles where rolname like 'app\_%';
\c - alice
\set VERBOSITY terse
select setup(false);
\set VERBOSITY default
\c - postgres
select count(*) from setup(false);
select setup(true);
select rolname, rolsuper, rolinherit, rolcanlogin, rolcreaterole, rolbypassrls, setconfig
from pg_roles r left join pg_db_role_setting s on s.setrole = r.oid where rolname like 'app\_%' order by rolname;
select roleid::regrole, member::regrole, coalesce((to_jsonb(m)->>'inherit_option')::boolean, false) as inherits, admin_option
from pg_auth_members m where member::regrole::text like 'app\_%' order by 1;
select has_database_privilege('alice', current_database(), 'TEMP') as alice_temp;
-- it works: the login role is anonymous and has no further rights
\c - app_gate
set restful.schemas = 'library';
select show(restful.serve('GET', '/countries?code=eq.jp'));
select show(restful.serve('GET', '/loans'));
select count(*) from library.loans;
set role app_service;
set role app_admin;
-- administrators and auditors
\c - postgres
create role app_boss login in role app_admin;
create role app_reviewer login in role app_auditor;
\c - app_boss
select restful.define_role('reader', '{posts.read}'), restful.grant_role('ann', 'reader');
\c - app_reviewer
select role from restful.roles_of('ann');
select restful.define_role('reader', '{*}');
select restful.grant_role('ann', 'reader', 'north');
-- what was revoked or changed is restored; other settings stay
\c - postgres
revoke app_user from app_gate;
alter role app_anon login;
alter role app_gate inherit;
alter role app_user set statement_timeout = '20s';
revoke execute on function restful.list_roles() from app_auditor;
create role app_owner;
select setup(false, app_owner => 'app_owner');
select setup(true, app_owner => 'app_owner');
-- a role that can do more than it should is not changed
select setup(false, anon => 'postgres');
select setup(false, anon => 'pg_monitor');
select setup(false, anon => 'app_gate');
select setup(false, anon => 'public');
select setup(false, anon => null);
select setup(false, app_owner => 'app_nobody');
create role app_maker createrole;
select setup(false, anon => 'app_maker');
grant app_admin to app_user;
select setup(false);
revoke app_admin from app_user;
grant app_service to app_gate;
select setup(false);
revoke app_service from app_gate;
grant pg_read_all_data to app_anon;
select setup(false);
revoke pg_read_all_data from app_anon;
alter role app_user bypassrls;
select setup(false);
-- each function that not everybody may execute is for administrators, or is an internal helper
select p.oid::regprocedure
from pg_proc p
where p.pronamespace = 'restful'::regnamespace and not has_function_privilege('public', p.oid, 'EXECUTE')
  and p.proname not in (select function from restful.administration()) order by p.oid::regprocedure::text;
-- and no function for administrators can be executed by everybody
select a.function
from restful.administration() a
where not exists (select from pg_proc p where p.pronamespace = 'restful'::regnamespace and p.proname = a.function
    and not has_function_privilege('public', p.oid, 'EXECUTE')) order by 1;
drop owned by app_gate, app_anon, app_user, app_service, app_service_gate, app_admin, app_auditor, app_owner, app_boss, app_reviewer;
drop role app_gate, app_anon, app_user, app_service, app_service_gate, app_admin, app_auditor, app_owner, app_boss, app_reviewer, app_maker;
