-- Without a column, the schema describes the whole row as a JSON object.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
\c - curator
create table shop.offers (id int primary key, starts date, ends date, price numeric, terms jsonb);
select restful.constrain('shop.offers', null, '{
    "if": {"properties": {"price": {"type": "number", "minimum": 1000}}},
    "then": {"required": ["terms"], "properties": {"terms": {"type": "object", "required": ["signed"]}}},
    "properties": {"starts": {"type": "string", "minLength": 10}, "price": {"multipleOf": 0.01}}}');
insert into shop.offers values (1, '2026-01-01', null, 12.50, null);
insert into shop.offers values (2, '2026-01-01', null, 2000, '{"signed": true}');
insert into shop.offers values (3, null, null, 2000.001, '{}');
update shop.offers set price = 2000 where id = 1;
alter table shop.offers add remark text default 'none';
update shop.offers set price = 3000 where id = 2;
select restful.constrain('shop.offers', null, '{"required": ["remark"], "properties": {"remark": {"const": "none"}}}', 'moderate');
update shop.offers set ends = '2026-02-01';
update shop.offers set remark = 'changed';
