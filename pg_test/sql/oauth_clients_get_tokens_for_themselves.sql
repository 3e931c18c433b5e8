-- A client that authenticates gets a token for itself, which requests accept. All others get an error as OAuth defines it.
\pset tuples_only on
\pset format unaligned
create role web;
create role robots;
create role layer login noinherit;
grant anon, web, robots to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.oauth_issuer = 'https://id.example';
select restful.create_signing_key(kid => 'one', issuer => 'https://id.example');
create function library.me() returns text language sql stable as $$
    select concat_ws(' ', current_user, restful.user_id(), restful.scopes(), restful.method()) $$;
-- a form, as a client sends it
create function public.form(fields jsonb) returns bytea language sql security definer as $$
    select convert_to(string_agg(key || '=' || restful.percent_encode(value), '&' order by key), 'utf8') from jsonb_each_text(fields) $$;
create function public.send(path text, fields jsonb, client text default null, headers jsonb default '{}') returns restful.http_response
    language sql as $$
    select restful.serve('POST', path, jsonb_strip_nulls(jsonb_build_object('content-type', 'application/x-www-form-urlencoded',
        'authorization', 'Basic ' || translate(encode(convert_to(client, 'utf8'), 'base64'), e'\n', ''))) || headers, form(fields)) $$;
create function public.body(r restful.http_response) returns jsonb language sql as $$ select convert_from(r.body, 'utf8')::jsonb $$;
-- the parts of an answer that are the same each time
create function public.tell(r restful.http_response) returns text language sql as $$
    select concat_ws(' ', r.status, coalesce(b->>'error', (select string_agg(key, ' ' order by key) from jsonb_object_keys(b) key)), b->>'scope')
    from body(r) b $$;
create function public.claims(token text) returns jsonb language sql security definer as $$ select restful.jwt_verify(token) $$;
create function public.who(token text) returns text language sql as $$
    select show(restful.serve('GET', '/rpc/me', jsonb_build_object('authorization', 'Bearer ' || token))) $$;
select client_id as robot, client_secret as secret from restful.register_client('robot', grant_types => '{client_credentials}', scopes => '{read,write}', role => 'robots') \gset
select client_id as phone from restful.register_client('phone', '{com.example.phone:/back}', role => 'web', confidential => false) \gset
select client_id as refresher, client_secret as refresher_secret from restful.register_client('refresher', grant_types => '{refresh_token}', role => 'web') \gset
\c - layer
-- client_secret_basic
select tell(send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':' || :'secret'));
select headers - 'content-length' from send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':' || :'secret');
-- client_secret_post, and fewer scopes
select body(send('/oauth/token', jsonb_build_object('grant_type', 'client_credentials', 'client_id', :'robot', 'client_secret', :'secret', 'scope', 'read'))) as answer \gset
select (:'answer'::jsonb) - 'access_token';
select (:'answer'::jsonb) ->> 'access_token' as token \gset
select who(:'token') = format(e'200\n"robots %s {read} jwt"', :'robot');
select c - '{sub,client_id,iat,exp,jti}'::text[], c->>'sub' = :'robot', c->>'client_id' = :'robot', (c->>'exp')::bigint - (c->>'iat')::bigint, c ? 'jti'
from claims(:'token') c;
select convert_from(decode(rpad(h, (length(h) + 3) / 4 * 4, '='), 'base64'), 'utf8') from translate(split_part(:'token', '.', 1), '-_', '+/') h;
select claims(body(send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':' || :'secret'))->>'access_token')->>'jti'
    <> claims(:'token')->>'jti' as another_one;
-- clients that do not authenticate
select show_all(send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':wrong'));
select tell(send('/oauth/token', '{"grant_type": "client_credentials"}', client)) from unnest(array[:'robot' || ':', ':', 'nobody:x', :'phone' || ':', :'phone' || ':x']) client;
select tell(send('/oauth/token', jsonb_build_object('grant_type', 'client_credentials', 'client_id', :'robot') || f))
from unnest(array['{}', '{"client_secret": "x"}', '{"client_id": ""}', '{"client_id": "a'' or true --"}']::jsonb[]) f;
select tell(send('/oauth/token', '{"grant_type": "client_credentials"}', null, '{"authorization": "Bearer x"}'));
-- both ways to authenticate at once
select tell(send('/oauth/token', jsonb_build_object('grant_type', 'client_credentials', 'client_secret', :'secret'), :'robot' || ':' || :'secret'));
select tell(send('/oauth/token', jsonb_build_object('grant_type', 'client_credentials', 'client_id', :'phone'), :'robot' || ':' || :'secret'));
-- requests that this client may not make
select tell(send('/oauth/token', f, :'robot' || ':' || :'secret')) from unnest(array['{}', '{"grant_type": "password"}', '{"grant_type": "implicit"}',
    '{"grant_type": "refresh_token", "refresh_token": "x"}', '{"grant_type": "authorization_code", "code": "x"}',
    '{"grant_type": "client_credentials", "scope": "read admin"}', '{"grant_type": "client_credentials", "scope": "READ"}',
    '{"grant_type": "client_credentials", "scope": "re\"ad"}']::jsonb[]) f;
select tell(send('/oauth/token', jsonb_build_object('grant_type', 'client_credentials', 'client_id', :'phone')));
select tell(send('/oauth/token', f, :'refresher' || ':' || :'refresher_secret')) from unnest(array['{"grant_type": "refresh_token"}',
    '{"grant_type": "refresh_token", "refresh_token": "x"}', '{"grant_type": "refresh_token", "refresh_token": "a.b.c"}']::jsonb[]) f;
-- bodies that are not forms or repeat a parameter; the body of request() is JSON
select show(restful.serve('POST', '/oauth/token', '{"content-type": "application/json"}', '{"grant_type": "client_credentials"}'));
select show(restful.serve('POST', '/oauth/token', '{"content-type": "application/x-www-form-urlencoded"}', 'grant_type=a&grant_type=a'));
select show(restful.serve('POST', '/oauth/token', '{"content-type": "application/x-www-form-urlencoded"}', 'grant_type=%00'));
select show(restful.serve('POST', '/oauth/token'));
select status, body->>'error' from restful.post('/oauth/token', '{"grant_type": "client_credentials"}');
-- parameters in the URI are ignored, because URIs end up in logs
select tell(restful.serve('POST', '/oauth/token?client_id=' || :'robot' || '&client_secret=' || :'secret' || '&grant_type=client_credentials',
    '{"content-type": "application/x-www-form-urlencoded"}', ''));
-- a read-only transaction, as on a standby
begin read only;
select show(send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':' || :'secret'));
select body(send('/oauth/introspect', jsonb_build_object('token', :'token'), :'robot' || ':' || :'secret'))->>'active';
commit;
-- a new secret replaces the old one at once; a dropped client is unknown
\c - postgres
select restful.rotate_client_secret(:'robot') as secret2 \gset
do $$
begin
    perform restful.rotate_client_secret(client_id) from restful.list_clients() where name = 'phone';
exception when undefined_object then
    raise notice 'one that keeps none gets none';
end $$;
\c - layer
select tell(send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':' || :'secret'));
select tell(send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':' || :'secret2'));
\c - postgres
select restful.drop_client(:'robot'), restful.drop_client(:'robot');
\c - layer
select tell(send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':' || :'secret2'));
-- without a signing key
\c - postgres
delete from restful.token_issuer;
select client_id as robot, client_secret as secret from restful.register_client('robot', grant_types => '{client_credentials}', role => 'robots') \gset
\c - layer
select show(send('/oauth/token', '{"grant_type": "client_credentials"}', :'robot' || ':' || :'secret'));
\c - postgres
drop owned by layer, web, robots;
drop role layer, web, robots;
