-- A role's statement_timeout ends its request with 504 and leaves the caller's own time limit unchanged.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role layer login noinherit;
create role slow;
grant slow to layer;
alter role slow set statement_timeout = '400ms';
alter role layer set restful.anon_role = 'slow';
alter role layer set restful.schemas = 'library';
create function library.sleep(seconds float) returns text language sql as $$ select pg_sleep(seconds); select current_user || ' has slept' $$;
create function library.limit_shown() returns text language sql stable as $$ select current_setting('statement_timeout') $$;
\c - layer
select show(restful.serve('POST', '/rpc/sleep', '{}', '{"seconds": 0.001}'));
select show_all(restful.serve('POST', '/rpc/sleep', '{}', '{"seconds": 60}'));
select show(restful.serve('GET', '/rpc/limit_shown'));
-- no limit is left behind
select pg_sleep(0.6);
show statement_timeout;
-- the caller's own later limit still applies
set statement_timeout = '2s';
do $$
begin
    raise notice '%', show(restful.serve('POST', '/rpc/sleep', '{}', '{"seconds": 60}'));
    raise notice '%', show(restful.serve('POST', '/rpc/sleep', '{}', '{"seconds": 0.001}'));
    perform pg_sleep(60);
end $$;
-- if the caller's own limit ends first, its error is not turned into a response
set statement_timeout = '50ms';
select show(restful.serve('POST', '/rpc/sleep', '{}', '{"seconds": 60}'));
reset statement_timeout;
select show(restful.serve('POST', '/rpc/sleep', '{}', '{"seconds": 0.001}'));
