-- A partition is not exposed itself: its rows are read, written, embedded and described through the partitioned table.
\pset tuples_only on
\pset format unaligned
create table library.visits (id int, day date, author int references library.authors, primary key (id, day)) partition by range (day);
create table library.visits_2020 partition of library.visits for values from ('2020-01-01') to ('2021-01-01');
create table library.visits_2021 (day date not null, id int not null, author int);
insert into library.visits values (1, '2020-05-05', 1);
insert into library.visits_2021 values ('2021-01-01', 2, 1);
grant select on library.visits, library.visits_2020, library.visits_2021 to public;
grant insert on library.visits, library.visits_2020 to librarian;
create view library.early_visits as select id, author from library.visits_2020;
grant select on library.early_visits to public;
\c - librarian
select show(restful.serve('GET', '/visits?select=id,authors(name)'));
select show(restful.serve('GET', '/authors?select=name,visits(id)&id=eq.1'));
select show(restful.serve('GET', '/visits_2020'));
select show(restful.serve('POST', '/visits_2020', '{}', '{"id": 3, "day": "2020-06-06"}'));
select show(restful.serve('OPTIONS', '/visits_2020'));
select show(restful.serve('GET', '/authors?select=visits_2020(id)'));
select show(restful.serve('GET', '/authors?select=...visits_2020(id)'));
-- a view of a partition is exposed like any view
select show(restful.serve('GET', '/early_visits'));
-- a table is exposed until it becomes a partition, and again after it is detached
select warm('/visits_2021');
select show(restful.serve('GET', '/visits_2021?select=id'));
select as_superuser('alter table library.visits attach partition library.visits_2021 for values from (''2021-01-01'') to (''2022-01-01'')');
select show(restful.serve('GET', '/visits_2021?select=id'));
select show(restful.serve('GET', '/visits?select=id&order=id'));
select as_superuser('alter table library.visits detach partition library.visits_2021');
select show(restful.serve('GET', '/visits_2021?select=id'));
