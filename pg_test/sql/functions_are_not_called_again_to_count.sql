-- count=exact of a function that changes something counts what it answered.
\pset tuples_only on
\pset format unaligned
create table library.calls (at int generated always as identity primary key);
create function library.note() returns setof library.calls language sql as $$ insert into library.calls default values returning * $$;
grant select, insert on library.calls to librarian;
\c - librarian
select show_all(restful.serve('POST', '/rpc/note', '{"prefer": "count=exact"}'));
select count(*) from library.calls;
-- of a page the total is not known
select show_all(restful.serve('POST', '/rpc/note?limit=1', '{"prefer": "count=exact"}'));
select count(*) from library.calls;
