-- A bearer token is verified, and the request runs as the role that it names. A bad token gets 401, whatever else would be allowed.
\pset tuples_only on
\pset format unaligned
create role web;
create role layer login noinherit;
grant web, anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
create function library.me() returns text language sql stable as $$
    select concat_ws(' ', current_user, restful.user_id(), restful.role(), restful.method(), restful.is_authenticated(),
        restful.claims() - 'iat' - 'exp', current_setting('request.jwt.claims')::jsonb - 'iat' - 'exp') $$;
create table library.secrets (id int primary key);
grant select on library.secrets to web;
create function public.ask(target text, token text) returns text language sql as $$
    select show(restful.serve('GET', target, jsonb_build_object('authorization', 'Bearer ' || token))) $$;
create function public.token(claims jsonb, ttl interval default '1 minute', kid text default null) returns text
    language sql security definer as $$ select restful.jwt_sign(claims, ttl, kid) $$;
\c - layer
-- without any key
select show_all(restful.serve('GET', '/rpc/me', '{"authorization": "Bearer a.b.c"}'));
\c - postgres
select restful.create_signing_key(kid => 'one');
\c - layer
select ask('/rpc/me', token('{"role": "web", "sub": "42"}'));
select ask('/secrets', token('{"role": "web", "sub": "42"}'));
select show(restful.serve('GET', '/secrets'));
-- a token without a role runs as the anonymous role, with its subject; refusals are 401, as for anonymous requests
select ask('/rpc/me', token('{"sub": "42"}'));
select ask('/secrets', token('{"sub": "42"}'));
-- bad tokens
select show_all(restful.serve('GET', '/rpc/me', '{"authorization": "Bearer"}'));
select show_all(restful.serve('GET', '/rpc/me', '{"authorization": "Bearer a.b"}'));
select ask('/rpc/me', regexp_replace(token('{"role": "web"}'), '^[^.]*', rtrim(encode('{"alg":"none"}', 'base64'), '=')));
select ask('/rpc/me', overlay(t placing case when right(t, 1) = 'A' then 'Q' else 'A' end from length(t))) from (select left(token('{"role": "web"}'), -40) || repeat('A', 40)) _ (t);
select ask('/rpc/me', repeat('x', 9000));
select ask('/rpc/me', token('{"role": "web", "nbf": 99999999999}'));
select ask('/rpc/me', token('{"role": "web", "iat": 99999999999}'));
-- in other spellings and together with other schemes
select show(restful.serve('GET', '/rpc/me', jsonb_build_object('authorization', E'Bearer\ta.b.c')));
select show(restful.serve('GET', '/rpc/me', '{"authorization": " bearer:a.b.c"}'));
select show(restful.serve('GET', '/rpc/me', '{"authorization": "Basic eDp5, Bearer a.b.c"}'));
select show(restful.serve('GET', '/rpc/me', '{"Authorization": "Basic eDp5", "authorization": "Bearer a.b.c"}'));
-- other schemes are ignored
select show(restful.serve('GET', '/rpc/me', '{"authorization": "Basic eDp5"}'));
-- an anonymous request is refused if a token is required
select as_superuser($$ set restful.require_token = on $$);
select show_all(restful.serve('GET', '/rpc/me'));
select ask('/rpc/me', token('{"role": "web", "sub": "42"}'));
-- a SQL user's own session accepts a token too, for a role that the user may take
\c - alice
select ask('/rpc/me', token('{"role": "alice", "sub": "42"}'));
select ask('/rpc/me', token('{"role": "web", "sub": "42"}'));
select ask('/rpc/me', token('{"sub": "42"}'));
set role alice;
-- nobody can use the tables and the functions
select * from restful.secret_key;
select * from restful.public_key;
select * from restful.token_issuer;
select restful.jwt_sign('{}');
select restful.load_secret('a secret of thirty-two bytes, ok');
select restful.load_jwks('', '{"keys": []}');
select restful.create_signing_key();
select restful.revoke_key('one');
select restful.jwt_verify('a.b.c');
select restful.jwt_check('a.b.c');
select restful.jwks();
\c - postgres
drop owned by layer, web;
drop role layer, web;
