-- Running a fix that lint() proposes does not run code that the table's owner has put into a policy: a literal of a type with a
-- check would otherwise be read with the rights of the user who alters the policy.
\pset tuples_only on
\pset format unaligned
create role carol login;
create schema shop authorization carol;
\c - carol
create function shop.trap(who text) returns boolean language plpgsql as $$ begin raise 'runs as %', current_user; end $$;
create domain shop.checked as text check (value = 'x');
create type shop.state as enum ('open', 'shut');
create table shop.orders (id int primary key, owner text, state shop.state);
create index on shop.orders (owner);
alter table shop.orders enable row level security;
create policy plain on shop.orders for select to public using (owner = restful.user_id() and state = any ('{open}'::shop.state[]));
create policy trapped on shop.orders for delete to public using (owner = restful.user_id() and owner = any ('{x}'::shop.checked[]));
alter domain shop.checked add check (shop.trap(value)) not valid;
\c - postgres
select object, fix_sql, detail from restful.lint('{shop}') where lint = 'policy_not_initplan' order by object;
drop schema shop cascade;
drop role carol;
