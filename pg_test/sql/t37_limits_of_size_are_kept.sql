-- What exceeds a limit is refused quickly with a 4xx, and what is below the limit works.
\pset tuples_only on
\pset format unaligned
create table library.things (id int primary key, t text);
insert into library.things select n, repeat('x', 1000) from generate_series(1, 2000) n;
grant select, insert on library.things to librarian, anon;
create role layer login noinherit;
grant anon to layer;
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.schemas = 'library';
\c - librarian
-- filters
select show(restful.serve('GET', '/things?select=id&id=lt.2' || repeat('&id=gt.0', 199)));
select show(restful.serve('GET', '/things?select=id&id=lt.2' || repeat('&id=gt.0', 10000)));
select show(restful.serve('GET', '/things?select=id&or=(id.eq.1' || repeat(',id.eq.1', 10000) || ')'));
-- nesting of trees, of embedded relations, of JSON paths
select show(restful.serve('GET', '/things?select=id&id=eq.1&' || 'and=(' || repeat('or(', 15) || 'id.eq.1' || repeat(')', 16)));
select show(restful.serve('GET', '/things?select=id&id=eq.1&' || 'and=(' || repeat('or(', 1000) || 'id.eq.1' || repeat(')', 1001)));
select show(restful.serve('GET', '/books?select=' || repeat('follows(', 9) || 'id' || repeat(')', 9)));
select show(restful.serve('GET', '/books?select=' || string_agg('a' || n || ':follows(id)', ',')) ) from generate_series(1, 33) n;
select show(restful.serve('GET', '/authors?select=contact' || repeat('->a', 1000)));
-- columns and order terms
select left(show(restful.serve('GET', '/things?select=id' || repeat(',id', 1600))), 100);
select show(restful.serve('GET', '/things?order=id' || repeat(',id', 32)));
-- items of a list
select show(restful.serve('GET', '/things?select=id&order=id&limit=1&id=in.(1' || repeat(',2', 49999) || ')'));
select left(show(restful.serve('GET', '/things?select=id&order=id&limit=1&id=in.(1' || repeat(',2', 50000) || ')')), 200);
select left(show(restful.serve('GET', '/things?select=id&id=in.(1' || repeat(',2', 199999) || ')')), 200);
-- row counts that are out of range
select target, left(show(restful.serve('GET', '/things?select=id&order=id&' || target)), 100)
from unnest('{limit=-1,limit=0,limit=99999999999999999999,limit=9223372036854775808,limit=1e9,offset=-1,offset=9223372036854775807,
    offset=9223372036854775808,offset=99999999999999999999,limit=9223372036854775807&offset=9223372036854775807&id=lt.0,limit=,offset=x}'::text[]) target;
select field, left(show(restful.serve('GET', '/things?select=id&id=lt.3&order=id', jsonb_build_object('range', field))), 100)
from unnest('{0-0,1-,0-99999999999999999999,9223372036854775807-9223372036854775808,99999999999999999999-,5-1,-5,x}'::text[]) field;
-- the body of a request
select as_superuser('alter role layer set restful.max_body_bytes = ''100B''');
\c - layer
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 3001, "t": "' || repeat('x', 79) || '"}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 3002, "t": "' || repeat('x', 80) || '"}', 'utf8')));
-- the body of a response: the write that produced it is undone
select as_superuser('alter role layer set restful.max_response_bytes = ''100kB''');
\c - layer
select (restful.serve('GET', '/things?limit=90')).status;
select show(restful.serve('GET', '/things'));
select show(restful.serve('GET', '/things?select=t', '{"accept": "application/vnd.pgrst.object+json"}'));
select show(restful.serve('GET', '/things?select=id&id=eq.1'));
\c - postgres
select id from library.things where id > 2000;
