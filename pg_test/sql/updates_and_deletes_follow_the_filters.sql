-- PATCH and DELETE change only the rows that the filters choose.
\pset tuples_only on
\pset format unaligned
\c - librarian
select show_all(restful.serve('PATCH', '/shelves?room=eq.A', '{}', '{"capacity": 1}'));
select show_all(restful.serve('PATCH', '/shelves?room=eq.A&select=number', '{"prefer": "return=representation, count=exact"}', '{"capacity": 2}'));
select show_all(restful.serve('PATCH', '/shelves?room=eq.A', '{"prefer": "return=headers-only"}', '{"capacity": 2}'));
select show_all(restful.serve('PATCH', '/shelves?or=(number.eq.2,room.eq.B)&order=room&select=room', '{"prefer": "return=representation"}', '{"capacity": 3}'));
-- no matching row
select show_all(restful.serve('PATCH', '/shelves?room=eq.Z', '{}', '{"capacity": 1}'));
select show_all(restful.serve('PATCH', '/shelves?room=eq.Z', '{"prefer": "return=representation"}', '{"capacity": 1}'));
-- nothing to change
select show_all(restful.serve('PATCH', '/shelves?room=eq.A', '{}', '{}'));
select show_all(restful.serve('PATCH', '/shelves?room=eq.A', '{"prefer": "return=representation"}', '{}'));
-- only these columns; a missing one gets its default
select show(restful.serve('PATCH', '/shelves?room=eq.B&columns=capacity', '{"prefer": "return=representation"}', '{"capacity": 9, "room": "Z"}'));
select show(restful.serve('PATCH', '/shelves?room=eq.B&columns=capacity', '{"prefer": "return=representation, missing=default"}', '{}'));
select show(restful.serve('PATCH', '/shelves?room=eq.B', '{}', '{"nothing": 1}'));
-- a value that cannot be read is refused whether or not a row matches, each time, and also where a trigger runs
select show(restful.serve('PATCH', '/shelves?room=eq.' || room, '{}', '{"capacity": "x"}'))
from (values (1, 'B'), (2, 'Z'), (3, 'Z'), (4, 'Z'), (5, 'B')) v(at, room) order by at;
select show(restful.serve('PATCH', '/shelves?room=eq.Z', '{"prefer": "return=representation"}', '{"capacity": "x"}'));
select show(restful.serve('PATCH', '/shelves?room=eq.Z&order=number&limit=1', '{}', '{"capacity": "x"}'));
select show(restful.serve('PATCH', '/shelves?room=eq.Z', '{"content-type": "text/csv"}', convert_to(E'capacity\nx', 'utf8')));
select as_superuser('create function keep() returns trigger language plpgsql as $f$ begin return new; end $f$; create trigger keep before update on library.shelves for each row execute function keep()');
select show(restful.serve('PATCH', '/shelves?room=eq.' || room, '{}', '{"capacity": "x"}'))
from (values (1, 'B'), (2, 'Z')) v(at, room) order by at;
select as_superuser('drop trigger keep on library.shelves; drop function keep()');
-- an array with one object counts as that object
select show(restful.serve('PATCH', '/shelves?room=eq.B', '{"prefer": "return=representation"}', '[{"capacity": 8}]'));
-- limited by max-affected
select show(restful.serve('PATCH', '/shelves?room=eq.A', '{"prefer": "handling=strict, max-affected=1"}', '{"capacity": 0}'));
select show_all(restful.serve('PATCH', '/shelves?room=eq.A', '{"prefer": "handling=strict, max-affected=2"}', '{"capacity": 5}'));
select show_all(restful.serve('PATCH', '/shelves?room=eq.A', '{"prefer": "handling=lenient, max-affected=1"}', '{"capacity": 6}'));
select show(restful.serve('DELETE', '/copies?id=lt.3', '{"prefer": "handling=strict, max-affected=1"}'));
select show(restful.serve('GET', '/shelves?order=room,number'));
-- delete
select show_all(restful.serve('DELETE', '/copies?id=eq.1'));
select show_all(restful.serve('DELETE', '/copies?book=eq.1&select=id,book', '{"prefer": "return=representation, count=exact"}'));
select show_all(restful.serve('DELETE', '/copies?id=eq.99'));
select show(restful.serve('DELETE', '/authors?id=eq.1'));
-- without filters, all rows are deleted
select show_all(restful.serve('DELETE', '/copies', '{"prefer": "count=exact"}'));
select show(restful.serve('GET', '/copies'));
-- the right to write a column does not include filtering by it
select as_superuser('create role clerk login; grant usage on schema library to clerk; grant update (capacity) on library.shelves to clerk; alter role clerk set restful.schemas = ''library''; revoke select on library.shelves from public');
\c - clerk
select show(restful.serve('PATCH', '/shelves?room=eq.A', '{}', '{"capacity": 0}'));
select show(restful.serve('PATCH', '/shelves', '{}', '{"number": 0}'));
select show(restful.serve('PATCH', '/shelves', '{}', '{"capacity": 0}'));
