-- A read that is repeated often is answered by the fast path. The same rights, settings and limits apply to it.
\pset tuples_only on
\pset format unaligned
create table library.things (id int primary key, secret text, at timestamptz, raw bytea, ratio float8);
insert into library.things values (1, 'x', '2024-02-29 12:00+00', '\x00ff', 1::float8 / 3);
create view library.owned as select id, secret from library.things;
create role keeper;
grant usage on schema library to keeper;
grant select on library.things to anon, keeper;
alter view library.owned owner to keeper;
grant select on library.owned to anon;
create function library.who() returns text language sql stable as $$ select concat_ws(' ', current_user, current_setting('request.path')) $$;
create view library.asking as select id, library.who() as who from library.things;
create view library.told as select id, current_user as role, current_setting('request.path') as path from library.things;
grant select on library.asking, library.told to anon;
create role layer login noinherit;
grant anon to layer;
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.schemas = 'library';
\c - layer
-- each request runs as its own role, and the session's role is unchanged afterwards
select warm('/told');
select show(restful.serve('GET', '/told'));
select warm('/asking');
select show(restful.serve('GET', '/asking'));
select warm('/things?select=id');
select show(restful.serve('GET', '/things?select=id'));
select current_user, current_setting('search_path'), coalesce(current_setting('request.path', true), '') = '' as no_path;
-- settings of the session apply to each answer
select warm('/things?select=at,raw,ratio');
select show(restful.serve('GET', '/things?select=at,raw,ratio'));
set timezone = 'Asia/Tokyo';
set bytea_output = 'escape';
set extra_float_digits = -10;
select show(restful.serve('GET', '/things?select=at,raw,ratio'));
select show(restful.serve('GET', '/things?select=at,raw,ratio', '{"prefer": "timezone=UTC"}'));
reset timezone;
-- an invalid argument
select warm('/things?id=eq.1&select=id');
select show(restful.serve('GET', '/things?id=eq.x&select=id'));
select show(restful.serve('GET', '/things?id=eq.1&select=id'));
-- rows that this transaction has written are seen
begin;
select as_superuser('insert into library.things values (2)');
select show(restful.serve('GET', '/things?select=id'));
rollback;
select show(restful.serve('GET', '/things?select=id'));
-- rights on columns; rights of a view's owner
select warm('/things?select=id,secret');
select as_superuser('revoke select on library.things from anon; grant select (id) on library.things to anon');
select show(restful.serve('GET', '/things?select=id,secret'));
select warm('/things?select=id');
select show(restful.serve('GET', '/things?select=id'));
select warm('/owned');
select show(restful.serve('GET', '/owned'));
select as_superuser('revoke select on library.things from keeper');
select show(restful.serve('GET', '/owned'));
select as_superuser('grant select on library.things to keeper');
select warm('/owned');
-- a policy on the table under the view
select as_superuser('alter table library.things enable row level security');
select show(restful.serve('GET', '/owned'));
select show(restful.serve('GET', '/things?select=id'));
select as_superuser('create policy by_path on library.things using (current_setting(''request.path'') like ''/thing%'')');
select warm('/things?select=id');
select show(restful.serve('GET', '/things?select=id'));
select show(restful.serve('GET', '/owned'));
-- a view that now reads the identity
select as_superuser('create or replace view library.owned as select id, library.who() as secret from library.countries, (values (1)) v(id) where code = ''jp''');
select show(restful.serve('GET', '/owned'));
-- an operator or table that shadows the intended one
select warm('/subjects?select=name&id=eq.1');
create temp table subjects (id int, name text);
insert into subjects values (1, 'planted');
select as_superuser('create function public.never(int, int) returns boolean language sql immutable as ''select false''; create operator public.= (leftarg = int, rightarg = int, function = public.never)');
select show(restful.serve('GET', '/subjects?select=name&id=eq.1'));
set search_path = public, pg_catalog;
select show(restful.serve('GET', '/subjects?select=name&id=eq.1'));
reset search_path;
-- a time limit, and reads that cannot write
begin read only;
select show(restful.serve('GET', '/subjects?select=name&id=eq.1'));
commit;
