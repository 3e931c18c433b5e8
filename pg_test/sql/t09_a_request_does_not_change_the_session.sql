-- The HTTP layer uses prepared statements of its session, and keeps the session for other requests. Changes that a request made to
-- the session or to its role would still be in effect after the request.
\pset tuples_only on
\pset format unaligned
create function library.run(command text) returns text language plpgsql as $$
begin
    execute command;
    return 'done as ' || current_user;
end $$;
create function library.run_in_sql() returns void language sql as 'deallocate call';
create function library.lend(command text) returns text language plpgsql security definer as $$
begin
    return library.run(command);
end $$;
create role keeper;
alter role anon set statement_timeout = '5s';
\c - authenticator
prepare call (text, text) as
    select show(restful.serve('POST', '/rpc/' || $1, '{"content-type": "application/json"}', convert_to(jsonb_build_object('command', $2)::text, 'utf8')));
execute call('run', 'deallocate call');
execute call('run', 'deallocate all');
execute call('run', 'prepare call (text, text) as select current_user');
execute call('run', 'do $do$ begin execute ''deallocate call''; end $do$');
execute call('lend', 'deallocate call');
select show(restful.serve('POST', '/rpc/run_in_sql'));
execute call('run', 'listen news');
execute call('run', 'unlisten *');
execute call('run', 'discard temp');
execute call('run', 'discard plans');
select count(*) from pg_prepared_statements where name = 'call';
-- the role's time limit and its other settings
execute call('run', 'alter role anon set statement_timeout = 0');
execute call('run', 'alter role current_user set statement_timeout = 0');
execute call('run', 'alter role current_role reset all');
execute call('run', 'alter role anon in database test_golden set statement_timeout = 0');
-- for other roles, PostgreSQL's own rights decide
execute call('run', 'alter role nobody_here set statement_timeout = 0');
select status from restful.post('/rpc/run', jsonb_build_object('command', 'alter role session_user set statement_timeout = 0'));
execute call('lend', 'alter role keeper set work_mem = ''3MB''');
select setrole::regrole, setconfig from pg_db_role_setting where setrole in ('anon'::regrole, 'keeper'::regrole) order by 1;
-- the session itself may use these commands
execute call('run', 'execute call(''run'', ''listen news'')');
listen news;
unlisten news;
deallocate call;
-- the settings of a login role that is also the role of its requests
\c - librarian
select status from restful.post('/rpc/run', jsonb_build_object('command', 'alter role session_user set statement_timeout = 0'));
select status from restful.post('/rpc/run', jsonb_build_object('command', 'alter role session_user reset all'));
alter role session_user set work_mem = '3MB';
alter role session_user reset work_mem;
\c - postgres
alter role anon reset all;
drop role keeper;
