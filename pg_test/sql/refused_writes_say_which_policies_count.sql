-- When a write is refused, the hint names less obvious causes: policies for SELECT, if rows are returned or compared, and columns that
-- the database fills in. restful.explain_access explains the same statements.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role clerk login;
alter role clerk set restful.schemas = 'library';
create table library.drafts (id int primary key, author text, state text not null default 'new', title text);
insert into library.drafts values (1, 'clerk', 'new', 'mine'), (2, 'other', 'new', 'theirs'), (3, 'clerk', 'shut', 'closed');
alter table library.drafts enable row level security;
create policy add on library.drafts for insert to clerk with check (title is not null);
create policy own on library.drafts for select to clerk using (author = current_user);
create policy change on library.drafts for update to clerk using (state = 'new') with check (state <> 'gone');
grant select, insert, update on library.drafts to clerk;
create function public.asked(command text, new_row jsonb, key jsonb default null) returns text language sql as $$
    select restful.explain_access('library.drafts', command, 'clerk', '{}', key, new_row) ->> 'verdict' $$;

-- A plain INSERT has to pass the policies for INSERT; if it returns rows, also those for SELECT.
\c - clerk
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
select show(restful.serve('POST', '/drafts', '{}', '{"id": 10, "author": "other", "title": "for them"}'));
select show(restful.serve('POST', '/drafts', '{"prefer": "return=representation"}', '{"id": 11, "author": "other", "title": "for them"}'));
select show(restful.serve('POST', '/drafts', '{"prefer": "return=headers-only"}', '{"id": 11, "author": "other", "title": "for them"}'));
select show(restful.serve('POST', '/drafts', '{"prefer": "return=representation"}', '{"id": 11, "author": "clerk", "title": "for me"}'));
select show(restful.serve('POST', '/drafts', '{}', '{"id": 12, "author": "clerk"}'));
-- ON CONFLICT compares: the new row must be readable, the existing row readable and updatable, before and after the change.
select show(restful.serve('POST', '/drafts', '{"prefer": "resolution=ignore-duplicates"}', '{"id": 12, "author": "other", "title": "x"}'));
select show(restful.serve('POST', '/drafts', '{"prefer": "resolution=merge-duplicates"}', '{"id": 1, "author": "clerk", "title": "x"}'));
select show(restful.serve('POST', '/drafts', '{"prefer": "resolution=merge-duplicates"}', '{"id": 2, "author": "clerk", "title": "x"}'));
select show(restful.serve('POST', '/drafts', '{"prefer": "resolution=merge-duplicates"}', '{"id": 3, "author": "clerk", "title": "x"}'));
select show(restful.serve('POST', '/drafts', '{"prefer": "resolution=merge-duplicates"}', '{"id": 1, "author": "clerk", "title": "x", "state": "gone"}'));
select show(restful.serve('PUT', '/drafts?id=eq.2', '{}', '{"id": 2, "author": "clerk", "title": "x", "state": "new"}'));
select show(restful.serve('PATCH', '/drafts?id=eq.1', '{}', '{"author": "other"}'));
\c - postgres
-- an error of a trigger gets no hint
create function library.refuse() returns trigger language plpgsql as $$ begin raise 'not today' using errcode = '42501'; end $$;
create trigger refuse before insert on library.drafts for each row when (new.title = 'today') execute function library.refuse();
\c - clerk
\pset tuples_only on
\pset format unaligned
select show(restful.serve('POST', '/drafts', '{"prefer": "return=representation"}', '{"id": 13, "author": "clerk", "title": "today"}'));
\c - postgres
drop function library.refuse cascade;
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
select public.asked('insert', '{"id": 20, "author": "other", "title": "x"}');
select public.asked('insert returning', '{"id": 20, "author": "other", "title": "x"}');
select public.asked('insert returning', '{"id": 20, "author": "clerk", "title": "x"}');
select public.asked('insert on conflict do nothing', '{"id": 20, "author": "other", "title": "x"}');
select public.asked('insert on conflict (id) do nothing', '{"id": 20, "author": "other", "title": "x"}');
select public.asked('insert on conflict do nothing', '{"id": 2, "author": "clerk", "title": "x"}');
select public.asked('insert on conflict do update', '{"id": 20, "author": "clerk", "title": "x"}');
select public.asked('insert on conflict do update', '{"id": 1, "author": "clerk", "title": "x"}');
select public.asked('insert on conflict do update', '{"id": 2, "author": "clerk", "title": "x"}');
select public.asked('insert on conflict do update', '{"id": 3, "author": "clerk", "title": "x"}');
select public.asked('insert on conflict do update', '{"id": 1, "author": "clerk", "title": "x", "state": "gone"}');
select public.asked('insert on conflict do update', '{"author": "clerk", "title": "x"}');
select public.asked('insert on conflict (title) do update', '{"author": "clerk", "title": "x"}', '3');
select restful.explain_access_text('library.drafts', 'insert on conflict do update returning *', 'clerk', new_row => '{"id": 3, "author": "clerk", "title": "x"}');
-- Rights, and columns that the database fills in.
do $$ begin perform restful.column_preset('library.drafts', 'author', 'current_user::text'); end $$;
\c - clerk
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
select show(restful.serve('POST', '/drafts', '{}', '{"id": 30, "author": "clerk", "title": "x"}'));
select show(restful.serve('PATCH', '/drafts?id=eq.1', '{}', '{"author": "clerk"}'));
select show(restful.serve('POST', '/drafts', '{}', '{"id": 30, "title": "x"}'));
\c - postgres
\set SHOW_CONTEXT never
\pset tuples_only on
\pset format unaligned
select public.asked('insert', '{"id": 31, "author": "clerk", "title": "x"}');
revoke select on library.drafts from clerk;
select public.asked('insert on conflict do update', '{"id": 31, "title": "x"}');
select public.asked('insert returning', '{"id": 31, "title": "x"}');
select public.asked('insert returning title, id', '{"id": 31, "title": "x"}');
grant select (title) on library.drafts to clerk;
select public.asked('insert returning title', '{"id": 31, "title": "x"}');
revoke select (title) on library.drafts from clerk;
revoke update on library.drafts from clerk;
grant select on library.drafts to clerk;
select public.asked('insert on conflict do update', '{"id": 31, "title": "x"}');
revoke select on library.drafts from clerk;
\c - clerk
\pset tuples_only on
\pset format unaligned
select show(restful.serve('POST', '/drafts', '{"prefer": "return=representation"}', '{"id": 31, "title": "x"}'));
select show(restful.serve('POST', '/drafts', '{"prefer": "resolution=ignore-duplicates"}', '{"id": 31, "title": "x"}'));
select show(restful.serve('POST', '/drafts', '{}', '{"id": 31, "title": "x"}'));
\c - postgres
-- a role without rights on the table learns nothing about its columns
revoke all on library.drafts from clerk;
revoke insert (id, state, title), update (id, state, title) on library.drafts from clerk;
\c - clerk
\pset tuples_only on
\pset format unaligned
select show(restful.serve('POST', '/drafts', '{}', '{"id": 32, "author": "clerk"}'));
\c - postgres
drop owned by clerk;
drop role clerk;
