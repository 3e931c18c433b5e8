-- The coverage of tests: which routes and roles were never requested, and which policies have never let a row through or kept one away.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create schema api;
create role reader;
create role web_user;
create role layer login noinherit;
grant reader, web_user to layer;
alter role authenticator reset restful.anon_role;
alter role layer set restful.anon_role = 'reader';
alter role layer set restful.schemas = 'api';
create table api.notes (id int primary key, owner text not null default restful.user_id(), tenant int not null default 1, words text);
create table api.secrets (id int primary key);
create table api.others (id int primary key, words text);
alter table api.notes enable row level security;
alter table api.secrets enable row level security;
create policy own on api.notes to web_user using (owner = (select restful.user_id()));
create policy shared on api.notes for select to web_user, reader using (words like 'to all%');
create policy tenant on api.notes as restrictive to web_user using (tenant = (select restful.claim('tenant')::int))
    with check (tenant = (select restful.claim('tenant')::int));
create policy short on api.notes as restrictive for insert to web_user with check (length(words) < 20);
create policy none on api.secrets using (false);
create view api.words as select words from api.notes;
create function api.count_notes() returns bigint language sql stable as $$ select count(*) from api.notes $$;
create function api.never_called() returns int language sql as $$ select 1 $$;
revoke execute on all functions in schema api from public;
grant execute on all functions in schema api to web_user;
grant usage on schema api to reader, web_user;
grant select on api.notes, api.words to reader;
grant select, insert, update, delete on api.notes to web_user;
grant select on api.others to web_user;
insert into api.notes values (1, 'ann', 1, 'mine'), (2, 'bea', 1, 'to all: hi'), (3, 'ann', 2, 'elsewhere');
create view public.policies as select name, verdict, detail from restful.test_coverage() where kind = 'policy';

-- nothing yet
select kind, name, role, verdict, detail from restful.test_coverage();

create schema test;
create function test.reads() returns void language sql begin atomic
    select restful.expect('GET', '/notes?select=id&order=id', as_role => 'web_user', as_claims => '{"sub": "ann", "tenant": 1}', body => '[{"id": 1}, {"id": 2}]');
    select restful.expect('GET', '/words', status => 200);
end;
select restful.test('test.%');
select * from restful.test_coverage();

-- writes: what was written, what was refused, and what was deleted, before it was gone
create function test.writes() returns void language sql begin atomic
    select restful.expect('POST', '/notes', '{"id": 4, "words": "new"}', as_role => 'web_user', as_claims => '{"sub": "ann", "tenant": 1}', status => 201);
    select restful.expect('POST', '/notes', '{"id": 5, "tenant": 2, "words": "new"}', as_role => 'web_user', as_claims => '{"sub": "ann", "tenant": 1}', status => 403);
    select restful.expect('PATCH', '/notes?id=eq.1', '{"tenant": 2}', as_role => 'web_user', as_claims => '{"sub": "ann", "tenant": 1}', status => 403);
    select restful.expect('DELETE', '/notes', as_role => 'web_user', as_claims => '{"sub": "ann", "tenant": 1}', status => 204);
end;
select restful.test('test.writes');
select * from public.policies;

-- functions and embedded relations touch tables, too
create function test.calls() returns void language sql begin atomic
    select restful.expect('GET', '/rpc/count_notes', as_role => 'web_user', as_claims => '{"sub": "bea", "tenant": 1}', body => '1');
    select restful.expect('GET', '/others', as_role => 'reader', status => 401);
    select restful.expect('POST', '/batch', '[{"method": "POST", "target": "/notes", "body": {"id": 6, "words": "far too long for such a note"}}]',
        as_role => 'web_user', as_claims => '{"sub": "ann", "tenant": 1}', status => 403);
end;
select restful.test('test.calls');
select * from restful.test_coverage() where verdict <> 'never requested';

-- declared routes are routes, and requests of a batch count
create function api.archive(id int) returns int language sql as 'select id';
select restful.route('POST /notes/{id}/archive', 'api.archive'), restful.route('POST /notes/{id}/restore', 'api.archive');
create function test.routes() returns void language sql begin atomic
    select restful.expect('POST', '/notes/7/archive', as_role => 'web_user', status => 200);
    select restful.expect('POST', '/notes/7/archive', '{"wrong": 1}', as_role => 'web_user', status => 400);
    select restful.expect('POST', '/batch', '[{"method": "GET", "target": "/others"}, {"method": "POST", "target": "/notes/8/archive"}]', as_role => 'web_user', status => 200);
end;
select restful.test('test.routes');
select name, verdict, detail from restful.test_coverage() where kind = 'route' and role = 'web_user' and (name like '%archive' or name like '%restore' or name = 'GET /others');
select restful.drop_route('POST /notes/{id}/archive'), restful.drop_route('POST /notes/{id}/restore');
drop function api.archive, test.routes;

-- which policies a test depends on
select * from restful.test_mutations('test.%');
-- what was found before is still there, and the policies are as they were
select restful.test_done();
select count(*) from pg_policy where pg_get_expr(polqual, polrelid) in ('true', 'false') and polname <> 'none';

-- a policy that is replaced by true is noticed, although all tests pass
alter policy shared on api.notes using (true);
create function test.true_is_noticed() returns void language sql begin atomic
    select restful.expect('GET', '/notes?id=eq.2&select=id', body => '[{"id": 2}]');
end;
select restful.test('test.true%');
select * from public.policies where name like 'shared%';
alter policy shared on api.notes using (words like 'to all%');
select restful.test('test.true%');
select * from public.policies where name like 'shared%';
create function test.fails() returns void language sql as $$ select restful.expect('GET', '/notes', status => 500) $$;
select * from restful.test_mutations('test.f%');
-- a policy that fails is not covered
alter policy shared on api.notes using (1 / (id - 1) > 0);
select restful.test('test.true%');
select * from public.policies where name like 'shared%';

-- more rows than are looked at
alter policy shared on api.notes using (id > 0);
begin;
insert into api.notes select i, 'ann', 1, 'many' from generate_series(100, 1500) i;
select restful.expect('GET', '/notes?limit=1');
select * from public.policies where name like 'shared%';
rollback;

-- whoever does not see all rows cannot know
create role tester login;
grant reader to tester;
grant select on api.notes to tester;
grant execute on function restful.expect, restful.test_coverage, restful.test_step, restful.routes to tester;
\c - tester
select restful.expect('GET', '/notes?limit=1', as_role => 'reader');
select name, verdict, detail from restful.test_coverage() where name like 'shared%';

\c - postgres
set client_min_messages = warning;
drop schema test, api cascade;
drop view public.policies;
drop owned by tester, layer, reader, web_user;
drop role tester, layer, reader, web_user;
alter role authenticator set restful.anon_role = 'anon';
