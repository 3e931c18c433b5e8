-- Code that a request leaves to be run at commit would run as the session's user, who may take other roles. Therefore it runs before
-- the response, with the request's role, or is refused.
\pset tuples_only on
\pset format unaligned
create table library.orders (id int primary key);
grant select, insert on library.orders to anon;
create function library.who() returns text language plpgsql as $$
begin
    raise notice 'run as %', current_user;
    return current_user;
end $$;
-- a cursor WITH HOLD runs its query at commit
create function library.hold(declaration text) returns void language plpgsql as $$
begin
    execute format('declare %s for select library.who()', declaration);
end $$;
\c - authenticator
select show(restful.serve('POST', '/rpc/hold', '{}', '{"declaration": "c cursor with hold"}'));
select show(restful.serve('POST', '/rpc/hold', '{}', '{"declaration": "c binary scroll cursor with hold"}'));
select show(restful.serve('GET', '/rpc/hold?declaration=c%20cursor%20with%20hold'));
begin;
select show(restful.serve('POST', '/rpc/hold', '{}', '{"declaration": "c cursor"}'));
-- the session itself may still use such cursors
declare own cursor with hold for select 1;
commit;
select name, is_holdable from pg_cursors where name <> '';
fetch own;
close own;
-- a constraint that is deferred again while the request's constraints are checked
\c - postgres
create function library.again() returns trigger language plpgsql as $$
begin
    raise notice 'run as %', current_user;
    if new.id > 0 then
        set constraints all deferred;
        insert into library.orders values (-new.id);
    end if;
    return null;
end $$;
create constraint trigger again after insert on library.orders deferrable initially deferred
    for each row execute function library.again();
\c - authenticator
select show(restful.serve('POST', '/orders', '{}', '{"id": 1}'));
select show(restful.serve('GET', '/orders'));
-- outside of requests, SET CONSTRAINTS works as usual
\c - postgres
insert into library.orders values (2);
select id from library.orders order by 1;
-- PostgreSQL lets a read-only transaction write to temporary tables; what a read has written there is undone
create function library.make() returns void language plpgsql as $$
begin
    create temporary table kept (id int);
    create function pg_temp.note() returns trigger language plpgsql as 'begin raise notice ''run as %'', current_user; return null; end';
    create constraint trigger note after insert on kept deferrable initially deferred for each row execute function pg_temp.note();
end $$;
create function library.fill() returns int language plpgsql as $$
begin
    insert into kept values (1);
    return 1;
end $$;
\c - authenticator
select show(restful.serve('POST', '/rpc/make'));
select show(restful.serve('GET', '/rpc/fill'));
select show(restful.serve('POST', '/rpc/fill'));
-- constraints that the caller has deferred stay deferred: a read that writes nothing does not check them
begin;
create temporary table own (id int primary key, parent int constraint own_parent references own deferrable initially deferred);
set constraints all deferred;
insert into own values (1, 2);
select show(restful.serve('GET', '/orders'));
rollback;
\c - postgres
drop table library.orders;
