-- An ordinary CHECK constraint checks every write of the column; null passes.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
\c - curator
create domain shop.document as jsonb;
create table shop.products (id int primary key, doc jsonb, raw json, own shop.document);
select restful.constrain('shop.products', 'doc', '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}');
select restful.constrain('shop.products', 'raw', '{"type": "array", "maxItems": 2}');
select restful.constrain('shop.products', 'own', '{"type": "string"}');
insert into shop.products values (1, '{"name": "Globe", "price": 12.5}', '[1, 2]', '"a"'), (2, null, null, null);
insert into shop.products (id, doc) values (3, '{"name": "Globe", "price": -1}');
insert into shop.products (id, raw) values (3, '[1, 2, 3]');
insert into shop.products (id, own) values (3, '7');
update shop.products set doc = doc - 'name' where id = 1;
update shop.products set doc = doc - 'price' where id = 1;
-- a DBA can read the constraint and see who made it
select conname, convalidated, obj_description(oid, 'pg_constraint'), pg_get_constraintdef(oid) from pg_constraint
where conrelid = 'shop.products'::regclass and contype = 'c' order by conname;
-- the constraint applies to new rows, and can be validated once the old rows are corrected
create table shop.old (id int primary key, doc jsonb);
insert into shop.old values (1, '{}'), (2, '{"name": ""}'), (3, '{"name": "Map"}'), (4, null);
select restful.constrain('shop.old', 'doc', '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}');
insert into shop.old values (5, '{}');
update shop.old set doc = '{"name": "Chart"}' where id < 3;
alter table shop.old validate constraint doc_matches_schema;
select convalidated from pg_constraint where conname = 'doc_matches_schema' and conrelid = 'shop.old'::regclass;
