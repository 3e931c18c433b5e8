-- Requests in one transaction with different identities, one of which fails: the role, claims and settings of one request do not
-- reach the next one or the caller.
\pset tuples_only on
\pset format unaligned
create role proxy login noinherit;
alter role proxy set restful.trusted_authenticators = 'proxy';
alter role proxy set restful.anon_role = 'anon';
alter role proxy set restful.schemas = 'library';
grant alice, bob, anon to proxy;
create function library.who() returns jsonb language sql as $$
    select jsonb_build_object('user', current_user, 'claims', current_setting('request.jwt.claims', true)::jsonb,
        'verified', nullif(current_setting('restful.claims'), ''), 'path', current_setting('request.path'),
        'mark', current_setting('my.mark', true), 'zone', current_setting('timezone'), 'work_mem', current_setting('work_mem'))
$$;
create function library.mark() returns jsonb language plpgsql as $$
begin
    perform set_config('my.mark', 'left by ' || current_user, false);
    perform set_config('timezone', 'Asia/Tokyo', false);
    set work_mem = '77MB';
    perform set_config('request.jwt.claims', '{"sub": "forged"}', false);
    perform set_config('response.status', '418', false);
    perform set_config('response.headers', '[{"x-mark": "1"}]', false);
    return library.who();
end $$;
create function library.mark_and_fail() returns jsonb language plpgsql as $$
begin
    perform library.mark();
    raise 'over';
end $$;
\c - proxy
begin;
set local role alice;
set local request.jwt.claims = '{"role": "alice", "sub": "a"}';
select show(restful.serve('POST', '/rpc/who'));
select show_all(restful.serve('POST', '/rpc/mark'));
select show(restful.serve('POST', '/rpc/who'));
select show(restful.serve('POST', '/rpc/mark_and_fail'));
select current_user, current_setting('request.jwt.claims'), current_setting('restful.claims') = '';
set local role bob;
set local request.jwt.claims = '{"role": "bob", "sub": "b"}';
select show(restful.serve('POST', '/rpc/who'));
reset role;
set local request.jwt.claims = '';
select show(restful.serve('POST', '/rpc/who'));
select current_user, current_setting('request.path', true), current_setting('my.mark', true), current_setting('response.status', true);
commit;
select current_user, current_setting('timezone'), current_setting('work_mem'), current_setting('request.jwt.claims') = '';
