-- OPTIONS tells what a resource supports; HEAD is GET without the body.
\pset tuples_only on
\pset format unaligned
create view library.novels as select id, title from library.books where tags @> '{novel}';
create view library.per_author as select author, count(*) from library.books group by author;
create materialized view library.frozen as select 1 as one;
grant select on library.novels, library.per_author, library.frozen to public;
create function library.pure() returns int language sql immutable as 'select 1';
create function library.impure() returns int language sql volatile as 'select 1';
\c - authenticator
select show_all(restful.serve('OPTIONS', '/books'));
select show_all(restful.serve('OPTIONS', '/books/1'));
select show_all(restful.serve('OPTIONS', '/novels'));
select show_all(restful.serve('OPTIONS', '/per_author'));
select show_all(restful.serve('OPTIONS', '/frozen'));
select show_all(restful.serve('OPTIONS', '/rpc/pure'));
select show_all(restful.serve('OPTIONS', '/rpc/impure'));
select show_all(restful.serve('OPTIONS', '/'));
select show(restful.serve('OPTIONS', '/nothing'));
select show(restful.serve('OPTIONS', '/rpc/nothing'));
select show_all(restful.serve('HEAD', '/books?select=id'));
select show_all(restful.serve('HEAD', '/rpc/pure'));
-- views are read like tables
select show(restful.serve('GET', '/novels?id=gt.1'));
select show(restful.serve('GET', '/per_author?order=author&count=gt.1'));
select show(restful.serve('GET', '/frozen'));
