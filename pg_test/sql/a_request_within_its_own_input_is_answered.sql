-- The check of a domain runs while the arguments of a request are read, and may make the same request with other arguments.
\pset tuples_only on
\pset format unaligned
create domain library.countdown as int;
create function library.launch(n library.countdown) returns text language sql stable as $$ select 'from ' || n $$;
create function library.is_launched(n int) returns boolean language plpgsql stable as $$
begin
    if n > 0 then
        raise notice '%', show(restful.serve('GET', '/rpc/launch?n=' || n - 1));
    end if;
    return n < 4;
end $$;
alter domain library.countdown add check (library.is_launched(value));
\c - authenticator
select show(restful.serve('GET', '/rpc/launch?n=2'));
select show(restful.serve('GET', '/rpc/launch?n=4'));
select show(restful.serve('GET', '/rpc/launch?n=3'));
