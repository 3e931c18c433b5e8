-- GET / returns OpenAPI 3.1 (2.0 if requested), with only what the role may use.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
\getenv tests PG_ABS_SRCDIR
\set schema31 `cat :'tests'/openapi/3.1.json`
\set schema20 `cat :'tests'/openapi/2.0.json`

create role clerk login;
alter role clerk set restful.schemas = 'library, archive';
grant select (id, title, price), update (price) on library.books to clerk;
revoke select on library.books from public;
grant insert on library.loans to clerk;
comment on schema library is e'Library\n\nBooks,\nand who has them.';
comment on table library.books is e'Books\nAll that there are.';
comment on column library.books.price is 'In euros.';
create view library.novels as select id, title from library.books where tags @> '{novel}';
grant select on library.novels to public;
alter table library.authors add check (restful.jsonb_matches_schema('{"type": "object", "properties": {"web": {"type": "string"}}}', contact));
create function library.cheapest(genre text, count int default 1) returns setof library.books language sql stable as
    'select * from library.books where tags @> array[genre] order by price limit count';
create function library.forget(book int) returns void language sql as 'delete from library.loans where loans.book = forget.book';
create function library.secret() returns int language sql as 'select 1';
revoke execute on function library.forget, library.secret from public;
grant execute on function library.forget to librarian;
create schema archive;
create table archive.ledgers (id int primary key);
create table archive.pages (ledger int references archive.ledgers, number int, primary key (ledger, number)) partition by list (ledger);
create table archive.pages_1 partition of archive.pages for values in (1);
grant usage on schema archive to clerk;
grant select on all tables in schema archive to clerk;
-- Paths and methods.
create function public.methods(document jsonb) returns setof text language sql as $$
    select path.key || ' ' || (
        select string_agg(method, ' ' order by method) from jsonb_object_keys(path.value) method where method <> 'parameters')
    from jsonb_each(document->'paths') path order by path.key collate "C" $$;

-- each role has its own description
\c - authenticator
select methods(body) from restful.get('/');
\c - clerk
select methods(body) from restful.get('/');
\c - librarian
select methods(body) from restful.get('/');

-- columns according to rights: a clerk reads three and changes one
\c - clerk
select jsonb_pretty(body->'components'->'schemas'->'books') from restful.get('/');
select body->'components'->'schemas'->'books.patch' from restful.get('/');
select jsonb_path_query_array(body, '$.paths."/books".get.parameters[*]."$ref"') from restful.get('/');
select methods(body) from restful.get('/', '{"accept-profile": "archive"}');
select headers->>'content-profile' from restful.get('/', '{"accept-profile": "archive"}');

-- comments, schemas bound to columns, arguments and results
\c - librarian
select body->'info'->>'title', body->'info'->>'description' from restful.get('/');
select body#>>'{paths,/books,get,summary}', body#>>'{paths,/books,get,description}' from restful.get('/');
select body#>'{components,schemas,authors,properties,contact}' from restful.get('/');
select jsonb_pretty(body#>'{paths,/rpc/cheapest}') from restful.get('/');
select body#>'{paths,/rpc/forget,post,requestBody}' from restful.get('/');
select body#>'{paths,"/shelves/{key}",parameters}', body#>'{paths,"/books/{key}",parameters}' from restful.get('/');

-- both versions are valid for every role
\c - authenticator
select count(*) from restful.get('/') r, restful.validate(:'schema31'::jsonb, r.body);
select count(*) from restful.get('/', '{"accept": "application/openapi+json;version=2.0"}') r, restful.validate(:'schema20'::jsonb, r.body);
\c - librarian
select count(*) from restful.get('/') r, restful.validate(:'schema31'::jsonb, r.body);
select count(*) from restful.get('/', '{"accept": "application/openapi+json;version=2.0"}') r, restful.validate(:'schema20'::jsonb, r.body);
select count(*) > 0 from restful.get('/') r, restful.validate(:'schema31'::jsonb, r.body - 'info');

-- negotiation
select version, headers->>'content-type', coalesce(body->>'openapi', body->>'swagger', body->>'code')
from unnest(array['*/*', 'application/openapi+json', 'application/openapi+json;version=3.1', 'application/openapi+json;version=2.0',
    'application/json', 'application/openapi+json;version=4', 'text/csv']) version,
    restful.get('/', jsonb_build_object('accept', version));
select show_all(restful.serve('HEAD', '/'));
select show_all(restful.serve('OPTIONS', '/'));
select show(restful.serve('POST', '/', '{}', '{}'));

-- the next request sees changes
select as_superuser('create table library.maps (id int primary key); grant select on library.maps to librarian');
select body->'paths' ? '/maps' from restful.get('/');
select as_superuser('revoke select on library.maps from librarian');
select body->'paths' ? '/maps' from restful.get('/');
\c - postgres
drop table library.maps;

-- settings
create function library.root() returns json language sql stable as $$ select '{"openapi": "my own"}'::json $$;
grant execute on function library.root to public;
alter role clerk set restful.openapi_version = '2.0';
alter role clerk set restful.openapi_server_proxy_uri = 'https://example.org/api';
alter role clerk set restful.openapi_security_active = on;
alter role librarian set restful.root_spec = 'root';
alter role alice set restful.openapi_mode = 'disabled';
alter role bob set restful.openapi_mode = 'ignore-privileges';
\c - clerk
select body->>'swagger', body->'host', body->'schemes', body->'basePath', body->'security' from restful.get('/');
select jsonb_pretty(body#>'{definitions,books}') from restful.get('/');
select body->'servers', body->'security', body#>'{components,securitySchemes}'
from restful.get('/', '{"accept": "application/openapi+json;version=3.1"}');
set restful.openapi_mode = 'ignore-privileges';
\c - librarian
select show_all(restful.serve('GET', '/'));
select show_all(restful.serve('GET', '/', '{"accept": "application/openapi+json"}'));
select show_all(restful.serve('HEAD', '/'));
select show(restful.serve('GET', '/', '{"accept": "text/csv"}'));
\c - alice
select show(restful.serve('GET', '/'));
select show(restful.serve('OPTIONS', '/'));
\c - bob
select methods(body) from restful.get('/');
select body#>'{components,schemas,books,properties,price}' from restful.get('/');

-- a role that may not use the schema learns nothing about it
\c - postgres
revoke usage on schema library from public;
\c - clerk
select methods(body) from restful.get('/', '{"accept": "application/openapi+json;version=3.1"}');

\c - postgres
alter role librarian reset restful.root_spec;
alter role alice reset restful.openapi_mode;
alter role bob reset restful.openapi_mode;
drop owned by clerk;
drop role clerk;
