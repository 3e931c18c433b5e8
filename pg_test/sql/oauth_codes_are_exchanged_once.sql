-- A code can be exchanged once, within a minute, by its own client, with the verifier of its challenge.
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
select client_id as phone from restful.register_client('phone', '{com.example.phone:/back,https://app.example/back?x=1}', scopes => '{read,write}', role => 'web', confidential => false) \gset
select client_id as other from restful.register_client('other', '{com.example.phone:/back}', role => 'web', confidential => false) \gset
select client_id as short, client_secret as secret from restful.register_client('no refresh token', '{com.example.phone:/back}', '{authorization_code}', role => 'web') \gset
-- the application's consent page: any user who is signed in agrees
grant execute on function restful.create_authorization_code(text, text, text, text, text, text, text) to web;
create function library.agree(client_id text, redirect_uri text, code_challenge text, code_challenge_method text default 'plain', scope text default null, state text default null,
    subject text default null) returns text language sql as $$
    select location from restful.create_authorization_code(client_id, subject, redirect_uri, code_challenge, scope, state, code_challenge_method) $$;
create function public.signed_in(sub text) returns jsonb language sql security definer as $$
    select jsonb_build_object('authorization', 'Bearer ' || restful.jwt_sign(jsonb_build_object('iss', 'https://id.example', 'role', 'web', 'sub', sub)), 'content-type', 'application/json') $$;
create function public.agree(arguments jsonb, sub text default 'me') returns restful.http_response language sql as $$
    select restful.serve('POST', '/rpc/agree', signed_in(sub), convert_to('{"redirect_uri": "com.example.phone:/back", "code_challenge_method": "S256",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}'::jsonb || arguments #>> '{}', 'utf8')) $$;
create function public.code(client text, arguments jsonb default '{}') returns text language sql as $$
    select substring(body(agree(jsonb_build_object('client_id', client) || arguments)) #>> '{}' from 'code=([^&]*)') $$;
create function public.exchange(client text, code text, arguments jsonb default '{}', headers jsonb default '{}') returns restful.http_response language sql as $$
    select send('/oauth/token', jsonb_strip_nulls(jsonb_build_object('grant_type', 'authorization_code', 'client_id', client, 'code', code, 'redirect_uri', 'com.example.phone:/back',
        'code_verifier', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk') || arguments), null, headers) $$;
\c - layer
select code(:'phone') as code \gset
select length(:'code');
select body(exchange(:'phone', :'code')) as answer \gset
select (:'answer'::jsonb) - '{access_token,refresh_token}'::text[], length(:'answer'::jsonb ->> 'refresh_token');
select who(:'answer'::jsonb ->> 'access_token');
-- A second exchange is refused and revokes the tokens of the first, although the response is an error.
select show_all(exchange(:'phone', :'code'));
select tell(send('/oauth/token', jsonb_build_object('grant_type', 'refresh_token', 'client_id', :'phone', 'refresh_token', :'answer'::jsonb ->> 'refresh_token')));
-- another client cannot even use the code up
select code(:'phone') as code \gset
select tell(exchange(:'other', :'code'));
select tell(exchange(:'phone', :'code'));
-- a wrong proof uses it up: another redirect URI, another verifier, the challenge itself (method plain), or nothing
select a, tell(exchange(:'phone', c, a)), tell(exchange(:'phone', c))
from unnest(array['{"redirect_uri": "com.example.phone:/back/"}', '{"redirect_uri": "https://app.example/back?x=1"}',
    '{"code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"}',
    '{"code_verifier": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "plain"}']::jsonb[]) a,
    -- one code for each
    code(:'phone', jsonb_build_object('state', a::text)) c;
select a, tell(exchange(:'phone', code(:'phone'), a)) from unnest(array['{"code_verifier": null}', '{"redirect_uri": null}', '{"code": null}', '{"code": "x"}']::jsonb[]) a;
-- Prefer and settings that undo a request do not bring a code back
select code(:'phone') as code \gset
\c - postgres
alter role layer set restful.tx_end = 'rollback-allow-override';
\c - layer
select tell(exchange(:'phone', :'code', '{}', '{"prefer": "tx=rollback"}'));
select tell(exchange(:'phone', :'code', '{}', '{"prefer": "tx=rollback"}'));
\c - postgres
alter role layer reset restful.tx_end;
\c - layer
-- a minute later
select code(:'phone') as code \gset
\c - postgres
update restful.oauth_code set expires_at = expires_at - interval '60 seconds';
\c - layer
select tell(exchange(:'phone', :'code'));
-- a client without refresh tokens gets none, and a second exchange is treated the same
select code(:'short') as code \gset
select send('/oauth/token', jsonb_build_object('grant_type', 'authorization_code', 'code', :'code', 'redirect_uri', 'com.example.phone:/back',
    'code_verifier', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'), :'short' || ':' || :'secret') as answer \gset
select tell(:'answer');
select body(:'answer') ->> 'access_token' as token \gset
select body(send('/oauth/introspect', jsonb_build_object('token', :'token'), :'short' || ':' || :'secret')) ->> 'active';
select tell(send('/oauth/token', jsonb_build_object('grant_type', 'authorization_code', 'code', :'code', 'redirect_uri', 'com.example.phone:/back',
    'code_verifier', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'), :'short' || ':' || :'secret'));
select body(send('/oauth/introspect', jsonb_build_object('token', :'token'), :'short' || ':' || :'secret')) ->> 'active';
-- fewer scopes than the client has
select tell(exchange(:'phone', code(:'phone', '{"scope": "read"}')));
-- where the page sends the user: with the state and the issuer
select regexp_replace(body(agree(jsonb_build_object('client_id', :'phone', 'redirect_uri', 'https://app.example/back?x=1', 'state', 'a&b=ä /'))) #>> '{}', 'code=[^&]*', 'code=...');
-- requests for which no code is created
select a, replace(show(agree(jsonb_build_object('client_id', :'phone') || a)), e'\n', ' ')
from unnest(array['{"client_id": "nobody"}', '{"redirect_uri": "com.example.phone:/back2"}', '{"redirect_uri": null}', '{"code_challenge": null}',
    '{"code_challenge": "short"}', '{"code_challenge_method": "plain"}', '{"code_challenge_method": null}', '{"scope": "read admin"}',
    '{"subject": "somebody else"}']::jsonb[]) a;
-- An app on the user's machine listens on any free port (RFC 8252). Nothing else may differ, and the code is for that port.
\c - postgres
select client_id as tool from restful.register_client('tool', '{http://127.0.0.1/back,http://localhost:8080,https://app.example/back}', role => 'web', confidential => false) \gset
\c - layer
select uri, regexp_replace(split_part(show(agree(jsonb_build_object('client_id', :'tool', 'redirect_uri', uri))), e'\n', 2), 'code=[^&]*', 'code=...')
from unnest(array['http://127.0.0.1/back', 'http://127.0.0.1:50001/back', 'http://localhost:1', 'http://localhost:1?x', 'http://localhost:1@evil.example',
    'http://localhost:1.evil.example', 'http://localhost:', 'http://127.0.0.1:1/', 'http://127x0.0.1:1/back', 'https://app.example:1/back', 'https://127.0.0.1:1/back']) uri;
select uri, tell(exchange(:'tool', code(:'tool', '{"redirect_uri": "http://127.0.0.1:50001/back"}'), jsonb_build_object('redirect_uri', uri)))
from unnest(array['http://127.0.0.1:50001/back', 'http://127.0.0.1:50002/back', 'http://127.0.0.1/back']) uri;
-- A token that a client got for a user cannot create codes, neither for that client nor for another: it would get more scopes and a
-- longer life. An API key cannot either. A token of another issuer may name a client, because its users sign in with such tokens.
select body(exchange(:'phone', code(:'phone', '{"scope": "read"}')))->>'access_token' as token \gset
select show(restful.serve('POST', '/rpc/agree', headers, convert_to(jsonb_build_object('client_id', client, 'redirect_uri', 'com.example.phone:/back',
    'code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'code_challenge_method', 'S256')::text, 'utf8')))
from unnest(array[:'phone', :'other']) client,
    jsonb_build_object('authorization', 'Bearer ' || :'token', 'content-type', 'application/json') headers;
\c - postgres
select key from restful.create_api_key('me', 'web') \gset
select restful.create_signing_key(kid => 'elsewhere', issuer => 'https://elsewhere.example');
select restful.jwt_sign('{"iss": "https://elsewhere.example", "role": "web", "sub": "me", "client_id": "theirs"}', kid => 'elsewhere') as theirs \gset
\c - layer
select regexp_replace(show(restful.serve('POST', '/rpc/agree', jsonb_build_object('authorization', 'Bearer ' || credential, 'content-type', 'application/json'),
    convert_to(jsonb_build_object('client_id', :'phone', 'redirect_uri', 'com.example.phone:/back',
    'code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'code_challenge_method', 'S256')::text, 'utf8'))), 'code=[^&]*', 'code=...')
from unnest(array[:'key', :'theirs']) credential;
-- without a user, and without EXECUTE
select show(restful.serve('POST', '/rpc/agree', '{"content-type": "application/json"}', '{"client_id": "x", "redirect_uri": "x", "code_challenge": "x"}'));
\c - postgres
drop function library.agree;
drop owned by layer, web, robots;
drop role layer, web, robots;
