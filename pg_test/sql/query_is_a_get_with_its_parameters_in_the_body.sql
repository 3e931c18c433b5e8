-- QUERY (RFC 10008): the answer is that of the GET that means the same.
\pset tuples_only on
\pset format unaligned
create function library.twice(n int) returns int language sql immutable as 'select n * 2';
create function library.named(method text default current_setting('request.method')) returns text language sql stable as 'select $1';
create function library.added() returns int language sql as 'insert into library.countries values (9, ''nowhere'') returning 1';
create table library.secrets (id int primary key, word text);
\c - authenticator
create function pg_temp.query(target text, body text, type text default 'application/x-www-form-urlencoded', headers jsonb default '{}')
returns restful.http_response language sql as $$
    select restful.serve('QUERY', $1, jsonb_build_object('content-type', $3) || $4, convert_to($2, 'UTF8'))
$$;
-- the same status, fields and bytes
create function pg_temp.same(get restful.http_response, query restful.http_response) returns text language sql as $$
    select case when $1 is not distinct from $2 then 'same: ' || show($2) else show_all($1) || e'\n<>\n' || show_all($2) end
$$;
select pg_temp.same(restful.serve('GET', '/books?select=id,title&id=gt.4&order=id'), pg_temp.query('/books', 'select=id,title&id=gt.4&order=id'));
select pg_temp.same(restful.serve('GET', '/books?select=id,title&id=gt.4&order=id'), pg_temp.query('/books?select=id,title', 'id=gt.4&order=id'));
select pg_temp.same(restful.serve('GET', '/books?select=id,title&id=in.(1,4)&order=id.desc&limit=1'),
    pg_temp.query('/books', '{"select": "id,title", "id": {"in": [1, 4]}, "order": "id.desc", "limit": 1}', 'application/json'));
select pg_temp.same(restful.serve('GET', '/books?select=title&id=gt.1&id=lt.4&title=neq.%22x%22', '{"prefer": "count=exact"}'),
    pg_temp.query('/books', '{"select": "title", "id": {"gt": 1, "lt": 4}, "title": {"neq": "\"x\""}}', 'application/json; charset=utf-8', '{"prefer": "count=exact"}'));
select pg_temp.same(restful.serve('GET', '/books/2?select=title'), pg_temp.query('/books/2', 'select=title'));
select pg_temp.same(restful.serve('GET', '/rpc/twice?n=4'), pg_temp.query('/rpc/twice', '{"n": 4}', 'application/json'));
select pg_temp.same(restful.serve('GET', '/books?select=id', '{"range": "1-2", "accept": "text/csv"}'), pg_temp.query('/books', 'select=id', headers => '{"range": "1-2", "accept": "text/csv"}'));
-- also if it is refused
select pg_temp.same(restful.serve('GET', '/books?nothing=eq.1'), pg_temp.query('/books', 'nothing=eq.1')) ~ '^404|400';
select show(pg_temp.query('/nothing', 'id=eq.1'));
select show(pg_temp.query('/books', 'id=1'));
select show(pg_temp.query('/books', 'select=id&select=title'));
select show(pg_temp.query('/books?select=id', 'select=title'));
select show(pg_temp.query('/secrets', 'select=id'));
select show(pg_temp.query('/rpc/added', '{}', 'application/json'));
select show(pg_temp.query('/', 'select=id'));
-- thousands of values, in a form and in JSON
select (g).status, length((g).body) > 100, g = q and g = j, (g).headers ? 'content-location'
from (select string_agg(n::text, ',') as list, jsonb_agg(n) as items from generate_series(1, 1500) n) numbers,
    lateral (select restful.serve('GET', '/books?order=id&id=in.(' || list || ')') as g,
        pg_temp.query('/books?order=id', 'id=in.(' || list || ')') as q,
        pg_temp.query('/books?order=id', jsonb_build_object('id', jsonb_build_object('in', items))::text, 'application/json') as j) answers;
-- the target of a GET could not be as long as this, so Content-Location does not name one
select (q).status, (q).body = (g).body and (q).body = (j).body, (q).headers = (j).headers, (g).headers - 'content-location' = (q).headers,
    (q).headers ? 'content-location'
from (select string_agg(n::text, ',') as list, jsonb_agg(n) as items from generate_series(1, 2000) n) numbers,
    lateral (select restful.serve('GET', '/books?order=id&id=in.(' || list || ')') as g,
        pg_temp.query('/books?order=id', 'id=in.(' || list || ')') as q,
        pg_temp.query('/books?order=id', jsonb_build_object('id', jsonb_build_object('in', items))::text, 'application/json') as j) answers;
-- values are values
select show(pg_temp.query('/books', '{"select": "id", "title": {"in": ["Emma", "x),id=gt.0&(\"y\\"]}, "id": {"lt": "3"}}', 'application/json'));
select show(pg_temp.query('/books', '{"select": "id", "title": {"eq": "x&id=gt.0"}}', 'application/json'));
-- what is not a query
select show_all(pg_temp.query('/books', 'x', 'text/plain'));
select show(restful.serve('QUERY', '/books', '{}', 'id=eq.1'));
select show(restful.serve('QUERY', '/books', '{"content-type": "application/json"}'));
select show(pg_temp.query('/books', ''));
select show(pg_temp.query('/books', '[]', 'application/json'));
select show(pg_temp.query('/books', '{"id": {"eq": null}}', 'application/json'));
select show(pg_temp.query('/books', '{"id": {"in": [1, null]}}', 'application/json'));
select show(pg_temp.query('/books', '{"id": "eq.1", "id": "eq.2"}', 'application/json'));
-- functions see the method
select show(pg_temp.query('/rpc/named', '{}', 'application/json'));
-- for SQL
select restful.query('/books', '{"select": "id", "id": {"in": [2, 3]}}');
select (restful.query('/books?select=id')).body;
select (restful.query('/books', '{"id": "eq.1", "select": "title"}', '{"accept": "text/csv"}')).body;
