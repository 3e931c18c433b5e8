-- A schema stays with its column when the column is renamed, and a column cannot be dropped while it has one.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
insert into restful.json_schema values ('product', 1, '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}', 'none');
\c - curator
create table shop.products (id int primary key, "a/b" jsonb, doc jsonb);
select restful.constrain('shop.products', 'doc', 'product');
select restful.constrain('shop.products', 'a/b', '{"type": "string"}');
alter table shop.products rename doc to "The Document";
alter table shop.products rename "a/b" to "a~b";
alter table shop.products rename to wares;
insert into shop.wares (id, "The Document") values (1, '{}');
insert into shop.wares (id, "a~b") values (1, '{}');
alter table shop.wares disable trigger user;
alter table shop.wares drop constraint "a/b_matches_schema";
insert into shop.wares values (1, '1', '{}');
alter table shop.wares enable trigger user;
select "column", name from restful.bound_schemas('shop.wares');
select row_key, instance_location, message from restful.validation_report('shop.wares');
alter table shop.wares drop "The Document";
alter table shop.wares drop "The Document" cascade;
select "column", name from restful.bound_schemas('shop.wares');
-- a name of the maximum length
alter table shop.wares add "ääääääääääääääääääääääääääääää1" jsonb;
select restful.constrain('shop.wares', 'ääääääääääääääääääääääääääääää1', 'product');
select restful.constrain('shop.wares', 'a~b', 'true', 'moderate');
create table shop.rows ("row" jsonb, t jsonb);
select restful.constrain('shop.rows', 'row', '{"type": "string"}'), restful.constrain('shop.rows', null, '{"required": ["t"], "properties": {"t": {"type": "null"}}}');
insert into shop.rows values ('"a"', '1');
alter table shop.rows disable trigger user;
insert into shop.rows values ('"a"', '1');
select instance_location, message from restful.validation_report('shop.rows');
