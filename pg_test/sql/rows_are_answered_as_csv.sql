-- text/csv: a header line, fields quoted as COPY quotes them, and empty fields for null.
\pset tuples_only on
\pset format unaligned
create table library.odd (
    id int, "a ""b"", c" text, flag bool, tags text[], pair library.shelves, doc jsonb, day date, raw bytea
);
insert into library.odd values
    (1, E'comma, "quote"\nline', true, '{a,"b c"}', ('A', 1, 40), '{"a": [1, null]}', '2024-02-29', '\x00ff'),
    (2, '', false, '{}', null, 'null', null, ''),
    (3, null, null, null, null, null, null, null);
alter table library.odd add gone int;
alter table library.odd drop gone;
create table library.words (id int, word text);
insert into library.words values (1, 'NULL'), (2, null), (3, 'null'), (4, ''), (5, ' ');
grant select on library.words to public;
create function library.three() returns setof int language sql stable as $$ values (1), (2), (3) $$;
grant select on library.odd to public;
\c - authenticator
select show(restful.serve('GET', '/odd?order=id', '{"accept": "text/csv"}'));
-- text that would be read as null is quoted; a line with only a null is not an empty line
select show(restful.serve('GET', '/words?order=id', '{"accept": "text/csv"}'));
select show(restful.serve('GET', '/words?order=id&select=word', '{"accept": "text/csv"}'));
-- the fields are the same as in COPY
reset role;
\c - postgres
\copy (select * from library.odd order by id) to stdout with (format csv, header)
\c - authenticator
select show_all(restful.serve('GET', '/books?select=id,t:title,authors!author(name)&id=lte.2&order=id', '{"accept": "text/csv"}'));
select show(restful.serve('GET', '/books?id=gt.100&select=id,title', '{"accept": "text/csv"}'));
select show(restful.serve('GET', '/books/3?select=id,title', '{"accept": "text/csv"}'));
select show(restful.serve('GET', '/rpc/three', '{"accept": "text/csv"}'));
select show_all(restful.serve('HEAD', '/books?select=id&limit=1', '{"accept": "text/csv"}'));
-- again, through the fast path
select show(restful.serve('GET', '/books?select=id,title&id=eq.' || n, '{"accept": "text/csv"}')) from generate_series(1, 4) n;
\c - librarian
select show(restful.serve('POST', '/subjects?select=id,name', '{"content-type": "text/csv", "accept": "text/csv", "prefer": "return=representation"}',
    E'id,name\n20,"a,b"\n21,c'));
-- the first of several accepted types that is available
select show(restful.serve('GET', '/subjects?id=eq.20', '{"accept": "text/html, text/csv;q=0.5, application/json;q=0.4"}'));
select show(restful.serve('GET', '/subjects?id=eq.20', '{"accept": "text/*"}'));
