-- A registered schema cannot be dropped while another schema, a trigger or a constraint refers to it.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
select restful.register_schema('name', '{"type": "string"}'), restful.register_schema('prodükt', '{"type": "object"}'),
    restful.register_schema('https://example.com/price', '{"type": "number"}'),
    restful.register_schema('address', '{"$id": "https://example.com/address#", "type": "object"}');
create table library.shops (id int, name jsonb, product json, price jsonb, address jsonb, note jsonb);
-- referenced by name
select restful.constrain('library.shops', 'product', 'prodükt');
select restful.drop_schema('prodükt');
select restful.constrain('library.shops', 'product', 'prodükt@1');
select restful.drop_schema('prodükt');
select restful.constrain('library.shops', 'product', 'true');
select restful.drop_schema('prodükt');
-- referenced in the schema of a trigger: by restful:name, by the URI that is its name, by its $id
select restful.constrain('library.shops', 'name', '{"anyOf": [{"$ref": "restful:name"}, {"type": "null"}]}');
select restful.constrain('library.shops', 'price', '{"$ref": "https://example.com/price#"}');
select restful.constrain('library.shops', 'address', '{"$ref": "https://example.com/address"}');
select restful.drop_schema('name');
select restful.drop_schema('https://example.com/price');
select restful.drop_schema('address');
-- referenced in a constraint written by hand, and in another schema
alter table library.shops add constraint note_is_a_name check (restful.jsonb_matches_schema('{"$ref": "restful:name@1"}', note));
select restful.register_schema('prices', '{"items": {"$ref": "https://example.com/price"}}');
select restful.drop_schema('name'), restful.unconstrain('library.shops', 'name');
select restful.unconstrain('library.shops', 'name'), restful.unconstrain('library.shops', 'price'), restful.unconstrain('library.shops', 'address');
select restful.drop_schema('name');
select restful.drop_schema('https://example.com/price');
select restful.drop_schema('address');
-- referenced by the other keywords that can refer to a schema
select restful.drop_schema('prices');
select restful.register_schema('https://example.com/meta', '{"$schema": "https://json-schema.org/draft/2020-12/schema"}');
select restful.register_schema('dynamic', '{"items": {"$dynamicRef": "https://example.com/price#"}, "$schema": "https://example.com/meta"}');
select restful.drop_schema('https://example.com/price');
select restful.drop_schema('https://example.com/meta');
select restful.drop_schema('dynamic');
select restful.drop_schema('https://example.com/meta');
-- one version can be dropped while another version has the name
select restful.register_schema('name', '{"type": ["string", "null"]}');
select restful.constrain('library.shops', 'name', 'name');
select restful.drop_schema('name', 1);
select restful.drop_schema('name', 2);
alter table library.shops drop constraint note_is_a_name;
select restful.drop_schema('name', 1);
select restful.drop_schema('name', 2);
drop table library.shops;
select restful.drop_schema('name'), restful.drop_schema('https://example.com/price'), restful.drop_schema('name');
select count(*) from restful.json_schema;
-- invalid names
select restful.register_schema('name@1', '{}');
select restful.register_schema('a name', '{}');
select restful.register_schema('', '{}');
