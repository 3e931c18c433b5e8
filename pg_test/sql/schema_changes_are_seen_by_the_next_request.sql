-- In one session, with plans cached: the very next request sees a change of the schema.
\pset tuples_only on
\pset format unaligned
create table library.things (id int primary key, a text);
insert into library.things values (1, 'x');
grant select, insert on library.things to librarian;
\c - librarian
select show(restful.serve('GET', '/things'));
select show(restful.serve('GET', '/things?select=id,a&a=eq.x'));
select warm('/things?select=id,a&a=eq.x');
-- a column is added
select as_superuser('alter table library.things add b int default 7');
select show(restful.serve('GET', '/things'));
select show(restful.serve('GET', '/things?b=eq.7&select=b'));
select show(restful.serve('POST', '/things', '{"prefer": "return=representation"}', '{"id": 2, "b": 8}'));
-- renamed
select as_superuser('alter table library.things rename b to c');
select show(restful.serve('GET', '/things'));
select show(restful.serve('GET', '/things?b=eq.7&select=b'));
select show(restful.serve('POST', '/things', '{}', '{"id": 3, "b": 8}'));
-- its type is changed
select as_superuser('alter table library.things alter c type text using c || ''!''');
select show(restful.serve('GET', '/things?c=eq.7!'));
select warm('/things?c=eq.7!');
-- dropped
select as_superuser('alter table library.things drop c');
select show(restful.serve('GET', '/things'));
select show(restful.serve('GET', '/things?select=c'));
select warm('/things?select=c');
-- a default changes
select as_superuser('alter table library.things alter a set default ''fresh''');
select show(restful.serve('POST', '/things', '{"prefer": "return=representation"}', '{"id": 4}'));
-- the table is renamed
select as_superuser('alter table library.things rename to items');
select show(restful.serve('GET', '/things'));
select show(restful.serve('GET', '/items?select=id'));
select warm('/items?select=id');
-- another table takes its name
select as_superuser('create table library.things (word text); insert into library.things values (''new''); grant select on library.things to librarian');
select show(restful.serve('GET', '/things'));
select warm('/things');
-- dropped, and created again
select as_superuser('drop table library.things');
select show(restful.serve('GET', '/things'));
select warm('/things');
select as_superuser('create view library.things as select 1 as one; grant select on library.things to librarian');
select show(restful.serve('GET', '/things'));
select warm('/things');
select as_superuser('create or replace view library.things as select 1 as one, 2 as two');
select show(restful.serve('GET', '/things'));
-- items need a primary key
select show(restful.serve('GET', '/items/1'));
select warm('/items/1');
select as_superuser('alter table library.items drop constraint things_pkey');
select show(restful.serve('GET', '/items/1'));
-- within a transaction, and after it is rolled back
begin;
select as_superuser('alter table library.items add d int default 1');
select show(restful.serve('GET', '/items?id=eq.1'));
rollback;
select show(restful.serve('GET', '/items?id=eq.1'));
select warm('/items?id=eq.1');
-- the schema is renamed
select as_superuser('alter schema library rename to archive');
select show(restful.serve('GET', '/items?id=eq.1'));
set restful.schemas = 'archive';
select show(restful.serve('GET', '/items?id=eq.1'));
