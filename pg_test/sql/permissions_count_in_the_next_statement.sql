-- A grant, a revocation or a definition applies to the next statement of every session, also within a transaction.
\pset tuples_only on
\pset format unaligned
create role app_proxy login;
alter role app_proxy set restful.trusted_authenticators = 'app_proxy';
alter role app_proxy set restful.schemas = 'library';
grant alice to app_proxy;
create table library.notes (id int primary key, tenant text not null, words text);
insert into library.notes values (1, 'north', 'snow'), (2, 'south', 'sun');
alter table library.notes enable row level security;
create policy members on library.notes for select to alice using (tenant in (select restful.tenants_with('notes.read')));
grant select on library.notes to alice;
create function library.publish(tenant text) returns text language plpgsql as $$
begin perform restful.require('notes.publish', tenant); return 'published'; end $$;
select restful.define_role('reader', '{notes.read}');
select restful.grant_role('sam', 'reader', 'south');
\c - app_proxy
\set notes 'select show(restful.serve(''GET'', ''/notes?order=id''));'
begin;
set local role alice;
set local request.jwt.claims = '{"role": "alice", "sub": "ann"}';
:notes
select as_superuser($$ select set_config('request.jwt.claims', '', true), restful.grant_role('ann', 'reader', 'north') $$);
set local request.jwt.claims = '{"role": "alice", "sub": "ann"}';
:notes
select show(restful.serve('POST', '/rpc/publish', '{}', '{"tenant": "north"}'));
select as_superuser($$ select set_config('request.jwt.claims', '', true), restful.define_role('reader', '{notes.*}') $$);
set local request.jwt.claims = '{"role": "alice", "sub": "ann"}';
select show(restful.serve('POST', '/rpc/publish', '{}', '{"tenant": "north"}'));
select show(restful.serve('POST', '/rpc/publish', '{}', '{"tenant": "south"}'));
select as_superuser($$ select set_config('request.jwt.claims', '', true), restful.grant_role('ann', 'reader') $$);
set local request.jwt.claims = '{"role": "alice", "sub": "ann"}';
:notes
select as_superuser($$ select set_config('request.jwt.claims', '', true), restful.revoke_role('ann', 'reader', 'north'), restful.revoke_role('ann', 'reader') $$);
set local request.jwt.claims = '{"role": "alice", "sub": "ann"}';
:notes
select show(restful.serve('POST', '/rpc/publish', '{}', '{"tenant": "north"}'));
commit;
-- an anonymous caller is not told to sign in
\c - authenticator
select show(restful.serve('POST', '/rpc/publish', '{}', '{"tenant": "north"}'));
\c - postgres
drop role app_proxy;
