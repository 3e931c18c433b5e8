-- In one session, with plans cached: each request sees the views as they are now.
\pset tuples_only on
\pset format unaligned
create table library.reviews (id int, book int references library.books, other int references library.books);
insert into library.reviews values (1, 1, 3);
create view library.opinions as select book from library.reviews;
create view library.voices as select book as of from library.opinions;
grant select on library.opinions, library.voices to librarian;
\c - librarian
select show(restful.serve('GET', '/voices?select=books(title)'));
select warm('/voices?select=books(title)');
-- the view in between is replaced and shows another column
select as_superuser('create or replace view library.opinions as select other as book from library.reviews');
select show(restful.serve('GET', '/voices?select=books(title)'));
select warm('/voices?select=books(title)');
-- one more column
select as_superuser('create or replace view library.opinions as select other as book, book as first, id from library.reviews');
select show(restful.serve('GET', '/opinions?select=books(title)'));
select show(restful.serve('GET', '/opinions?select=books!first(title)'));
select warm('/opinions?select=books!first(title)');
select as_superuser('alter view library.opinions rename column first to initial');
select show(restful.serve('GET', '/opinions?select=books!first(title)'));
select show(restful.serve('GET', '/opinions?select=books!initial(title)'));
-- the table gets a primary key
select show(restful.serve('GET', '/opinions/1?select=id'));
select as_superuser('alter table library.reviews add primary key (id)');
select show(restful.serve('GET', '/opinions/1?select=id'));
select as_superuser('alter table library.reviews rename id to number');
select show(restful.serve('GET', '/opinions/1?select=id'));
select as_superuser('alter table library.reviews drop constraint reviews_pkey');
select show(restful.serve('GET', '/opinions/1?select=id'));
-- the table's foreign key is dropped
select warm('/voices?select=books(title)');
select as_superuser('alter table library.reviews drop constraint reviews_other_fkey');
select show(restful.serve('GET', '/voices?select=books(title)'));
select as_superuser('alter table library.reviews add foreign key (other) references library.books');
select show(restful.serve('GET', '/voices?select=books(title)'));
-- a column becomes an expression
select warm('/voices?select=books(title)');
select as_superuser('create or replace view library.voices as select book + 0 as of from library.opinions');
select show(restful.serve('GET', '/voices?select=books(title)'));
-- a second view between two tables
select show(restful.serve('GET', '/books?select=subjects(name)&id=eq.1'));
select warm('/books?select=subjects(name)&id=eq.1');
select as_superuser('create view library.topics as select book, subject from library.books_subjects; grant select on library.topics to librarian');
select show(restful.serve('GET', '/books?select=subjects(name)&id=eq.1'));
select show(restful.serve('GET', '/books?select=subjects!topics(name)&id=eq.1'));
select as_superuser('drop view library.topics');
select show(restful.serve('GET', '/books?select=subjects(name)&id=eq.1'));
-- a view that reads itself
select as_superuser('create view library.a as select id from library.books; create view library.b as select id from library.a;
    create or replace view library.a as select id from library.b; grant select on library.a to librarian');
select show(restful.serve('GET', '/a?select=id'));
select show(restful.serve('GET', '/a?select=books(title)'));
