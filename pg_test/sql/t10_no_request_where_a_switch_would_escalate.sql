-- A request is refused where it would run with the rights of somebody who did not intend that.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create schema traps authorization alice;
grant usage on schema traps to public;
create table library.payroll (pay int);
insert into library.payroll values (1000);
create function library.who() returns text language sql as $$ select current_user::text $$;
\c - alice
create function traps.ask() returns int language sql immutable as $$ select (restful.serve('GET', '/payroll')).status $$;
-- a materialized view, refreshed by a superuser
create materialized view traps.view as select traps.ask() as status with no data;
-- an index expression, built by a superuser
create table traps.t (a int);
insert into traps.t values (1);
-- a SECURITY DEFINER function
create function traps.definer() returns text language sql security definer as $$ select show(restful.serve('GET', '/payroll')) $$;
\c - postgres
refresh materialized view traps.view;
create index on traps.t ((a + traps.ask()));
create function library.definer() returns text language sql security definer as $$ select show(restful.serve('GET', '/payroll')) $$;
\c - bob
select traps.definer();
select library.definer();
-- through a request
\c - authenticator
select show(restful.serve('POST', '/rpc/definer'));
