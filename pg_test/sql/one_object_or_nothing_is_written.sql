-- A write that accepts only one object is undone if it changes another number of rows, even if it returns none.
\pset tuples_only on
\pset format unaligned
\c - librarian
select show(restful.serve('POST', '/subjects', '{"accept": "application/vnd.pgrst.object+json"}', '[{"id": 10, "name": "a"}, {"id": 11, "name": "b"}]'));
select show(restful.serve('PATCH', '/subjects?id=lt.3', '{"accept": "application/vnd.pgrst.object+json"}', '{"name": "x"}'));
select show(restful.serve('DELETE', '/subjects?id=gt.100', '{"accept": "application/vnd.pgrst.object+json", "prefer": "return=minimal"}'));
select show(restful.serve('GET', '/subjects?order=id&select=name'));
select show(restful.serve('PATCH', '/subjects?id=eq.3', '{"accept": "application/vnd.pgrst.object+json"}', '{"name": "x"}'));
select show(restful.serve('GET', '/subjects?id=eq.3'));
