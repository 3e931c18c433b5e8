-- A deferred constraint or constraint trigger runs before the response is made, as the request's role, and what it refuses
-- is the response.
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
\c - authenticator
begin;
-- the parent comes later in the same body
select show(restful.serve('POST', '/orders', '{}', '[{"id": 1, "parent": 2}, {"id": 2, "parent": null}]'));
select show(restful.serve('POST', '/orders', '{}', '{"id": 3, "parent": 99}'));
select show(restful.serve('POST', '/orders', '{}', '{"id": 13}'));
select show(restful.serve('DELETE', '/orders?id=eq.2'));
select show(restful.serve('GET', '/orders?select=id'));
commit;
\c - postgres
select * from library.log;
select id from library.orders;
