-- PUT: the row that the key in the URL names is created, or replaced as a whole.
\pset tuples_only on
\pset format unaligned
create table library.notes (id int primary key, a text default 'x', b int default 7);
grant select, insert, update on library.notes to librarian;
\c - librarian
select show_all(restful.serve('PUT', '/notes?id=eq.1', '{"prefer": "return=representation"}', '{"id": 1, "a": "new", "b": 2}'));
select show_all(restful.serve('PUT', '/notes?id=eq.1', '{"prefer": "return=representation"}', '{"id": 1, "a": "newer", "b": 3}'));
select show_all(restful.serve('PUT', '/notes?id=eq.1', '{}', '{"id": 1, "a": "newest", "b": 4}'));
select show_all(restful.serve('PUT', '/notes?id=eq.2', '{}', '{"id": 2, "a": "second", "b": 4}'));
select show(restful.serve('GET', '/notes?order=id'));
-- by item; the body need not repeat the key
select show_all(restful.serve('PUT', '/notes/3', '{"prefer": "return=representation"}', '{"id": 3, "a": "third", "b": 1}'));
select show(restful.serve('PUT', '/notes/4', '{"prefer": "return=representation"}', '{"a": "fourth", "b": 1}'));
select show(restful.serve('PUT', '/shelves/A,1', '{"prefer": "return=representation"}', '{"room": "A", "number": 1, "capacity": 3}'));
-- another key in the body
select show(restful.serve('PUT', '/notes?id=eq.1', '{}', '{"id": 5, "a": "x", "b": 1}'));
select show(restful.serve('PUT', '/notes/1', '{}', '{"id": 5, "a": "x", "b": 1}'));
-- several rows are refused; of none, none
select show(restful.serve('PUT', '/notes?id=eq.1', '{}', '[{"id": 1, "a": "x", "b": 1}, {"id": 6, "a": "y", "b": 1}]'));
select show(restful.serve('PUT', '/notes?id=eq.1', '{}', '[]'));
-- not by the key
select show(restful.serve('PUT', '/notes', '{}', '{"id": 1}'));
select show(restful.serve('PUT', '/notes?a=eq.x', '{}', '{"id": 1}'));
select show(restful.serve('PUT', '/notes?id=gt.1', '{}', '{"id": 2}'));
select show(restful.serve('PUT', '/notes?id=eq.1&a=eq.x', '{}', '{"id": 1}'));
select show(restful.serve('PUT', '/notes?id=not.eq.1', '{}', '{"id": 1}'));
select show(restful.serve('PUT', '/notes?or=(id.eq.1)', '{}', '{"id": 1}'));
select show(restful.serve('PUT', '/shelves?room=eq.A', '{}', '{"room": "A", "number": 1}'));
select show(restful.serve('PUT', '/notes?id=eq.1&offset=1', '{}', '{"id": 1}'));
select show(restful.serve('GET', '/notes?order=id'));
