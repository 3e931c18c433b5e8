-- Every operator of the dialect, in the URL.
\pset tuples_only on
\pset format unaligned
create table library.notes (id int primary key, note text);
insert into library.notes values (1, 'a'), (2, ''), (3, null);
grant select on library.notes to public;
\c - authenticator
select show(restful.serve('GET', '/books?select=id&year=eq.1961'));
select show(restful.serve('GET', '/books?select=id&year=neq.1961'));
select show(restful.serve('GET', '/books?select=id&year=gt.1965'));
select show(restful.serve('GET', '/books?select=id&year=gte.1965'));
select show(restful.serve('GET', '/books?select=id&year=lt.1817'));
select show(restful.serve('GET', '/books?select=id&year=lte.1817'));
select show(restful.serve('GET', '/books?select=title&title=like.P*'));
select show(restful.serve('GET', '/books?select=title&title=like.*IN*'));
select show(restful.serve('GET', '/books?select=title&title=ilike.*IN*'));
select show(restful.serve('GET', '/books?select=title&title=match.^[EP]'));
select show(restful.serve('GET', '/books?select=title&title=imatch.^[ep]'));
select show(restful.serve('GET', '/books?select=id&id=in.(1,3,99)'));
-- quotes protect a comma
select show(restful.serve('GET', '/books?select=id&title=in.("Pinball, 1973",Emma)'));
select show(restful.serve('GET', '/books?select=id&id=in.()'));
-- an empty text in quotes is an item, in arrays too
select show(restful.serve('GET', '/notes?select=id&note=in.()'));
select show(restful.serve('GET', '/notes?select=id&note=in.("")'));
select show(restful.serve('GET', '/notes?select=id&note=in.("",a)'));
select show(restful.serve('GET', '/notes?select=id&note=not.in.("")'));
select show(restful.serve('GET', '/notes?select=id&or=(note.in.(""),id.in.())'));
select show(restful.serve('GET', '/notes?select=id&note=eq(any).{""}'));
select show(restful.serve('GET', '/notes?select=id&or=(note.like(any).{""},note.eq(any).{})'));
select show(restful.serve('GET', '/books?select=id&price=is.null'));
select show(restful.serve('GET', '/books?select=id&translator=is.not_null'));
-- null is distinct from any value, but neq does not match it
select show(restful.serve('GET', '/books?select=id&translator=isdistinct.4'));
select show(restful.serve('GET', '/books?select=id&translator=neq.4'));
-- arrays
select show(restful.serve('GET', '/books?select=id&tags=cs.{novel,love}'));
select show(restful.serve('GET', '/books?select=id&tags=cd.{novel,love}'));
select show(restful.serve('GET', '/books?select=id&tags=ov.{love,robots}'));
-- not
select show(restful.serve('GET', '/books?select=id&year=not.gt.1817'));
select show(restful.serve('GET', '/books?select=id&id=not.in.(1,2,3,4,5)'));
select show(restful.serve('GET', '/books?select=id&price=not.is.null&year=gt.1960'));
-- any and all
select show(restful.serve('GET', '/books?select=title&title=like(any).{E*,S*}'));
select show(restful.serve('GET', '/books?select=title&title=ilike(all).{*e*,*s*}'));
select show(restful.serve('GET', '/books?select=id&id=eq(any).{1,2}'));
select show(restful.serve('GET', '/books?select=id&id=not.eq(any).{1,2}'));
select show(restful.serve('GET', '/books?select=id&id=gt(all).{3,4}'));
