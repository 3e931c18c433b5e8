-- ...relation(columns): the columns of a to-one relation become columns of the row.
\pset tuples_only on
\pset format unaligned
\c - authenticator
select show(restful.serve('GET', '/books?select=title,...details(pages,isbn)&order=id&id=in.(1,2)'));
select show(restful.serve('GET', '/books?select=title,...authors!author(by:name,...countries(country:name))&id=in.(1,3)&order=id'));
select show(restful.serve('GET', '/books?select=title,...authors!author(by:name,countries(name))&id=eq.1'));
select show(restful.serve('GET', '/books?select=title,...details!inner(pages)&details.pages=gt.300'));
-- of a to-many relation: lists
select show(restful.serve('GET', '/subjects?select=name,...books(title)&id=in.(2,4)&order=id&books.order=title'));
