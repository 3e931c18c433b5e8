-- PATCH and DELETE change the rows that GET shows with the same filters, whatever the columns and embedded relations are called.
\pset tuples_only on
\pset format unaligned
create schema work;
create table work.people (id int primary key, name text);
create table work.tasks (id int primary key, title text, owner int references work.people, v int not null default 0);
create table work.status (code text primary key, says text);
create table work.jobs (id int primary key, status text references work.status);
create table work.notes (text text);
create function work.helpers(work.tasks) returns setof work.people stable language sql
    as $$ select * from work.people where id <> $1.owner $$;
insert into work.people values (1, 'Ann'), (2, 'Bob');
insert into work.tasks values (1, 'C#', 1), (2, 'C', 1), (3, 't3', 2), (4, 't4', null);
insert into work.status values ('open', 'o'), ('closed', 'c');
insert into work.jobs values (1, 'open'), (2, 'open'), (3, 'closed');
insert into work.notes values ('a'), ('b');
grant usage on schema work to librarian;
grant select, insert, update, delete on all tables in schema work to librarian;
\c - librarian
set restful.schemas = 'work';

create function pg_temp.outcome(r record) returns text language plpgsql as $$
begin return concat_ws(' ', r.status, case when r.status >= 300 then convert_from(r.body, 'utf8')::jsonb->>'code' end); end $$;
-- The ids of the rows that GET shows, that PATCH changes and that DELETE leaves.
create function pg_temp.three(relation text, query text, change text) returns text language plpgsql as $$
declare
    shown text; patched text; deleted text; answer record; of_patch record; of_delete record;
begin
    answer := restful.serve('GET', format('/%s?%s', relation, query));
    if answer.status < 300 then
        select ' shows ' || coalesce(string_agg(r->>'id', ' ' order by r->>'id'), 'none') into shown
        from jsonb_array_elements(convert_from(answer.body, 'utf8')::jsonb) r;
    end if;
    begin
        of_patch := restful.serve('PATCH', format('/%s?%s', relation, query), '{}', convert_to(change, 'utf8'));
        execute format('select string_agg(id::text, '' '' order by id) from work.%I t where to_jsonb(t) @> $1', relation)
            into patched using change::jsonb;
        raise exception using errcode = 'ZZ001';
    exception when sqlstate 'ZZ001' then null;
    end;
    begin
        of_delete := restful.serve('DELETE', format('/%s?%s', relation, query));
        execute format('select string_agg(id::text, '' '' order by id) from work.%I', relation) into deleted;
        raise exception using errcode = 'ZZ001';
    exception when sqlstate 'ZZ001' then null;
    end;
    return format(e'%s?%s\n  GET %s%s, PATCH %s sets %s, DELETE %s leaves %s', relation, query, pg_temp.outcome(answer), shown,
        pg_temp.outcome(of_patch), coalesce(patched, 'none'), pg_temp.outcome(of_delete), coalesce(deleted, 'none'));
end $$;
create function pg_temp.tasks(query text) returns text language sql as $$ select pg_temp.three('tasks', query, '{"v": 9}') $$;

-- a column and an embedded relation with the same name: relation, alias, computed relationship, spread
select pg_temp.tasks('owner=eq.2&select=id,owner(name)');
select pg_temp.tasks('title=eq.C&select=id,title:people(name)');
select pg_temp.tasks('v=eq.1&select=id,v:helpers(name)');
select pg_temp.tasks('owner=eq.2&select=id,...owner(name)');
select pg_temp.tasks('owner=eq.zzz&select=id,owner(name)');
select pg_temp.three('jobs', 'status=eq.closed&select=id,status(*)', '{"status": "open"}');
-- is.null and not.is.null test whether the embedded relation has a row; is.not_null tests the column if there is one
select pg_temp.tasks('people=is.null&select=id,people(name)');
select pg_temp.tasks('people=not.is.null&select=id,people(name)');
select pg_temp.tasks('helpers=not.is.null&select=id,helpers(name)&helpers.name=eq.Bob');
select pg_temp.tasks('owner=is.null&select=id,owner(name)&owner.name=eq.Bob');
select pg_temp.tasks('owner=is.not_null&select=id,owner(name)&owner.name=eq.Bob');
select pg_temp.tasks('people=eq.1&select=id,people(name)');
-- also within trees
select pg_temp.tasks('or=(owner.eq.2,id.eq.4)&select=id,owner(name)');
select pg_temp.tasks('not.and=(owner.is.null)&select=id,owner(name)&owner.name=eq.Bob');
select pg_temp.tasks('or=(people.is.null,title.eq.C)&select=id,people(name)');
-- a filter in an inner join chooses rows; a filter in another embedded relation does not
select pg_temp.tasks('select=id,people!inner(name)&people.name=eq.Bob');
select pg_temp.tasks('select=id,people(name)&people.name=eq.Bob');
-- unknown names are refused, whatever is returned
select pg_temp.tasks('select=no_such(id)&no_such.id=eq.1');
select pg_temp.tasks('select=id,nothing');
select pg_temp.tasks('select=id,owner(nothing)');
select pg_temp.tasks('owner.id=eq.1');
select show(restful.serve('DELETE', '/tasks/1?owner=eq.2&select=id,owner(name)'));
-- requests that cannot be understood or would have no meaning are refused too
select pg_temp.tasks('id');
select pg_temp.tasks('id=eq.1&select');
select pg_temp.tasks('title=eq.C#&id=eq.1');
select pg_temp.outcome(restful.serve('DELETE', '/tasks#?id=eq.1'));
select method, pg_temp.outcome(restful.serve(method, '/tasks/', '{}', '{"v": 1}'))
from unnest(array['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) method;
select pg_temp.outcome(restful.serve('POST', '/tasks?id=eq.1', '{}', '{"id": 9}'));
select pg_temp.outcome(restful.serve('DELETE', '/tasks?id=eq.1&columns=v'));
select pg_temp.outcome(restful.serve('DELETE', '/tasks?id=eq.1&limit=1&limit=2&order=id'));
select count(*) from work.tasks where v = 0;

-- a page chooses rows in the given order, then by the key
select pg_temp.tasks('order=id.desc&limit=1');
select pg_temp.tasks('order=owner.asc.nullslast&limit=1&offset=1');
select pg_temp.tasks('title=like.t*&order=title.desc&limit=1');
select pg_temp.tasks('limit=0');
select pg_temp.tasks('offset=3');
select pg_temp.tasks('select=id,owner(name)&order=owner(name).desc.nullslast&limit=1');
begin;
select show_all(restful.serve('DELETE', '/tasks?order=id.desc&limit=2&select=id', '{"prefer": "return=representation, count=exact"}'));
select show_all(restful.serve('PATCH', '/tasks?order=id&limit=1', '{"prefer": "count=exact"}', '{"v": 3}'));
rollback;
-- a page needs a key
select show(restful.serve('DELETE', '/notes?order=text&limit=1'));
select show(restful.serve('PATCH', '/notes?offset=1', '{"prefer": "return=representation"}', '{"text": "c"}'));
select * from work.notes order by text;
