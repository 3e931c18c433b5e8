-- With action warn, an invalid row is written, and a warning says what is wrong with it. At level off, nothing is checked.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
\c - curator
create table shop.products (id int primary key, doc jsonb);
select restful.constrain('shop.products', 'doc', '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}', action => 'warn');
insert into shop.products values (1, '{"name": 7, "price": -1}'), (2, '{"name": "Map"}'), (3, '[]');
\echo :LAST_ERROR_SQLSTATE
select id from shop.products order by id;
-- at most ten lines
select restful.constrain('shop.products', 'doc', '{"items": {"type": "string"}}', action => 'warn');
insert into shop.products select 4, jsonb_agg(n) from generate_series(1, 12) n;
select restful.constrain('shop.products', 'doc', '{"type": "string"}', 'off');
insert into shop.products values (5, '5');
select "column", level, action from restful.bound_schemas('shop.products');
select row_key, message from restful.validation_report('shop.products', 'doc') order by row_key::text;
