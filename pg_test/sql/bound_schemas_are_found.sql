-- The schemas that are bound to a table are found in the catalogue, by any role, including CHECK constraints written by hand.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
insert into restful.json_schema values ('product', 1, '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}', 'none');
\c - curator
create domain shop.document as jsonb;
create table shop.products (id int primary key, doc jsonb, raw json, own shop.document, label text, other jsonb, many jsonb,
    constraint a_call check (restful.jsonb_matches_schema('{"type": "object"}', doc)),
    constraint b_json check (restful.json_matches_schema('{"maxItems": 3}', raw)),
    constraint c_and check (restful.jsonb_matches_schema('{"minLength": 1}', own) and id > 0 and restful.is_valid('{"maxLength": 9}', own)),
    constraint d_or_null check (other is null or restful.jsonb_matches_compiled_schema('{"maximum": 3}', other)),
    constraint e_compiled check (restful.json_matches_compiled_schema('{"minimum": 3}'::json::restful.jsonschema, raw)),
    constraint f_cast check (restful.is_valid('{"maximum": 7}', raw::jsonb)),
    -- none of these binds a schema to a column
    constraint x_or check (restful.jsonb_matches_schema('{"type": "array"}', many) or id > 5),
    constraint x_not check (not restful.jsonb_matches_schema('{"type": "array"}', many)),
    constraint x_part check (restful.jsonb_matches_schema('{"type": "array"}', many -> 'a')),
    constraint x_text check (restful.jsonb_matches_schema('{"type": "array"}', label::jsonb)),
    constraint x_other check (other is null or restful.jsonb_matches_schema('{"maximum": 3}', many)),
    constraint x_schema check (restful.jsonb_matches_schema(raw, many)));
select restful.constrain('shop.products', 'many', 'product@1', 'moderate', 'warn');
select restful.constrain('shop.products', null, 'true');
grant usage on schema shop to alice;
\c - alice
select * from restful.bound_schemas('shop.products') order by name, "column";
\c - curator
-- a trigger that is disabled
alter table shop.products disable trigger many_matches_schema;
select name, level from restful.bound_schemas('shop.products') where source = 'trigger';
-- constrain replaces and unconstrain removes only what constrain made
select restful.unconstrain('shop.products', 'doc'), restful.unconstrain('shop.products', 'many'), restful.unconstrain('shop.products', 'many');
select restful.constrain('shop.products', 'doc', '{"required": ["a"]}');
select restful.constrain('shop.products', 'doc', '{"required": ["b"]}');
select name, "column", schema from restful.bound_schemas('shop.products') where "column" = 'doc' or source = 'trigger';
select restful.unconstrain('shop.products', 'doc'), restful.unconstrain('shop.products', null), restful.unconstrain('shop.products', 'id');
select name from restful.bound_schemas('shop.products') where "column" = 'doc' or source = 'trigger';
-- they are part of the JSON Schema of the rows
\c - postgres
create table library.letters (id int primary key, doc jsonb, meta json not null);
insert into restful.json_schema values ('letter', 1, '{"type": "object", "required": ["to"]}', 'none');
select restful.constrain('library.letters', 'doc', 'letter'), restful.constrain('library.letters', 'meta', '{"type": "array", "items": {"type": "string"}}');
select restful.schema_of('library.letters') -> 'properties';
