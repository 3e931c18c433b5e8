-- The registered claims must have the types of RFC 7519, section 4.1, wherever they come from: a subject that is not text is refused.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role web;
create role layer login noinherit;
grant web, anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
create function library.me() returns text language sql stable as $$
    select concat_ws(' ', current_user, restful.user_id(), restful.method(), restful.is_authenticated()) $$;
-- a token with these claims as others sign it: HMAC (RFC 2104) with a secret of 32 bytes
create function public.token(claims text) returns text language plpgsql as $$
declare
    secret bytea := 'reallyreallyreallyreallyverysafe' || decode(repeat('00', 32), 'hex');
    message text := public.base64url('{"alg":"HS256"}') || '.' || public.base64url(convert_to(claims, 'utf8'));
    inner_key bytea := secret;
    outer_key bytea := secret;
begin
    for i in 0..63 loop
        inner_key := set_byte(inner_key, i, get_byte(secret, i) # 54);
        outer_key := set_byte(outer_key, i, get_byte(secret, i) # 92);
    end loop;
    return message || '.' || public.base64url(sha256(outer_key || sha256(inner_key || convert_to(message, 'utf8'))));
end $$;
create function public.base64url(bytes bytea) returns text language sql as $$
    select translate(encode(bytes, 'base64'), E'+/=\n', '-_') $$;
create function public.ask(token text) returns text language sql as $$
    select show(restful.serve('GET', '/rpc/me', jsonb_build_object('authorization', 'Bearer ' || token))) $$;
select restful.load_secret('reallyreallyreallyreallyverysafe', 'ours');
\c - layer
\set of '{"exp": 9999999999, "role": "web"'
select ask(token(:'of' || ', "sub": "42", "iss": "us", "jti": "1", "aud": ["us"], "nbf": 0, "iat": 1.5}'));
-- without a subject, or with an audience of null, which PostgREST accepts
select ask(token(:'of' || ', "aud": null}'));
-- invalid subjects
select ask(token(:'of' || ', "sub": 42}'));
select ask(token(:'of' || ', "sub": null}'));
select ask(token(:'of' || ', "sub": {"id": "42"}}'));
select ask(token(:'of' || ', "sub": ["42"]}'));
select ask(token(:'of' || ', "sub": true}'));
select ask(token(:'of' || ', "sub": ""}'));
select ask(token(:'of' || ', "sub": "' || repeat('x', 256) || '"}'));
-- the other registered claims
select ask(token(:'of' || ', "sub": "42", "iss": 1}'));
select ask(token(:'of' || ', "sub": "42", "iss": null}'));
select ask(token(:'of' || ', "sub": "42", "jti": 1}'));
select ask(token(:'of' || ', "sub": "42", "aud": 1}'));
select ask(token(:'of' || ', "sub": "42", "aud": ["us", 1]}'));
select ask(token(:'of' || ', "sub": "42", "nbf": "0"}'));
select ask(token(:'of' || ', "sub": "42", "iat": null}'));
select ask(token('{"exp": "9999999999", "role": "web", "sub": "42"}'));
-- roles that are not text
select ask(token('{"exp": 9999999999, "role": ["web"], "sub": "42"}'));
select ask(token('{"exp": 9999999999, "role": {"name": "web"}, "sub": "42"}'));
select ask(token('{"exp": 9999999999, "role": 42, "sub": "42"}'));
select show_all(restful.serve('GET', '/rpc/me', jsonb_build_object('authorization', 'Bearer ' || token('{"exp": 9999999999, "role": "web", "sub": 42}'))));
\c - postgres
-- claims that are refused are not signed
select restful.jwt_sign('{"sub": 42}');
select restful.jwt_sign('{"sub": null}');
select restful.jwt_sign('{"sub": ""}');
select restful.jwt_sign('{"iss": 1}');
select restful.jwt_sign('{"jti": []}');
select restful.jwt_sign('{"aud": null}');
select restful.jwt_sign('{"aud": [1]}');
select restful.jwt_sign('{"exp": "tomorrow"}');
select restful.jwt_sign('{"nbf": "now"}');
select restful.jwt_sign('{"iat": null}');
select restful.jwt_sign(jsonb_build_object('sub', '42', 'note', repeat('x', 8000)));
select reason from restful.jwt_check(token('{"exp": 9999999999, "role": ["web"], "sub": "42"}'));
-- nor used by act_as, explain_access or API keys
begin;
select restful.act_as('alice', '{"sub": 42}');
rollback;
select restful.explain_access('library.loans', 'SELECT', 'alice', '{"sub": 42}');
select restful.create_api_key('42', 'web', claims => '{"jti": 1}');
select restful.create_api_key('42', 'web', claims => '{"aud": null}');
-- claims that PostgREST verified, in our requests and in its own queries
create role proxy login;
alter role proxy set restful.trusted_authenticators = 'proxy';
alter role proxy set restful.schemas = 'library';
grant alice to proxy;
\c - proxy
set role alice;
set request.jwt.claims = '{"role": "alice", "sub": "42", "iss": "us"}';
select show(restful.serve('GET', '/rpc/me'));
select restful.user_id(), restful.is_authenticated();
set request.jwt.claims = '{"role": "alice", "sub": 42}';
select show(restful.serve('GET', '/rpc/me'));
select restful.user_id();
select restful.is_authenticated();
select library.me();
\set VERBOSITY sqlstate
select restful.uid();
\set VERBOSITY default
set request.jwt.claims = '{"role": "alice", "sub": "42", "iss": null}';
select show(restful.serve('GET', '/rpc/me'));
select restful.user_id();
-- claims of another role are ignored
set request.jwt.claims = '{"role": "bob", "sub": 42}';
select restful.user_id() is null, restful.method();
\c - postgres
drop owned by layer, web, proxy;
drop role layer, web, proxy;
