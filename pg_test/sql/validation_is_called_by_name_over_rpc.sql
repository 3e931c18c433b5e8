-- Functions of an exposed schema offer validation to clients: arguments by name, JSON as input and output.
\pset tuples_only on
\pset format unaligned
select restful.register_schema('book', '{"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "minLength": 1}, "year": {"type": "integer", "minimum": 1}}}');
create function library.is_valid(schema jsonb, instance jsonb, formats boolean default null) returns boolean
    language sql stable as $$ select restful.is_valid(schema, instance, formats) $$;
create function library.validate(schema jsonb, instance jsonb)
    returns table (instance_location text, keyword_location text, keyword text, message text)
    language sql stable as $$ select * from restful.validate(schema, coalesce(instance, 'null')) $$;
-- a schema that the client only knows by name
create function library.check_document(name text, document json)
    returns table (pointer text, message text)
    language sql stable as $$ select instance_location, message from restful.validate(jsonb_build_object('$ref', 'restful:' || name), document::jsonb) $$;
create function library.get_schema(name text) returns jsonb
    language sql stable security definer set search_path = pg_temp as $$ select restful.get_schema(name) $$;
create function library.changes(old jsonb, new jsonb) returns table (change text, verdict text, example jsonb)
    language sql stable as $$ select change, verdict, example from restful.schema_changes(old, new) $$;
create function library.schema_of("table" text) returns jsonb
    language sql stable as $$ select restful.schema_of(format('library.%I', "table")::regclass) $$;
\c - authenticator
-- the body true or false is returned, whatever the order of the arguments
select show_all(restful.serve('POST', '/rpc/is_valid', '{"content-type": "application/json"}', '{"schema": {"type": "integer"}, "instance": 1}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"instance": 1.5, "schema": {"type": "integer"}}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {"format": "date"}, "instance": "never", "formats": true}'));
-- JSON null becomes SQL NULL, which is not a document, unless the function turns it into one
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {"type": "null"}, "instance": null}'));
select show(restful.serve('POST', '/rpc/validate', '{}', '{"schema": {"type": "object"}, "instance": null}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {"maxLength": 1}, "instance": "é"}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": true, "instance": []}'));
-- with GET, as parameters
select show(restful.serve('GET', '/rpc/is_valid?schema=%7B%22minItems%22%3A2%7D&instance=%5B1%5D', '{}', null));
-- violations are an array of objects that can be selected from and paged
select show_all(restful.serve('POST', '/rpc/validate', '{}', '{"schema": {"required": ["title"], "properties": {"year": {"minimum": 1}}}, "instance": {"year": 0}}'));
select show(restful.serve('POST', '/rpc/validate?select=message&keyword=eq.required', '{}', '{"schema": {"required": ["title"], "properties": {"year": {"minimum": 1}}}, "instance": {"year": 0}}'));
select show(restful.serve('POST', '/rpc/validate', '{}', '{"schema": {}, "instance": {"year": 0}}'));
-- by the schema's name
select show(restful.serve('POST', '/rpc/check_document', '{}', '{"name": "book", "document": {"title": "", "year": "1961"}}'));
select show(restful.serve('POST', '/rpc/check_document', '{}', '{"name": "book@1", "document": {"title": "Solaris"}}'));
select show(restful.serve('POST', '/rpc/get_schema', '{}', '{"name": "book"}'));
select show(restful.serve('GET', '/rpc/schema_of?table=subjects', '{}', null));
select show(restful.serve('POST', '/rpc/changes', '{}', '{"old": {"minLength": 2}, "new": {"minLength": 1}}'));
-- invalid calls
select show(restful.serve('POST', '/rpc/check_document', '{}', '{"name": "film", "document": {}}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {"properties": {"a": {"type": "strnig"}}}, "instance": {}}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {"pattern": "(?=a)"}, "instance": "a"}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {"$ref": "http://127.0.0.1/schema"}, "instance": 1}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": null, "instance": 1}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {}}'));
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {}, "document": 1}'));
-- the schema restful itself cannot be exposed, and a role without rights on the table reads no schema
\c - alice
set restful.schemas = 'restful';
select show(restful.serve('POST', '/rpc/is_valid', '{}', '{"schema": {}, "instance": 1}'));
select restful.get_schema('book');
