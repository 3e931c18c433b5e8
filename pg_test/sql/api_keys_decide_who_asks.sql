-- A request with an API key runs as the key's role and for its subject. The key may come in any of several header fields.
\pset tuples_only on
\pset format unaligned
create role web;
create role layer login noinherit;
grant web, anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
create role keymaster login;
grant execute on function restful.create_api_key to keymaster;
create function library.me() returns text language sql stable as $$
    select concat_ws(' ', current_user, restful.user_id(), restful.role(), restful.method(), restful.is_authenticated()) $$;
create function library.claimed() returns jsonb language sql stable as $$
    select jsonb_build_object('claims', restful.claims() - 'key_id', 'same', restful.jwt() = restful.claims(), 'tenant', restful.tenant_id(),
        'scopes', restful.scopes(), 'reads', restful.has_scope('loans.read'), 'writes', restful.has_scope('loans.write'),
        'key', length(restful.claim('key_id')), 'setting', restful.claims() = current_setting('request.jwt.claims')::jsonb) $$;
create table library.notes (id int primary key, owner text default restful.user_id(), tenant text default restful.tenant_id());
insert into library.notes values (1, 'robot', 'acme'), (2, 'somebody', 'other');
alter table library.notes enable row level security;
create policy own on library.notes to web using (owner = (select restful.user_id()) and tenant = (select restful.tenant_id()));
grant select, insert on library.notes to web;
create table keys (name text primary key, id text, key text);
grant select, insert on keys to keymaster;
grant select on keys to layer, alice;
\c - keymaster
insert into keys select 'robot', * from restful.create_api_key('robot', 'web', '{loans.read,other}', claims => '{"tenant_id": "acme", "plan": 1}');
insert into keys select 'plain', * from restful.create_api_key('plain', 'web', environment => 'test');
\c - layer
create function pg_temp.ask(field text, name text, target text default '/rpc/me') returns text language sql as $$
    select show(restful.serve('GET', target, jsonb_build_object(field, (select key from keys k where k.name = $2)))) $$;
select pg_temp.ask('apikey', 'robot');
select pg_temp.ask('X-API-Key', 'robot');
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('Authorization', 'Bearer ' || key))) from keys where name = 'robot';
select pg_temp.ask('apikey', 'plain');
select pg_temp.ask('apikey', 'robot', '/rpc/claimed');
select pg_temp.ask('apikey', 'plain', '/rpc/claimed');
-- policies and defaults
select pg_temp.ask('apikey', 'robot', '/notes');
select show(restful.serve('POST', '/notes', jsonb_build_object('apikey', key, 'prefer', 'return=representation'), '{"id": 3}')) from keys where name = 'robot';
select pg_temp.ask('apikey', 'plain', '/notes');
select show(restful.serve('GET', '/notes'));
-- nothing of the key is left for the next request
select show(restful.serve('GET', '/rpc/me'));
-- the same key twice counts once; two different keys are refused
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', key, 'authorization', 'Bearer ' || key))) from keys where name = 'robot';
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', a.key, 'x-api-key', b.key))) from keys a, keys b where (a.name, b.name) = ('robot', 'plain');
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', key, 'authorization', 'Bearer a.b.c'))) from keys where name = 'robot';
-- when clients of Supabase send a token twice, or another token as the project's key, the bearer token decides
\c - postgres
create function public.token(claims jsonb) returns text language sql security definer as $$ select restful.jwt_sign(claims, kid => 'one') $$;
select restful.create_signing_key(kid => 'one');
\c - layer
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', t, 'authorization', 'Bearer ' || t))) from token('{"role": "anon"}') t;
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', token('{"role": "anon"}'), 'authorization', 'Bearer ' || token('{"role": "web", "sub": "me"}'))));
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', 'sb_publishable_x', 'authorization', 'Bearer ' || token('{"role": "web", "sub": "me"}'))));
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', token('{"role": "web", "sub": "me"}'))));
select show(restful.serve('GET', '/rpc/me', '{"apikey": "sb_publishable_x", "authorization": "Basic eDp5"}'));
-- the names of the fields are a setting, which only a superuser can change
set restful.api_key_headers = '';
\c - postgres
alter role layer set restful.api_key_headers = 'X-Our-Key';
\c - layer
create function pg_temp.ask(field text, name text) returns text language sql as $$
    select show(restful.serve('GET', '/rpc/me', jsonb_build_object(field, (select key from keys k where k.name = $2)))) $$;
select pg_temp.ask('apikey', 'robot');
select pg_temp.ask('x-our-key', 'robot');
\c - postgres
alter role layer reset restful.api_key_headers;
-- a role that the session may not take is refused, whatever the key says
\c - keymaster
insert into keys select 'elsewhere', * from restful.create_api_key('robot', 'librarian');
\c - layer
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', key))) from keys where name = 'elsewhere';
-- a SQL user's session accepts a key only for a role that the user may take
\c - alice
set restful.schemas = 'library';
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', key))) from keys where name = 'robot';
-- within a request, or when the role was taken before, there already is an identity
\c - postgres
create function library.again(key text) returns int language sql as $$
    select (restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', key))).status $$;
\c - layer
select show(restful.serve('POST', '/rpc/again', jsonb_build_object('apikey', key), convert_to(jsonb_build_object('key', key)::text, 'utf8'))) from keys where name = 'robot';
select key from keys where name = 'robot' \gset
begin;
set local role web;
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', :'key')));
commit;
\c - postgres
drop owned by layer, web, keymaster;
drop role layer, web, keymaster;
