-- Rights on single columns apply to select, filters, order, embedded relations, bodies, and what a write returns.
\pset tuples_only on
\pset format unaligned
create role member login;
alter role member set restful.schemas = 'library';
create table library.people (id int primary key, name text, salary int default 1000, boss int references library.people);
insert into library.people values (1, 'ann', 5000, null), (2, 'ben', 4000, 1);
grant select (id, name, boss), insert (id, name), update (name) on library.people to member;
\c - member
select show(restful.serve('GET', '/people'));
select show(restful.serve('GET', '/people?select=id,name&order=id'));
select show(restful.serve('GET', '/people?select=id,salary'));
select show(restful.serve('GET', '/people?select=id&salary=gt.4500'));
select show(restful.serve('GET', '/people?select=id&or=(id.eq.1,salary.gt.4500)'));
select show(restful.serve('GET', '/people?select=id&order=salary'));
select show(restful.serve('GET', '/people?select=id,boss(name)&order=id'));
select show(restful.serve('GET', '/people?select=id,boss(salary)&order=id'));
select show(restful.serve('GET', '/people?select=id,boss(name)&boss.salary=gt.1'));
select show(restful.serve('GET', '/people?select=id,boss(name)&order=boss(salary)'));
select show(restful.serve('GET', '/people?select=id', '{"prefer": "count=exact"}'));
-- writes
select show(restful.serve('POST', '/people?select=id,name', '{"prefer": "return=representation"}', '{"id": 3, "name": "cem"}'));
select show(restful.serve('POST', '/people', '{"prefer": "return=representation"}', '{"id": 4, "name": "dan"}'));
select show(restful.serve('POST', '/people', '{}', '{"id": 4, "name": "dan", "salary": 9000}'));
select show(restful.serve('POST', '/people?columns=id,name', '{}', '{"id": 4, "name": "dan", "salary": 9000}'));
select show(restful.serve('POST', '/people?columns=id,name,salary', '{"prefer": "missing=default"}', '{"id": 5, "name": "eve"}'));
select show(restful.serve('PATCH', '/people?id=eq.1', '{}', '{"name": "anna"}'));
select show(restful.serve('PATCH', '/people?id=eq.1', '{}', '{"salary": 9000}'));
select show(restful.serve('PATCH', '/people?salary=eq.5000', '{}', '{"name": "anna"}'));
select show(restful.serve('DELETE', '/people?id=eq.1'));
select show(restful.serve('PUT', '/people/1', '{}', '{"id": 1, "name": "x", "salary": 1}'));
select show(restful.serve('POST', '/people', '{"prefer": "resolution=merge-duplicates"}', '{"id": 1, "name": "x"}'));
\c - postgres
select id, name, salary from library.people order by id;
