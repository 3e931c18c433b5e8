-- max-affected, count=exact and "exactly one row" count the rows that are changed, or that a function which may write returns,
-- and not the rows that are shown.
\pset tuples_only on
\pset format unaligned
create schema work;
create table work.people (id int primary key, name text);
create table work.tasks (id int primary key, owner int references work.people, v int not null default 0);
create table work.log (n int);
create function work.touch() returns setof work.tasks language sql
    as $$ insert into work.log values (1); update work.tasks set v = v + 1 returning * $$;
create function work.numbers() returns setof int language plpgsql
    as $$ begin insert into work.log values (1); return query select 1 union select 2; end $$;
create function work.first() returns work.tasks language plpgsql
    as $$ begin insert into work.log values (1); return (select t from work.tasks t order by id limit 1); end $$;
create function work.all_tasks() returns setof work.tasks stable language sql as $$ select * from work.tasks $$;
insert into work.people values (1, 'Ann'), (2, 'Bob');
insert into work.tasks values (1, 1), (2, 1), (3, 2), (4, null);
grant usage on schema work to librarian;
grant select, insert, update, delete on all tables in schema work to librarian;
alter role librarian set restful.aggregates_enabled = on;
\c - librarian
set restful.schemas = 'work';

-- Returns status, Content-Range, body or code, and the contents of the tables afterwards; everything is undone.
create function pg_temp.trial(method text, target text, prefer text, body text default null, accept text default '*/*') returns text
language plpgsql as $$
declare
    answer record;
    tables text;
begin
    begin
        answer := restful.serve(method, target, jsonb_build_object('prefer', prefer, 'accept', accept), convert_to(case method when 'DELETE' then '' else body end, 'utf8'));
        select format('%s tasks, %s changed, %s people, %s logged', count(*), count(*) filter (where v > 0),
                      (select count(*) from work.people), (select count(*) from work.log))
        into tables from work.tasks;
        raise exception using errcode = 'ZZ001';
    exception when sqlstate 'ZZ001' then null;
    end;
    return format(e'%s %s (%s) %s\n  %s %s %s; %s', method, target, prefer, accept, answer.status, answer.headers->>'content-range',
        case when answer.status < 300 then convert_from(answer.body, 'utf8')
             else format('%s %s', convert_from(answer.body, 'utf8')::jsonb->>'code', convert_from(answer.body, 'utf8')::jsonb->>'details') end,
        tables);
end $$;
create function pg_temp.object() returns text language sql as $$ select 'application/vnd.pgrst.object+json' $$;

select pg_temp.trial(method, target, prefer, '{"v": 9}')
from unnest(array['PATCH', 'DELETE']) method,
     unnest(array['/tasks?select=id,people!inner(name)&order=id',
                  '/tasks?select=id,...people!inner(name)&people.name=eq.Ann&order=id', '/tasks?select=count()',
                  '/tasks?select=owner,count()&order=owner', '/tasks?limit=1&order=id&select=id', '/tasks?id=lt.3&select=id&order=id']) target,
     unnest(array['return=representation, count=exact', 'return=representation, handling=strict, max-affected=1',
                  'count=exact, handling=strict, max-affected=1']) prefer;
-- exactly one row
select pg_temp.trial(method, target, prefer, '{"v": 9}', pg_temp.object())
from unnest(array['PATCH', 'DELETE']) method,
     unnest(array['/tasks?select=id,people!inner(name)&id=gt.2', '/tasks?select=count()', '/tasks?limit=1&order=id&select=id',
                  '/tasks?id=eq.4&select=id,people!inner(name)']) target,
     unnest(array['return=representation', 'return=minimal']) prefer;
-- inserts and upserts
select pg_temp.trial('POST', target, prefer, '[{"id": 8}, {"id": 9}]', accept)
from unnest(array['/people?limit=1', '/people?limit=0', '/people?select=id,tasks!inner(id)', '/people?select=count()']) target,
     unnest(array['return=representation, count=exact', 'count=exact']) prefer, unnest(array['*/*', pg_temp.object()]) accept;
select pg_temp.trial('POST', target, 'return=representation, count=exact, resolution=merge-duplicates', body)
from unnest(array['/people?limit=0', '/people?limit=1&order=id', '/people?select=id,tasks!inner(id)&order=id&tasks.order=id']) target,
     unnest(array['[{"id": 1, "name": "x"}, {"id": 9, "name": "y"}]', '[{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]']) body;

-- a function that may write is called once and runs to its end, whatever is selected of its rows
select pg_temp.trial('POST', target, prefer, '{}')
from unnest(array['/rpc/touch?limit=0', '/rpc/touch?limit=1&select=id&order=id', '/rpc/touch?id=eq.1&id=eq.2', '/rpc/touch?id=is.null&id=not.is.null',
                  '/rpc/touch?id=in.()', '/rpc/touch?id=eq.1&select=id', '/rpc/touch?select=id,people!inner(id)&people.id=eq.7',
                  '/rpc/touch?select=count()', '/rpc/touch?select=id,people()&people=is.null', '/rpc/numbers?limit=0', '/rpc/numbers?limit=1',
                  '/rpc/numbers?offset=5']) target,
     unnest(array['', 'count=exact', 'handling=strict, max-affected=3']) prefer;
select pg_temp.trial('POST', target, '', '{}') from unnest(array['/rpc/first?id=eq.1&id=eq.2', '/rpc/first?id=eq.7', '/rpc/first']) target;
select pg_temp.trial('POST', target, '', '{}', pg_temp.object())
from unnest(array['/rpc/touch?limit=1', '/rpc/touch?id=eq.1', '/rpc/numbers?limit=1', '/rpc/first']) target;
-- for a function that cannot write, and for a read, the rows that are shown count
select pg_temp.trial('POST', '/rpc/all_tasks?limit=1&select=id&order=id', '', '{}', pg_temp.object());
select pg_temp.trial('GET', target, '', null, pg_temp.object())
from unnest(array['/rpc/all_tasks?limit=1&select=id&order=id', '/tasks?id=eq.1&select=id', '/tasks?limit=1&order=id&select=id']) target;

select as_superuser('alter role librarian reset restful.aggregates_enabled');
