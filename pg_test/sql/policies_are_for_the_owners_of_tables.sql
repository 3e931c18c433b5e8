-- Who may create policies, and on what: everything runs with the caller's own rights.
\pset format unaligned
\pset footer off
\pset tuples_only on
\set SHOW_CONTEXT never
create role authenticated;
create role keeper;
create role stranger;
create schema app authorization keeper;
grant usage on schema app to stranger;
set role keeper;
create table app.notes (id int, user_id text);
grant select, insert, update, delete on app.notes to stranger;
reset role;
set role stranger;
select * from restful.enable_rls('app.notes', dry_run => true);
select * from restful.enable_rls('app.notes');
select * from restful.policy_owner('app.notes');
select * from restful.policy_tenant('app.notes', 'user_id');
select * from restful.policy_permission('app.notes', 'select', 'x');
select * from restful.policy_public_read('app.notes');
select * from restful.policy_restrict('app.notes', 'x', 'true');
select * from restful.column_preset('app.notes', 'user_id', '1');
select * from restful.drop_preset('app.notes', 'user_id');
select * from restful.drop_policies('app.notes');
select * from restful.make_policies('app.notes', 'x', 'x', '{public}', '{select}', '{true}', '', false);
select * from restful.make_grants('app.notes', '{public}', '{select}', null, false);
reset role;
-- a member of the owner's role may do it
grant keeper to stranger;
set role stranger;
select * from restful.enable_rls('app.notes', dry_run => true);
reset role;
set role keeper;
-- relations that cannot have policies
create view app.seen as select * from app.notes;
create materialized view app.kept as select * from app.notes;
select * from restful.policy_owner('app.seen');
select * from restful.enable_rls('app.kept');
reset role;
create foreign data wrapper nowhere;
create server nowhere foreign data wrapper nowhere;
create foreign table app.far (user_id text) server nowhere;
select * from restful.policy_owner('app.far');
select * from restful.enable_rls(null);
select * from restful.policy_owner(null);
select * from restful.policy_owner('app.notes', null);
select * from restful.policy_owner('app.notes', commands => null);
select * from restful.policy_owner('app.notes', dry_run => null);
select * from restful.policy_public_read('app.notes', using_expr => null);
select * from restful.policy_restrict('app.notes', null, 'true');
select * from restful.drop_policies(0);
select * from restful.make_policies('app.notes', 'x', 'x', '{public}', '{"select to public; drop table app.notes; --"}', '{true}', '', false);
-- the policies of a partitioned table apply to access through it; a partition that is granted directly needs its own
set role keeper;
create table app.events (day int, user_id text) partition by list (day);
create table app.monday partition of app.events for values in (1);
create table app.tuesday partition of app.events for values in (2);
grant select on app.monday to authenticated;
select * from restful.enable_rls('app.events', force => false);
select s from restful.policy_owner('app.events') s where s not like 'COMMENT%';
select * from restful.expose('app.events', '{authenticated}', '{select}');
insert into app.events values (1, 'alice'), (1, 'bob'), (2, 'alice'), (2, 'bob');
reset role;
begin; select restful.act_as('authenticated', '{"sub": "alice", "role": "authenticated"}'); select * from app.events order by day; select * from app.monday; rollback;
set role keeper;
select * from restful.enable_rls('app.monday');
reset role;
begin; select restful.act_as('authenticated', '{"sub": "alice", "role": "authenticated"}'); select * from app.events order by day; select * from app.monday; rollback;
drop server nowhere cascade;
drop foreign data wrapper nowhere;
drop schema app cascade;
drop role keeper, authenticated, stranger;
