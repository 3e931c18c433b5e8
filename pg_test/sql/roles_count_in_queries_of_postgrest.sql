-- PostgREST runs its own queries: policies that check roles and permissions give the same answers there as in our requests.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role app_proxy login noinherit;
alter role app_proxy set restful.trusted_authenticators = 'app_proxy';
alter role app_proxy set restful.schemas = 'library';
-- without this, the settings of the role are lost when a parallel query loads the library
alter role app_proxy set session_preload_libraries = 'pg_restful';
create role app_user;
grant app_user to app_proxy;
create table library.notes (id int primary key, tenant uuid not null, words text);
insert into library.notes select i, ('00000000-0000-4000-8000-00000000000' || i % 3)::uuid, 'word ' || i from generate_series(1, 6) i;
create table library.copies_of_notes as table library.notes;
grant select on library.copies_of_notes to app_user;
alter table library.notes enable row level security;
create policy read on library.notes for select to app_user using (tenant = any (array(select restful.tenant_uuids_with('notes.read'))));
create policy change on library.notes for update to app_user using ((select restful.has_permission('notes.update')));
grant select, update on library.notes to app_user;
select restful.define_role('reader', '{notes.read}');
select restful.define_role('editor', '{notes.*}');
select restful.grant_role('ann', 'reader', '00000000-0000-4000-8000-000000000001');
select restful.grant_role('ann', 'reader', 'not a uuid');
select restful.grant_role('bea', 'editor');
\c - app_proxy
-- as PostgREST does it: role and claims are set in the transaction of the query
begin;
set local role app_user;
select set_config('request.jwt.claims', '{"role": "app_user", "sub": "ann"}', true);
select id from library.notes order by id;
select show(restful.serve('GET', '/notes?select=id&order=id'));
update library.notes set words = 'changed' returning id;
select restful.has_role('reader', 'not a uuid'), restful.has_role('reader'), restful.permissions('not a uuid');
select restful.grant_role('ann', 'editor');
rollback;
begin;
set local role app_user;
select set_config('request.jwt.claims', '{"role": "app_user", "sub": "bea"}', true);
with changed as (update library.notes set words = 'changed' where id < 4 returning id) select array_agg(id order by id) from changed;
-- also in a SECURITY DEFINER function, where the current role is different
select as_superuser($$ do 'begin raise notice ''%'', restful.has_permission(''notes.update''); end' $$);
rollback;
-- the same from parallel workers
begin;
set local role app_user;
select set_config('request.jwt.claims', '{"role": "app_user", "sub": "ann"}', true);
set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0; set local min_parallel_table_scan_size = 0; set local parallel_leader_participation = off;
select count(*) from library.notes;
explain (costs off) select count(*) from library.copies_of_notes where restful.has_permission('notes.read', tenant::text);
select count(*) from library.copies_of_notes where restful.has_permission('notes.read', tenant::text);
rollback;
-- anonymous, and claims that do not name the role
begin;
set local role app_user;
select set_config('request.jwt.claims', '{"role": "app_user"}', true);
select count(*) from library.notes;
select set_config('request.jwt.claims', '{"role": "alice", "sub": "ann"}', true);
select count(*) from library.notes;
rollback;
\c - postgres
drop owned by app_user;
drop role app_user, app_proxy;
