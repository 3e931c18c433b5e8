-- A set is cut to its page, of values as of rows; and a function that changes something is not called again to count.
\pset tuples_only on
\pset format unaligned
create function library.evens(up_to int) returns setof int language sql stable as $$ select generate_series(2, up_to, 2) $$;
create table library.calls (at int generated always as identity primary key);
create function library.note() returns setof library.calls language sql as $$ insert into library.calls default values returning * $$;
grant select, insert on library.calls to librarian;
\c - librarian
select show_all(restful.serve('GET', '/rpc/evens?up_to=10'));
select show_all(restful.serve('GET', '/rpc/evens?up_to=10&limit=2&offset=1'));
select show(restful.serve('POST', '/rpc/evens?limit=1', '{}', '{"up_to": 10}'));
select show_all(restful.serve('GET', '/rpc/evens?up_to=10', '{"prefer": "count=exact"}'));
-- what a page of values leaves out is not counted
select show_all(restful.serve('GET', '/rpc/evens?up_to=10&limit=2', '{"prefer": "count=exact"}'));
select show_all(restful.serve('POST', '/rpc/note', '{"prefer": "count=exact"}'));
select count(*) from library.calls;
-- max_rows caps sets of values too
\c - postgres
alter role librarian set restful.max_rows = 3;
\c - librarian
select show(restful.serve('GET', '/rpc/evens?up_to=10'));
select show(restful.serve('GET', '/rpc/evens?up_to=10&limit=2'));
select show(restful.serve('GET', '/rpc/evens?up_to=10&limit=4'));
