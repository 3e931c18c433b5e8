-- ...relation(columns): the columns of a to-one relation become columns of the row; those of a to-many relation become lists.
\pset tuples_only on
\pset format unaligned
\c - authenticator
select show(restful.serve('GET', '/books?select=title,...details(pages,isbn)&order=id&id=in.(1,2)'));
select show(restful.serve('GET', '/books?select=title,...authors!author(by:name,...countries(country:name))&id=in.(1,3)&order=id'));
select show(restful.serve('GET', '/books?select=title,...authors!author(by:name,countries(name))&id=eq.1'));
select show(restful.serve('GET', '/books?select=title,...details!inner(pages)&details.pages=gt.300'));
select show(restful.serve('GET', '/books?select=title,...details(*)&id=eq.1'));
select show(restful.serve('GET', '/books?select=title,...details()&details=is.null&order=id'));
-- to-many: lists, which are empty if there is no row
select show(restful.serve('GET', '/subjects?select=name,...books(title)&id=in.(2,4)&order=id&books.order=title'));
select show(restful.serve('GET', '/subjects?select=name,...books!inner(title)&id=in.(2,4)&order=id&books.order=title.desc'));
select show(restful.serve('GET', '/authors?select=name,...books!author(*)&id=eq.1&books.order=id'));
-- null values stay in their place
select show(restful.serve('GET', '/authors?select=...books!author(titles:title,prices:price)&id=eq.3&books.order=id'));
-- filters, order and pages choose what is listed
select show(restful.serve('GET', '/authors?select=name,...books!author(title,year)&books.year=gt.1815&books.order=year.desc&books.limit=1&order=id'));
select show(restful.serve('GET', '/authors?select=name,...books!author(title)&books.year=gt.1815&books=not.is.null&books.order=id&order=id'));
select show(restful.serve('GET', '/authors?select=name,...books!author()&books=is.null'));
-- nested spreads: a to-one gives values, a to-many a list of lists; embedded relations stay whole
select show(restful.serve('GET', '/authors?select=name,...books!author(title,...details(pages))&id=eq.2&books.order=id'));
select show(restful.serve('GET', '/authors?select=name,...books!author(title,...subjects(about:name))&id=eq.2&books.order=id&books.subjects.order=name'));
select show(restful.serve('GET', '/authors?select=name,...books!author(title,details(pages),copies(room))&id=eq.2&books.order=id'));
select show(restful.serve('GET', '/copies?select=id,...books(title,...authors!author(by:name,...books!author(all:title)))&id=eq.1&books.authors.books.order=id'));
-- a name that occurs twice stays twice
select show(restful.serve('GET', '/books?select=id,...authors!author(writer:id,name,...countries(country:name))&id=eq.3'));
-- order by a spread column by its new name or its own, or by one that is not shown
select show(restful.serve('GET', '/books?select=title,...details!inner(size:pages)&order=details(size).desc'));
select show(restful.serve('GET', '/books?select=title,...details!inner(size:pages)&order=details(pages)'));
select show(restful.serve('GET', '/books?select=title,...details!inner(pages)&order=details(isbn).nullsfirst'));
select show(restful.serve('GET', '/authors?select=name,...books!author(title)&order=books(title)'));
-- in what a write returns
\c - librarian
select show(restful.serve('PATCH', '/authors?id=eq.4&select=name,...books!author(title),...countries(country:name)', '{"prefer": "return=representation"}', '{"country": "gb"}'));
-- a list contains only what the role may see
\c - alice
select show(restful.serve('GET', '/books?select=title,...loans(borrower,days)&id=in.(1,3,4)&order=id'));
select show(restful.serve('GET', '/books?select=title,...loans!inner(borrower)&order=id', '{"prefer": "count=exact"}'));
\c - authenticator
select show(restful.serve('GET', '/books?select=title,...loans(borrower)&id=eq.1'));
