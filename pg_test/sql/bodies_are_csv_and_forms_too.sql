-- A write accepts CSV and forms, which end in the same statement as JSON.
\pset tuples_only on
\pset format unaligned
\c - librarian
select show(restful.serve('POST', '/subjects?select=id,name', '{"content-type": "text/csv", "prefer": "return=representation"}',
    convert_to(E'id,name\r\n10,"Paper, ink and ""glue"""\r\n11,  plain \r\n', 'UTF8')));
-- an empty field and NULL are null; in quotes they are text
select show(restful.serve('POST', '/authors?select=id,name,born,contact', '{"content-type": "text/csv; charset=utf-8", "prefer": "return=representation"}',
    E'id,name,born\n10,"",NULL\n11,"NULL",1900\n12,NULL er,\n'));
select show(restful.serve('POST', '/authors', '{"content-type": "text/csv"}', E'id,name\n13,'));
-- arrays are written as PostgreSQL writes them
select show(restful.serve('POST', '/books?select=id,tags,price', '{"content-type": "text/csv", "prefer": "return=representation"}',
    E'id,title,author,tags,price\n20,T,1,"{a,""b c""}",1.5'));
-- defaults for missing columns, and columns that are left out
select show(restful.serve('POST', '/shelves?columns=room,number,capacity', '{"content-type": "text/csv", "prefer": "return=representation, missing=default"}',
    E'room,number,colour\nC,1,red\nC,2,blue'));
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv", "prefer": "return=representation, resolution=merge-duplicates"}',
    E'id,name\n10,Ink\n12,New'));
select show(restful.serve('PATCH', '/subjects?id=eq.12', '{"content-type": "text/csv", "prefer": "return=representation"}', E'name\nNewer'));
-- a header line without rows inserts nothing
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv", "prefer": "return=representation"}', E'id,name\n'));
-- forms: if a name is repeated, the last value counts
select show(restful.serve('POST', '/subjects', '{"content-type": "application/x-www-form-urlencoded", "prefer": "return=representation"}',
    'id=13&name=first&name=One+%26+two'));
select show(restful.serve('PATCH', '/subjects/13', '{"content-type": "application/x-www-form-urlencoded", "prefer": "return=representation"}', 'name=changed'));
-- JSON in a field is read as JSON, not as a string: json, jsonb, domains over them, arrays of them
\c - postgres
create domain library.facts as jsonb check (jsonb_typeof(value) <> 'array');
create table library.docs (id int primary key, j json, b jsonb, f library.facts, l jsonb[], t text);
grant all on library.docs to librarian;
\c - librarian
select show(restful.serve('POST', '/docs', '{"content-type": "text/csv", "prefer": "return=representation"}',
    convert_to(E'id,j,b,f,l,t\n1,5,"{""a"": 1}","""x""","{5,""{\\""b\\"": null}""}",5\n2,null,null,null,{null},null\n3,,NULL,,,\n4,{ },[],1.50,{},""', 'UTF8')));
select id, json_typeof(j), jsonb_typeof(b), jsonb_typeof(f), jsonb_typeof(l[1]), j is null from library.docs order by id;
select show(restful.serve('POST', '/docs', '{"content-type": "application/x-www-form-urlencoded", "prefer": "return=representation"}',
    'id=5&j=true&b=%7B%22a%22%3A1%7D&f=%22x%22&t=%7B%7D'));
select show(restful.serve('PATCH', '/docs?id=eq.5&select=j,b', '{"content-type": "text/csv", "prefer": "return=representation"}', E'b,j\n[1],2'));
select show(restful.serve('PUT', '/docs/5?select=b', '{"content-type": "application/x-www-form-urlencoded", "prefer": "return=representation"}', 'id=5&b=7'));
-- text that is not JSON, and a value that the domain refuses
select show(restful.serve('POST', '/docs', '{"content-type": "text/csv"}', E'id,b\n6,plain'));
select show(restful.serve('POST', '/docs', '{"content-type": "application/x-www-form-urlencoded"}', 'id=6&j='));
select show(restful.serve('POST', '/docs', '{"content-type": "text/csv"}', E'id,f\n6,[]'));
-- defaults for missing columns
select show(restful.serve('POST', '/docs?columns=id,b,t', '{"content-type": "text/csv", "prefer": "return=representation, missing=default"}', E'id,b\n6,{}'));
-- a refused body changes nothing
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv"}', E'id,name\n30,a\n31'));
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv"}', E'id,id\n30,31'));
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv"}', E'id,name\n30,a"b'));
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv"}', E'id,nothing\n30,a'));
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv"}', ''));
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv"}', '\x69640aff'));
select show(restful.serve('POST', '/subjects', '{"content-type": "application/x-www-form-urlencoded"}', 'id=30&name=%00'));
select show(restful.serve('POST', '/subjects', '{"content-type": "text/xml"}', '<a/>'));
-- the same rights apply as to any write
\c - alice
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv"}', E'id,name\n30,a'));
\c - librarian
select show(restful.serve('GET', '/subjects?id=gte.30'));
-- each line of two bytes becomes 68: the limit applies to the JSON too
select as_superuser('alter role librarian set restful.max_body_bytes = 1000');
\c - librarian
select show(restful.serve('POST', '/subjects', '{"content-type": "text/csv"}', convert_to(repeat('a', 60) || repeat(E'\nx', 400), 'UTF8')));
-- other tests use this role too
select as_superuser('alter role librarian reset restful.max_body_bytes');
