-- In one session, with plans cached: grants, policies and row-level security switched on or off apply to the very next request.
\pset tuples_only on
\pset format unaligned
create table library.things (id int primary key, owner text);
insert into library.things values (1, 'anon'), (2, 'other');
grant select, insert on library.things to anon;
\c - authenticator
select show(restful.serve('GET', '/things'));
select warm('/things');
-- a right is revoked
select as_superuser('revoke select on library.things from anon');
select show(restful.serve('GET', '/things'));
select warm('/things');
select as_superuser('grant select (id) on library.things to anon');
select show(restful.serve('GET', '/things'));
select show(restful.serve('GET', '/things?select=id'));
select warm('/things?select=id');
select as_superuser('grant select on library.things to anon');
select show(restful.serve('GET', '/things'));
select warm('/things');
-- row-level security
select as_superuser('alter table library.things enable row level security');
select show(restful.serve('GET', '/things'));
select warm('/things');
select as_superuser('create policy own on library.things using (owner = current_user)');
select show(restful.serve('GET', '/things'));
select show(restful.serve('POST', '/things', '{}', '{"id": 3, "owner": "other"}'));
select as_superuser('alter policy own on library.things using (true) with check (true)');
select show(restful.serve('GET', '/things'));
select show(restful.serve('POST', '/things', '{}', '{"id": 3, "owner": "other"}'));
select as_superuser('drop policy own on library.things');
select show(restful.serve('GET', '/things'));
select warm('/things');
select as_superuser('alter table library.things disable row level security');
select show(restful.serve('GET', '/things'));
select warm('/things');
-- the right to use the schema
select as_superuser('revoke usage on schema library from public');
select show(restful.serve('GET', '/things'));
select warm('/things');
select as_superuser('grant usage on schema library to public');
select show(restful.serve('GET', '/things'));
select warm('/things');
-- a right of a role that the request's role is a member of
select as_superuser('create role readers; grant select on library.loans to readers; drop policy own on library.loans; create policy all_rows on library.loans using (true)');
select show(restful.serve('GET', '/loans?select=id'));
select warm('/loans?select=id');
select as_superuser('grant readers to anon');
select show(restful.serve('GET', '/loans?select=id'));
select warm('/loans?select=id');
select as_superuser('revoke readers from anon');
select show(restful.serve('GET', '/loans?select=id'));
