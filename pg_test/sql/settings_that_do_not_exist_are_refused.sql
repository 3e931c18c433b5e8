-- A misspelt setting is an error, and ALTER SYSTEM and ALTER ROLE know the settings, in every session that has loaded the library.
\pset tuples_only on
\pset format unaligned
\c - alice
select (restful.head('/')).status;
set restful.shemas = 'library';
set local restful.max_row = 1;
select set_config('restful.shemas', 'library', false);
alter role alice set restful.shemas = 'library';
create function pg_temp.f() returns text language sql set restful.shemas = 'library' as 'select 1';
set restful.schemas = 'library';
set restful.dump_secrets = on;
set restful.dump_secrets = perhaps;
-- before the library is loaded, any name is accepted; loading drops unknown names with a warning
\c - alice
set restful.shemas = 'library';
set restful.extra_search_path = 'library';
select (restful.head('/')).status;
show restful.shemas;
show restful.extra_search_path;
-- the same for settings of a role; everybody may load the library by calling a function
\c - postgres
alter role alice set restful.anonrole = 'anon';
\c - alice
alter role alice set restful.schemas = 'library';
select restful.method();
alter role alice set restful.schemas = 'library';
alter role alice set restful.max_rows = 1;
\c - postgres
alter role alice reset restful.anonrole;
-- ALTER SYSTEM right after CREATE EXTENSION, and in another session after LOAD
\c
drop extension pg_restful cascade;
create extension pg_restful;
alter system set restful.max_rows = 1000;
alter system reset restful.max_rows;
\c
load 'pg_restful';
alter system set restful.max_rows = 1000;
alter system set restful.max_rows = -1;
alter system reset restful.max_rows;
-- each setting has its range
\set VERBOSITY sqlstate
set restful.oauth_access_token_lifetime = 0;
\set VERBOSITY default
set restful.tx_end = 'perhaps';
select name, setting, unit, context, short_desc from pg_settings
where name in ('restful.schemas', 'restful.max_body_bytes', 'restful.oauth_refresh_token_lifetime', 'restful.jwt_require_exp', 'restful.tx_end', 'restful.claims')
order by name;
