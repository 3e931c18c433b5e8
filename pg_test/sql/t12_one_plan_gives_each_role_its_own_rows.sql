-- The same request under one role after another, with plans cached: each role sees its own rows, in a table, a view, a CTE,
-- a subquery and a function.
\pset tuples_only on
\pset format unaligned
create role proxy login noinherit;
alter role proxy set restful.anon_role = 'anon';
alter role proxy set restful.schemas = 'library';
alter role proxy set plan_cache_mode = 'force_generic_plan';
grant anon, alice, bob to proxy;
grant select on library.loans to anon;
create view library.my_loans with (security_invoker = true) as select id, borrower from library.loans;
create view library.loans_by_cte with (security_invoker = true) as with l as materialized (select * from library.loans) select id, borrower from l;
create view library.loans_by_subquery with (security_invoker = true) as
    select (select count(*) from library.loans) as n, array(select borrower from library.loans order by id) as borrowers;
grant select on library.my_loans, library.loans_by_cte, library.loans_by_subquery to alice, bob, anon;
create function library.loans_of_mine() returns setof library.loans language sql stable as $$ select * from library.loans $$;
create function library.count_loans() returns bigint language plpgsql stable as $$ begin return (select count(*) from library.loans); end $$;
create function public.ask_all() returns setof text language sql volatile as $$
    select current_user || e'\n' || string_agg(t || ' ' || show(restful.serve('GET', t)), e'\n' order by n)
    from (values (1, '/loans?select=id,borrower'), (2, '/my_loans'), (3, '/loans_by_cte'), (4, '/loans_by_subquery'),
        (5, '/rpc/loans_of_mine?select=id'), (6, '/rpc/count_loans'), (7, '/books?select=id,loans!inner(borrower)')) targets(n, t)
$$;
\c - proxy
set role alice;
select warm(t) from unnest('{/loans?select=id%2Cborrower,/my_loans,/loans_by_cte,/loans_by_subquery}'::text[]) t;
select ask_all();
set role bob;
select warm(t) from unnest('{/loans?select=id%2Cborrower,/my_loans,/loans_by_cte,/loans_by_subquery}'::text[]) t;
select ask_all();
reset role;
select ask_all();
set role alice;
select ask_all();
-- a new policy applies at once
select as_superuser('create policy all_loans on library.loans for select to bob using (true)');
set role bob;
select show(restful.serve('GET', '/loans?select=id,borrower'));
set role alice;
select show(restful.serve('GET', '/loans?select=id,borrower'));
