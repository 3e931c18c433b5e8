-- policy_tenant: access by the token's tenant, or by the subject's permissions per tenant, which apply to the next statement.
\pset format unaligned
\pset footer off
\set SHOW_CONTEXT never
create role authenticated;
create role keeper;
create schema app authorization keeper;
grant usage on schema app to authenticated;
set restful.tenant_claim = 'tenant';
create function pg_temp.be(who text, tenant text default null) returns void language sql as $$
    select restful.act_as('authenticated', jsonb_strip_nulls(jsonb_build_object('sub', who, 'role', 'authenticated', 'tenant', tenant))) $$;
select restful.define_role('reader', '{docs.read}'), restful.define_role('writer', '{docs.*}');
select restful.grant_role('alice', 'reader', 'red'), restful.grant_role('alice', 'writer', 'blue'), restful.grant_role('bob', 'writer', '3'),
    restful.grant_role('carol', 'reader', '00000000-0000-0000-0000-000000000003');
set role keeper;
create table app.docs (id int, tenant_id text);
do $$ begin perform restful.enable_rls('app.docs', force => false), restful.expose('app.docs', '{authenticated}', '{all}'); end $$;
insert into app.docs values (1, 'red'), (2, 'blue'), (3, '3'), (4, null);

-- by the tenant in the token
select s from restful.policy_tenant('app.docs') s where s not like 'COMMENT%';
reset role;
begin; select pg_temp.be('alice', 'red'); select id from app.docs; update app.docs set id = 0 where id = 2; insert into app.docs values (5, 'red') returning id; insert into app.docs values (6, 'blue'); rollback;
begin; select pg_temp.be('alice'); select id from app.docs; rollback;

-- by permissions to read and to write, without an index and with one
set role keeper;
select s from restful.policy_tenant('app.docs', read => 'docs.read', write => 'docs.write') s where s not like 'COMMENT%';
reset role;
begin; select pg_temp.be('alice', 'green'); select id from app.docs order by id; update app.docs set id = id returning id; insert into app.docs values (8, 'red'); rollback;
set role keeper;
select s from restful.policy_tenant('app.docs', read => 'docs.read', write => 'docs.write', make_index => true) s where s not like 'COMMENT%';
reset role;
begin;
select pg_temp.be('alice', 'green');
select id from app.docs order by id;
update app.docs set id = id returning id;
insert into app.docs values (7, 'blue') returning id;
delete from app.docs where id = 1 returning id;
savepoint s;
insert into app.docs values (8, 'red');
rollback to s;
update app.docs set tenant_id = 'red' where id = 2;
rollback;
begin; select restful.act_as('authenticated'); select id from app.docs; rollback;
-- a right that was revoked is gone
select restful.revoke_role('alice', 'writer', 'blue');
begin; select pg_temp.be('alice'); select id from app.docs; rollback;

-- with only a permission to read, nobody can write
set role keeper;
select s from restful.policy_tenant('app.docs', read => 'docs.read') s where s not like 'COMMENT%';
reset role;
begin; select pg_temp.be('bob'); select id from app.docs; update app.docs set id = id returning id; insert into app.docs values (9, '3'); rollback;

-- tenants that are numbers or UUIDs; other values are left out
set role keeper;
create table app.numbered (id int, tenant_id smallint);
create table app.identified (id int, tenant_id uuid);
do $$ begin perform restful.enable_rls(t, force => false), restful.expose(t, '{authenticated}', '{all}') from unnest('{app.numbered,app.identified}'::regclass[]) t; end $$;
insert into app.numbered values (1, 3), (2, 4);
insert into app.identified values (1, '00000000-0000-0000-0000-000000000003'), (2, '00000000-0000-0000-0000-000000000004');
select s from restful.policy_tenant('app.numbered', read => 'docs.read') s where s like 'CREATE%';
select s from restful.policy_tenant('app.identified', read => 'docs.read') s where s like 'CREATE%';
select s from restful.policy_tenant('app.numbered', policy => 'token') s where s like 'CREATE POLICY token_select%';
select s from restful.policy_tenant('app.identified', policy => 'token') s where s like 'CREATE POLICY token_select%';
reset role;
begin; select pg_temp.be('bob'); select id, 'number' from app.numbered union all select id, 'uuid' from app.identified; rollback;
begin; select pg_temp.be('carol'); select id, 'number' from app.numbered union all select id, 'uuid' from app.identified; rollback;
begin; select pg_temp.be('dave', '4'); select id, 'number' from app.numbered union all select id, 'uuid' from app.identified; rollback;
begin; select pg_temp.be('dave', '00000000-0000-0000-0000-000000000004'); select id, 'number' from app.numbered union all select id, 'uuid' from app.identified; rollback;
begin; select pg_temp.be('dave', ''' or true'); select id, 'number' from app.numbered union all select id, 'uuid' from app.identified; rollback;
drop schema app cascade;
drop role keeper, authenticated;
