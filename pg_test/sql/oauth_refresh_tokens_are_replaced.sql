-- A refresh token is replaced at each use. If one is used a second time, everything from the same sign-in is revoked.
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
select client_id as app, client_secret as secret from restful.register_client('app', '{https://app.example/back}', scopes => '{read,write}', role => 'web') \gset
select client_id as other, client_secret as other_secret from restful.register_client('other', '{https://app.example/back}', scopes => '{read,write,admin}', role => 'robots') \gset
select client_id as phone from restful.register_client('phone', '{com.example.phone:/back}', role => 'web', confidential => false) \gset
create function public.code(client_id text, subject text default 'me', scope text default null) returns text language sql security definer as $$
    select code from restful.create_authorization_code(client_id, subject, 'https://app.example/back', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', scope, code_challenge_method => 'S256') $$;
create function public.exchange(client text, code text) returns jsonb language sql as $$
    select body(send('/oauth/token', jsonb_build_object('grant_type', 'authorization_code', 'code', code, 'redirect_uri', 'https://app.example/back',
        'code_verifier', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'), client)) $$;
create function public.refresh(client text, token text, more jsonb default '{}') returns restful.http_response language sql as $$
    select send('/oauth/token', jsonb_build_object('grant_type', 'refresh_token', 'refresh_token', token) || more, client) $$;
create function public.introspect(client text, token text) returns jsonb language sql as $$
    select body(send('/oauth/introspect', jsonb_build_object('token', token), client)) - '{exp,iat,jti,sub,client_id}'::text[] $$;
\c - layer
\set app_is :app ':' :secret
\set other_is :other ':' :other_secret
select r->>'refresh_token' as first, r->>'access_token' as access from exchange(:'app_is', code(:'app')) r \gset
select body(refresh(:'app_is', :'first')) as answer \gset
select (:'answer'::jsonb) - '{access_token,refresh_token}'::text[], :'answer'::jsonb ->> 'refresh_token' <> :'first', who(:'answer'::jsonb ->> 'access_token');
select :'answer'::jsonb ->> 'refresh_token' as second \gset
select introspect(:'app_is', :'second'), introspect(:'app_is', :'first'), introspect(:'app_is', :'access');
-- fewer scopes now, all of them again later, but never more; asking for more does not use the token up
select body(refresh(:'app_is', :'second', '{"scope": "read"}')) as answer \gset
select :'answer'::jsonb ->> 'scope';
select :'answer'::jsonb ->> 'refresh_token' as third \gset
select tell(refresh(:'app_is', :'third', '{"scope": "read admin"}'));
-- another client, with its own secret and without
select tell(refresh(:'other_is', :'third')), tell(refresh(null, :'third', jsonb_build_object('client_id', :'phone'))), tell(refresh(:'app' || ':x', :'third'));
select body(refresh(:'app_is', :'third')) as answer \gset
select :'answer'::jsonb ->> 'scope';
select :'answer'::jsonb ->> 'refresh_token' as fourth \gset
-- an access token names its grant, but a refresh token forged from it revokes nothing
select tell(refresh(:'app_is', rtrim(translate(encode(decode(translate(split_part(claims(:'access')->>'jti', '.', 1), '-_', '+/') || '==', 'base64') || sha256('a') || substr(sha256('b'), 1, 16), 'base64'), e'+/\n', '-_'), '=')));
select tell(refresh(:'app_is', :'fourth'));
-- a used token is used again: the newest one is revoked too, and introspection reports the access tokens as inactive
select r->>'refresh_token' as first, r->>'access_token' as access from exchange(:'app_is', code(:'app')) r \gset
select body(refresh(:'app_is', :'first'))->>'refresh_token' as second \gset
select introspect(:'app_is', :'access')->>'active';
select show_all(refresh(:'app_is', :'first'));
select tell(refresh(:'app_is', :'second')), introspect(:'app_is', :'second'), introspect(:'app_is', :'access');
-- another sign-in of the same subject is not affected
select r->>'refresh_token' as first, r->>'access_token' as access from exchange(:'app_is', code(:'app')) r \gset
select r->>'refresh_token' as elsewhere from exchange(:'app_is', code(:'app')) r \gset
-- only its own client can revoke a token; revoking an unknown token succeeds
select show_all(send('/oauth/revoke', jsonb_build_object('token', :'first'), :'other_is'));
select introspect(:'app_is', :'first')->>'active';
select show_all(send('/oauth/revoke', jsonb_build_object('token', :'first', 'token_type_hint', 'refresh_token'), :'app_is'));
select introspect(:'app_is', :'first')->>'active', tell(refresh(:'app_is', :'first')), tell(refresh(:'app_is', :'elsewhere'));
select show(send('/oauth/revoke', '{"token": "unknown"}', :'app_is')), show(send('/oauth/revoke', '{}', :'app_is')), show(send('/oauth/revoke', '{"token": "x"}', :'app' || ':x'));
select show(send('/oauth/revoke', jsonb_build_object('token', :'access'), :'app_is'));
-- introspection: unknown tokens and other clients' refresh tokens are inactive; a client that does not authenticate gets an error
select introspect(:'other_is', :'access'), introspect(:'other_is', 'x'), introspect(:'app_is', 'a.b.c');
select r->>'refresh_token' as first, r->>'access_token' as access from exchange(:'app_is', code(:'app')) r \gset
select introspect(:'other_is', :'first'), introspect(:'other_is', :'access');
select show(send('/oauth/introspect', jsonb_build_object('token', :'access', 'client_id', :'phone'))), show(send('/oauth/introspect', '{}', :'app_is'));
-- A function cannot call the endpoints within a request: it could undo what has to be remembered and still have the answer.
\c - postgres
create function library.undone(form text, path text default '/oauth/token') returns text language plpgsql as $$
declare
    answer restful.http_response;
begin
    begin
        answer := restful.serve('POST', path, '{"content-type": "application/x-www-form-urlencoded"}', convert_to(form, 'utf8'));
        raise division_by_zero;
    exception when division_by_zero then
        return tell(answer);
    end;
end $$;
\c - layer
select r->>'refresh_token' as first from exchange(:'app_is', code(:'app')) r \gset
select show(restful.serve('POST', '/rpc/undone', '{"content-type": "application/json"}', convert_to(jsonb_build_object('form', format(
    'grant_type=refresh_token&refresh_token=%s&token=%1$s&client_id=%s&client_secret=%s', :'first', :'app', :'secret'), 'path', path)::text, 'utf8')))
from unnest('{/oauth/token,/oauth/revoke,/oauth/introspect}'::text[]) path;
select tell(refresh(:'app_is', :'first'));
\c - postgres
drop function library.undone;
-- an administrator signs a user out
\c - postgres
select restful.revoke_grants('somebody else'), restful.revoke_grants('me', 'another'), restful.revoke_grants('me', :'app') > 0, count(*) from restful.oauth_grant;
-- scopes that the client no longer has, and a token that was not used for a long time
\c - layer
select r->>'refresh_token' as first from exchange(:'app_is', code(:'app')) r \gset
\c - postgres
update restful.oauth_client set scopes = '{read}' where client_id = :'app';
\c - layer
select body(refresh(:'app_is', :'first')) as answer \gset
select :'answer'::jsonb ->> 'scope';
select :'answer'::jsonb ->> 'refresh_token' as second \gset
\c - postgres
update restful.oauth_grant set expires_at = now() - interval '1 second';
\c - layer
select tell(refresh(:'app_is', :'second')), introspect(:'app_is', :'second');
-- expired rows are removed
select exchange(:'app_is', code(:'app')) ? 'access_token';
\c - postgres
select count(*) from restful.oauth_grant;
-- No request scans the tables of grants and codes: they grow with the number of users, and anybody can send requests.
\c - layer
set enable_seqscan = off;
begin;
select exchange(:'app_is', code(:'app'))->>'refresh_token' as first \gset
select tell(refresh(:'app_is', :'first')), exchange(:'app_is', 'unknown')->>'error';
select introspect(:'app_is', :'first'), show(send('/oauth/revoke', jsonb_build_object('token', :'first'), :'app_is'));
select relname, seq_scan, idx_scan > 0 from pg_stat_xact_all_tables where relname in ('oauth_grant', 'oauth_code') order by 1;
commit;
\c - postgres
drop owned by layer, web, robots;
drop role layer, web, robots;
