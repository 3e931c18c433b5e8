-- select=...,relation(...): related rows through foreign keys, in every direction.
\pset tuples_only on
\pset format unaligned
\c - authenticator
-- to one
select show(restful.serve('GET', '/authors?select=name,countries(name)&order=id'));
select show(restful.serve('GET', '/copies?select=id,shelves(*)&order=id'));
-- to many
select show(restful.serve('GET', '/countries?select=code,authors(name)&order=code'));
select show(restful.serve('GET', '/shelves?select=room,number,copies(book)&order=room,number'));
-- many to many
select show(restful.serve('GET', '/books?select=id,subjects(name)&order=id&subjects.order=name'));
select show(restful.serve('GET', '/subjects?select=name,books(id)&order=id&books.order=id'));
-- one to one, from both sides
select show(restful.serve('GET', '/books?select=id,details(pages)&order=id&id=lt.4'));
select show(restful.serve('GET', '/details?select=pages,books(title)&order=book'));
-- nested
select show(restful.serve('GET', '/countries?select=name,authors(name,books!author(title,subjects(name)))&code=eq.pl&authors.books.order=id&authors.books.subjects.order=name'));
-- all columns, no columns, an alias
select show(restful.serve('GET', '/details?select=books(*)&book=eq.3'));
select show(restful.serve('GET', '/details?select=pages,books()&book=eq.3'));
select show(restful.serve('GET', '/details?select=of:books(name:title)&book=eq.3'));
-- by a column of the foreign key
select show(restful.serve('GET', '/books?select=id,author(name),translator(name)&id=in.(3,4)&order=id'));
