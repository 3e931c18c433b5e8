-- expose and unexpose: what a role may do afterwards, no more and no less.
\pset format unaligned
\pset footer off
\set SHOW_CONTEXT never
create role authenticated;
create role keeper;
create schema app authorization keeper;
set role keeper;
create table app.notes (id serial primary key, number int generated always as identity, title text, secret text, twice int generated always as (2) stored);
create view app.rights as
    select coalesce(nullif(a.grantee, 0)::regrole::text, 'public') as role, c.relname, null as column, string_agg(a.privilege_type, ',' order by a.privilege_type) as may
    from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'app'::regnamespace and a.grantee <> c.relowner group by a.grantee, c.relname
    union all
    select coalesce(nullif(x.grantee, 0)::regrole::text, 'public'), c.relname, a.attname, string_agg(x.privilege_type, ',' order by x.privilege_type)
    from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) x where c.relnamespace = 'app'::regnamespace group by x.grantee, c.relname, a.attname
    order by 1, 2, 3;
select * from restful.expose('app.notes', '{authenticated}', '{select}');
select * from restful.expose('app.notes', '{authenticated}', '{select}', public => null);
select * from app.rights;
-- unless the call says that all of it is public
select * from restful.expose('app.notes', '{anon}', '{select}', '{id,title}', public => true, dry_run => true);
select * from app.rights;
select * from restful.expose('app.notes', '{anon}', '{select}', '{id,title}', public => true);
select * from restful.enable_rls('app.notes', force => false);
select * from restful.policy_public_read('app.notes') s where s not like 'COMMENT%';
select s from restful.policy_permission('app.notes', 'insert', 'x', '{authenticated}') s where s like 'CREATE%';
create policy everything on app.notes to authenticated using (true);
-- with the sequence of a serial column; an identity column does not need it
select * from restful.expose('app.notes', '{authenticated}', '{insert,select}');
select * from restful.expose('app.notes', '{authenticated}', '{insert,select}');
select * from app.rights;
reset role;
begin; set local role authenticated; insert into app.notes (title) values ('first') returning id, number, title; savepoint s; update app.notes set title = ''; rollback to s; delete from app.notes; rollback;
begin; set local role anon; select id, title from app.notes; savepoint s; select secret from app.notes; rollback to s; select nextval('app.notes_id_seq'); rollback;
set role keeper;
-- other arguments replace the state: fewer commands, fewer columns, then all again
select * from restful.expose('app.notes', '{authenticated}', '{select,update,delete}', '{id,title,twice}');
select * from app.rights;
reset role;
begin; set local role authenticated; select id, title from app.notes; update app.notes set title = 'x' where id = 1 returning title; update app.notes set secret = 'x'; rollback;
set role keeper;
select * from restful.expose('app.notes', '{authenticated}', '{select,update}', '{id,secret}');
select * from restful.expose('app.notes', '{authenticated}', '{all}');
-- rights of other roles and rights beyond the four commands stay
grant truncate on app.notes to authenticated;
select * from restful.unexpose('app.notes', '{authenticated}');
select * from restful.unexpose('app.notes', '{authenticated}');
select * from app.rights;
select * from restful.expose('app.notes', '{public}', '{delete}');
select * from restful.unexpose('app.notes', '{public,anon}');
select * from restful.unexpose('app.notes', '{anon}');
-- the right to a sequence that another table uses too stays
create table app.more (id int default nextval('app.notes_id_seq'));
select * from restful.expose('app.more', '{authenticated}', '{insert}', public => true);
select * from restful.unexpose('app.more', '{authenticated}');
select * from app.rights;
-- views show what their owner may see
create view app.titles as select id, title from app.notes;
select * from restful.expose('app.titles', '{anon}', '{select}');
alter view app.titles set (security_invoker = on);
select * from restful.expose('app.titles', '{anon}', '{select}');
alter view app.titles set (security_invoker = off);
select * from restful.expose('app.titles', '{anon}', '{select}');
select * from restful.expose('app.titles', '{anon}', '{select}', public => true);
create materialized view app.kept as select id from app.notes;
select * from restful.expose('app.kept', '{anon}', '{select}');
-- calls that are refused
select * from restful.expose('app.notes', '{anon}', '{select}', '{nothing}');
select * from restful.expose('app.notes', '{anon}', '{select}', '{}');
select * from restful.expose('app.notes', '{anon}', '{truncate}');
select * from restful.expose('app.notes', '{anon}', null);
select * from restful.expose('app.notes', '{nobody}', '{select}');
select * from restful.expose('app.notes', null, '{select}');
select * from restful.expose('app.notes', '{keeper}', '{select}');
select * from restful.expose(null, '{anon}', '{select}');
select * from restful.expose('app.notes_id_seq', '{anon}', '{select}', public => true);
reset role;
grant usage on schema app to authenticated;
set role authenticated;
select * from restful.expose('app.notes', '{anon}', '{select}');
select * from restful.unexpose('app.notes', '{anon}');
reset role;
drop schema app cascade;
drop role keeper, authenticated;
