-- If two relationships connect two relations, a request has to choose one: by foreign key, column, or table in between.
\pset tuples_only on
\pset format unaligned
\c - authenticator
select show_all(restful.serve('GET', '/books?select=title,authors(name)'));
select show(restful.serve('GET', '/authors?select=name,books(title)'));
select show(restful.serve('GET', '/books?select=title,authors!author(name)&id=eq.4'));
select show(restful.serve('GET', '/books?select=title,authors!translator(name)&id=eq.4'));
select show(restful.serve('GET', '/books?select=title,authors!books_translator_fkey(name)&id=eq.4'));
select show(restful.serve('GET', '/books?select=title,by:authors!author(name),from:authors!translator(name)&id=eq.4'));
select show(restful.serve('GET', '/authors?select=name,books!translator(title)&id=eq.4'));
select show(restful.serve('GET', '/books?select=title,subjects!books_subjects(name)&id=eq.1'));
-- filters cannot tell two embedded relations of the same name apart; aliases can
select show(restful.serve('GET', '/books?select=title,by:authors!author(name)&authors.name=eq.x'));
select show(restful.serve('GET', '/books?select=title,authors!nothing(name)'));
select show(restful.serve('GET', '/books?select=title,nothing(name)'));
-- a table that refers to itself
select show(restful.serve('GET', '/books?select=title,follows(title)&id=eq.6'));
select show(restful.serve('GET', '/books?select=title,books(title)&id=eq.5'));
select show(restful.serve('GET', '/books?select=title,sequels:books!follows(title)&id=in.(5,6)&order=id'));
-- a view of it: both directions use the same key, and the view's column tells which
\c - postgres
create view library.book_list as select id, title, follows from library.books;
create table library.friends (one int references library.authors, other int references library.authors, primary key (one, other));
insert into library.friends values (1, 2), (1, 3);
grant select on library.book_list, library.friends to public;
\c - authenticator
select show(restful.serve('GET', '/book_list?select=title,books(title)&id=in.(5,6)&order=id'));
select show(restful.serve('GET', '/book_list?select=title,earlier:books!follows(title),later:books!id(title)&id=in.(5,6)&order=id'));
-- the same table on both sides of a table in between, whose foreign keys tell which
select show(restful.serve('GET', '/authors?select=name,authors!friends(name)&id=lt.3&order=id'));
select show(restful.serve('GET', '/authors?select=name,likes:authors!friends_other_fkey(name),liked_by:authors!friends_one_fkey(name)&id=lt.3&order=id&likes.order=name'));
-- all hints have to match
select show(restful.serve('GET', '/authors?select=name,authors!friends!friends_one_fkey(name)&id=eq.2'));
select show(restful.serve('GET', '/books?select=title,authors!author!books_translator_fkey(name)&id=eq.4'));
select show(restful.serve('GET', '/books?select=title,authors!author!inner!left(name)&id=eq.4'));
