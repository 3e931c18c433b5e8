-- A function whose only argument is a row of a relation is a column of it. If it returns rows of a relation, it embeds them.
\pset tuples_only on
\pset format unaligned
create function library.label(library.books) returns text stable language sql as $$ select $1.title || ' (' || $1.year || ')' $$;
create function library.facts(library.books) returns jsonb stable language sql as $$ select jsonb_build_object('old', $1.year < 1900, 'n', array[$1.id]) $$;
create function library.words(library.books) returns tsvector stable language sql as $$ select to_tsvector('english', $1.title) $$;
create function library.parts(library.books) returns text[] stable language sql as $$ select string_to_array($1.title, ' ') $$;
-- in the extra search path: they count as columns, not as relationships
create function public.publisher(library.books) returns setof library.authors rows 1 stable language sql as 'select * from library.authors';
create function public.initial(library.authors) returns text stable language sql as $$ select left($1.name, 1) $$;
-- relationships: to many, to one, to one or nothing, and one that replaces the relationship by key
create function library.siblings(library.books) returns setof library.books stable language sql as
    $$ select * from library.books where author = $1.author and id <> $1.id $$;
create function library.writer(library.books) returns setof library.authors rows 1 stable language sql as
    $$ select * from library.authors where id = $1.author $$;
create function library.editor(library.books) returns library.authors stable language sql as
    $$ select * from library.authors where id = $1.translator $$;
create function library.copies(library.books) returns setof library.copies stable language sql as
    $$ select * from library.copies where book = $1.id and room = 'A' $$;
create function library.lent(library.books) returns setof library.loans stable language sql as $$ select * from library.loans where book = $1.id $$;
create function library.many(library.books) returns setof int stable language sql as $$ select generate_series(1, 2) $$;
create function library.two(library.books, int) returns int stable language sql as $$ select $2 $$;
-- a table with the column names that a statement uses for its tables
create table library.odd (id int primary key, t0 int, t1 text, written int, "?row" int);
insert into library.odd values (1, 2, 'three', 4, 5);
create function library.sum_of(library.odd) returns int stable language sql as $$ select $1.t0 + $1.written $$;
create function library.others(library.odd) returns setof library.odd stable language sql as $$ select * from library.odd where id = $1.id $$;
grant select, update on library.odd to librarian;
-- rows of a composite type that does not belong to a table
create type library.hit as (doc int, score float8, tags text[]);
create function library.rank10(library.hit) returns int immutable language sql as 'select ($1.score * 10)::int';
create function library.tag_count(library.hit) returns jsonb immutable language sql as $$ select jsonb_build_object('n', cardinality($1.tags)) $$;
create function public.near(library.hit) returns boolean immutable language sql as 'select $1.score > 0.4';
create domain library.good_hit as library.hit check ((value).score > 0);
create function library.find() returns setof library.hit stable language sql as
    $$ values (1, 0.5::float8, '{a}'::text[]), (2, 0.3, '{a,b}'), (3, 0.9, '{}') $$;
create function library.best() returns library.hit stable language sql as $$ select (3, 0.9, '{}')::library.hit $$;
create function library.good() returns setof library.good_hit stable language sql as $$ select (3, 0.9, '{}')::library.good_hit $$;
create function library.find_out(out doc int, out score float8) returns setof record stable language sql as $$ values (1, 0.5::float8) $$;
-- overloads that make a call ambiguous
create function library.grade(library.hit) returns int immutable language sql as 'select 1';
create function library.grade(library.hit, of int default 1) returns int immutable language sql as 'select 2';
create function library.grade(library.books) returns int immutable language sql as 'select 3';
create function library.grade(library.books, of int default 1) returns int immutable language sql as 'select 4';
\c - librarian
-- a column: selected, by its name alone, renamed, cast, with a path; in filters and order
select show_all(restful.serve('GET', '/books?select=label&id=lt.3&order=id'));
select show(restful.serve('GET', '/books?select=*,l:label,facts->old,first:facts->n->0,parts->0&id=eq.3'));
select show(restful.serve('GET', '/books?select=id,l:label,facts->old,first:facts->n->0,parts->0,facts::text&id=lt.3&order=id'));
select show(restful.serve('GET', '/books?select=id&label=like.Emma*'));
select show(restful.serve('GET', '/books?select=id&facts->>old=eq.true&order=label.desc'));
select show(restful.serve('GET', '/books?select=id&words=fts(english).hearing'));
select show(restful.serve('GET', '/books?select=id&label=fts(english).hearing'));
select show(restful.serve('GET', '/books?select=id&or=(label.eq.x,facts->old.eq.true)&order=id'));
-- it is not among the columns that are returned by default
select show(restful.serve('GET', '/books?id=eq.1'));
-- a column of an embedded row, and of a row that a function returns
select show(restful.serve('GET', '/authors?select=name,initial,books!author(label)&books.label=like.P*&id=eq.1'));
select as_superuser('create function library.older(year int) returns setof library.books stable language sql as $f$ select * from library.books b where b.year < $1 $f$');
select show(restful.serve('GET', '/rpc/older?year=1900&select=label,siblings(label)&order=label'));
-- a column of the rows of a function, of a type that does not belong to a table
select show(restful.serve('GET', '/rpc/find?select=doc,rank10'));
select show(restful.serve('GET', '/rpc/find?select=*,r:rank10::text,tag_count->n,near&rank10=gt.4&order=rank10.desc'));
select show(restful.serve('GET', '/rpc/find?near=is.true&order=tag_count->n&limit=1', '{"prefer": "count=exact"}'));
select show(restful.serve('GET', '/rpc/find?select=doc&or=(rank10.eq.3,near.is.true)&order=doc.desc', '{"accept": "text/csv"}'));
select show(restful.serve('POST', '/rpc/find?select=doc,rank10&limit=1', '{"prefer": "count=exact"}'));
select show(restful.serve('GET', '/rpc/best?select=doc,rank10'));
select show(restful.serve('GET', '/rpc/good?select=doc,rank10'));
select show(restful.serve('GET', '/rpc/find'));
select show(restful.serve('GET', '/rpc/find?select=label'));
select show(restful.serve('GET', '/rpc/find_out?select=doc,rank10'));
select show(restful.serve('GET', '/rpc/find?select=grade'));
select show(restful.serve('GET', '/books?select=grade'));
-- relationships
select show(restful.serve('GET', '/books?select=title,siblings(title)&id=lt.4&order=id'));
select show(restful.serve('GET', '/books?select=title,siblings!inner(title)&siblings.title=eq.Emma', '{"prefer": "count=exact"}'));
select show(restful.serve('GET', '/books?select=title,writer(name,initial)&id=lt.3&order=writer(name),id'));
select show(restful.serve('GET', '/books?select=title,...writer(by:name)&id=eq.1'));
select show(restful.serve('GET', '/books?select=title,editor(name)&id=in.(3,4)&order=id'));
select show(restful.serve('GET', '/books?select=title,editor!inner(name)'));
select show(restful.serve('GET', '/books?select=title,copies(room)&id=lt.4&order=id'));
select show(restful.serve('GET', '/books?select=id,writer(books!author(siblings(id)))&id=eq.1'));
select show(restful.serve('GET', '/books?select=...siblings(id)&order=id'));
-- functions that are neither
select show(restful.serve('GET', '/books?select=many'));
select show(restful.serve('GET', '/books?select=two'));
select show(restful.serve('GET', '/books?select=label(id)'));
select show(restful.serve('GET', '/books?select=publisher(name)'));
select show(restful.serve('GET', '/authors?select=label'));
-- in writes
select show(restful.serve('POST', '/books?select=label', '{"prefer": "return=representation"}', '{"id": 20, "title": "New", "author": 1, "year": 2000}'));
select show(restful.serve('POST', '/books?select=*,label,siblings(id)&siblings.order=id', '{"prefer": "return=representation"}', '{"id": 21, "title": "Newer", "author": 1, "year": 2001}'));
select show(restful.serve('PATCH', '/books?label=like.New*&select=l:label,writer(name)&order=label.desc', '{"prefer": "return=representation"}', '{"year": 2002}'));
select show(restful.serve('DELETE', '/books?label=like.New*&select=label&order=label', '{"prefer": "return=representation"}'));
-- names that look like those in the statement
select show(restful.serve('GET', '/odd?select=t0,sum_of,others(t1,sum_of)'));
select show(restful.serve('PATCH', '/odd?id=eq.1&select=*,sum_of', '{"prefer": "return=representation"}', '{"t0": 3}'));
select show(restful.serve('PATCH', '/odd?id=eq.1&select=t1,sum_of,others(t1)&order=t0', '{"prefer": "return=representation"}', '{"t0": 4}'));
-- the function runs as the role of the request, under the policies, and needs EXECUTE
\c - alice
select show(restful.serve('GET', '/books?select=id,lent(borrower)&id=in.(1,4)&order=id'));
\c - librarian
select as_superuser('revoke execute on function library.label(library.books) from public');
select show(restful.serve('GET', '/books?select=label&id=eq.1'));
select show(restful.serve('GET', '/books?select=title&label=eq.x'));
select as_superuser('grant execute on function library.label(library.books) to librarian');
select warm('/books?select=label&id=eq.1');
select show(restful.serve('GET', '/books?select=label&id=eq.1'));
-- replaced, moved, dropped, hidden by a column
select as_superuser('create or replace function library.label(library.books) returns text stable language sql as ''select upper($1.title)''');
select show(restful.serve('GET', '/books?select=label&id=eq.1'));
select warm('/books?select=label&id=eq.1');
select as_superuser('alter function library.label(library.books) rename to tag');
select show(restful.serve('GET', '/books?select=label&id=eq.1'));
select show(restful.serve('GET', '/books?select=tag&id=eq.1'));
select as_superuser('alter table library.books add tag text default ''column''');
select show(restful.serve('GET', '/books?select=tag&id=eq.1'));
-- a relationship by key, before and after a function replaces it
select show(restful.serve('GET', '/books?select=details(pages)&id=eq.1'));
select warm('/books?select=details(pages)&id=eq.1');
select as_superuser('create function library.details(library.books) returns setof library.details rows 1 stable language sql as ''select $1.id, 0, null::text''');
select show(restful.serve('GET', '/books?select=details(pages)&id=eq.1'));
select warm('/books?select=details(pages)&id=eq.1');
select as_superuser('drop function library.details(library.books)');
select show(restful.serve('GET', '/books?select=details(pages)&id=eq.1'));
