-- What a write or a function returns can embed relations as a table can.
\pset tuples_only on
\pset format unaligned
create function library.books_of(who int) returns setof library.books language sql stable as $$ select * from library.books where author = who order by id $$;
create function library.first_book() returns library.books language sql stable as $$ select * from library.books where id = 1 $$;
\c - librarian
select show(restful.serve('POST', '/copies?select=room,books(title,authors!author(name)),shelves(capacity)', '{"prefer": "return=representation"}', '{"book": 3, "room": "A", "number": 1}'));
select show(restful.serve('PATCH', '/books?id=eq.3&select=year,subjects(name)', '{"prefer": "return=representation"}', '{"year": 1962}'));
select show(restful.serve('PATCH', '/books?id=lt.4&select=id,details!inner(pages)&details.pages=gt.300', '{"prefer": "return=representation"}', '{"price": 5}'));
select show(restful.serve('DELETE', '/details?book=eq.1&select=pages,books(title)', '{"prefer": "return=representation"}'));
select show(restful.serve('GET', '/rpc/books_of?who=1&select=title,subjects(name)'));
select show(restful.serve('GET', '/rpc/books_of?who=2&select=title,details(pages)&id=eq.3'));
select show(restful.serve('GET', '/rpc/first_book?select=title,authors!author(name)'));
