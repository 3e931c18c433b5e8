-- A deferred constraint or constraint trigger runs before the response is made, with the request's role. If it fails, its error is
-- the response.
\pset tuples_only on
\pset format unaligned
create table library.orders (id int primary key, parent int references library.orders deferrable initially deferred, by_role text);
grant select, insert, delete on library.orders to anon;
create table library.log (who text);
grant insert on library.log to anon;
create function library.note() returns trigger language plpgsql as $$
begin
    insert into library.log values (current_user);
    if new.id = 13 then raise 'unlucky'; end if;
    return null;
end $$;
create constraint trigger note after insert on library.orders deferrable initially deferred for each row execute function library.note();
-- a deferred constraint that shares its name with one that cannot be deferred
create table library.first (id int constraint twin unique deferrable initially deferred);
create table library.second (id int constraint twin check (id > 0));
\c - authenticator
begin;
-- the parent comes later in the same body
select show(restful.serve('POST', '/orders', '{}', '[{"id": 1, "parent": 2}, {"id": 2, "parent": null}]'));
select show(restful.serve('POST', '/orders', '{}', '{"id": 3, "parent": 99}'));
select show(restful.serve('POST', '/orders', '{}', '{"id": 13}'));
select show(restful.serve('DELETE', '/orders?id=eq.2'));
select show(restful.serve('GET', '/orders?select=id'));
commit;
-- afterwards they are deferred again, for the next request in the transaction and for the caller
\c - postgres
create function library.pair(child int, parent int) returns void language sql as $$
    insert into library.orders values (child, parent);
    insert into library.orders values (parent, null);
$$;
create function library.pairs() returns text language sql as $$
    insert into library.orders values (51, 52);
    select show(restful.serve('POST', '/orders', '{}', '{"id": 53, "parent": null}'));
    insert into library.orders values (54, 52), (52, null);
    select 'done'
$$;
create table library.parts (id int primary key, of int references library.parts deferrable);
grant insert on library.orders, library.log, library.parts to authenticator;
grant execute on function library.pair, library.pairs to authenticator;
\c - authenticator
begin;
select show(restful.serve('POST', '/rpc/pair', '{}', '{"child": 31, "parent": 32}'));
select show(restful.serve('POST', '/rpc/pair', '{}', '{"child": 33, "parent": 34}'));
select show(restful.serve('POST', '/rpc/pairs'));
select library.pair(41, 42);
-- this constraint is initially immediate, so it stays immediate
insert into library.parts values (1, 2);
rollback;
\c - postgres
select * from library.log;
select id from library.orders;
