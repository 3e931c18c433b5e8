-- Requests, the access matrix and lints read restful.schemas in the same way: names as in search_path.
\pset tuples_only on
\pset format unaligned
create schema "Odd, ""One";
create schema "a b";
create schema plain;
create schema ÄPI;
create schema "Plain";
do $$ begin
    for i in 1..5 loop
        execute format('create table %I.t (id int primary key)', (array['Odd, "One', 'a b', 'plain', 'Äpi', 'Plain'])[i]);
        execute format('grant usage on schema %1$I to alice; grant select on %1$I.t to alice', (array['Odd, "One', 'a b', 'plain', 'Äpi', 'Plain'])[i]);
    end loop;
end $$;
create function public.readings() returns table (reader text, schemas text) language sql as $$
    select 'exposed_schemas', array_to_string(restful.exposed_schemas(), ' | ')
    union all
    select 'requests', string_agg(n.nspname, ' | ' order by n.nspname)
    from (values ('Odd, "One'), ('a b'), ('plain'), ('Äpi'), ('Plain'), ('a'), ('b'), ('one'), ('pg_catalog'), ('restful')) n (nspname),
        restful.get('/t', jsonb_build_object('accept-profile', n.nspname)) r
    where r.status = 200
    union all
    select 'access_matrix', string_agg(distinct n.nspname, ' | ' order by n.nspname)
    from restful.access_matrix(roles => '{alice}') m join pg_class c on c.oid = m.relation join pg_namespace n on n.oid = c.relnamespace
    union all
    select 'lint_schemas', string_agg(s, ' | ' order by s) from restful.lint_schemas() s where s <> 'library'
$$;
\c - alice
set restful.schemas = '"Odd, ""One", PLAIN , a b';
select * from public.readings();
set restful.schemas = 'Plain,"Plain",ÄPI';
select * from public.readings();
set restful.schemas = '"a b",,pg_catalog, restful, "information_schema"';
select * from public.readings();
set restful.schemas = '';
select * from public.readings();
-- a value other than the session's
select restful.exposed_schemas('"x""y", Z,restful'), restful.exposed_schemas('') = '{}';
reset restful.schemas;
select restful.exposed_schemas(), restful.exposed_schemas(null);
-- lints read the settings of the roles that HTTP layers log in as
\c - postgres
alter role authenticator set restful.schemas = '"Odd, ""One",a b';
set restful.schemas = 'public';
select * from restful.lint_schemas() order by 1;
alter role authenticator set restful.schemas = 'library';
