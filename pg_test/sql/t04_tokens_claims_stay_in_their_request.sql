-- T04, T06: the claims of a token are available in its request, cannot be changed there, and are gone afterwards.
\pset tuples_only on
\pset format unaligned
create role web;
create role layer login noinherit;
grant web, anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
select restful.create_signing_key(kid => 'one');
create function public.auth(sub text) returns jsonb language sql security definer as $$
    select jsonb_build_object('authorization', 'Bearer ' || restful.jwt_sign(jsonb_build_object('role', 'web', 'sub', sub))) $$;
create function library.me() returns text language sql stable as $$ select concat_ws(' ', current_user, restful.user_id(), restful.method()) $$;
create function library.tamper() returns text language plpgsql as $$
begin
    reset all;
    perform set_config('request.jwt.claims', '{"role": "web", "sub": "victim"}', false);
    begin perform set_config('restful.claims', '{"sub": "victim"}', false); exception when insufficient_privilege then null; end;
    begin perform set_config('restful.method', null, false); exception when insufficient_privilege then null; end;
    begin perform set_config('role', 'layer', false); exception when others then null; end;
    return library.me();
end $$;
create function library.fail() returns text language plpgsql as $$ begin perform set_config('a.b', restful.user_id(), false); raise 'no'; end $$;
\c - layer
select show(restful.serve('POST', '/rpc/tamper', auth('42')));
begin;
select show(restful.serve('GET', '/rpc/me', auth('1')));
select show(restful.serve('POST', '/rpc/fail', auth('2')));
select show(restful.serve('GET', '/rpc/me'));
select show(restful.serve('GET', '/rpc/me', auth('3')));
select library.me(), current_setting('restful.claims') = '' as no_claims, current_setting('a.b', true);
commit;
\c - postgres
drop owned by layer, web;
drop role layer, web;
