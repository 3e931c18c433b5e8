-- select: columns, aliases, casts, JSON paths, and no columns at all.
\pset tuples_only on
\pset format unaligned
\c - authenticator
select show_all(restful.serve('GET', '/books?id=eq.3'));
select show(restful.serve('GET', '/books?id=eq.3&select=title,year'));
select show(restful.serve('GET', '/books?id=eq.3&select=*'));
select show(restful.serve('GET', '/books?id=eq.3&select=*,name:title'));
select show(restful.serve('GET', '/books?id=eq.3&select=name:title,in:year::text'));
select show(restful.serve('GET', '/books?id=eq.3&select=id::text,price::int'));
select show(restful.serve('GET', '/books?id=eq.3&select='));
select show(restful.serve('GET', '/books?id=eq.3&select=id,same:id'));
-- into JSON, and into arrays
select show(restful.serve('GET', '/authors?id=eq.2&select=contact->web'));
select show(restful.serve('GET', '/authors?id=eq.2&select=contact->>web,contact->fax->no'));
select show(restful.serve('GET', '/authors?id=eq.2&select=number:contact->fax->>no,contact->phones->1'));
select show(restful.serve('GET', '/authors?id=eq.2&select=contact->fax->>no::int'));
select show(restful.serve('GET', '/authors?id=eq.2&select=contact->nothing->at->all'));
select show(restful.serve('GET', '/books?id=eq.3&select=tags->0'));
-- filters on paths
select show(restful.serve('GET', '/authors?contact->>web=eq.lem.pl&select=name'));
select show(restful.serve('GET', '/authors?contact->fax->no=eq.9&select=name'));
select show(restful.serve('GET', '/authors?contact->fax->no=gt.9&select=name'));
-- names with unusual characters are quoted
select as_superuser('create table library."odd one" ("my id" int, "a.b" int, "c,d" int); grant select on library."odd one" to anon; insert into library."odd one" values (1, 2, 3)');
select show(restful.serve('GET', '/odd%20one'));
select show(restful.serve('GET', '/odd%20one?select=my%20id,%22a.b%22,x:%22c,d%22&%22a.b%22=eq.2'));
-- refused
select show(restful.serve('GET', '/books?select=nothing'));
select show(restful.serve('GET', '/books?select=id::regclass'));
select show(restful.serve('GET', '/books?select=id::nothing'));
select show(restful.serve('GET', '/books?select=id,,title'));
select show(restful.serve('GET', '/books?select=title->a'));
