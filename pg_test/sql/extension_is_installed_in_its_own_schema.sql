-- The extension is installed in the version of its control file, and only in schema restful.
set client_min_messages = warning;
select extname, nspname, extrelocatable from pg_extension join pg_namespace n on n.oid = extnamespace where extname = 'pg_restful';
select installed_version = default_version as installed_is_default from pg_available_extensions where name = 'pg_restful';
drop extension pg_restful cascade;
create schema elsewhere;
create extension pg_restful schema elsewhere;
