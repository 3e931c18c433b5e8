-- restful.request and its short forms are for people and SQL: bodies are passed and returned as jsonb.
\pset tuples_only on
\pset format unaligned
create function library.nothing() returns void language sql as '';
\c - librarian
select * from restful.get('/subjects?order=id&limit=2');
select status, body from restful.get('/subjects/1');
select status, body->>'code' as code, body->>'message' as message from restful.get('/nothing');
select status, headers->>'content-range' as range, body is null as no_body from restful.head('/subjects', '{"Prefer": "count=exact"}');
select status, headers->>'location' as location, body is null as no_body from restful.post('/subjects', '{"id": 9, "name": "Nine"}', '{"prefer": "return=headers-only"}');
select status, body from restful.patch('/subjects?id=eq.9', '{"name": "Neuf"}', '{"prefer": "return=representation"}');
select status, body from restful.put('/subjects/9', '{"id": 9, "name": "Nove"}', '{"prefer": "return=representation"}');
select status, body from restful.delete('/subjects/9', '{"prefer": "return=representation"}');
select status, body is null as no_body from restful.post('/rpc/nothing');
select status, body from restful.request('GET', '/subjects?id=eq.1');
-- arguments by name, as PostgREST passes them
select status, body from restful.request(method => 'POST', target => '/subjects?select=name', headers => '{"prefer": "return=representation"}', body => '{"id": 10, "name": "Ten"}');
-- numbers keep all their digits
select status, body from restful.post('/rpc/echo', '{"doc": {"n": 12345678901234567890.1234567890, "e": 1e2}}');
select as_superuser('create function library.echo(doc jsonb) returns jsonb language sql immutable as ''select doc''');
select status, body from restful.post('/rpc/echo', '{"doc": {"n": 12345678901234567890.1234567890, "e": 1e2}}');
-- a request for each row, in plain SQL
select name, r.status, jsonb_array_length(r.body) as books from library.subjects s, restful.get('/books_subjects?subject=eq.' || s.id) r where s.id < 4 order by s.id;
