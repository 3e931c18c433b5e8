-- Neither an error nor the description of the API names columns, parameters or tables that the role may not use.
\pset tuples_only on
\pset format unaligned
create role clerk login;
alter role clerk set restful.schemas = 'library';
create table library.vault (secret_room text, secret_box int, primary key (secret_room, secret_box));
create table library.secret_files (id int primary key);
alter table library.loans add column file int references library.secret_files;
create function library.estimate(of int) returns int language sql stable as 'select 1';
create function library.estimate(of text) returns int language sql stable as 'select 2';
create function library.estimate(of library.secret_files) returns int language sql stable as 'select 3';
revoke execute on function library.estimate(library.secret_files) from public;
create function library.burn(of library.secret_files) returns int language sql stable as 'select 3';
create function library.burn(of library.vault) returns int language sql stable as 'select 3';
revoke execute on function library.burn(library.secret_files), library.burn(library.vault) from public;
grant select on library.loans to clerk;
\c - clerk
-- a key of two columns
select show(restful.serve('GET', '/vault/1'));
select show(restful.serve('PUT', '/vault/1', '{}', '{}'));
select show(restful.serve('GET', '/shelves/1'));
-- overloads
select show(restful.serve('GET', '/rpc/estimate?of=1'));
select show(restful.serve('GET', '/rpc/burn?of=1'));
-- notes on foreign keys, in OpenAPI 2.0
select document #>> '{definitions,loans,properties,file,description}', document #>> '{definitions,loans,properties,book,description}'
from (select convert_from(body, 'utf8')::jsonb as document from restful.serve('GET', '/', '{"accept": "application/openapi+json;version=2.0"}')) r;
select convert_from(body, 'utf8') like '%secret%' from unnest('{3.1,2.0}'::text[]) version,
    restful.serve('GET', '/', jsonb_build_object('accept', 'application/openapi+json;version=' || version));
\c - postgres
drop owned by clerk;
drop role clerk;
