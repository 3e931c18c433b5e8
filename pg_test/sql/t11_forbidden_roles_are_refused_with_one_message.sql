-- A role that a request may not take is refused with the same message, whatever the reason: superuser, a role of PostgreSQL's,
-- BYPASSRLS, not granted, does not exist, not a name.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
alter role layer set restful.schemas = 'library';
create role root superuser;
create role seeall bypassrls;
create role stranger;
create role "Mixed";
create role closed;
create function library.who() returns text language sql stable as $$ select current_user::text $$;
grant root, seeall, "Mixed", pg_read_all_data, anon to layer;
-- granted without SET; before PostgreSQL 16, which has no such option, not granted
do $$ begin
    if current_setting('server_version_num')::int >= 160000 then
        execute 'grant closed to layer with set false';
    end if;
end $$;
alter role layer set restful.anon_role = 'anon';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'root';
\c - layer
select show_all(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'pg_read_all_data';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'seeall';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'stranger';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'closed';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'nobody_of_this_name';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'none';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
-- names are used exactly as written
\c - postgres
alter role layer set restful.anon_role = 'mixed';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'Mixed';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
-- a name of more than 63 bytes is not truncated to an existing name
\c - postgres
create role a23456789_123456789_123456789_123456789_123456789_123456789_123;
grant a23456789_123456789_123456789_123456789_123456789_123456789_123 to layer;
alter role layer set restful.anon_role = 'a23456789_123456789_123456789_123456789_123456789_123456789_123';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
\c - postgres
alter role layer set restful.anon_role = 'a23456789_123456789_123456789_123456789_123456789_123456789_1234';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
-- BYPASSRLS is allowed if the role is listed
\c - postgres
alter role layer set restful.anon_role = 'seeall';
alter role layer set restful.bypassrls_roles = 'other, seeall';
\c - layer
select show(restful.serve('GET', '/rpc/who'));
