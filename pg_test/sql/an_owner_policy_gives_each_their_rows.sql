-- policy_owner: who sees and writes what, for each type of column, with the roles of a service.
\pset format unaligned
\pset footer off
\set SHOW_CONTEXT never
create role authenticated;
create role keeper;
create schema app authorization keeper;
grant usage on schema app to authenticated, anon;
set role keeper;
create table app.notes (id int primary key, user_id uuid, title text);
select * from restful.enable_rls('app.notes');
select * from restful.policy_owner('app.notes', make_index => true);
select * from restful.expose('app.notes', '{authenticated,anon}', '{all}');
reset role;
select polname, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as with_check
from pg_policy where polrelid = 'app.notes'::regclass order by polname;

create function pg_temp.be(who text) returns void language sql as $$
    select restful.act_as('authenticated', jsonb_build_object('sub', who, 'role', 'authenticated')) $$;
\set one 00000000-0000-0000-0000-000000000001
\set two 00000000-0000-0000-0000-000000000002

-- each user inserts their own rows and gets them back
begin;
select pg_temp.be(:'one');
insert into app.notes values (1, :'one', 'mine'), (2, :'one', 'mine too') returning id;
savepoint s;
insert into app.notes values (3, :'two', 'in the name of another');
rollback to s;
insert into app.notes values (3, null, 'in nobody''s name');
rollback to s;
update app.notes set user_id = :'two' where id = 1;
rollback to s;
commit;
begin;
select pg_temp.be(:'two');
insert into app.notes values (4, :'two', 'theirs');
select id from app.notes order by id;
update app.notes set title = 'changed' returning id;
delete from app.notes where id = 1 returning id;
savepoint s;
-- only a duplicate key shows that a row exists
insert into app.notes values (1, :'two', 'taken');
rollback to s;
commit;
-- no subject, a subject that is not a UUID, a role without a policy, and the owner: no rows
begin; select restful.act_as('authenticated'); select count(*) from app.notes; rollback;
begin; select pg_temp.be('alice'); select count(*) from app.notes; rollback;
begin; select restful.act_as('anon', jsonb_build_object('sub', :'one', 'role', 'anon')); select count(*) from app.notes; rollback;
set role keeper;
select count(*) from app.notes;

-- subjects that are text or numbers; a domain is treated as its base type
create domain app.person as int;
create table app.texts (id int, author varchar(20));
create table app.numbers (id int, author app.person);
do $$ begin perform restful.enable_rls(t, force => false), restful.expose(t, '{authenticated}', '{all}') from unnest('{app.texts,app.numbers}'::regclass[]) t; end $$;
select s from restful.policy_owner('app.texts', 'author', '{select}') s where s not like 'COMMENT%';
select s from restful.policy_owner('app.numbers', 'author', '{select}') s where s not like 'COMMENT%';
insert into app.texts values (1, 'alice'), (2, '7'), (3, null);
insert into app.numbers values (1, 7), (2, -7), (3, null);
reset role;
begin; select pg_temp.be('alice'); select id, 'text' from app.texts union all select id, 'number' from app.numbers; rollback;
begin; select pg_temp.be('7'); select id, 'text' from app.texts union all select id, 'number' from app.numbers; rollback;
begin; select pg_temp.be('99999999999999999999'); select id from app.numbers; rollback;
begin; select restful.act_as('authenticated', '{"role": "authenticated"}'); select id, 'text' from app.texts union all select id, 'number' from app.numbers; rollback;
begin; select pg_temp.be('7'); insert into app.texts values (4, '7'); rollback;

-- changing rows requires finding them, so a policy for SELECT is added; with insert alone, no rows are returned
set role keeper;
create table app.boxes (user_id text, letter text);
do $$ begin perform restful.enable_rls('app.boxes'), restful.expose('app.boxes', '{authenticated}', '{all}'); end $$;
select s from restful.policy_owner('app.boxes', commands => '{UPDATE}', dry_run => true) s where s like 'CREATE%';
select s from restful.policy_owner('app.boxes', commands => '{insert}') s where s like 'CREATE%';
reset role;
begin; select pg_temp.be('alice'); insert into app.boxes values ('alice', 'x'); insert into app.boxes values ('alice', 'x') returning letter; rollback;

-- columns of types that cannot be compared with a subject
set role keeper;
create table app.others (at date, name char(3));
select * from restful.policy_owner('app.others', 'at');
select * from restful.policy_owner('app.others', 'name');
select * from restful.policy_owner('app.others', 'nobody');
select * from restful.policy_owner('app.notes', to_roles => '{nobody}');
select * from restful.policy_owner('app.notes', to_roles => '{}');
select * from restful.policy_owner('app.notes', commands => '{truncate}');
select * from restful.policy_owner('app.notes', policy => 'a name that has so many letters that no command fits behind it');
reset role;
drop schema app cascade;
drop role keeper, authenticated;
