-- Dropping the extension leaves nothing behind, so it can be created again, and this server can load its module.
set client_min_messages = warning;
drop extension pg_restful cascade;
select count(*) as functions_left from pg_proc join pg_namespace n on n.oid = pronamespace where nspname = 'restful';
create extension pg_restful;
select extname from pg_extension where extname = 'pg_restful';
load 'pg_restful';
