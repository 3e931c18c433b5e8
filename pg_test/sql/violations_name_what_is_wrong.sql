-- A violation names the member, the number and the reason that a user needs.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
select message from restful.validate('{"contains": {"type": "integer"}, "maxContains": 1}', '[1, 2]');
select message from restful.validate('{"contains": {"type": "integer"}, "minContains": 2}', '[1, "a"]');
select message from restful.validate('{"contains": {"type": "integer"}}', '[]');
select instance_location, keyword_location, message from restful.validate('{"unevaluatedProperties": {"const": 12}}', '{"type": 37, "size": 12}');
select instance_location, keyword_location, message from restful.validate('{"prefixItems": [true], "unevaluatedItems": {"type": "string"}}', '[1, 2, "a"]');
select instance_location, message from restful.validate('{"prefixItems": [true], "unevaluatedItems": false}', '[1, 1]');
select message from restful.validate('{"additionalProperties": false}', '{"a": 1}');
select instance_location, message from restful.validate('{"properties": {"a": false}, "prefixItems": [true], "items": false}', '{"a": 1}');
select instance_location, message from restful.validate('{"prefixItems": [true], "items": false}', '[1, 2]');
select message from restful.validate('{"propertyNames": {"maxLength": 2}}', '{"abc": 1}');
select keyword, message from restful.validate('{"dependentRequired": {"card": ["address"]}}', '{"card": 1}');
select message from restful.validate('{"oneOf": [{"type": "integer"}, {"type": "string"}, {"minimum": 0}]}', '1');
select message from restful.validate('{"not": {"type": "integer"}}', '1');
select message from restful.validate('{"uniqueItems": true}', '["a", "b", "a"]');
select message from restful.validate('{"enum": ["S", "M", "L", "XL", "XXL"]}', '"XS"');
select restful.jsonschema_validation_errors('{"contains": {"type": "integer"}, "unevaluatedItems": {"type": "null"}}', '["a"]');
-- in a registered schema, and in the response to a request
select restful.register_schema('order', '{"properties": {"lines": {"contains": {"$ref": "#/$defs/gift"}, "maxContains": 1}}, "$defs": {"gift": {"required": ["gift"]}}, "unevaluatedProperties": {"type": "string"}}');
create table library.orders (id int primary key, doc jsonb);
grant insert on library.orders to librarian;
select restful.constrain('library.orders', 'doc', 'order');
insert into library.orders values (1, '{"lines": [{"gift": 1}, {"gift": 2}, {}], "note": 1}');
\c - librarian
set restful.schemas = 'library';
select jsonb_path_query(body, '$.errors[*]') - 'instance_location' - 'keyword' from restful.post('/orders', '{"id": 1, "doc": {"lines": [{"gift": 1}, {"gift": 2}, {}], "note": 1}}');
