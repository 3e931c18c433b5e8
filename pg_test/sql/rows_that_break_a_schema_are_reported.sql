-- The rows that break a schema, with their keys, whoever wrote them, as far as the caller may see them.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
insert into restful.json_schema values ('product', 1, '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}', 'none');
\c - curator
create table shop.products (room text, id int, doc jsonb, raw json, primary key (id, room) include (doc));
insert into shop.products select 'A', n, jsonb_build_object('name', 'n' || n, 'price', case when n % 400 = 0 then -n else n end),
    '[]' from generate_series(1, 1000) n;
select restful.constrain('shop.products', 'doc', 'product');
select * from restful.validation_report('shop.products', 'doc') order by row_key->'id';
-- without a column: all bound schemas, with locations in the row
select restful.constrain('shop.products', 'raw', '{"minItems": 1}', 'off');
select keyword, instance_location, count(*) from restful.validation_report('shop.products') group by 1, 2 order by 1, 2;
-- with another schema
select row_key, instance_location, keyword_location, message
from restful.validation_report('shop.products', 'doc', '{"properties": {"price": {"maximum": 999}}}');
select row_key, instance_location, message from restful.validation_report('shop.products', null, '{"properties": {"id": {"maximum": 999}}}');
select row_key from restful.validation_report('shop.products', 'doc', 'product') order by row_key->'id';
-- without a key: the row's physical location
create table shop.notes (doc jsonb);
insert into shop.notes values ('1'), ('"a"');
select * from restful.validation_report('shop.notes', 'doc', '{"type": "string"}');
-- more blocks than are read at once
create table shop.sheets (id int, doc jsonb) with (fillfactor = 10);
insert into shop.sheets select n, to_jsonb(n) from generate_series(1, 70000) n;
select pg_relation_size('shop.sheets') / current_setting('block_size')::int > 4096 as is_long;
select count(*), count(distinct row_key) from restful.validation_report('shop.sheets', 'doc', '{"maximum": 10}');
-- the caller's rights and policies apply
grant usage on schema shop to alice, bob;
grant select on shop.products to alice;
alter table shop.products enable row level security;
create policy small on shop.products for select to alice using (id < 500);
\c - alice
select row_key from restful.validation_report('shop.products', 'doc');
\c - bob
select row_key from restful.validation_report('shop.products', 'doc');
\c - curator
select * from restful.validation_report('shop.notes');
select * from restful.validation_report('shop.notes', 'doc');
create view shop.view as select * from shop.notes;
select * from restful.validation_report('shop.view', 'doc', 'true');
