-- policy_public_read, policy_permission and policy_restrict, together.
\pset format unaligned
\pset footer off
\set SHOW_CONTEXT never
create role authenticated;
create role keeper;
create schema app authorization keeper;
grant usage on schema app to authenticated, anon;
create function pg_temp.be(who text, aal text default 'aal2') returns void language sql as $$
    select restful.act_as('authenticated', jsonb_build_object('sub', who, 'role', 'authenticated', 'aal', aal)) $$;
select restful.define_role('editor', '{posts.edit}'), restful.grant_role('erin', 'editor');
set role keeper;
create table app.posts (id int, published boolean);
do $$ begin perform restful.enable_rls('app.posts', force => false), restful.expose('app.posts', '{authenticated}', '{all}'),
    restful.expose('app.posts', '{anon}', '{select}'); end $$;
insert into app.posts values (1, true), (2, false);
-- a restriction alone allows nothing
select * from restful.policy_restrict('app.posts', 'two factors', 'restful.aal() = ''aal2''', '{insert,update}');
select s from restful.policy_public_read('app.posts', using_expr => 'published') s where s not like 'COMMENT%';
select s from restful.policy_permission('app.posts', 'update', 'posts.edit') s where s not like 'COMMENT%';
select s from restful.policy_permission('app.posts', 'select', 'posts.edit') s where s not like 'COMMENT%';
select s from restful.policy_permission('app.posts', 'insert', 'posts.edit') s where s not like 'COMMENT%';
reset role;
select polname, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as with_check
from pg_policy where polrelid = 'app.posts'::regclass order by polname;
begin; select restful.act_as('anon'); select id from app.posts; savepoint s; insert into app.posts values (3, true); rollback;
begin; select pg_temp.be('alice'); select id from app.posts; update app.posts set id = id returning id; insert into app.posts values (3, true); rollback;
begin; select pg_temp.be('erin'); select id from app.posts; update app.posts set id = id returning id; insert into app.posts values (3, true) returning id; delete from app.posts returning id; rollback;
begin; select pg_temp.be('erin', 'aal1'); select id from app.posts; update app.posts set id = id returning id; insert into app.posts values (3, true); rollback;
-- a permission with the same name as others can be changed on its own
set role keeper;
select * from restful.policy_permission('app.posts', 'update', 'posts.publish');
-- all commands in one call, also under another name
select s from restful.policy_permission('app.posts', 'all', 'posts.own', policy => 'own') s where s not like 'COMMENT%';
select * from restful.policy_permission('app.posts', 'all', null);
select * from restful.policy_restrict('app.posts', 'everything', 'id < 3');
reset role;
begin; select pg_temp.be('erin'); insert into app.posts values (3, true); rollback;
drop schema app cascade;
drop role keeper, authenticated;
