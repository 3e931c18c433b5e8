-- and, or and not, nested to any depth.
\pset tuples_only on
\pset format unaligned
\c - authenticator
select show(restful.serve('GET', '/books?select=id&or=(year.lt.1816,year.gt.1979)'));
select show(restful.serve('GET', '/books?select=id&or=(year.lt.1816,and(price.gte.11,tags.cs.{robots}))'));
select show(restful.serve('GET', '/books?select=id&and=(year.gt.1816,year.lt.1966)'));
select show(restful.serve('GET', '/books?select=id&not.or=(year.lt.1816,year.gt.1979)'));
select show(restful.serve('GET', '/books?select=id&or=(id.eq.1,not.and(id.gte.1,id.lte.5))'));
select show(restful.serve('GET', '/books?select=id&or=(id.not.in.(1,2,3),title.eq.Emma)'));
select show(restful.serve('GET', '/books?select=id&or=(title.eq."Pinball, 1973",title.like.*mm*)'));
select show(restful.serve('GET', '/books?select=id&or=(title.eq."a\"b\\c",id.eq.1)'));
select show(restful.serve('GET', '/books?select=id&or=(id.eq.1,id.eq.2)&or=(id.eq.2,id.eq.3)'));
select show(restful.serve('GET', '/books?select=id&or=(id.is.null,translator.not.is.null)'));
select show(restful.serve('GET', '/authors?select=id&or=(contact->fax->>no.eq.9,id.eq.1)'));
select show(restful.serve('GET', '/books?select=id&or=( id.eq.1 , id.eq.2 )'));
-- two filters on one column both apply
select show(restful.serve('GET', '/books?select=id&id=gt.2&id=lt.4'));
-- refused
select show(restful.serve('GET', '/books?or=()'));
select show(restful.serve('GET', '/books?or=(id.eq.1'));
select show(restful.serve('GET', '/books?or=id.eq.1'));
select show(restful.serve('GET', '/books?or=(id.eq.1)x'));
select show(restful.serve('GET', '/books?or=(nothing.eq.1)'));
