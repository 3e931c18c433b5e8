-- restful.claims contains the verified claims. A SQL user cannot set it in any way.
\pset tuples_only on
\pset format unaligned
\c - alice
-- any request loads the library
select (restful.head('/')).status;
set restful.claims = '{"sub": "bob"}';
set local restful.claims = '{"sub": "bob"}';
select set_config('restful.claims', '{"sub": "bob"}', false);
alter role alice set restful.claims = '{"sub": "bob"}';
create function pg_temp.f() returns text language sql set restful.claims = '{"sub": "bob"}' as 'select 1';
reset restful.claims;
select current_setting('restful.claims') = '' as is_unset;
-- nor the settings that decide who is trusted and as which role requests run
set restful.anon_role = 'librarian';
set restful.trusted_authenticators = 'alice';
set restful.bypassrls_roles = 'alice';
set restful.pre_request = 'library.hook';
