-- ...relation(column.sum()): the aggregate is computed over the rows that contain the relation, in their groups.
\pset tuples_only on
\pset format unaligned
create role adder login noinherit;
grant anon to adder;
alter role adder set restful.anon_role = 'anon';
alter role adder set restful.schemas = 'library';
alter role adder set restful.aggregates_enabled = on;
\c - adder
select show(restful.serve('GET', '/books?select=...details(pages.sum(),pages.max(),count())'));
select show(restful.serve('GET', '/books?select=author,...details(pages:pages.sum())&order=author'));
select show(restful.serve('GET', '/books?select=...authors!author(by:name),price.sum()&order=authors(by)'));
select show(restful.serve('GET', '/books?select=price.sum(),...authors!author(born.min()::text,...countries(country:name,code.count()))&order=authors(country)'));
select show(restful.serve('GET', '/books?select=author,...details(average:pages::numeric.avg()::int)&order=details(average).desc.nullslast'));
-- filters on the relation decide which values count; with !inner they also decide which rows count
select show(restful.serve('GET', '/books?select=count(),...details(n:pages.count())&details.pages=gt.210'));
select show(restful.serve('GET', '/books?select=count(),...details!inner(n:pages.count())&details.pages=gt.210'));
-- an embedded level has its own groups
select show(restful.serve('GET', '/authors?select=name,books!author(count(),...details(pages.sum()))&order=id'));
select show(restful.serve('GET', '/books?select=id,authors!author(name,count())&id=eq.1'));
select show(restful.serve('GET', '/authors?select=name,countries(count())&order=id&id=gt.2'));
-- rows can be grouped by lists; lists have no groups of their own
select show(restful.serve('GET', '/books?select=count(),...subjects(name)&subjects.order=name&author=eq.1'));
select show(restful.serve('GET', '/books?select=n:count(),...authors!author(books!author(id))&authors.books.order=id&author=eq.1'));
select show(restful.serve('GET', '/authors?select=name,...books!author(price.sum())'));
select show(restful.serve('GET', '/authors?select=name,...books!author(...details(pages.sum()))'));
-- count without parentheses, if there is no column of that name
select show(restful.serve('GET', '/books?select=count'));
select show(restful.serve('GET', '/authors?select=name,books!author(n:count::text)&order=id'));
select show_all(restful.serve('GET', '/books?select=...authors!author(name,count())&order=authors(name)&limit=1', '{"prefer": "count=exact"}'));
-- the setting is also checked for spread relations
\c - authenticator
select show(restful.serve('GET', '/books?select=...details(pages.sum())'));
select show(restful.serve('GET', '/books?select=count'));
\c - postgres
drop owned by adder;
drop role adder;
