-- restful.max_rows limits the rows of a page or an embedded list; the caller cannot raise it.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
grant anon to layer;
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.schemas = 'library';
alter role layer set restful.max_rows = 2;
\c - layer
set restful.max_rows = 100;
select show_all(restful.serve('GET', '/books?select=id&order=id'));
select show(restful.serve('GET', '/books?select=id&order=id&limit=5'));
select show(restful.serve('GET', '/books?select=id&order=id&limit=1'));
select show_all(restful.serve('GET', '/books?select=id&order=id', '{"prefer": "count=exact"}'));
-- count=estimated: exact up to the limit, above it the planner's estimate
select show_all(restful.serve('GET', '/books?select=id&order=id', '{"prefer": "count=estimated"}'));
-- the next request is counted in the way that it asks for
select headers ->> 'content-range' from restful.serve('GET', '/books?select=year', '{"prefer": "count=estimated"}');
select headers ->> 'content-range' from restful.serve('GET', '/books?select=year', '{"prefer": "count=exact"}');
select show_all(restful.serve('GET', '/books?select=id&id=lt.3', '{"prefer": "count=estimated"}'));
select show(restful.serve('GET', '/subjects?select=id,books(id)&id=eq.1&books.order=id'));
-- rows of functions are limited too
select as_superuser('create function library.numbers() returns setof int language sql stable as ''select generate_series(1, 9)''');
select as_superuser('create function library.all_books() returns setof library.books language sql stable as ''select * from library.books order by id''');
select show(restful.serve('GET', '/rpc/numbers'));
select show(restful.serve('GET', '/rpc/all_books?select=id'));
