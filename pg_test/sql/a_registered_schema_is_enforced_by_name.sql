-- A schema that is bound by name is looked up in the registry for each statement.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
insert into restful.json_schema values ('product', 1, '{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}, "price": {"type": "number", "minimum": 0}}}', 'none');
\c - curator
create table shop.products (id int primary key, doc jsonb, raw json);
select restful.constrain('shop.products', 'doc', 'product');
select restful.constrain('shop.products', 'raw', 'restful:product@1');
insert into shop.products values (1, '{"name": "Map"}', '{"name": "Map"}');
insert into shop.products values (2, '{"price": -1}', null);
insert into shop.products values (2, null, '{"price": -1}');
\set VERBOSITY sqlstate
insert into shop.products values (2, '{"price": -1}', null);
\set VERBOSITY default
-- the error fields that a program reads
do $$
declare
    schema text;
    "table" text;
    "column" text;
    "constraint" text;
begin
    insert into shop.products values (2, '{"price": -1}', null);
exception when check_violation then
    get stacked diagnostics schema = schema_name, "table" = table_name, "column" = column_name, "constraint" = constraint_name;
    raise notice '% % % %', schema, "table", "column", "constraint";
end $$;
-- a new version applies at once, also within a transaction; a binding to one version keeps that version
begin;
insert into shop.products values (2, '{"name": "Atlas", "price": 7}', '{"name": "Atlas"}');
select as_superuser($$insert into restful.json_schema values ('product', 2, '{"properties": {"price": {"maximum": 5}}}', 'none')$$);
insert into shop.products values (3, '{"price": 5}', '{"name": "Globe"}');
savepoint s;
insert into shop.products values (4, '{"price": 7}', null);
rollback to s;
insert into shop.products values (4, null, '{"price": 7}');
rollback;
select * from shop.products;
insert into shop.products values (2, '{"name": "Atlas", "price": 7}', null);
-- the session's search path makes no difference, and COPY is checked too
set search_path = shop;
copy products (id, doc) from stdin;
3	{"name": ""}
\.
update products set doc = '{"name": ""}' where id = 1;
-- a name that no longer exists is an error, and the row does not pass
select public.as_superuser('delete from restful.json_schema');
insert into products values (5, '{"name": "Map"}', null);
-- names with any characters
select public.as_superuser($$insert into restful.json_schema select n, 1, '{"const": 1}', 'none' from unnest('{prodükt,a#b/c?d%41}'::text[]) n$$);
select restful.constrain('products', 'doc', 'prodükt'), restful.constrain('products', 'raw', 'a#b/c?d%41@1');
insert into products (id, doc) values (6, '2');
insert into products (id, raw) values (6, '2');
select restful.constrain('products', 'doc', 'prodükt', 'off');
insert into products (id, doc) values (6, '2');
select * from restful.validation_report('products', 'doc') where row_key = '{"id": 6}';
