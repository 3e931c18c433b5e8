-- A request with an Idempotency-Key runs once: a retry is answered with what the first one was answered with, and changes nothing.
\pset tuples_only on
\pset format unaligned
create role web;
create role layer login noinherit;
grant web, anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
create table library.orders (id int generated always as identity primary key, what text not null unique, n int check (n < 100), who text default current_user);
grant select, insert, update, delete on library.orders to anon, web, librarian;
create function library.held() returns text language sql security definer as $$
    select coalesce(string_agg(format('%s %s %s', what, n, who), ', ' order by id), 'nothing') || '; kept: ' || (select count(*) from restful.idempotency_record)
    from library.orders $$;
create function library.place(what text, n int default 1) returns jsonb language plpgsql as $$
begin
    insert into library.orders (what, n) values ($1, $2);
    perform set_config('response.status', '202', true), set_config('response.headers', '[{"X-Place": "1"}, {"Set-Cookie": "a=b"}, {"Set-Cookie": "c=d"}]', true);
    return jsonb_build_object('placed', $1);
end $$;
create function library.looks(n int) returns int language sql stable as $$ select n $$;
-- a request, its answer, and what is in the table then
create function public.ask(method text, target text, key text, body text default null, fields jsonb default '{}') returns text language plpgsql as $$
declare
    r restful.http_response := restful.serve(method, target, jsonb_build_object('idempotency-key', key) || fields, convert_to(body, 'utf8'));
begin
    return show(r) || coalesce(e'\nreplayed: ' || (r.headers->>'idempotency-replayed'), '') || coalesce(e'\nretry-after: ' || (r.headers->>'retry-after'), '')
        || e'\n' || library.held();
end $$;
\c - layer
select ask('POST', '/orders', '"1"', '{"what": "a", "n": 1}', '{"prefer": "return=representation"}');
select ask('POST', '/orders', '"1"', '{"what": "a", "n": 1}', '{"prefer": "return=representation"}');
-- with or without quotes, and whatever other fields say
select ask('POST', '/orders', '1', '{"what": "a", "n": 1}', '{"prefer": "return=representation", "traceparent": "00-1", "user-agent": "x"}');
-- everything is the same: status, all header fields in their order, the body
select show_all(restful.serve('POST', '/orders', '{"idempotency-key": "2"}', '{"what": "b"}'));
select show_all(restful.serve('POST', '/orders', '{"idempotency-key": "2"}', '{"what": "b"}'));
select show_all(restful.serve('POST', '/rpc/place', '{"idempotency-key": "3"}', '{"what": "c"}'));
select show_all(restful.serve('POST', '/rpc/place', '{"idempotency-key": "3"}', '{"what": "c"}'));
select (r).status, (r).body, (r).headers->>'idempotency-replayed' from restful.post('/rpc/place', '{"what": "e"}', '{"idempotency-key": "e"}') r;
select (r).status, (r).body, (r).headers->>'idempotency-replayed' from restful.post('/rpc/place', '{"what": "e"}', '{"idempotency-key": "e"}') r;
-- another request has another key
select ask('POST', '/orders', '2', '{"what": "z"}');
select ask('POST', '/orders?columns=what', '2', '{"what": "b"}');
select ask('PATCH', '/orders?what=eq.b', '2', '{"what": "b"}');
select ask('POST', '/orders', '2', '{"what": "b"}', '{"prefer": "return=minimal"}');
select ask('POST', '/orders', '2', '{"what": "b"}', '{"if-none-match": "*"}');
-- every method that may change something
select ask('PATCH', '/orders?what=eq.b', 'patch', '{"n": 7}', '{"prefer": "return=representation"}');
select ask('PATCH', '/orders?what=eq.b', 'patch', '{"n": 7}', '{"prefer": "return=representation"}');
select ask('DELETE', '/orders?what=eq.b', 'delete', null, '{"prefer": "count=exact"}');
select ask('DELETE', '/orders?what=eq.b', 'delete', null, '{"prefer": "count=exact"}');
select ask('POST', '/rpc/looks', 'looks', '{"n": 1}');
select ask('POST', '/rpc/looks', 'looks', '{"n": 1}');
-- safe methods change nothing however often they are sent, so their key is not looked at
select show(restful.serve('GET', '/orders?select=what&what=eq.a', '{"idempotency-key": "1"}'));
select show(restful.serve('GET', '/orders?select=what&what=eq.a', '{"idempotency-key": "malformed, twice"}'));
select (restful.serve('HEAD', '/orders', '{"idempotency-key": "1"}')).status, (restful.serve('OPTIONS', '/orders', '{"idempotency-key": "1"}')).status;
-- what fails has changed nothing: it leaves no record, and runs anew
select ask('POST', '/orders', 'fail', '{"what": "a"}');
select ask('POST', '/orders', 'fail', '{"what": "f", "n": 100}');
select ask('POST', '/orders', 'fail', '{"what": "f"}');
select ask('POST', '/nowhere', 'fail2', '{"what": "f"}');
-- and so does what is rolled back by choice
\c - postgres
alter role layer set restful.tx_end = 'commit-allow-override';
alter role layer set restful.plan_enabled = on;
\c - layer
select ask('POST', '/orders', 'roll', '{"what": "g"}', '{"prefer": "tx=rollback"}');
select ask('POST', '/orders', 'roll', '{"what": "g"}', '{"prefer": "tx=rollback"}');
select ask('POST', '/orders', 'roll', '{"what": "g"}', '{"prefer": "tx=commit"}');
select ask('POST', '/orders', 'roll', '{"what": "g"}', '{"prefer": "tx=rollback"}');
select (restful.serve('POST', '/orders', '{"idempotency-key": "plan", "accept": "application/vnd.pgrst.plan+json"}', '{"what": "h"}')).status, library.held();
begin;
select ask('POST', '/orders', 'outer', '{"what": "h"}');
select ask('POST', '/orders', 'outer', '{"what": "h"}');
rollback;
begin;
savepoint s;
select ask('POST', '/orders', 'outer', '{"what": "i"}');
rollback to s;
select ask('POST', '/orders', 'outer', '{"what": "h"}');
commit;
select ask('POST', '/orders', 'outer', '{"what": "h"}');
-- malformed keys
select ask('POST', '/orders', '', '{"what": "m"}');
select ask('POST', '/orders', 'a, b', '{"what": "m"}');
select ask('POST', '/orders', '"a', '{"what": "m"}');
select ask('POST', '/orders', '"a";p', '{"what": "m"}');
select ask('POST', '/orders', repeat('k', 256), '{"what": "m"}');
select show(restful.serve('POST', '/orders', '{"Idempotency-Key": ["a", "b"]}', '{"what": "m"}'));
-- a body that is too large to be kept
\c - postgres
alter role layer set restful.idempotency_max_response_bytes = 10;
\c - layer
select ask('POST', '/orders', 'large', '{"what": "large"}', '{"prefer": "return=representation"}');
select ask('POST', '/orders', 'large', '{"what": "large"}', '{"prefer": "return=minimal"}');
-- a read-only transaction
begin transaction read only;
select ask('POST', '/orders', 'large', '{"what": "large"}', '{"prefer": "return=minimal"}');
select ask('POST', '/orders', 'read-only', '{"what": "n"}');
select ask('POST', '/rpc/looks', 'read-only', '{"n": 1}');
commit;
-- Each role has keys of its own.
\c - librarian
select ask('POST', '/orders', '"1"', '{"what": "librarian"}');
-- Nobody reads the records.
select count(*) from restful.idempotency_record;
select restful.forget_idempotency_keys();
\c - postgres
alter role layer reset restful.idempotency_max_response_bytes;
select status, headers, convert_from(body, 'utf8'), expires_at - created_at from restful.idempotency_record where status = 202;
-- a role that may not be taken any more gets no replay, and what guards every request guards replays
create function library.guard() returns void language plpgsql as $$
begin
    if current_setting('request.headers')::json->>'user-agent' = 'bad' then raise sqlstate 'PT403' using message = 'banned'; end if;
end $$;
alter role layer set restful.pre_request = 'library.guard';
\c - layer
select ask('POST', '/rpc/place', '3', '{"what": "c"}', '{"user-agent": "bad"}');
select ask('POST', '/rpc/place', '3', '{"what": "c"}');
\c - postgres
alter role layer reset restful.pre_request;
revoke anon from layer;
\c - layer
select ask('POST', '/rpc/place', '3', '{"what": "c"}');
\c - postgres
grant anon to layer;
-- A record expires.
update restful.idempotency_record set expires_at = now() where status = 200;
\c - layer
select ask('PATCH', '/orders?what=eq.a', 'again', '{"n": 2}');
select ask('POST', '/rpc/looks', 'looks', '{"n": 1}');
select ask('POST', '/rpc/looks', 'looks', '{"n": 1}');
\c - postgres
select restful.forget_idempotency_keys() < 3, restful.forget_idempotency_keys(false) > 10, library.held();
-- The size is bounded. What VACUUM has found room for may be used.
alter role layer set restful.idempotency_max_size = 8;
vacuum restful.idempotency_record;
\c - layer
select ask('POST', '/orders', 'full1', '{"what": "full1"}');
select ask('POST', '/orders', 'full2', '{"what": "full2"}');
select ask('POST', '/orders', 'full1', '{"what": "full1"}');
\c - postgres
vacuum restful.idempotency_record;
\c - layer
select ask('POST', '/orders', 'full2', '{"what": "full2"}');
select ask('POST', '/orders', 'full2', '{"what": "full2"}');
select show(restful.serve('POST', '/orders', '{}', '{"what": "without a key"}'));
\c - postgres
alter role layer reset restful.idempotency_max_size;
alter role layer reset restful.tx_end;
alter role layer reset restful.plan_enabled;
delete from library.orders;
delete from restful.idempotency_record;
-- A request within a request has a key of its own, and the identity of the outer one.
create table keys (name text primary key, id text, key text);
insert into keys select 'ann', * from restful.create_api_key('ann', 'web', claims => '{"tenant_id": "acme"}');
insert into keys select 'ann 2', * from restful.create_api_key('ann', 'web', claims => '{"tenant_id": "acme"}');
grant select on keys to layer;
create function library.within(key text, what text, fails boolean default false) returns text language plpgsql as $$
declare
    r restful.http_response := restful.serve('POST', '/orders', jsonb_build_object('idempotency-key', key), convert_to(format('{"what": "%s"}', what), 'utf8'));
begin
    if fails then raise 'failed after all'; end if;
    return r.status || coalesce(' ' || (r.headers->>'idempotency-replayed'), '');
end $$;
create function library.inner(what text) returns int language sql as $$
    select status from restful.serve('POST', '/orders', '{}', convert_to(format('{"what": "%s"}', what), 'utf8')) $$;
\c - layer
select ask('POST', '/rpc/within', 'outer', '{"key": "inner", "what": "x"}');
select ask('POST', '/rpc/within', 'outer', '{"key": "inner", "what": "x"}');
select show(restful.serve('POST', '/rpc/within', '{}', '{"key": "inner", "what": "x"}')), library.held();
select show(restful.serve('POST', '/orders', '{"idempotency-key": "inner"}', '{"what": "x"}')), library.held();
select show(restful.serve('POST', '/rpc/within', '{}', '{"key": "inner", "what": "y"}')), library.held();
-- the same key within
select ask('POST', '/rpc/within', 'both', '{"key": "both", "what": "y"}');
select show(restful.serve('POST', '/rpc/within', '{}', '{"key": "undone", "what": "y", "fails": true}')), library.held();
select show(restful.serve('POST', '/rpc/within', '{}', '{"key": "undone", "what": "y"}')), library.held();
-- API keys of one subject are different clients, with and without their claims published
select ask('POST', '/orders', 'same', '{"what": "ann"}', jsonb_build_object('apikey', key)) from keys where name = 'ann';
select ask('POST', '/orders', 'same', '{"what": "ann"}', jsonb_build_object('apikey', key)) from keys where name = 'ann';
select ask('POST', '/orders', 'same', '{"what": "ann 2"}', jsonb_build_object('apikey', key)) from keys where name = 'ann 2';
select ask('POST', '/orders', 'same', '{"what": "anon"}');
select ask('POST', '/rpc/within', 'within', '{"key": "same", "what": "ann"}', jsonb_build_object('apikey', key)) from keys where name = 'ann';
select ask('POST', '/rpc/within', 'within2', '{"key": "new", "what": "ann"}', jsonb_build_object('apikey', key)) from keys where name = 'ann';
-- a batch as a whole
select ask('POST', '/batch', 'batch', '[{"method": "POST", "target": "/orders", "body": {"what": "b1"}}, {"method": "POST", "target": "/orders", "body": {"what": "b2"}}]');
select ask('POST', '/batch', 'batch', '[{"method": "POST", "target": "/orders", "body": {"what": "b1"}}, {"method": "POST", "target": "/orders", "body": {"what": "b2"}}]');
select ask('POST', '/batch', 'batch', '[{"method": "POST", "target": "/orders", "body": {"what": "b1"}}, {"method": "POST", "target": "/orders", "body": {"what": "b3"}}]');
select ask('POST', '/batch', 'batch2', '[{"method": "POST", "target": "/orders", "body": {"what": "b3"}}, {"method": "POST", "target": "/orders", "body": {"what": "b3"}}]');
-- Writes to a table may need a key. A request within one that has a key has it, too.
\c - postgres
create role keeper login;
alter table library.orders owner to keeper;
\c - layer
select restful.require_idempotency_key('library.orders');
select show(restful.serve('POST', '/orders', '{}', '{"what": "no key"}'));
\c - keeper
select restful.require_idempotency_key('library.orders');
\c - layer
select show(restful.serve('POST', '/orders', '{}', '{"what": "no key"}'));
select show(restful.serve('PATCH', '/orders?what=eq.x', '{}', '{"n": 9}'));
select show(restful.serve('DELETE', '/orders?what=eq.x'));
select show(restful.serve('PUT', '/orders?id=eq.1', '{}', '{"what": "no key"}'));
select show(restful.serve('GET', '/orders?what=eq.x&select=what,n'));
select ask('PATCH', '/orders?what=eq.x', 'required', '{"n": 9}');
select ask('PATCH', '/orders?what=eq.x', 'required', '{"n": 9}');
select show(restful.serve('POST', '/rpc/within', '{}', '{"key": "required2", "what": "r"}')), library.held();
select show(restful.serve('POST', '/rpc/inner', '{}', '{"what": "s"}')), library.held();
select ask('POST', '/rpc/inner', 'required3', '{"what": "s"}');
select show(restful.serve('PATCH', '/orders?what=eq.x', '{}', '{"n": 10}'));
\c - keeper
select restful.require_idempotency_key('library.orders', false);
\c - layer
select show(restful.serve('PATCH', '/orders?what=eq.x', '{}', '{"n": 10}')), library.held();
\c - postgres
-- An old installation of the extension has no table for records.
alter table restful.idempotency_record rename to hidden;
\c - layer
select show(restful.serve('POST', '/orders', '{"idempotency-key": "old"}', '{"what": "old"}'));
select show(restful.serve('POST', '/orders', '{}', '{"what": "old"}'));
\c - postgres
alter table restful.hidden rename to idempotency_record;
alter table library.orders owner to postgres;
drop role keeper;
drop owned by web cascade;
drop owned by layer;
drop role web, layer;
