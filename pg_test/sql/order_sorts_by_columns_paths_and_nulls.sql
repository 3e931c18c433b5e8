-- order: direction, nulls, JSON paths, several terms.
\pset tuples_only on
\pset format unaligned
\c - authenticator
select show(restful.serve('GET', '/books?select=id&order=title'));
select show(restful.serve('GET', '/books?select=id&order=title.desc'));
select show(restful.serve('GET', '/books?select=id&order=price'));
select show(restful.serve('GET', '/books?select=id&order=price.nullsfirst'));
select show(restful.serve('GET', '/books?select=id&order=price.desc'));
select show(restful.serve('GET', '/books?select=id&order=price.desc.nullslast'));
select show(restful.serve('GET', '/books?select=id&order=price.asc.nullsfirst'));
select show(restful.serve('GET', '/books?select=id,author&order=author.desc,id.desc'));
select show(restful.serve('GET', '/authors?select=id&order=contact->fax->no.desc.nullslast,id.desc'));
select show(restful.serve('GET', '/authors?select=id&order=contact->>web.nullsfirst,id'));
-- an alias is not a column
select show(restful.serve('GET', '/books?select=name:title&order=name'));
select show(restful.serve('GET', '/books?order=title.upwards'));
select show(restful.serve('GET', '/books?order='));
