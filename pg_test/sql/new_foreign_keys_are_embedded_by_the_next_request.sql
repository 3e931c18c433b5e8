-- In one session, with plans cached: adding, duplicating or dropping a foreign key changes what can be embedded.
\pset tuples_only on
\pset format unaligned
create table library.reviews (id int primary key, book int, stars int, reviewer text);
insert into library.reviews values (1, 1, 5, 'ann'), (2, 1, 4, 'ben'), (3, 3, 5, 'ann');
grant select on library.reviews to librarian;
\c - librarian
select show(restful.serve('GET', '/books?select=id,reviews(stars)&id=lt.4'));
select show(restful.serve('GET', '/reviews?select=id,books(title)&order=id'));
select warm('/reviews?select=id,books(title)&order=id');
select as_superuser('alter table library.reviews add constraint reviewed foreign key (book) references library.books');
select show(restful.serve('GET', '/books?select=id,reviews(stars)&id=lt.4'));
select show(restful.serve('GET', '/reviews?select=id,books(title)&order=id'));
select warm('/reviews?select=id,books(title)&order=id');
-- to one, because the column is unique
select as_superuser('delete from library.reviews where id = 2; alter table library.reviews add unique (book)');
select show(restful.serve('GET', '/books?select=id,reviews(stars)&id=lt.4'));
select warm('/books?select=id,reviews(stars)&id=lt.4');
-- a second foreign key
select as_superuser('alter table library.reviews add other int, add constraint compared foreign key (other) references library.books');
select show(restful.serve('GET', '/reviews?select=id,books(title)&order=id'));
select show(restful.serve('GET', '/reviews?select=id,books!reviewed(title)&order=id'));
select warm('/reviews?select=id,books!reviewed(title)&order=id');
select as_superuser('alter table library.reviews drop constraint reviewed');
select show(restful.serve('GET', '/reviews?select=id,books(title)&order=id'));
select warm('/reviews?select=id,books(title)&order=id');
select as_superuser('alter table library.reviews drop constraint compared');
select show(restful.serve('GET', '/reviews?select=id,books(title)&order=id'));
-- a table in between that the request does not name is renamed, and so is its column
select show(restful.serve('GET', '/books?select=id,subjects(name)&id=eq.3'));
select warm('/books?select=id,subjects(name)&id=eq.3');
select as_superuser('alter table library.books_subjects rename to topics');
select show(restful.serve('GET', '/books?select=id,subjects(name)&id=eq.3'));
select warm('/books?select=id,subjects(name)&id=eq.3');
select as_superuser('alter table library.topics rename subject to theme');
select show(restful.serve('GET', '/books?select=id,subjects(name)&id=eq.3'));
select warm('/books?select=id,subjects(name)&id=eq.3');
-- and so is the table at the other end
select as_superuser('alter table library.details rename to facts');
select show(restful.serve('GET', '/books?select=id,facts(pages)&id=eq.3'));
