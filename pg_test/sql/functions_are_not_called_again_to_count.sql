-- With count=exact, a function that changes something is not called again: its rows are counted as they are returned.
\pset tuples_only on
\pset format unaligned
create table library.calls (at int generated always as identity primary key);
create function library.note() returns setof library.calls language sql as $$ insert into library.calls default values returning * $$;
create function library.five() returns table (n int) language sql volatile as $$ select generate_series(1, 5) $$;
grant select, insert on library.calls to librarian;
\c - librarian
select show_all(restful.serve('POST', '/rpc/note', '{"prefer": "count=exact"}'));
select count(*) from library.calls;
-- also when only a page is returned: it is called once
create temporary table before as select count(*) as n from library.calls;
select show_all(restful.serve('POST', '/rpc/note?limit=1', '{"prefer": "count=exact"}'));
select count(*) - (select n from before) from library.calls;
select show_all(restful.serve('POST', '/rpc/five?limit=2&offset=1&order=n.desc', '{"prefer": "count=exact"}'));
select show_all(restful.serve('POST', '/rpc/five?n=gt.2&select=n', '{"prefer": "count=exact", "range": "1-1"}'));
select show_all(restful.serve('POST', '/rpc/five?offset=5', '{"prefer": "count=exact"}'));
select show_all(restful.serve('POST', '/rpc/five?offset=9', '{"prefer": "count=exact"}'));
select show_all(restful.serve('POST', '/rpc/five?limit=2&select=n', '{"prefer": "count=planned", "accept": "text/csv"}'));
select show_all(restful.serve('POST', '/rpc/five?limit=2', '{}'));
