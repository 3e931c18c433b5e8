-- With the roles that restful.setup_roles() makes, and policies and functions in the recommended form, restful.lint() finds nothing.
set client_min_messages = warning;
create role app_owner;
select count(*) > 10 as made from restful.setup_roles('web', 'visitor', 'member', 'service', 'service_web', 'chief', 'auditor', 'app_owner');
alter role web set restful.schemas = 'api';
-- lint() would report this helper of the shared set-up
alter function public.as_superuser set search_path = pg_catalog, pg_temp;

create schema api authorization app_owner;
create schema private authorization app_owner;
grant usage on schema api to visitor, member;
grant usage on schema private to member;
set role app_owner;
create table private.memberships (member text, team int, role text, primary key (member, team));
create function private.member() returns text stable parallel safe language sql as $$ select current_setting('app.member', true) $$;
create function private.teams(wanted text) returns setof int stable parallel safe security definer set search_path = pg_catalog, pg_temp language sql
    as $$ select m.team from private.memberships m where m.member = private.member() and m.role = wanted $$;
grant execute on all functions in schema private to member;
create table api.documents (
    id int generated always as identity primary key, team int not null, author text, title text, public boolean not null default false
);
create index on api.documents (team);
create index on api.documents (author);
create table api.comments (id int generated always as identity primary key, document int not null references api.documents, "text" text);
create index on api.comments (document);
create table api.parts (id int, at date, primary key (id, at)) partition by range (at);
create table api.parts_2026 partition of api.parts for values from ('2026-01-01') to ('2027-01-01');
alter table api.documents enable row level security;
alter table api.documents force row level security;
alter table api.comments enable row level security;
alter table api.parts enable row level security;
grant select on api.documents to visitor;
grant select, insert (team, author, title), update (title, public), delete on api.documents to member;
grant select on api.comments, api.parts to member;
create policy visitors on api.documents for select to visitor using (public);
create policy teams on api.documents to member
    using (team = any (array(select private.teams('reader'))) or author = (select private.member()))
    with check (team = any (array(select private.teams('writer'))) and author = (select private.member()));
create policy readable on api.comments for select to member using (exists (select from api.documents d where d.id = document));
create policy all_of_them on api.parts for select to member using (true);
create view api.titles with (security_invoker = true) as select id, title from api.documents;
grant select on api.titles to member;
create function api.newest() returns setof api.documents stable language sql as $$ select * from api.documents order by id desc limit 5 $$;
grant execute on function api.newest to member;
create function api.publish(document int) returns void language sql as $$ update api.documents set public = true where id = document $$;
grant execute on function api.publish to member;
reset role;
select * from restful.lint('{api}') where object <> 'anon';

drop owned by web, visitor, member, service, service_web, chief, auditor, app_owner cascade;
drop role web, visitor, member, service, service_web, chief, auditor, app_owner;
