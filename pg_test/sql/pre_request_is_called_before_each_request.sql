-- restful.pre_request names a function that runs before each request with its role. It can refuse the request and set response headers.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
grant anon to layer;
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.schemas = 'library';
create schema private;
create table private.log (who text, path text);
create function private.check() returns void language plpgsql security definer as $$
begin
    if current_setting('request.headers')::json->>'x-block' is not null then
        raise 'blocked' using errcode = 'PT429', hint = 'wait';
    end if;
    perform set_config('response.headers', '[{"x-checked": "yes"}]', true);
    perform set_config('my.tenant', 'acme', true);
    if current_setting('transaction_read_only') = 'off' then
        insert into private.log values (session_user, current_setting('request.path'));
    end if;
end $$;
create function library.tenant() returns text language sql stable as $$ select current_setting('my.tenant') || ' ' || current_user $$;
create function library.boom() returns void language plpgsql as $$ begin raise 'boom'; end $$;
grant usage on schema private to anon;
alter role layer set restful.pre_request = 'private.check';
\c - layer
select show_all(restful.serve('GET', '/rpc/tenant'));
select show_all(restful.serve('GET', '/subjects?id=eq.1'));
select show_all(restful.serve('GET', '/subjects', '{"x-block": "1"}'));
select show(restful.serve('POST', '/rpc/tenant'));
-- its changes are undone if the request fails
select show(restful.serve('POST', '/rpc/boom'));
select current_setting('my.tenant', true) = '' as gone;
\c - postgres
select * from private.log;
-- a function that does not exist, or that the role may not call
alter role layer set restful.pre_request = 'private.nothing';
\c - layer
select show(restful.serve('GET', '/subjects?id=eq.1'));
\c - postgres
alter role layer set restful.pre_request = 'private.check';
revoke usage on schema private from anon;
\c - layer
select show(restful.serve('GET', '/subjects?id=eq.1'));
\c - postgres
alter role layer set restful.pre_request = 'x(); drop table library.subjects; --';
\c - layer
select show(restful.serve('GET', '/subjects?id=eq.1'));
