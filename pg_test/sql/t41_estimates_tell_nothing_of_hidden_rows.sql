-- The planner's estimates include rows that policies hide. Where a policy applies, the rows are counted instead.
\pset tuples_only on
\pset format unaligned
create role reader login;
alter role reader set restful.schemas = 'library';
create table library.papers (id int primary key, tenant int, kind text);
insert into library.papers select i, i % 2, case when i % 2 = 1 then 'public' else 'merger' end from generate_series(1, 2000) i;
create table library.notes (id int primary key, paper int references library.papers);
insert into library.notes select i, i from generate_series(1, 2000) i;
create view library.paper_kinds as select id, kind from library.papers;
create table library.wages (id int primary key, clerk text, amount int);
insert into library.wages select i, case when i % 2 = 1 then 'reader' else 'others' end, i % 10 from generate_series(1, 2000) i;
create view library.my_wages as select id, amount from library.wages where clerk = current_user;
create function library.all_papers() returns setof library.papers language sql stable as $$ select * from library.papers $$;
create view library.paper_list with (security_invoker = true) as select * from library.all_papers();
create function library.its_papers(library.notes) returns setof library.papers rows 1 language sql stable as
    $$ select * from library.papers where id = $1.paper $$;
analyze;
alter table library.papers enable row level security;
alter table library.papers owner to librarian;
create policy tenants on library.papers for select to reader using (tenant = 1);
-- rows that are not in the statistics yet
insert into library.notes select i from generate_series(2001, 2010) i;
grant select on library.paper_list, library.papers, library.notes, library.paper_kinds, library.my_wages to reader;
\c - reader
create function pg_temp.totals(target text) returns text language sql as $$
    select string_agg(concat_ws(' ', how, r.status, r.headers ->> 'content-range'), ', ' order by how)
    from unnest('{planned,estimated,exact}'::text[]) how, restful.serve('HEAD', target, jsonb_build_object('prefer', 'count=' || how)) r
$$;
select pg_temp.totals('/papers?kind=eq.merger');
select pg_temp.totals('/papers?kind=eq.nothing');
select pg_temp.totals('/papers');
-- through other relations and functions
select pg_temp.totals('/notes?select=id,papers!inner(id)&papers.kind=eq.merger');
select pg_temp.totals('/paper_kinds?kind=eq.merger');
select pg_temp.totals('/paper_list?kind=eq.merger');
select pg_temp.totals('/my_wages?amount=eq.4');
select pg_temp.totals('/rpc/all_papers?kind=eq.merger');
select pg_temp.totals('/notes?select=id,its_papers!inner(id)&its_papers.kind=eq.merger');
-- without policies, totals are the planner's estimates
select r.headers ->> 'content-range' from restful.serve('HEAD', '/notes?paper=is.null&limit=1', '{"prefer": "count=planned"}') r;
-- a role that may see plans may see estimates
\c - postgres
alter role reader set restful.plan_enabled = on;
\c - reader
select r.headers ->> 'content-range' <> '*/0' from restful.serve('HEAD', '/papers?kind=eq.merger', '{"prefer": "count=planned"}') r;
-- a policy that does not apply to the role hides nothing
\c - librarian
select r.headers ->> 'content-range' from restful.serve('HEAD', '/papers?kind=eq.merger', '{"prefer": "count=planned"}') r;
\c - postgres
drop owned by reader;
drop role reader;
