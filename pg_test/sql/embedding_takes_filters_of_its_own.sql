-- Embedded relations are filtered, sorted and paged on their own; with !inner, they also filter the rows that embed them.
\pset tuples_only on
\pset format unaligned
\c - authenticator
select show(restful.serve('GET', '/authors?select=name,books!author(title)&books.year=gt.1962&order=id&books.order=id'));
select show(restful.serve('GET', '/authors?select=name,books!author(title)&order=id&books.order=year.desc&books.limit=1'));
select show(restful.serve('GET', '/authors?select=name,books!author(title)&order=id&books.order=year&books.limit=1&books.offset=1'));
select show(restful.serve('GET', '/authors?select=name,books!author(title)&books.or=(year.lt.1816,year.gt.1979)&order=id'));
select show(restful.serve('GET', '/authors?select=name,books!author(title)&books.not.and=(year.gt.1816,year.lt.1979)&order=id&books.order=id'));
select show(restful.serve('GET', '/authors?select=name,written:books!author(title)&written.year=gt.1979&order=id'));
-- inner and left
select show(restful.serve('GET', '/authors?select=name,books!author!inner(title)&books.year=gt.1979'));
select show(restful.serve('GET', '/authors?select=name,books!author!left(title)&books.year=gt.1979&order=id'));
select show(restful.serve('GET', '/countries?select=name,authors!inner(books!author!inner(title))&authors.books.title=eq.Emma'));
select show(restful.serve('GET', '/books?select=id,subjects!inner()&subjects.name=eq.Space&order=id'));
select show_all(restful.serve('GET', '/books?select=id,subjects!inner()&subjects.name=eq.Space&order=id&limit=1', '{"prefer": "count=exact"}'));
-- with and without related rows
select show(restful.serve('GET', '/books?select=id,details()&details=is.null&order=id'));
select show(restful.serve('GET', '/books?select=id,details()&details=not.is.null&order=id'));
select show(restful.serve('GET', '/authors?select=id,books!author()&books=is.null'));
select show(restful.serve('GET', '/books?select=id,subjects(),details()&or=(subjects.is.null,details.is.null)&order=id'));
select show(restful.serve('GET', '/subjects?select=name,books()&books=is.null'));
-- order by a related column
select show(restful.serve('GET', '/books?select=id,authors!author(name)&order=authors(name),id'));
select show(restful.serve('GET', '/books?select=id,a:authors!author(name)&order=a(born).desc,id&limit=3'));
select show(restful.serve('GET', '/books?select=id,details(pages)&order=details(pages).desc.nullslast,id'));
