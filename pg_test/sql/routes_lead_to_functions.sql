-- A route lets a function answer a method and a path.
\pset tuples_only on
\pset format unaligned
create schema app;
create table app.orders (id int primary key, qty int, state text not null default 'open', owner text not null default 'alice');
insert into app.orders values (1, 5), (2, 6);
insert into app.orders values (3, 7, 'open', 'bob');
alter table app.orders enable row level security;
create policy own on app.orders to alice using (owner = current_user);
create function app.cancel_order(id int, reason text default 'none', tags text[] default '{}') returns app.orders language sql as $$
    update app.orders o set state = concat_ws(' ', 'cancelled:', reason, array_to_string(tags, '+')) where o.id = cancel_order.id returning o.* $$;
create function app.list_orders(min int default 0, session text default null) returns setof app.orders language sql stable as $$
    select * from app.orders where qty >= min $$;
create function app.echo(request restful.http_request, rest text) returns restful.http_response language sql volatile as $$
    select row(201, jsonb_build_object('Content-Type', 'text/plain', 'x-rest', rest, 'set-cookie', jsonb_build_array('a=1', 'b=2')), convert_to(request::text, 'utf8'))::restful.http_response $$;
create function app.answer(status int) returns restful.http_response language sql stable as $$ select row(status, null, null)::restful.http_response $$;
create function app.upload(name text, file bytea) returns text language sql as $$ select name || ' ' || encode(file, 'hex') $$;
create function app.document(doc jsonb, options jsonb default '{}') returns jsonb language sql as $$ select jsonb_build_array(doc, options) $$;
create domain "text/html" as text;
create function app.page(name text) returns "text/html" language sql stable as $$ select '<h1>' || name || '</h1>' $$;
create function app.overloaded(a int) returns int language sql as 'select 1';
create function app.overloaded(a text) returns int language sql as 'select 1';
create function app.unnamed(int) returns int language sql as 'select 1';
create function app.several(variadic a int[]) returns int language sql as 'select 1';
create function app.secret() returns int language sql stable as 'select 1';
revoke execute on function app.secret() from public;
create function app.hidden(token text) returns int language sql as 'select 1';
revoke execute on function app.hidden(text) from public;
grant usage on schema app to alice;
grant select, update on app.orders to alice;
select restful.route('POST /orders/{id}/cancel', 'app.cancel_order');
select restful.route('GET /orders', 'app.list_orders', '{"session": "cookie:sid"}');
select restful.route('POST /echo/{rest:path}', 'app.echo');
select restful.route('GET /answers/{status}', 'app.answer');
select restful.route('PUT /files/{name}', 'app.upload', '{"file": "body"}');
select restful.route('POST /documents', 'app.document', '{"doc": "body", "options": "query:o"}');
select restful.route('GET /hello/{name}', 'app.page');
select restful.route('GET /books/{name:text}/page', 'app.page');
select restful.route('GET /secret', 'app.secret');
select restful.route('POST /hidden', 'app.hidden');
select * from restful.routes();
select restful.register_schema('order', '{"type": "object", "properties": {"qty": {"minimum": 1}}, "required": ["qty"], "additionalProperties": false}');
create function app.new_order(qty int, note text default null) returns int language sql as 'insert into app.orders (id, qty) values (100 + qty, qty) returning id';
create function app.any_order(doc jsonb) returns jsonb language sql as 'select doc';
select restful.route('POST /orders', 'app.new_order', body => 'order');
select restful.route('POST /orders/any', 'app.any_order', '{"doc": "body"}', '{"type": "array", "items": {"$ref": "restful:order"}, "maxItems": 2}');
grant insert on app.orders to alice;
-- what is no route
select restful.route('POST /x', 'app.any_order', '{"doc": "body"}', 'no such schema');
select restful.route('POST /x', 'app.any_order', '{"doc": "body"}', '{"type": "frob"}');
select restful.route('GET /x', 'app.list_orders', body => 'order');
\set VERBOSITY terse
select restful.route('POST /orders/{other}/cancel', 'app.cancel_order');
select restful.route('POST /orders/{id:int}/cancel', 'app.cancel_order');
select restful.route('POST /rpc/x', 'app.cancel_order');
select restful.route('FROB /x', 'app.cancel_order');
select restful.route('POST /x', 'app.cancel_order', '{"nothing": "query"}');
select restful.route('POST /x', 'app.cancel_order', '{"reason": "frob"}');
select restful.route('POST /x', 'app.overloaded');
select restful.route('POST /x', 'app.unnamed');
select restful.route('POST /x', 'app.several');
select restful.route(null, 'app.secret');
\set VERBOSITY default
\c - alice
select restful.route('POST /x', 'app.cancel_order');
select * from restful.routes();
-- values come from the path, the query, cookies and the body, and policies hold
select show(restful.serve('POST', '/orders/' || id || '/cancel?tags=a&tags=b', '{}', '{"reason": "late"}')) from unnest(array[1, 3]) id;
select show(restful.serve('POST', '/orders/x/cancel', '{}', '{}'));
select show(restful.serve('POST', '/orders/99999999999/cancel', '{}', '{}'));
select show(restful.serve('POST', '/orders/1/cancel', '{}', '{"reson": "late", "id": 2}'));
select show(restful.serve('POST', '/orders/1/cancel', '{"content-type": "application/x-www-form-urlencoded"}', 'reason=form&tags=x&tags=y'));
select show(restful.serve('POST', '/orders/1/cancel', '{"content-type": "text/csv"}', 'reason'));
select show(restful.serve('POST', '/orders/1/cancel', '{}', '[1]'));
select show(restful.serve('POST', '/orders/1/cancel', '{}', '{"tags": "no"}'));
select show(restful.serve('GET', '/orders?min=6&select=id,state&state=like.o*&limit=1', '{}'));
select show(restful.serve('GET', '/orders?order=id&select=id', '{"accept": "application/x-ndjson"}'));
select show(restful.serve('QUERY', '/orders', '{"content-type": "application/json"}', '{"min": 6, "select": "id"}'));
select show(restful.serve('GET', '/orders?frob=6', '{}'));
select show(restful.serve('GET', '/orders?min=x', '{}'));
-- the whole request, and the whole response
select show_all(restful.serve('POST', '/echo/a/b%20c?x=1&x=2', '{"cookie": "k=v"}', 'hi'));
select show_all(restful.serve('GET', '/answers/404'));
select show_all(restful.serve('GET', '/answers/99'));
-- bodies as they are
select show(restful.serve('PUT', '/files/n', '{"content-type": "image/png"}', '\x000102'));
select show(restful.serve('PUT', '/files/n', '{"content-type": "image/png"}'));
select show(restful.serve('POST', '/documents?o={"a":1}', '{}', '[1, {"b": 2.50}]'));
select show(restful.serve('POST', '/documents?o=x', '{}', '[1'));
select show(restful.serve('POST', '/documents', '{"content-type": "text/plain"}', '[1]'));
-- bodies that break the schema of the route
select show(restful.serve('POST', '/orders', '{}', body)) from unnest(array['{"qty": 0}', '{"qty": 1, "note": "x"}', '{}', '[', null, '{"qty": 3}']::bytea[]) body;
select r.status, convert_from(r.body, 'utf8')::jsonb->'errors'->0->>'pointer' from restful.serve('POST', '/orders/any', '{}', '[{"qty": 1}, {"qty": -1}]') r;
select show(restful.serve('POST', '/orders', '{"content-type": "application/x-www-form-urlencoded"}', 'qty=1'));
select show(restful.serve('POST', '/orders/any', '{}', '[{"qty": 1.0}]'));
-- media types, methods and rights
select show(restful.serve('GET', '/hello/%C3%A4', '{"accept": "text/html"}'));
select show(restful.serve('GET', '/hello/x', '{"accept": "application/json"}'));
select show(restful.serve('HEAD', '/hello/x'));
select show_all(restful.serve('OPTIONS', '/hello/x'));
select show(restful.serve('DELETE', '/hello/x'));
select show(restful.serve('GET', '/secret'));
select show(restful.serve('POST', '/hidden', '{}', '{"tokn": 1}'));
select show(restful.serve('POST', '/hidden', '{"authorization": "Bearer x"}', '{"tokn": 1}'));
select show(restful.serve('GET', '/hello'));
-- a table of the same name takes the other methods
select show(restful.serve('GET', '/books/1?select=id'));
select show(restful.serve('GET', '/books/x/page'));
-- the description has those whose functions the role may call
select p.path, m.method, jsonb_path_query_array(m.operation, '$.parameters[*]') as parameters, m.operation #> '{requestBody,content,application/json}' as body
from restful.get('/') r, jsonb_each(r.body->'paths') p(path, item), jsonb_each(p.item) m(method, operation)
where m.operation->'tags' @> '["routes"]' order by 1, 2;
-- within a batch, and retried with a key
select body->0->'body', body->1->'body' from restful.batch('[{"method": "POST", "target": "/orders/2/cancel", "body": {"reason": "batch"}}, {"method": "GET", "target": "/orders?min=6&select=id,state"}]');
select r.status, r.headers->>'idempotency-replayed' from restful.serve('POST', '/orders/2/cancel', '{"idempotency-key": "k1"}', '{"reason": "once"}') r;
select r.status, r.headers->>'idempotency-replayed' from restful.serve('POST', '/orders/2/cancel', '{"idempotency-key": "k1"}', '{"reason": "once"}') r;
select show(restful.serve('POST', '/orders/1/cancel', '{"idempotency-key": "k1"}', '{"reason": "once"}'));
\c - postgres
table app.orders order by id;
-- a route goes with its function, and counts from the next statement
drop function app.page(text);
select restful.drop_route('GET /answers/{status}'), restful.drop_route('GET /answers/{status}');
\c - alice
select show(restful.serve('GET', '/hello/x'));
select show(restful.serve('GET', '/answers/200'));
\c - postgres
create or replace function app.secret() returns int language sql stable as 'select 2';
grant execute on function app.secret() to public;
select show(restful.serve('GET', '/secret'));
select method, path from restful.routes();
-- a route comes before a version in the path; a function of the schema of a version tells its end
select restful.version('v1', 'app', '2020-01-01');
select restful.route('GET /v1/orders', 'app.list_orders');
\c - alice
select target, r.status, r.headers ? 'deprecation' as is_deprecated, convert_from(r.body, 'utf8') from unnest(array['/v1/orders?min=6&select=id', '/v1/orders/1?select=id', '/v1/rpc/list_orders?min=6&select=id']) target, restful.serve('GET', target) r;
