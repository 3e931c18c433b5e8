-- restful.version_changes compares two versions in PostgreSQL's catalogue: what breaks readers, what breaks writers, and whom.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role reader;
create role writer;
create schema one; create schema two;
create type one.state as enum ('open', 'done'); create type two.state as enum ('open', 'done', 'late');
create type one.same as enum ('a', 'b'); create type two.same as enum ('a', 'b');
create table one.groups (id int primary key); create table two.groups (id int primary key);
create table one.tasks (id int primary key, title varchar(20) not null, note text not null default '', size int4, state one.state, same one.same,
    weight int8, price text, code text unique, grp int references one.groups, gone int, fixed int, hidden int, "Odd.name" int);
create table two.tasks (id int primary key, title text not null, note text default '', size int8, state two.state, same two.same,
    weight int4, price numeric not null default 0, code text, grp int, fixed int generated always as (1) stored, hidden int, "Odd.name" int,
    due date not null, more int, check (size > 0));
create table one.gone (id int primary key);
create table two.fresh (id int primary key);
create table one.keyed (a int, b int, primary key (a)); create table two.keyed (a int, b int not null, primary key (b));
create table one.list (id int primary key); create view two.list as select 1 as id group by 1;
create function one.f(a int, b int default 1) returns int language sql stable as 'select 1';
create function two.f(a int, b int, c int default 1) returns int language sql as 'select 1';
create function one.g(a int) returns int language sql as 'select 1';
create function two.g(a text, z int) returns text language sql as 'select $1';
create function one.h(s one.same) returns setof one.keyed language sql stable as 'select 1, 2';
create function two.h(s two.same) returns setof two.keyed language sql stable as 'select 1, 2';
create function one.i(a int) returns int language sql as 'select 1';
create function one.i(b int, c int) returns int language sql as 'select 1';
create function two.i(b int, c int) returns int language sql as 'select 1';
create function two.j() returns int language sql as 'select 1';
create function one.k() returns int language sql as 'select 1'; create function two.k() returns int language sql as 'select 1';
grant usage on schema one to reader, writer; grant usage on schema two to reader;
grant select on all tables in schema one to reader; grant select on all tables in schema two to reader;
grant insert, update, delete on one.tasks, one.keyed to writer; grant insert on two.tasks to writer;
revoke select on two.tasks from reader;
grant select (id, title) on two.tasks to reader;
revoke execute on function two.k() from public;
grant execute on function one.k() to reader;
\c - alice
select * from restful.version_changes('one', 'two');
-- nothing is different from itself, and both directions are told
select * from restful.version_changes('one', 'one');
select count(*) > 0 from restful.version_changes('two', 'one');
select * from restful.version_changes('one', 'three');
select * from restful.version_changes(null, 'one');
\c - postgres
select restful.version('v1', 'one'), restful.version('v2', 'two');
\c - bob
select (select count(*) from restful.version_changes('v1', 'v2')) = (select count(*) from restful.version_changes('one', 'v2'));
\c - postgres
drop owned by reader, writer;
drop role reader, writer;
