-- A function that is marked parallel safe but makes a request fails, where a worker cannot begin a subtransaction (up to PostgreSQL
-- 17; PostgreSQL 18 answers it). The session and the transaction go on.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create function library.books_status(int) returns int language sql parallel safe as $$ select (restful.serve('GET', '/books')).status $$;
create table library.many as select generate_series(1, 1000) as id;
alter table library.many set (parallel_workers = 2);
grant select on library.many to public;
analyze library.many;
\c - alice
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
begin;
savepoint one;
select sum(library.books_status(id)) from library.many;
rollback to one;
set local parallel_leader_participation = off;
select sum(library.books_status(id)) from library.many;
rollback;
select 'still here';
