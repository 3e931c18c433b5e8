-- A row that row-level security hides gets exactly the same answer as a row that does not exist.
\pset tuples_only on
\pset format unaligned
\c - alice
-- 3 is bob's, 99 does not exist
select show_all(restful.serve('GET', '/loans/3'));
select show_all(restful.serve('GET', '/loans/99'));
select show(restful.serve('PATCH', '/loans/3', '{}', '{"days": 1}'));
select show(restful.serve('PATCH', '/loans/99', '{}', '{"days": 1}'));
select show(restful.serve('DELETE', '/loans/3'));
select show(restful.serve('DELETE', '/loans/99'));
select show_all(restful.serve('GET', '/loans?id=eq.3', '{"prefer": "count=exact"}'));
select show_all(restful.serve('GET', '/loans?id=eq.99', '{"prefer": "count=exact"}'));
select show_all(restful.serve('PATCH', '/loans?id=eq.3', '{"prefer": "return=representation"}', '{"days": 1}'));
select show_all(restful.serve('PATCH', '/loans?id=eq.99', '{"prefer": "return=representation"}', '{"days": 1}'));
-- writes that the policies do not allow are refused
select show(restful.serve('POST', '/loans', '{}', '{"book": 1, "borrower": "bob"}'));
select show(restful.serve('PATCH', '/loans/1', '{}', '{"borrower": "bob"}'));
\c - postgres
select id, borrower, days from library.loans order by id;
