-- Each error of the extension's own catalogue, with a request that causes it. Token errors are in the files t05 and t11, and below.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
grant anon to layer;
alter role layer set restful.anon_role = 'anon';
create function library.one() returns int language sql stable as $$ select 1 $$;
create function library.two(a int) returns int language sql stable as $$ select a $$;
create function library.two(a text) returns text language sql stable as $$ select a $$;
create function library.respond(setting text, value text) returns void language sql as $$ select set_config(setting, value, true) $$;
create function library.fail(message text, detail text) returns void language plpgsql as $$
begin
    raise sqlstate 'PGRST' using message = message, detail = detail;
end $$;
create view library.constants as select 1 as one;
grant select on library.constants to librarian;
\c - librarian
-- PGRST100: the query string
select show(restful.serve('GET', '/books?year=is.big'));
-- PGRST101
select show_all(restful.serve('PUT', '/rpc/one'));
-- PGRST102: the body
select show(restful.serve('POST', '/subjects', '{}', '{"id": '));
select show(restful.serve('POST', '/subjects', '{}', '7'));
select show(restful.serve('POST', '/subjects'));
select show(restful.serve('POST', '/subjects', '{"content-type": "text/html"}', 'id,name'));
-- PGRST103: the range
select show(restful.serve('GET', '/books?limit=-1'));
-- PGRST105, 114, 115: PUT
select show_all(restful.serve('PUT', '/subjects?name=eq.x', '{}', '{"id": 1, "name": "x"}'));
select show(restful.serve('PUT', '/subjects?id=eq.1&limit=1', '{}', '{"id": 1, "name": "x"}'));
select show(restful.serve('PUT', '/subjects?id=eq.1', '{}', '{"id": 2, "name": "x"}'));
-- PGRST106: the schema
select show(restful.serve('GET', '/books', '{"accept-profile": "pg_catalog"}'));
-- PGRST107: the media type
select show(restful.serve('GET', '/books', '{"accept": "image/png"}'));
-- PGRST108, 118, 120, 200, 201: embedding
select show(restful.serve('GET', '/books?details.pages=gt.1'));
select show(restful.serve('GET', '/authors?select=name,books!author(title)&order=books(title)'));
select show(restful.serve('GET', '/books?select=title,details(pages)&details=eq.1'));
select show(restful.serve('GET', '/books?select=title,shelves(*)'));
select show(restful.serve('GET', '/books?select=title,authors(*)'));
-- PGRST111, 112, REST500: what a function sets for the response
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"setting": "response.headers", "value": "{\"a\": \"b\"}"}', 'utf8')));
select show(restful.serve('POST', '/rpc/respond', '{}', '{"setting": "response.status", "value": "many"}'));
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"setting": "response.headers", "value": "[{\"a\": \"b\\r\\nset-cookie: c\"}]"}', 'utf8')));
-- PGRST116: one object
select show(restful.serve('GET', '/books', '{"accept": "application/vnd.pgrst.object+json"}'));
-- PGRST117: the method
select show_all(restful.serve('TRACE', '/books'));
select show(restful.serve('get', '/books'));
-- PGRST121: what a function raises
select show(restful.serve('POST', '/rpc/fail', '{}', '{"message": "not json", "detail": "{}"}'));
-- PGRST122, 124, 128: preferences
select show(restful.serve('GET', '/books', '{"prefer": "handling=strict, count=many, colour=red"}'));
select show(restful.serve('PATCH', '/subjects?id=gt.0', '{"prefer": "handling=strict, max-affected=2"}', '{"name": "x"}'));
select show(restful.serve('POST', '/rpc/one', '{"prefer": "handling=strict, max-affected=2"}'));
-- PGRST123: aggregates
select show(restful.serve('GET', '/books?select=price.avg()'));
-- PGRST125, 126: the path
select show(restful.serve('GET', '/a/b/c'));
select as_superuser('set restful.openapi_mode = disabled');
select show(restful.serve('GET', '/'));
select as_superuser('reset restful.openapi_mode');
-- PGRST202, 203: functions
select show(restful.serve('GET', '/rpc/three'));
select show(restful.serve('GET', '/rpc/two?a=1'));
-- PGRST204, 205: columns and tables
select show(restful.serve('POST', '/subjects', '{}', '{"colour": "red"}'));
select show(restful.serve('GET', '/subject'));
-- PGRST300, 301: tokens
select show_all(restful.serve('GET', '/books', '{"authorization": "Bearer abc"}'));
select show_all(restful.serve('GET', '/books', '{"authorization": "Bearer "}'));
-- REST400: malformed
select show(restful.serve('GET', 'books'));
select show(restful.serve('GET', '/books', '[]'));
select show(restful.serve('GET', '/copies/1,2'));
-- REST404: the item
select show(restful.serve('GET', '/books/99'));
-- REST405: methods that the resource does not allow
select show_all(restful.serve('POST', '/books/1', '{}', '{}'));
select show_all(restful.serve('DELETE', '/constants'));
-- REST440: batches
select show(restful.serve('POST', '/batch', '{}', '[{"method": "GET", "target": "/books", "key": [{"$ref": "0/body"}]}]'));
-- REST431: more than a limit allows
select show(restful.serve('GET', '/books?' || repeat('or=(' || repeat('and(', 20), 1) || 'id.eq.1' || repeat(')', 21)));
-- REST450, 451, 453: keys of requests
select as_superuser($$select restful.require_idempotency_key('library.subjects')$$);
select show(restful.serve('POST', '/subjects', '{}', '{"id": 100, "name": "x"}'));
select as_superuser($$select restful.require_idempotency_key('library.subjects', false)$$);
select show(restful.serve('POST', '/rpc/one', '{"idempotency-key": "one, two"}'));
select show(restful.serve('POST', '/rpc/one', '{"idempotency-key": "one"}'));
select show(restful.serve('POST', '/rpc/one?select=*', '{"idempotency-key": "one"}'));
-- REST460: a cursor that nobody has made. REST461: an order that cannot have one
select show(restful.serve('GET', '/books?limit=1&cursor=AQAA'));
select show(restful.serve('GET', '/constants?limit=1&cursor=first'));
-- REST409: a patch that does not apply
select show(restful.serve('PATCH', '/books/1', '{"content-type": "application/json-patch+json"}', '[{"op": "test", "path": "/year", "value": -1}]'));
-- REST470, REST471: routes
select as_superuser($$select restful.route('FROB /x', 'library.one')$$);
select as_superuser($$select restful.route('POST /one', 'library.one')$$);
select show(restful.serve('POST', '/one', '{}', '{"x": 1}'));
select as_superuser($$select restful.drop_route('POST /one')$$);
-- REST412, REST428 and REST430: preconditions
select show(restful.serve('PATCH', '/books/1', '{"if-match": "\"x\""}', '{"year": 1}'));
select as_superuser('select restful.require_match(''library.countries'')');
select show(restful.serve('DELETE', '/countries/co'));
select as_superuser('select restful.require_match(''library.countries'', false)');
select show(restful.serve('DELETE', '/books?id=eq.1', '{"if-match": "\"x\""}'));
-- REST410: a version that is gone
select as_superuser($$create schema before; select restful.version('v0', 'before', sunset_at => '2020-01-01')$$);
select show(restful.serve('GET', '/v0/books'));
select as_superuser($$select restful.drop_version('v0'); drop schema before$$);
-- REST413, 501, and an exposed schema that does not exist
\c - postgres
alter role layer set restful.max_body_bytes = '10B';
alter role layer set restful.schemas = '';
\c - layer
select show(restful.serve('POST', '/subjects', '{}', '{"id": 100}'));
select show(restful.serve('GET', '/books'));
set restful.schemas = 'nowhere';
select show(restful.serve('GET', '/books'));
