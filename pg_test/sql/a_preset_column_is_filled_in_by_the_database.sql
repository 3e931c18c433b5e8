-- column_preset: only the owner can write the column, no matter in which order rights are granted.
\pset format unaligned
\pset footer off
\set SHOW_CONTEXT never
create role authenticated;
create role editor;
create role keeper;
create schema app authorization keeper;
create function pg_temp.be(who text) returns void language sql as $$
    select restful.act_as('authenticated', jsonb_build_object('sub', who, 'role', 'authenticated')) $$;
set role keeper;
create table app.notes (id int, user_id text, state varchar(9), title text, length int generated always as (length(title)) stored);
do $$ begin perform restful.enable_rls('app.notes', force => false), restful.policy_owner('app.notes'); end $$;
select * from restful.expose('app.notes', '{authenticated}', '{all}');
grant insert (id, user_id), update (user_id), select on app.notes to editor;
grant update on app.notes to editor with grant option;
-- rights that were granted before
select * from restful.column_preset('app.notes', 'user_id', 'restful.user_id()', dry_run => true);
select * from restful.column_preset('app.notes', 'user_id', 'restful.user_id()');
select * from restful.column_preset('app.notes', 'user_id', 'restful.user_id()');
reset role;
begin;
select pg_temp.be('alice');
insert into app.notes (id, title) values (1, 'mine') returning *;
update app.notes set title = 'still mine' returning title, user_id;
savepoint s;
insert into app.notes (id, user_id) values (2, 'alice');
rollback to s;
insert into app.notes (id, user_id) values (2, default);
rollback to s;
update app.notes set user_id = 'bob';
rollback;
select has_column_privilege('editor', 'app.notes', 'user_id', 'insert'), has_column_privilege('editor', 'app.notes', 'user_id', 'update'),
    has_column_privilege('editor', 'app.notes', 'id', 'insert'), has_column_privilege('editor', 'app.notes', 'id', 'update with grant option');
-- a second column, another expression, and rights that are granted afterwards
set role keeper;
select * from restful.column_preset('app.notes', 'state', '''draft''');
select * from restful.column_preset('app.notes', 'state', '''new''');
select * from restful.expose('app.notes', '{authenticated}', '{all}');
select * from restful.unexpose('app.notes', '{authenticated}');
select * from restful.expose('app.notes', '{authenticated}', '{all}', '{id,user_id,state,title}');
select attname, pg_get_expr(adbin, adrelid) from pg_attrdef join pg_attribute on attrelid = adrelid and attnum = adnum where adrelid = 'app.notes'::regclass order by adnum;
reset role;
begin; select pg_temp.be('alice'); insert into app.notes (id) values (3) returning id, user_id, state; insert into app.notes (id, state) values (4, 'old'); rollback;
-- a renamed column stays preset
alter table app.notes rename user_id to author;
set role keeper;
select * from restful.expose('app.notes', '{authenticated}', '{all}');
alter table app.notes rename author to user_id;
-- undo
select * from restful.drop_preset('app.notes', 'state', dry_run => true);
select * from restful.drop_preset('app.notes', 'state');
select * from restful.drop_preset('app.notes', 'state');
select * from restful.expose('app.notes', '{authenticated}', '{all}');
-- calls that are refused
alter table app.notes alter title set default 'untitled';
select * from restful.column_preset('app.notes', 'title', '''x''');
select * from restful.drop_preset('app.notes', 'title');
select * from restful.column_preset('app.notes', 'length', '1');
grant update (state) on app.notes to editor with grant option;
grant usage on schema app to editor;
reset role;
set role editor;
grant update (state) on app.notes to authenticated;
select * from restful.column_preset('app.notes', 'state', '''x''');
reset role;
set role keeper;
select * from restful.column_preset('app.notes', 'state', '''x''');
reset role;
drop schema app cascade;
drop role keeper, authenticated, editor;
