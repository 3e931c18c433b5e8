-- restful.act_as sets the role and claims of a request until the end of the transaction. Only those with EXECUTE may call it, and not
-- where rights are borrowed.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role app_tester login;
create role app_user;
create role app_other;
grant app_user to app_tester;
grant execute on function restful.act_as to app_tester;
alter role app_tester set restful.schemas = 'library';
create table library.notes (id int primary key, owner text, words text);
insert into library.notes values (1, 'ann', 'snow'), (2, 'bea', 'sun');
alter table library.notes enable row level security;
create policy own on library.notes to app_user using (owner = (select restful.user_id()));
grant select on library.notes to app_user;
create function library.sneak() returns void language sql as $$ select restful.act_as('app_user', '{"sub": "bea"}') $$;
grant execute on function restful.act_as to app_user;
create function library.lent() returns void language sql security definer as $$ select restful.act_as('app_user', '{"sub": "bea"}') $$;
create function library.me() returns text language sql stable as $$ select concat_ws(' ', current_user, restful.user_id(), restful.method()) $$;
\c - app_tester
begin;
select restful.act_as('app_user', '{"sub": "ann", "plan": "gold"}');
select current_user, restful.user_id(), restful.role(), restful.method(), restful.claim('plan'), restful.is_authenticated();
select id, words from library.notes;
select show(restful.serve('GET', '/notes'));
-- a request that the session makes now cannot call act_as either
select show(restful.serve('GET', '/rpc/sneak'));
select show(restful.serve('GET', '/rpc/me'));
-- after RESET ROLE, a request no longer runs for the subject
reset role;
select show(restful.serve('GET', '/rpc/me'));
select restful.act_as('app_user', '{"sub": "bea"}');
select id, words from library.notes;
reset role;
select restful.act_as('app_user');
select restful.user_id() is null, restful.method(), restful.is_authenticated(), (select count(*) from library.notes);
commit;
-- nothing is left of it after the transaction
select current_user, restful.user_id() is null, restful.method();
-- rolling back to a savepoint ends it too
begin;
savepoint s;
select restful.act_as('app_user', '{"sub": "ann"}');
rollback to s;
select current_user, restful.user_id() is null;
commit;
-- outside of a transaction it would end at once
select restful.act_as('app_user', '{"sub": "ann"}');
select current_user, restful.user_id() is null;
-- roles that the session may not take, and names that are not roles
begin; select restful.act_as('app_other', '{"sub": "ann"}'); rollback;
begin; select restful.act_as('postgres'); rollback;
begin; select restful.act_as('none'); rollback;
begin; select restful.act_as('no such role'); rollback;
begin; select restful.act_as(null); rollback;
-- invalid claims
begin; select restful.act_as('app_user', '[]'); rollback;
begin; select restful.act_as('app_user', '{"role": "app_tester", "sub": "ann"}'); rollback;
begin; select restful.act_as('app_user', null); rollback;
-- with borrowed rights, within a request, and without EXECUTE
begin; select library.lent(); rollback;
select show(restful.serve('POST', '/rpc/sneak'));
\c - alice
begin; select restful.act_as('alice', '{"sub": "ann"}'); rollback;
\c - postgres
create materialized view library.trap as select restful.act_as('app_user', '{"sub": "bea"}')::text with no data;
begin; refresh materialized view library.trap; rollback;
drop owned by app_tester, app_user;
drop role app_tester, app_user, app_other;
