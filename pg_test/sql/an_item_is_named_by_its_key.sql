-- /table/{key}: the row with this primary key, which may have several columns or unusual characters.
\pset tuples_only on
\pset format unaligned
\c - librarian
select show_all(restful.serve('GET', '/books/3?select=title'));
select show_all(restful.serve('HEAD', '/books/3'));
select show(restful.serve('GET', '/books/99'));
select show(restful.serve('GET', '/books/x'));
-- a key of several columns
select show(restful.serve('GET', '/shelves/A,2'));
select show(restful.serve('GET', '/books_subjects/3,2'));
select show(restful.serve('GET', '/shelves/A'));
select show(restful.serve('GET', '/shelves/A,2,3'));
-- a key with unusual characters
select show(restful.serve('POST', '/shelves', '{}', convert_to('{"room": "east, \"up\"", "number": 1}', 'utf8')));
select show(restful.serve('GET', '/shelves/%22east,%20%5C%22up%5C%22%22,1'));
select show(restful.serve('POST', '/shelves', '{}', '{"room": "a/b", "number": 1}'));
select show(restful.serve('GET', '/shelves/a%2Fb,1'));
select show(restful.serve('POST', '/shelves', '{}', '{"room": "", "number": 1}'));
select show(restful.serve('GET', '/shelves/,1'));
-- with related rows
select show(restful.serve('GET', '/books/3?select=title,subjects(name)'));
-- a further filter may exclude the row
select show(restful.serve('GET', '/books/3?year=eq.1961&select=id'));
select show(restful.serve('GET', '/books/3?year=eq.1962&select=id'));
-- writes
select show_all(restful.serve('PATCH', '/books/3?select=id,price', '{"prefer": "return=representation"}', '{"price": 1}'));
select show_all(restful.serve('PATCH', '/books/3', '{}', '{"price": 2}'));
select show_all(restful.serve('PUT', '/shelves/C,1', '{}', '{"room": "C", "number": 1, "capacity": 5}'));
select show_all(restful.serve('PUT', '/shelves/C,1', '{"prefer": "return=representation"}', '{"room": "C", "number": 1, "capacity": 6}'));
select show_all(restful.serve('DELETE', '/shelves/C,1', '{"prefer": "return=representation"}'));
select show_all(restful.serve('DELETE', '/shelves/a%2Fb,1'));
select show(restful.serve('GET', '/shelves?order=room'));
-- the methods that it allows
select show_all(restful.serve('OPTIONS', '/books/3'));
-- a relation without a key has no items
select as_superuser('create view library.novels as select title from library.books where tags @> ''{novel}''; grant select on library.novels to public');
select show(restful.serve('GET', '/novels/1'));
-- an empty object changes nothing, whether the row exists or not
select show_all(restful.serve('PATCH', '/shelves/A,1', '{}', '{}'));
select show(restful.serve('PATCH', '/shelves/A,1?select=room,copies(book)', '{"prefer": "return=representation"}', '{}'));
select show(restful.serve('PATCH', '/shelves/Q,1', '{}', '{}'));
select show(restful.serve('PATCH', '/shelves?room=eq.A', '{"prefer": "return=representation"}', '{}'));
