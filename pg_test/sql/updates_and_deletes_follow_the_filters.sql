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
