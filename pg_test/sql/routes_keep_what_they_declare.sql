-- What is declared with a route holds whatever a client asks for: schemas of results and queries, examples, groups.
\set VERBOSITY terse
create schema app;
create table app.items (id int primary key, name text, size int);
insert into app.items values (1, 'one', null), (2, 'two', 2), (3, 'three', 3);
create function app.items(above int default 0) returns setof app.items language sql stable as 'select * from app.items i where i.id > above order by id';
create function app.item(id int) returns app.items language sql stable as 'select * from app.items i where i.id = item.id';
create function app.names() returns setof text language sql stable as 'select name from app.items order by id';
create function app.document(doc jsonb) returns jsonb language sql stable as 'select doc';
create function app.add(name text, size int default null) returns setof app.items language sql as 'insert into app.items values ((select max(id) + 1 from app.items), name, size) returning *';
grant usage on schema app to alice;
grant select, insert on app.items to alice;
select restful.route('GET /items', 'app.items', result => '{"type": "array", "minItems": 3, "items": {"required": ["id", "name", "size"], "properties": {"name": {"maxLength": 4}, "id": {"maximum": 2}}}}');
select restful.route('GET /good', 'app.items', result => '{"type": "array", "minItems": 3, "items": {"$ref": "#/$defs/item"}, "$defs": {"item": {"required": ["id", "name", "size"]}}}');
select restful.route('GET /pair', 'app.items', result => '{"type": "array", "prefixItems": [{"properties": {"id": {"const": 1}}}], "items": {"properties": {"id": {"minimum": 2}}}}');
select restful.route('GET /items/{id}', 'app.item', result => '{"type": "object", "required": ["id", "name", "size"]}');
select restful.route('GET /names', 'app.names', result => '{"type": "array", "items": {"type": "string"}, "minItems": 3}');
select restful.route('POST /documents', 'app.document', '{"doc": "body"}', result => '{"type": "object", "required": ["a"]}');
select restful.route('POST /items', 'app.add', result => '{"type": "array", "items": {"properties": {"name": {"maxLength": 4}}}}');
\c - alice
select as_superuser('set restful.check_results = strict');
-- a good result is an answer in every representation, and whatever part of it is asked for
select target, accept, r.status, r.headers->>'content-type' as media, convert_from(r.body, 'utf8') as body
from unnest(array['/good', '/names', '/items/1']) target,
    unnest(array['application/json', 'application/x-ndjson', 'application/vnd.pgrst.object+json', 'application/vnd.pgrst.array+json;nulls=stripped', 'application/vnd.pgrst.object+json;nulls=stripped', 'text/csv']) accept,
    restful.serve('GET', target || case when target = '/good' and accept ~ 'object' then '?limit=1' else '' end, jsonb_build_object('accept', accept)) r;
select target, r.status, convert_from(r.body, 'utf8') as body
from unnest(array['/good?limit=1', '/good?offset=2', '/good?id=eq.2', '/good?id=eq.9', '/good?order=id.desc', '/good?select=id', '/good?select=*', '/good?select=*&limit=1', '/pair', '/pair?order=id.desc', '/pair?id=eq.2', '/names?limit=1', '/items/1?id=eq.2', '/items/1?select=id', '/items/9']) target,
    restful.serve('GET', target) r;
select r.status from restful.serve('GET', '/good', '{"range": "0-1"}') r;
-- a bad one is none
select target, accept, r.status, convert_from(r.body, 'utf8')::jsonb->>'code' as code
from unnest(array['/items', '/items?id=eq.3', '/items?offset=2&limit=1', '/items?order=id.desc', '/items?select=*']) target,
    unnest(array['application/json', 'application/x-ndjson', 'application/vnd.pgrst.array+json']) accept,
    restful.serve('GET', target, jsonb_build_object('accept', accept)) r;
select show(restful.serve('GET', '/items?id=eq.3', '{"accept": "application/vnd.pgrst.object+json"}'));
select show(restful.serve('POST', '/documents', jsonb_build_object('accept', accept), body))
from unnest(array['application/json', 'application/x-ndjson', 'application/vnd.pgrst.object+json']) accept, unnest(array['{"a": 1}', '{"b": null}', '[1]']::bytea[]) body;
select show(restful.serve('POST', '/documents?select=a&b=eq.1', '{}', '{"b": 1}'));
select show(restful.serve('POST', '/items', jsonb_build_object('accept', accept), '{"name": "longer"}'))
from unnest(array['application/json', 'application/x-ndjson', 'application/vnd.pgrst.object+json']) accept;
\c - postgres
select count(*) from app.items;
-- the server's own limit on rows leaves some out, too
\c - alice
select as_superuser('set restful.max_rows = 2'), as_superuser('set restful.check_results = strict');
select status from restful.get('/good');
\c - postgres
-- the schema of a query knows numbers and booleans by more than "type"
create function app.search(page jsonb default null, mode jsonb default null, tags jsonb default null) returns jsonb language sql immutable as 'select jsonb_build_object(''page'', page, ''mode'', mode, ''tags'', tags)';
select restful.register_schema('paging', '{"$defs": {"page": {"type": "integer", "minimum": 1}}, "type": "integer", "maximum": 9}');
select restful.route('GET /search', 'app.search', query => '{"$ref": "#/$defs/query", "$defs": {"query": {"properties": {"page": {"$ref": "restful:paging#/$defs/page"}, "mode": {"enum": [1, "all", true]}, "tags": {"items": {"anyOf": [{"minimum": 5}, {"const": "none"}]}}}}}}');
\c - alice
select q, r.status, coalesce(r.body->'errors'->0->>'pointer', r.body::text) from unnest(array['page=1', 'page=0', 'mode=1', 'mode=2', 'mode=%22all%22', 'mode=true', 'tags=5', 'tags=5&tags=6', 'tags=4']) q, restful.get('/search?' || q) r;
\c - postgres
-- an example is refused if the route would refuse the request, or its result
create function app.order_item(id int, qty int, note text default '', on_day date default null, agent text default null) returns int language sql as 'select 1';
create function app.ask(request restful.http_request) returns int language sql as 'select 1';
do $$
declare e text;
begin
    foreach e in array array['{}', '{"body": {}}', '{"body": {"qty": "many"}}', '{"body": {"qty": 1, "id": 7}}', '{"body": {"qty": 1, "agent": "x"}}', '{"body": {"qty": 1}, "query": {"nothing": 1}}', '{"body": [1]}', '{"body": {"qty": 1}, "query": {"on_day": "never"}}', '{"body": {"qty": 1}, "query": {"on_day": null}}', '{"body": {"qty": 1}, "query": {"qty": 2}}'] loop
        begin
            perform restful.route('POST /orders/{id}', 'app.order_item', '{"agent": "header:user-agent", "on_day": "query"}', example => e::jsonb);
            raise notice 'taken: %', e;
        exception when others then
            declare detail text;
            begin
                get stacked diagnostics detail = pg_exception_detail;
                raise notice '%: % (%)', e, sqlerrm, replace(detail, E'\n', '; ');
            end;
        end;
        perform restful.drop_route('POST /orders/{id}');
    end loop;
end $$;
select restful.route('POST /orders/{id}', 'app.order_item', '{"on_day": "query"}', example => '{"body": {"qty": 1, "note": "x"}, "query": {"on_day": "2026-12-01"}}');
select restful.route('POST /asked', 'app.ask', example => '{"query": {"anything": 1}, "body": [1]}');
select restful.route('GET /filtered', 'app.items', example => '{"query": {"above": 1, "id": "eq.1", "order": "id", "limit": 1}}');
\set VERBOSITY default
select restful.route('GET /filtered2', 'app.items', example => '{"query": {"ident": "eq.1"}}');
select restful.route('POST /with_body', 'app.document', '{"doc": "body"}', body => '{"type": "object"}', example => '{"query": {}}');
select restful.route('POST /with_result', 'app.document', '{"doc": "body"}', result => '{"type": "object"}', example => '{"body": 1, "result": [1]}');
select restful.route('GET /with_query', 'app.search', query => '{"properties": {"mode": {"enum": ["1"]}}}', example => '{"query": {"mode": 1}}');
\set VERBOSITY terse
-- a route without its group answers nothing
create function app.home() returns text language sql immutable as $$ select 'home' $$;
select restful.route_group('gone', '/internal', 'localhost'), restful.route('GET /home', 'app.home', of_group => 'gone');
\c - alice
select r.status from unnest(array['/internal/home', '/home']) t, restful.get(t, '{"host": "localhost"}') r;
\c - postgres
delete from restful.route_group_entry where name = 'gone';
select path, host, of_group, problem from restful.routes() where of_group = 'gone';
\c - alice
select r.status from unnest(array['/internal/home', '/home']) t, restful.get(t, '{"host": "localhost"}') r;
\c - postgres
select restful.route_group('gone', '/internal', 'localhost');
select path, host, of_group, problem from restful.routes() where of_group = 'gone';
select restful.drop_route('GET /home', 'gone'), restful.drop_route_group('gone');
-- a route whose function comes back is there again, also in a session that has seen that there was none
delete from restful.route_entry;
select restful.route('GET /home', 'app.home');
create function pg_temp.home() returns int language sql as $$ select status from restful.get('/home') $$;
select pg_temp.home();
drop function app.home();
select pg_temp.home();
create function app.home() returns text language sql immutable as $$ select 'again' $$;
select pg_temp.home();
