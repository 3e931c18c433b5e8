-- If several schemas are exposed, Accept-Profile chooses one for reads, Content-Profile for writes; the first is the default.
\pset tuples_only on
\pset format unaligned
create schema v2;
create table v2.books (id int primary key, isbn text);
insert into v2.books values (1, 'v2');
create function v2.version() returns text language sql stable as $$ select current_schema() $$;
grant usage on schema v2 to public;
grant select, insert on v2.books to librarian;
\c - librarian
set restful.schemas = 'library, v2';
select show_all(restful.serve('GET', '/books?id=eq.1&select=title'));
select show_all(restful.serve('GET', '/books?id=eq.1', '{"accept-profile": "v2"}'));
select show_all(restful.serve('POST', '/books', '{"content-profile": "v2", "prefer": "return=representation"}', '{"id": 2, "isbn": "x"}'));
select show(restful.serve('POST', '/rpc/version', '{"content-profile": "v2"}'));
select show(restful.serve('GET', '/rpc/version', '{"accept-profile": "v2"}'));
select show(restful.serve('GET', '/rpc/version'));
select show(restful.serve('GET', '/books', '{"accept-profile": "V2"}'));
select show(restful.serve('GET', '/pg_class', '{"accept-profile": "pg_catalog"}'));
-- PostgreSQL's own schemas and the extension's are never exposed
set restful.schemas = 'pg_catalog, information_schema, restful';
select show(restful.serve('GET', '/pg_class'));
