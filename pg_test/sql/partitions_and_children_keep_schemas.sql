-- Partitions have the schema of their table, children inherit a CHECK, and a trigger checks foreign tables.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
insert into restful.json_schema values ('product', 1, '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}', 'none');
\c - curator
create table shop.products (id int primary key, doc jsonb, raw json) partition by range (id);
create table shop.low partition of shop.products for values from (0) to (100);
create table shop.high (raw json, gone int, doc jsonb, id int not null);
alter table shop.high drop gone;
alter table shop.products attach partition shop.high for values from (100) to (200);
select restful.constrain('shop.products', 'doc', 'product', 'moderate');
select restful.constrain('shop.products', 'raw', '{"type": "array"}');
create table shop.highest partition of shop.products for values from (200) to (300);
insert into shop.products values (1, '{}', null);
insert into shop.products values (101, '{}', null);
insert into shop.products values (201, '{}', null);
insert into shop.high (id, doc) values (101, '{}');
insert into shop.high (id, raw) values (101, '{}');
insert into shop.products values (1, '{"name": "Map"}', '[]');
update shop.products set id = 101, doc = '{}' where id = 1;
update shop.products set id = 101 where id = 1;
select name, source, "column" from restful.bound_schemas('shop.high');
-- a partition's copy can only be removed together with the original
select restful.unconstrain('shop.high', 'doc'), restful.unconstrain('shop.high', 'raw');
alter table shop.products disable trigger user;
alter table shop.low disable trigger user;
alter table shop.high disable trigger user;
insert into shop.products values (2, '{"price": 1}'), (102, '{"name": 7}');
select row_key, instance_location, message from restful.validation_report('shop.products', 'doc', 'product') order by row_key::text;
select restful.unconstrain('shop.products', 'doc'), restful.unconstrain('shop.products', 'raw');
select count(*) from restful.bound_schemas('shop.high');
-- inheritance
create table shop.parent (doc jsonb);
create table shop.child () inherits (shop.parent);
select restful.constrain('shop.parent', 'doc', '{"type": "object"}');
insert into shop.child values ('1');
select restful.unconstrain('shop.child', 'doc');
select restful.constrain('shop.parent', 'doc', 'product');
insert into shop.child values ('1');
select * from restful.validation_report('shop.parent', 'doc');
-- foreign tables
select as_superuser('create foreign data wrapper none; create server nowhere foreign data wrapper none; grant usage on foreign server nowhere to curator');
create foreign table shop.foreign (id int, doc jsonb) server nowhere;
select restful.constrain('shop.foreign', 'doc', '{"type": "object"}');
select source from restful.bound_schemas('shop.foreign');
