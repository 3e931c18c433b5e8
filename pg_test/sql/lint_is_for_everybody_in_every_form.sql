-- restful.lint() as a table, as JSON and over requests; its arguments and its callers.
\set SHOW_CONTEXT never
set client_min_messages = warning;
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on
-- the schemas are those that the HTTP layer's role exposes
select lint, level, object from restful.lint(min_level => 'ERROR');
select distinct level from restful.lint('{library}', 'warn') order by 1;
select count(*) from restful.lint('{}', 'ERROR');
-- every role may call it and gets the same answer
create table findings as select * from restful.lint();
grant select on findings to public;
\c - alice
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on
\set SHOW_CONTEXT never
select count(*) > 20 from restful.lint();
select * from (table findings except select * from restful.lint()) missing;
select * from (select * from restful.lint() except table findings) more;
-- arguments that make no sense
select * from restful.lint('{library,libary}');
select * from restful.lint(min_level => 'warning');
select * from restful.lint(min_level => null);
insert into restful.lint_exception values ('rls_disabled_exposed', 'library.books', 'nobody looks');
-- as JSON
select json_agg(l) -> 0 from restful.lint(min_level => 'ERROR') l;
\c - postgres
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on
-- over requests: through a function of your own, for the roles you choose
create function library.lint(min_level text default 'INFO') returns table (lint text, level text, category text, object text, detail text, fix_sql text)
    stable language sql as $$ select * from restful.lint(min_level => min_level) $$;
revoke execute on function library.lint from public;
grant execute on function library.lint to librarian;
\c - librarian
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on
select status, body from restful.get('/rpc/lint?min_level=ERROR&select=lint,object&order=object&limit=2');
select status, jsonb_array_length(body) from restful.post('/rpc/lint', '{"min_level": "ERROR"}');
select status, body->>'code', body->>'message' from restful.get('/rpc/lint?min_level=none');
\c - authenticator
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on
select status from restful.get('/rpc/lint');
\c - postgres
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on
-- findings that are intended
insert into restful.lint_exception values ('rls_disabled_exposed', 'library.books', 'the catalogue is public');
select object from restful.lint('{library}', 'ERROR') where lint = 'rls_disabled_exposed' and object ~ 'book';
-- names that need quotes: findings and fixes quote them
create schema "My Shop";
create table "My Shop"."Order; drop" ("Id" int primary key, "User's" text references library.countries, "api""key" text, "secretKey" text);
create policy "mine ""and"" more" on "My Shop"."Order; drop" for select using ("User's" = current_setting('request.jwt.claims')::json->>'sub');
create function "My Shop"."Buy; it"("Item"" no" int) returns int language sql security definer as 'select 1';
grant usage on schema "My Shop" to public;
grant all on "My Shop"."Order; drop" to public, anon;
select lint, object, fix_sql from restful.lint(array['My Shop']) where object ~ 'My Shop';
-- one fix after the other, until no finding is left
do $$
declare
    statement text;
begin
    for i in 1..30 loop
        select l.fix_sql into statement from restful.lint(array['My Shop'], 'WARN') l where l.object ~ 'My Shop' limit 1;
        exit when not found;
        execute statement;
    end loop;
end $$;
select lint, object from restful.lint(array['My Shop'], 'WARN') where object ~ 'My Shop';
select policyname, roles, qual from pg_policies where schemaname = 'My Shop';
-- expressions are read as PostgreSQL reads them
select function, arguments, bare from restful.lint_groups($$((a.uid() = owner) AND ("F(x" ('it''s (', b) = ANY (ARRAY( SELECT a.uid() AS "u)id"))))$$);
select restful.lint_names('a, "B ""b""",  C ,"d,e"');
