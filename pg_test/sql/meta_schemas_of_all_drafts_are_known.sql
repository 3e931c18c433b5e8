-- A schema can refer to the meta-schema of any draft, and nobody can register another schema under its URI.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
create table library.metas (uri text);
insert into library.metas values ('http://json-schema.org/draft-04/schema#'), ('http://json-schema.org/draft-06/schema#'),
    ('http://json-schema.org/draft-07/schema#'), ('https://json-schema.org/draft/2019-09/schema'), ('https://json-schema.org/draft/2020-12/schema');
-- every draft referring to every draft
select s.uri, string_agg((restful.is_valid(schema, '{"items": {"type": "array"}}') and not restful.is_valid(schema, '{"items": {"type": "arr"}}'))::text, ' ')
from library.metas s, library.metas m, jsonb_build_object('$schema', s.uri, '$ref', m.uri) schema group by 1 order by 1;
-- a part of a meta-schema, and a single vocabulary
select restful.is_valid('{"$ref": "http://json-schema.org/draft-07/schema#/definitions/simpleTypes"}', '"arr"'),
    restful.is_valid('{"$ref": "https://json-schema.org/draft/2020-12/meta/validation"}', '{"minLength": -1}');
-- through a registered schema that gets a new version, and through a table
select restful.register_schema('form', '{"properties": {"schema": {"$ref": "http://json-schema.org/draft-07/schema#"}}}');
select restful.register_schema('form', '{"properties": {"schema": {"$ref": "http://json-schema.org/draft-07/schema"}}, "title": "Form"}');
create table library.forms (id int primary key, doc jsonb);
select restful.constrain('library.forms', 'doc', 'form');
insert into library.forms values (1, '{"schema": {"minLength": 2}}');
insert into library.forms values (2, '{"schema": {"minLength": "2"}}');
-- such a URI always means the meta-schema
select restful.register_schema('http://json-schema.org/draft-07/schema', '{"type": "string"}');
select restful.register_schema('https://json-schema.org/draft-04/schema#', '{"type": "string"}');
select restful.register_schema('https://json-schema.org/draft/2020-12/meta/core', '{"type": "string"}');
select restful.register_schema('own', '{"$id": "https://json-schema.org/draft/2019-09/schema", "type": "string"}');
select restful.register_schema('own', '{"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://json-schema.org/draft-04/schema#"}');
-- other URIs on that host can be registered
select restful.is_valid('{"$ref": "http://json-schema.org/draft-07/hyper-schema#"}', '1');
select restful.register_schema('http://json-schema.org/draft-07/hyper-schema', '{"type": "object"}');
select restful.is_valid('{"$ref": "http://json-schema.org/draft-07/hyper-schema#"}', '1');
-- registered schemas that refer to each other can get new versions
select restful.register_schema('https://example.com/b', '{"type": "object"}');
select restful.register_schema('https://example.com/a', '{"$id": "https://example.com/a", "properties": {"b": {"$ref": "b"}}}');
select restful.register_schema('https://example.com/b', '{"type": "object", "properties": {"a": {"$ref": "https://example.com/a"}}}', 'none');
select restful.register_schema('https://example.com/a', '{"$id": "https://example.com/a", "properties": {"b": {"$ref": "b"}}, "title": "A"}');
select change, verdict from restful.schema_changes(restful.get_schema('https://example.com/a', 1), '{"$id": "https://example.com/a", "properties": {"b": {"$ref": "b"}}, "required": ["b"]}');
-- a reference that cannot be resolved is reported with its place
select restful.is_valid('{"items": {"$ref": "restful:form#/properties/none"}}', '1');
select restful.register_schema('broken', '{"items": {"$ref": "form.json"}}');
select restful.register_schema('broken', '{"$dynamicRef": "restful:none"}');
