-- restful.log_deprecated_use: a line of the log for each subject that uses a deprecated version, also where nothing may be written.
\pset tuples_only on
\pset format unaligned
create schema old;
create table old.notes (id int primary key);
grant usage on schema old to anon, alice;
grant select on old.notes to anon, alice;
create role layer login;
grant anon, alice to layer;
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.schemas = 'library';
alter role layer set restful.log_deprecated_use = on;
alter role layer set restful.trusted_authenticators = 'layer';
alter role layer set client_min_messages = 'log';
select restful.version('v1', 'old');
\c - layer
-- a version that is not deprecated is not told
select status from restful.get('/v1/notes');
select as_superuser($$select restful.version('v1', 'old', '2020-01-01')$$);
begin read only;
select status from restful.get('/v1/notes');
select status from restful.get('/v1/notes');
rollback;
select status from restful.get('/notes', '{"accept-profile": "v1"}');
select status from restful.get('/books');
-- a subject cannot begin a line of its own
select set_config('request.jwt.claims', jsonb_build_object('role', 'alice', 'sub', e'eve\nLOG: "x"')::text, false) is not null;
set role alice;
select status from restful.get('/v1/notes');
reset role;
select set_config('request.jwt.claims', '', false);
-- each request of a batch counts
\c - layer
select status from restful.batch('[{"method": "GET", "target": "/v1/notes"}, {"method": "GET", "target": "/v1/notes"}]');
-- off, as it is by default
\c - alice
set client_min_messages = 'log';
select status from restful.get('/v1/notes');
show restful.log_deprecated_use;
\c - postgres
drop owned by layer;
drop role layer;
