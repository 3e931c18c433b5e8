-- Tests in SQL make requests as somebody, say what differs from what was expected, and leave nothing behind.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role tester login bypassrls;
grant alice, bob, anon, librarian to tester;
grant usage, create on schema library to tester;
grant select, insert on all tables in schema library to tester;
-- alice may neither run tests nor make expectations
\c - alice
select restful.expect('GET', '/books');
select restful.test();
select restful.test_coverage();
\c - postgres
grant execute on function restful.expect, restful.expect_rows, restful.test, restful.test_coverage, restful.test_done, restful.test_junit,
    restful.test_rows, restful.test_step to tester;
create schema test authorization tester;
\c - tester
\set SHOW_CONTEXT never
select restful.test_done();
-- outside of a test function, as in a file for psql; without a role, as anon
begin;
select restful.expect('GET', '/shelves?room=eq.B', status => 200, body => '[{"room": "B", "number": 1, "capacity": 20}]');
select restful.expect('GET', '/loans', status => 401, description => 'nobody sees loans # of others');
select restful.expect('POST', '/loans', '{"book": 1}', as_role => 'alice', status => 201, headers => '{"Location": true, "etag": null}');
select restful.expect_rows('select borrower, days from library.loans where book = 1 order by days;', '[{"borrower": "alice", "days": 14}]');
select restful.test_done();
rollback;
select count(*) from library.loans;

create function test.alice_lends() returns void language sql begin atomic
    select restful.expect('POST', '/loans', '{"id": 90, "book": 5}', as_role => 'alice', status => 201);
    select restful.expect('GET', '/loans?select=id&order=id', as_role => 'alice', body => '[{"id": 1}, {"id": 2}, {"id": 90}]');
    select restful.expect('GET', '/loans/90', as_role => 'bob', status => 404, contains => '{"code": "REST404"}');
    select restful.expect('PATCH', '/loans/90', '{"borrower": "bob"}', as_role => 'alice', as_claims => '{"sub": "a"}', status => 403);
    select restful.expect('DELETE', '/loans/90', as_role => 'alice', status => 204, body => 'null');
end;
create function test.what_fails_is_shown() returns void language plpgsql as $$ begin
    perform restful.expect('GET', '/loans?select=id,book&order=id', as_role => 'bob', status => 206, headers => '{"content-type": "text/csv"}',
        body => '[{"id": 3, "book": 5}, {"id": 4}]', contains => '[{"book": 6}]');
    perform restful.expect('POST', '/loans', '{"book": 1, "borrower": "alice"}', as_role => 'bob', as_claims => '{"sub": "b"}');
    perform restful.expect_rows('select id from library.books where id < 3 order by id', '[{"id": 1}]', 'there are two books');
end $$;
create function test.what_is_raised_is_shown() returns void language plpgsql as $$ begin
    perform restful.expect('GET', '/books?limit=1', status => 200);
    perform 1 / 0;
end $$;
create function test.assertions_count() returns void language plpgsql as $$ begin assert 1 = 2, 'one is not two'; end $$;
create function test.violates_a_deferred_constraint() returns void language plpgsql as $$ begin
    create temp table pairs (id int primary key, other int references pairs deferrable initially deferred) on commit drop;
    insert into pairs values (1, 2);
end $$;
create function test.says_who_asks() returns void language plpgsql as $$ begin
    perform restful.expect('GET', '/books', as_role => 'nobody_has_this_name');
end $$;
create function test.tokens_are_refused() returns setof int language sql as $$
    select restful.expect('GET', '/books', with_headers => '{"Authorization": "Bearer x"}'); select 1 $$;
create function test.takes_an_argument(a int) returns void language sql as $$ select 1 / 0 $$;
select restful.test('test.%');
select restful.test_done();
select regexp_replace(restful.test_junit(), 'time="[\d.]+"', 'time="…"', 'g');
select count(*) from library.loans;
-- the session is as it was
select current_user, current_setting('restful.claims', true) is not distinct from '', count(*) from library.loans where id >= 90;

-- what passes
select restful.test('test.alice%');
select restful.test_done();
select restful.test('nothing.%');
select restful.test_done();

-- not with borrowed rights, nor in requests
create function test.borrowed() returns text security definer language sql as $$ select restful.expect('GET', '/books', as_role => 'alice') $$;
select restful.test('test.borrowed');
create function test.may_not_take() returns text language sql as $$ select restful.expect('GET', '/books', as_role => 'postgres') $$;
select restful.test('test.may_not_take');

\c - postgres
create function library.attempt() returns text language sql as $$ select restful.expect('GET', '/books', as_role => 'alice') $$;
grant execute on function restful.expect to alice;
\c - alice
select show(restful.serve('POST', '/rpc/attempt'));
\c - postgres
set client_min_messages = warning;
drop schema test cascade;
drop function library.attempt();
revoke execute on function restful.expect from alice;
drop owned by tester;
drop role tester;
