-- is.true and similar, the range operators, and full-text search on text and tsvector.
\pset tuples_only on
\pset format unaligned
create table library.rooms (id int, open boolean, hours int4range, about text, words tsvector);
insert into library.rooms values
    (1, true, '[8,12)', 'quiet cats sleeping here', to_tsvector('english', 'quiet cats sleeping here')),
    (2, false, '[12,18)', 'dogs and loud cats', to_tsvector('english', 'dogs and loud cats')),
    (3, null, '[20,22)', 'birds', to_tsvector('english', 'birds'));
grant select on library.rooms to anon;
\c - authenticator
select show(restful.serve('GET', '/rooms?select=id&open=is.true'));
select show(restful.serve('GET', '/rooms?select=id&open=is.false'));
select show(restful.serve('GET', '/rooms?select=id&open=is.unknown'));
select show(restful.serve('GET', '/rooms?select=id&open=is.null'));
select show(restful.serve('GET', '/rooms?select=id&open=is.NOT_NULL'));
select show(restful.serve('GET', '/rooms?select=id&open=not.is.true'));
-- strictly left, strictly right
select show(restful.serve('GET', '/rooms?select=id&hours=sl.[12,20)'));
select show(restful.serve('GET', '/rooms?select=id&hours=sr.[8,13)'));
-- not extending right, not extending left
select show(restful.serve('GET', '/rooms?select=id&hours=nxr.[0,18)'));
select show(restful.serve('GET', '/rooms?select=id&hours=nxl.[12,13)'));
select show(restful.serve('GET', '/rooms?select=id&hours=adj.[18,20)'));
select show(restful.serve('GET', '/rooms?select=id&hours=ov.[10,13)'));
select show(restful.serve('GET', '/rooms?select=id&hours=cs.9'));
-- full text: to_tsquery, plainto_, phraseto_, websearch_to_tsquery
select show(restful.serve('GET', '/rooms?select=id&words=fts(english).cat%26dog'));
select show(restful.serve('GET', '/rooms?select=id&words=plfts(english).cats%20dogs'));
select show(restful.serve('GET', '/rooms?select=id&words=phfts(english).loud%20cat'));
select show(restful.serve('GET', '/rooms?select=id&words=wfts(english).cat%20-dog'));
select show(restful.serve('GET', '/rooms?select=id&words=not.fts(english).cat'));
-- a text column is converted to tsvector with the same configuration
select show(restful.serve('GET', '/rooms?select=id&about=fts(english).sleep'));
select show(restful.serve('GET', '/rooms?select=id&about=fts(simple).sleep'));
select show(restful.serve('GET', '/rooms?select=id&about=fts(klingon).sleep'));
select show(restful.serve('GET', '/rooms?select=id&words=fts(english).cat%26'));
