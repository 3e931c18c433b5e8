-- Accept chooses an array, one object, and either without nulls.
\pset tuples_only on
\pset format unaligned
\c - authenticator
select show_all(restful.serve('GET', '/authors?id=eq.4', '{"accept": "application/vnd.pgrst.object+json"}'));
select show_all(restful.serve('GET', '/authors?id=eq.4', '{"accept": "application/vnd.pgrst.object+json;nulls=stripped"}'));
select show_all(restful.serve('GET', '/authors?id=eq.4', '{"accept": "application/vnd.pgrst.array+json;nulls=stripped"}'));
select show_all(restful.serve('GET', '/authors?id=eq.4&select=id', '{"accept": "text/html, application/json;q=0.9, */*;q=0.1"}'));
select show_all(restful.serve('GET', '/authors?id=eq.4&select=id', '{"accept": "text/html, */*;q=0.1"}'));
select show(restful.serve('GET', '/authors?id=eq.4', '{"accept": "text/html"}'));
select show(restful.serve('GET', '/authors?id=eq.4', '{"accept": "application/json;q=0"}'));
-- one object: no row and several rows are refused
select show(restful.serve('GET', '/authors?id=gt.1', '{"accept": "application/vnd.pgrst.object+json"}'));
select show(restful.serve('GET', '/authors?id=gt.9', '{"accept": "application/vnd.pgrst.object+json"}'));
\c - librarian
-- a write that creates several rows is undone
select show(restful.serve('POST', '/subjects', '{"accept": "application/vnd.pgrst.object+json", "prefer": "return=representation"}', '[{"id": 10, "name": "a"}, {"id": 11, "name": "b"}]'));
select show(restful.serve('GET', '/subjects?id=gte.10'));
select show(restful.serve('POST', '/subjects', '{"accept": "application/vnd.pgrst.object+json", "prefer": "return=representation"}', '{"id": 10, "name": "a"}'));
