-- Repeated calls, changed arguments, dry_run, undo, and policies that are never touched.
\pset format unaligned
\pset footer off
\set SHOW_CONTEXT never
\pset tuples_only on
create role authenticated;
create role keeper;
create schema app authorization keeper;
set role keeper;
create table app.notes (id int, user_id uuid);
create view app.state as
    select polname, polcmd, polpermissive, polroles::regrole[] as roles, pg_get_expr(polqual, polrelid) as using,
        pg_get_expr(polwithcheck, polrelid) as with_check, obj_description(oid, 'pg_policy') as remark
    from pg_policy where polrelid = 'app.notes'::regclass
    union all select 'rls', null, relrowsecurity, null, relforcerowsecurity::text, null, null from pg_class where oid = 'app.notes'::regclass;
-- dry_run shows what a run would do, and does nothing
create table app.said (run int, place int generated always as identity, statement text);
insert into app.said (run, statement) select 1, s from restful.enable_rls('app.notes', dry_run => true) s;
select * from app.state;
insert into app.said (run, statement) select 2, s from restful.enable_rls('app.notes') s;
insert into app.said (run, statement) select 1, s from restful.policy_owner('app.notes', dry_run => true, make_index => true) s;
select * from app.state;
insert into app.said (run, statement) select 2, s from restful.policy_owner('app.notes', make_index => true) s;
select array_agg(statement order by place) filter (where run = 1) = array_agg(statement order by place) filter (where run = 2) as the_same from app.said;
create table app.made as select * from app.state;
select * from app.made where polname in ('owner_insert', 'rls');
-- running those statements by hand does the same
drop index app.notes_user_id_idx;
alter table app.notes disable row level security, no force row level security;
select * from restful.drop_policies('app.notes');
select statement from app.said where run = 1 order by place \gexec
select count(*) as different from (select * from app.made except select * from app.state) x;
-- repeating a call changes nothing
select * from restful.enable_rls('app.notes');
select * from restful.policy_owner('app.notes');
select count(*) as different from (select * from app.made except select * from app.state) x;
-- the statement in the comment creates the policies again
select substring(remark from 'Again: (.*) Undo: ') from app.state where polname = 'owner_select' \gexec
-- changes by hand are undone
alter policy owner_select on app.notes using (true);
alter policy owner_insert on app.notes to public;
comment on policy owner_update on app.notes is 'Made by restful.policy_owner. Once.';
select s from restful.policy_owner('app.notes') s;
select count(*) as different from (select * from app.made except select * from app.state) x;
-- other arguments
select * from restful.policy_owner('app.notes', commands => '{select}', to_roles => '{keeper,authenticated}');
-- policies that somebody else made are left alone
create policy owner_insert on app.notes for insert with check (false);
select * from restful.policy_owner('app.notes');
create policy public_read_select on app.notes for select using (false);
comment on policy public_read_select on app.notes is 'Made by restful.policy_owner. Or so it says.';
select * from restful.policy_public_read('app.notes', '{public}');
select s from restful.policy_public_read('app.notes', '{public}', policy => 'all') s where s not like 'COMMENT%';
-- undo: by a name that does not exist, by name, all
select * from restful.drop_policies('app.notes', 'nothing');
select * from restful.drop_policies('app.notes', 'all', dry_run => true);
select * from restful.drop_policies('app.notes', 'all');
comment on policy public_read_select on app.notes is null;
select * from restful.drop_policies('app.notes');
select polname from app.state order by 1;
-- the owner can be exempted from the policies again
select * from restful.enable_rls('app.notes', force => false);
select * from restful.enable_rls('app.notes', force => false);
-- without row-level security, the calls say that the policies have no effect
alter table app.notes disable row level security;
select s from restful.policy_public_read('app.notes', '{public}', policy => 'all') s where s not like 'COMMENT%';
reset role;
drop schema app cascade;
drop role keeper, authenticated;
