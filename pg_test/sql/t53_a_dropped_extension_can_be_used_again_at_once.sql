-- DROP and CREATE EXTENSION in a session that has made requests, and in a transaction: the next request works.
\pset tuples_only on
\pset format unaligned
set restful.schemas = 'library';
select show_all(restful.serve('GET', '/subjects?id=eq.1'));
drop extension pg_restful;
select restful.get('/subjects');
create extension pg_restful;
select show_all(restful.serve('GET', '/subjects?id=eq.1'));
select * from restful.get('/subjects?id=eq.2');
select * from restful.post('/subjects', '{"id": 9, "name": "Nine"}');
begin;
drop extension pg_restful;
rollback;
select * from restful.get('/subjects?id=eq.9');
begin;
drop extension pg_restful;
create extension pg_restful;
select * from restful.get('/subjects?id=eq.9');
rollback;
select * from restful.get('/subjects?id=eq.9');
