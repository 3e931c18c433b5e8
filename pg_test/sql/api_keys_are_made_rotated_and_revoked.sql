-- API keys are created, listed, rotated with an overlap and revoked by anyone who was granted these functions.
\pset tuples_only on
\pset format unaligned
\pset null null
create role web;
create role layer login noinherit;
grant web, anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
create role keymaster login;
grant execute on function restful.create_api_key, restful.list_api_keys, restful.rotate_api_key, restful.revoke_api_key to keymaster;
create function library.me() returns text language sql volatile as $$ select restful.user_id() $$;
create table keys (name text primary key, id text, key text);
grant select, insert on keys to keymaster;
grant select on keys to layer;
create function public.ask(name text, method text default 'GET') returns text language sql as $$
    select replace(show(restful.serve(method, '/rpc/me', jsonb_build_object('apikey', key), '{}')), e'\n', ' ') from keys k where k.name = $1 $$;
\c - keymaster
\set SHOW_CONTEXT never
-- calls that are refused
select restful.create_api_key('', 'web');
select restful.create_api_key(null, 'web');
select restful.create_api_key(repeat('s', 256), 'web');
select restful.create_api_key('me', 'nobody there');
select restful.create_api_key('me', 'postgres');
select restful.create_api_key('me', 'pg_read_all_data');
select restful.create_api_key('me', null);
select restful.create_api_key('me', 'web', '{"a b"}');
select restful.create_api_key('me', 'web', '{a,null}');
select restful.create_api_key('me', 'web', expires_at => now());
select restful.create_api_key('me', 'web', claims => '[]');
select restful.create_api_key('me', 'web', claims => '{"role": "other"}');
select restful.create_api_key('me', 'web', claims => jsonb_build_object('a', repeat('a', 9000)));
select restful.create_api_key('me', 'web', environment => 'a_b');
select restful.rotate_api_key('rk_live_12345678_whatever');
-- what is created
insert into keys select 'one', * from restful.create_api_key('robot', 'web', '{a,b}', now() + interval '30 days', '{"tenant_id": "acme"}', 'Robot', 'of the test', 'test');
select key ~ '^rk_test_[0-9A-Za-z]{8}_[-_0-9A-Za-z]{49}$', split_part(key, '_', 3) = id from keys;
create function pg_temp.shown() returns table (key text, list text) language sql as $$
    select k.name, concat_ws(' ', l.subject, l.role, l.scopes, l.claims, l.name, l.description, l.environment, l.is_valid, l.created_by, l.created_as,
        round(extract(epoch from l.expires_at - now()) / 86400), l.revoked_at is not null, l.last_used is not null, r.name)
    from restful.list_api_keys() l join keys k using (id) left join keys r on r.id = l.replaces order by l.created_at $$;
select * from pg_temp.shown();
-- after rotation both keys are valid until the overlap ends, and the new one until the old one would have expired
insert into keys select 'two', * from restful.rotate_api_key((select id from keys where name = 'one'), '2 days');
select * from pg_temp.shown();
\c - layer
select ask('one'), ask('two');
\c - keymaster
insert into keys select 'three', * from restful.rotate_api_key((select id from keys where name = 'two'), '0');
\c - layer
select ask('one'), ask('two'), ask('three');
\c - keymaster
-- a longer overlap does not extend a key
insert into keys select 'four', * from restful.rotate_api_key((select id from keys where name = 'one'), '100 days');
select restful.rotate_api_key(id) from keys where name = 'two';
select restful.rotate_api_key(id, '-1 day') from keys where name = 'one';
select restful.revoke_api_key(id) from keys where name = 'one';
select restful.revoke_api_key(id) from keys where name = 'one';
select restful.revoke_api_key('nothing');
select restful.rotate_api_key(id) from keys where name = 'one';
\c - layer
select ask('one'), ask('four');
-- requests that write record the use of a key; requests that only read do not, but the next write records their use
select ask('three', 'POST');
\c - keymaster
create function pg_temp.used() returns setof text language sql as $$
    select k.name from restful.list_api_keys() l join keys k using (id) where l.last_used is not null order by 1 $$;
select pg_temp.used();
insert into keys select 'five', * from restful.rotate_api_key((select id from keys where name = 'four'));
\c - layer
begin read only;
select ask('five'), ask('five', 'POST');
commit;
begin isolation level repeatable read;
select ask('five', 'POST');
commit;
\c - keymaster
create function pg_temp.used() returns setof text language sql as $$
    select k.name from restful.list_api_keys() l join keys k using (id) where l.last_used is not null order by 1 $$;
select pg_temp.used();
\c - layer
select ask('five');
select ask('three', 'POST');
\c - keymaster
create function pg_temp.used() returns setof text language sql as $$
    select k.name from restful.list_api_keys() l join keys k using (id) where l.last_used is not null order by 1 $$;
select pg_temp.used();
\c - postgres
-- at most once a minute
update restful.api_key_use set last_used = now() - interval '30 seconds' where last_used is not null;
create table before as table restful.api_key_use;
\c - layer
select ask('four', 'POST');
\c - postgres
select count(*) from restful.api_key_use u join before b using (id) where u.last_used is distinct from b.last_used;
update restful.api_key_use set last_used = now() - interval '2 minutes' where last_used is not null;
\c - layer
select ask('four', 'POST');
\c - postgres
select k.name, u.last_used > now() - interval '1 minute' from restful.api_key_use u join keys k using (id) where u.last_used is not null order by 1;
-- a key that is created in a request records the subject who asked
create function library.make() returns text language sql volatile security definer as $$ select id from restful.create_api_key('child', 'web') $$;
\c - layer
select (restful.serve('POST', '/rpc/make', jsonb_build_object('apikey', key), '{}')).status from keys where name = 'four';
\c - postgres
select subject, created_by, created_as from restful.list_api_keys() where subject = 'child';
drop owned by layer, web, keymaster;
drop role layer, web, keymaster;
