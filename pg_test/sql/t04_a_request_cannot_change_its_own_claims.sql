-- Within a request the verified claims cannot be changed, not even by RESET ALL, DISCARD or set_config.
\pset tuples_only on
\pset format unaligned
create role proxy login;
alter role proxy set restful.trusted_authenticators = 'proxy';
alter role proxy set restful.schemas = 'library';
grant alice to proxy;
create function library.try(command text) returns text language plpgsql as $$
begin
    begin
        execute command;
    exception when others then
        return format('%s %s; claims: %s', sqlstate, sqlerrm, current_setting('restful.claims'));
    end;
    return 'done; claims: ' || current_setting('restful.claims');
end $$;
\c - proxy
set role alice;
set request.jwt.claims = '{"role": "alice", "sub": "42"}';
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "select 1"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "reset all"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "reset restful.claims"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "set restful.claims = 7"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "set local restful.claims = 7"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "select set_config(''restful.claims'', null, true)"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "select set_config(''restful.claims'', ''7'', false)"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "discard all"}'));
-- and nothing of them is left afterwards
select current_setting('restful.claims') = '' as none, current_setting('request.jwt.claims') as own;
