-- Rows of a to-many relation without a page or an order of its own are read once for all parents, and those of a to-one relation for
-- each row of a small page. The parents keep their order, and duplicates and nulls among them are no matter.
\pset format unaligned
\pset tuples_only on
create table library.readers (id int primary key, card int unique, name text);
create table library.visits (id int primary key, card int references library.readers (card), day date);
insert into library.readers select i, nullif(i, 4000), 'r' || i from generate_series(1, 4000) i;
insert into library.visits select i, nullif(i % 4, 3), date '2026-01-01' + i % 30 from generate_series(1, 40000) i where i % 4 > 0;
create index on library.visits (card);
-- a view shows a reader twice
create view library.seen as select r.id, r.card, r.name from library.readers r, generate_series(1, 2);
grant select on library.readers, library.visits, library.seen to anon, librarian;
analyze library.readers, library.visits;
select as_superuser('alter role librarian set restful.plan_enabled = on');
\c - librarian
create function pg_temp.plan(target text) returns table (line text) language sql as $$
    select trim(regexp_replace(l, '^[-> ]*|\(cost.*| using .*| on .*', '', 'g'))
    from restful.serve('GET', target, '{"accept": "application/vnd.pgrst.plan"}', null), regexp_split_to_table(convert_from(body, 'utf8'), E'\n') l $$;
-- The index finds the visits, although PostgreSQL takes most of them to be asked for.
select count(*) filter (where line ~ 'Index Cond: .card = ANY'), count(*) filter (where line like 'Seq Scan%')
from pg_temp.plan('/readers?select=name,visits(day)&id=gt.1000&order=id&limit=100');
-- A subquery, and no join.
select count(*) filter (where line like 'SubPlan%'), count(*) filter (where line ~ 'Join|Loop') from pg_temp.plan('/visits?select=day,readers(name)&limit=3');
select count(*) filter (where line like 'SubPlan%') from pg_temp.plan('/visits?select=day,readers(name)&limit=3000');
select as_superuser('alter role librarian reset restful.plan_enabled');
\c - authenticator
select show(restful.serve('GET', '/readers?select=name,visits(id),again:visits(id,day)&visits.id=lt.10&again.id=in.(1,5,6)&id=in.(1,2,3,3999,4000)&order=id.desc'));
select show(restful.serve('GET', '/seen?select=*,visits(id)&visits.id=lt.10&id=lt.3&order=name.desc,id'));
select show(restful.serve('GET', '/readers?select=id,visits(id,readers(name))&visits.id=lt.10&id=lt.3&offset=1&order=id'));
select show(restful.serve('GET', '/visits?select=id,r:readers(*)&limit=3&order=id', '{"prefer": "count=exact"}'));
select show(restful.serve('GET', '/visits?select=*,readers(id)&readers.id=gt.1&limit=3&order=id'));
-- without rows, and with as many as the limit
select show(restful.serve('GET', '/readers?select=id,visits(id)&id=gt.5000'));
select length(body), (convert_from(body, 'utf8')::json -> 0 ->> 'visits')::json ->> 9999
from restful.serve('GET', '/readers?select=visits(id)&card=lt.3&order=id', '{}', null);
-- a key of a type that has an order of its own, and another table's rows that a policy hides
\c - postgres
create table library.codes (code text collate "C" primary key);
create table library.uses (id int primary key, code text collate "C" references library.codes, owner text);
insert into library.codes values ('a'), ('B'), ('b');
insert into library.uses values (1, 'a', 'anon'), (2, 'b', 'bob'), (3, 'a', 'bob'), (4, 'b', 'anon'), (5, null, 'anon');
alter table library.uses enable row level security;
create policy own on library.uses to anon using (owner = current_user);
grant select on library.codes, library.uses to anon;
\c - authenticator
select show(restful.serve('GET', '/codes?select=code,uses(id,owner)&order=code'));
select show(restful.serve('GET', '/codes?select=code,uses(id,owner)&order=code'));
select show(restful.serve('GET', '/codes?select=code,uses(id,owner)&order=code'));
-- A key that is not unique yet shows both rows, as a join does.
\c - postgres
create table library.badges (id int primary key, reader int unique deferrable initially deferred references library.readers);
grant select, insert on library.badges to librarian;
\c - librarian
begin;
insert into library.badges values (1, 1), (2, 1);
select show(restful.serve('GET', '/readers?select=id,badges(id)&id=eq.1'));
rollback;
-- Columns that the role may not read are refused, and a table that gets children may have a key twice.
\c - postgres
revoke select on library.uses from anon;
grant select (id, code) on library.uses to anon;
\c - authenticator
select show(restful.serve('GET', '/codes?select=code,uses(*)&order=code'));
select show(restful.serve('GET', '/codes?select=code,uses(id)&order=code'));
select show(restful.serve('GET', '/visits?select=id,readers(name)&limit=1&order=id'));
\c - postgres
create table library.guests () inherits (library.readers);
insert into library.guests values (1, 1, 'guest');
grant select on library.guests to anon;
\c - authenticator
select json_array_length(convert_from(body, 'utf8')::json) from restful.serve('GET', '/visits?select=id,readers(name)&limit=2&id=eq.1', '{}', null);
