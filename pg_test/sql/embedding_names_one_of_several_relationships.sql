-- Where two relationships join two relations, a request has to say which: by foreign key, column, or table in between.
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
-- two embeds of one name cannot be told apart in filters; aliases can
select show(restful.serve('GET', '/books?select=title,by:authors!author(name)&authors.name=eq.x'));
select show(restful.serve('GET', '/books?select=title,authors!nothing(name)'));
select show(restful.serve('GET', '/books?select=title,nothing(name)'));
-- a table that refers to itself
select show(restful.serve('GET', '/books?select=title,follows(title)&id=eq.6'));
select show(restful.serve('GET', '/books?select=title,books(title)&id=eq.5'));
select show(restful.serve('GET', '/books?select=title,sequels:books!follows(title)&id=in.(5,6)&order=id'));
