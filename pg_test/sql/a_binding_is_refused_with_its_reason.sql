-- A binding that is not possible is refused with the reason, and existing bindings stay.
\set SHOW_CONTEXT never
create role curator login;
create schema shop authorization curator;
\c - curator
create table shop.products (id int primary key, doc jsonb, label text);
create view shop.shown as select * from shop.products;
create materialized view shop.kept as select * from shop.products;
select restful.constrain('shop.products', 'doc', '{"type": "object"}');
select restful.constrain('shop.products', 'doc', '{"properties": {"a": {"type": "strung"}}}');
select restful.constrain('shop.products', 'doc', '{"type": ');
select restful.constrain('shop.products', 'doc', '["type"]');
select restful.constrain('shop.products', 'doc', 'product');
select restful.constrain('shop.products', 'doc', '{"properties": {"a": {"$ref": "restful:nothing"}}}');
select restful.constrain('shop.products', 'doc', '{"pattern": "(?=a)"}');
select restful.constrain('shop.products', 'doc', 'true', 'lax');
select restful.constrain('shop.products', 'doc', 'true', null);
select restful.constrain('shop.products', 'doc', 'true', 'strict', 'ignore');
select restful.constrain('shop.products', 'doc', null);
select restful.constrain(null, 'doc', 'true');
select restful.constrain('shop.products', 'label', 'true');
select restful.constrain('shop.products', 'ctid', 'true');
select restful.constrain('shop.products', 'nothing', 'true');
select restful.constrain('shop.shown', 'doc', 'true');
select restful.constrain('shop.kept', 'doc', 'true');
select "column", schema, name from restful.bound_schemas('shop.products');
-- only the owner of a table can bind a schema to it
grant usage on schema shop to alice;
grant all on shop.products to alice;
\c - alice
select restful.constrain('shop.products', 'doc', 'true');
select restful.constrain('shop.products', null, 'true');
select restful.unconstrain('shop.products', 'doc');
insert into shop.products values (1, '[]');
-- the trigger function, used without restful.constrain
create temp table mine (id int, doc jsonb);
create trigger wrong after insert on mine for each row execute function restful.enforce_schema();
insert into mine values (1, null);
create or replace trigger wrong after insert on mine for each row execute function restful.enforce_schema('true', 'strict', 'never');
insert into mine values (1, null);
create or replace trigger wrong before insert on mine for each row execute function restful.enforce_schema('false', 'strict', 'error');
insert into mine values (1, null);
create or replace trigger wrong after insert on mine for each row when (new.id is not null) execute function restful.enforce_schema('false', 'strict', 'error');
insert into mine values (1, null);
create or replace trigger wrong after insert on mine for each row when (new.doc is null) execute function restful.enforce_schema('false', 'strict', 'error');
insert into mine values (1, null);
drop trigger wrong on mine;
create trigger wrong after delete on mine for each row execute function restful.enforce_schema('false', 'strict', 'error');
insert into mine values (1, null);
delete from mine;
select restful.enforce_schema();
