-- At level moderate, a row that was already invalid may be updated and stay invalid. New rows and valid rows have to be valid.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
\c - curator
create table shop.products (id int primary key, doc jsonb, note text);
insert into shop.products values (1, '{"price": -1}'), (2, '{"name": "Map"}'), (3, null);
select restful.constrain('shop.products', 'doc', '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}', 'moderate');
update shop.products set note = 'old' where id = 1;
update shop.products set doc = '{"price": -2}' where id = 1;
update shop.products set doc = '{"price": -2}' where id = 2;
update shop.products set doc = '{"price": -2}' where id = 3;
insert into shop.products values (4, '{"price": -2}');
insert into shop.products values (1, '{}') on conflict (id) do update set doc = excluded.doc;
-- once a row is valid, it has to stay valid
update shop.products set doc = '{"name": "Globe"}' where id = 1;
update shop.products set doc = '{}' where id = 1;
select * from shop.products order by id;
-- strict checks every write of any column, as a CHECK does
select as_superuser($$insert into restful.json_schema values ('empty', 1, '{"maxProperties": 0}', 'none')$$);
select restful.constrain('shop.products', 'doc', 'empty', 'strict');
update shop.products set note = 'x' where id = 1;
