-- No SQL within a request can leave the request's role: not in a DO block, a function, a trigger or a nested function.
\pset tuples_only on
\pset format unaligned
create role service;
grant service to authenticator;
create table library.secrets (word text);
insert into library.secrets values ('swordfish');
grant select on library.secrets to service;
create function library.try(command text) returns text language plpgsql as $$
begin
    execute command;
    return current_user || ' got away with it';
exception when others then
    return format('%s %s, still %s', sqlstate, sqlerrm, current_user);
end $$;
create function library.escape() returns text language sql as $$ select set_config('role', 'service', true) $$;
create function library.escape_by_setting() returns text language sql set role = 'service' as $$ select current_user $$;
create function library.pick() returns setof library.secrets language plpgsql as $$
begin
    perform set_config('role', 'service', true);
    return query select * from library.secrets;
end $$;
create table library.notes (id int);
grant select, insert on library.notes to anon;
create function library.note() returns trigger language plpgsql as $$
begin
    set local role service;
    return new;
end $$;
create trigger note before insert on library.notes for each row execute function library.note();

\c - authenticator
select show(restful.serve('GET', '/secrets'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "set role service"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "set local role service"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "reset role"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "set role none"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "set session authorization service"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "reset session authorization"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "select set_config(''role'', ''service'', false)"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "select set_config(''session_authorization'', ''service'', true)"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "do $d$ begin set role service; end $d$"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "commit"}'));
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "discard all"}'));
-- RESET ALL does not reset the role
select show(restful.serve('POST', '/rpc/try', '{}', '{"command": "reset all"}'));
select show(restful.serve('POST', '/rpc/escape'));
select show(restful.serve('POST', '/rpc/escape_by_setting'));
select show(restful.serve('POST', '/rpc/pick'));
select show(restful.serve('POST', '/notes', '{}', '{"id": 1}'));
-- the session is unchanged and has the same rights as before
select session_user, current_user;
set role service;
select current_user, word from library.secrets;
