-- Whatever is wrong with a request, it gets a 4xx with a code and a helpful message, nothing is written, and the session goes on.
\pset tuples_only on
\pset format unaligned
create table library.things (id int primary key, doc jsonb, raw json, n numeric, t text);
grant select, insert, update, delete on library.things to librarian;
\c - librarian
-- targets
select show(restful.serve('GET', ''));
select show(restful.serve('GET', 'books'));
select show(restful.serve('GET', 'http://example.org/books'));
select show(restful.serve('GET', '//books'));
select show(restful.serve('GET', '/books/1/2'));
select show(restful.serve('GET', '/rpc'));
select show(restful.serve('GET', '/books?id=%'));
select show(restful.serve('GET', '/books?id=%zz'));
select show(restful.serve('GET', e'/books\r\nx: y'));
select show(restful.serve('GET', '/' || repeat('x', 64)));
select show(restful.serve('GET', '/' || repeat('x', 300000)));
select show(restful.serve('GET', null));
-- names
select show(restful.serve('GET', '/book;drop'));
select show(restful.serve('GET', '/books"'));
select show(restful.serve('GET', '/pg_class'));
select show(restful.serve('GET', '/pg_catalog.pg_class'));
select show(restful.serve('GET', '/library.books'));
select show(restful.serve('GET', '/BOOKS'));
select show(restful.serve('GET', '/books?select=id;drop'));
select show(restful.serve('GET', '/books?select=ctid'));
select show(restful.serve('GET', '/books?xmin=eq.1'));
select show(restful.serve('GET', '/books?tableoid=eq.1'));
select show(restful.serve('GET', '/books?order=(select 1)'));
select show(restful.serve('GET', '/books?select=' || repeat('x', 64)));
-- operators
select show(restful.serve('GET', '/books?id=1'));
select show(restful.serve('GET', '/books?id=is.1'));
select show(restful.serve('GET', '/books?id=equals.1'));
select show(restful.serve('GET', '/books?id=eq'));
select show(restful.serve('GET', '/books?id=not.not.eq.1'));
select show(restful.serve('GET', '/books?id=eq(some).1'));
select show(restful.serve('GET', '/books?id=in.1,2'));
select show(restful.serve('GET', '/books?id=in.(1,2'));
select show(restful.serve('GET', '/books?title=in.("x)'));
select show(restful.serve('GET', '/books?id=eq.x'));
select show(restful.serve('GET', '/books?id=in.(1,x)'));
select show(restful.serve('GET', '/books?id=in.(1,)'));
select show(restful.serve('GET', '/books?id=like.1'));
select show(restful.serve('GET', '/books?title=match.('));
select show(restful.serve('GET', '/books?tags=cs.x'));
select show(restful.serve('GET', '/books?id=eq(any).1'));
-- casts
select show(restful.serve('GET', '/books?select=title::int'));
select show(restful.serve('GET', '/books?select=title::regproc'));
select show(restful.serve('GET', '/books?select=title::text;drop'));
select show(restful.serve('GET', '/books?select=title::numeric(1)'));
select show(restful.serve('GET', '/books?id::text=eq.1'));
-- headers
select show(restful.serve('GET', '/books', '"x"'));
select show(restful.serve('GET', '/books', '{"a b": "x"}'));
select show(restful.serve('GET', '/books', '{"x": {"y": 1}}'));
select show(restful.serve('GET', '/books', '{"x": "a\r\nb: c"}'));
select show(restful.serve('GET', '/books', '{"x": ["a", "b\nc"]}'));
select show(restful.serve('GET', '/books?select=id&id=eq.1', null));
select show(restful.serve('GET', '/books?select=id&id=eq.1', 'null'));
select show(restful.serve('GET', '/books?select=id&id=eq.1', '{"accept": "", "prefer": ",,;=", "range": "", "x": null, "y": 1}'));
-- preferences: unknown ones are ignored, unless handling is strict
select show(restful.serve('GET', '/books?select=id&id=eq.1', '{"prefer": "count=none, x=y"}'));
select show(restful.serve('GET', '/books?select=id&id=eq.1', '{"prefer": "handling=strict, count=none, x=y"}'));
select show(restful.serve('GET', '/books?select=id&id=eq.1', '{"prefer": "timezone=\"''; drop table library.books; --\""}'));
-- nothing was written
select count(*) from library.things;
