-- Prefer: resolution=: rows that exist are updated or left alone; on_conflict names another unique key.
\pset tuples_only on
\pset format unaligned
\c - librarian
select show_all(restful.serve('POST', '/subjects?select=*', '{"prefer": "resolution=merge-duplicates, return=representation"}', '[{"id": 1, "name": "Hate"}, {"id": 9, "name": "Nine"}]'));
select show_all(restful.serve('POST', '/subjects', '{"prefer": "resolution=merge-duplicates, return=representation"}', '{"id": 9, "name": "Neun"}'));
select show_all(restful.serve('POST', '/subjects', '{"prefer": "resolution=merge-duplicates"}', '{"id": 9, "name": "Nueve"}'));
select show_all(restful.serve('POST', '/subjects', '{"prefer": "resolution=ignore-duplicates, return=representation"}', '[{"id": 9, "name": "ignored"}, {"id": 10, "name": "Ten"}]'));
select show_all(restful.serve('POST', '/subjects', '{"prefer": "resolution=ignore-duplicates, return=representation"}', '{"id": 9, "name": "ignored"}'));
select show(restful.serve('GET', '/subjects?id=in.(1,9,10)&order=id'));
-- another unique key
select show(restful.serve('POST', '/countries?on_conflict=name', '{"prefer": "resolution=merge-duplicates, return=representation"}', '{"code": "pz", "name": "Poland"}'));
select show(restful.serve('POST', '/countries?on_conflict=name', '{"prefer": "resolution=ignore-duplicates, return=representation"}', '{"code": "jj", "name": "Japan"}'));
-- a key of several columns; all columns are the key
select show(restful.serve('POST', '/shelves', '{"prefer": "resolution=merge-duplicates, return=representation"}', '[{"room": "A", "number": 1, "capacity": 1}, {"room": "C", "number": 1, "capacity": 2}]'));
select show_all(restful.serve('POST', '/books_subjects', '{"prefer": "resolution=merge-duplicates, return=representation"}', '{"book": 1, "subject": 1}'));
-- columns that the body does not have are left alone
select show(restful.serve('POST', '/shelves?columns=room,number', '{"prefer": "resolution=merge-duplicates, return=representation"}', '{"room": "A", "number": 2}'));
-- one row twice
select show(restful.serve('POST', '/subjects', '{"prefer": "resolution=merge-duplicates"}', '[{"id": 20, "name": "a"}, {"id": 20, "name": "b"}]'));
select show(restful.serve('POST', '/subjects', '{"prefer": "resolution=ignore-duplicates, return=representation"}', '[{"id": 21, "name": "a"}, {"id": 21, "name": "b"}]'));
-- no such key
select show(restful.serve('POST', '/subjects?on_conflict=name', '{"prefer": "resolution=merge-duplicates"}', '{"id": 1, "name": "x"}'));
select show(restful.serve('POST', '/subjects?on_conflict=nothing', '{"prefer": "resolution=merge-duplicates"}', '{"id": 1, "name": "x"}'));
-- without the preference a duplicate is a conflict, and nothing of the body stays
select show(restful.serve('POST', '/subjects', '{}', '[{"id": 30, "name": "x"}, {"id": 1, "name": "x"}]'));
select show(restful.serve('GET', '/subjects?id=gte.20&order=id'));
