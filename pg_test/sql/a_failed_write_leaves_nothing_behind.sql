-- A write that fails half way, at any row and for any reason, leaves no row and no lock behind.
\pset tuples_only on
\pset format unaligned
create table library.things (id int primary key, n int check (n < 100), t text not null default 'x');
grant select, insert, update, delete on library.things to librarian;
create function library.two_steps() returns void language plpgsql as $$
begin
    insert into library.things values (50);
    insert into library.things values (1);
end $$;
\c - librarian
select show(restful.serve('POST', '/things', '{}', '{"id": 1}'));
select show(restful.serve('POST', '/things', '{}', '[{"id": 2}, {"id": 3}, {"id": 1}]'));
select show(restful.serve('POST', '/things', '{}', '[{"id": 2, "n": 1}, {"id": 3, "n": 1000}]'));
select show(restful.serve('POST', '/things', '{}', '[{"id": 2, "t": "a"}, {"id": 3, "t": null}]'));
select show(restful.serve('POST', '/things', '{}', '[{"id": 2}, {"id": "x"}]'));
select show(restful.serve('POST', '/things', '{}', '[{"id": 2}, {"id": 3}, {"id": 4'));
select show(restful.serve('POST', '/things?columns=id', '{}', '[{"id": 2}, {"id": 3}, 7]'));
select show(restful.serve('PATCH', '/things?id=eq.1', '{}', '{"n": 1000}'));
select show(restful.serve('PUT', '/things/9', '{}', '{"id": 9, "n": 1000}'));
select show(restful.serve('POST', '/rpc/two_steps'));
-- even when only the response fails
select show(restful.serve('POST', '/things?select=id,n::nothing', '{"prefer": "return=representation"}', '{"id": 2}'));
select show(restful.serve('POST', '/things?select=t::int', '{"prefer": "return=representation"}', '{"id": 2}'));
-- 10,000 good rows and a bad one
select show(restful.serve('POST', '/things', '{}', (
    select convert_to(jsonb_agg(jsonb_build_object('id', case when n = 10000 then 1 else n end))::text, 'utf8') from generate_series(10, 10000) n)));
select show(restful.serve('GET', '/things'));
-- in a transaction, earlier changes stay
begin;
select show(restful.serve('POST', '/things', '{}', '{"id": 2}'));
select show(restful.serve('POST', '/things', '{}', '{"id": 2}'));
select show(restful.serve('POST', '/things', '{}', '{"id": 3}'));
commit;
select show(restful.serve('GET', '/things?select=id&order=id'));
