-- GET and HEAD are read-only, whatever they call; a later POST in the same transaction can write.
\pset tuples_only on
\pset format unaligned
create function library.add_subject(id int, name text) returns int language sql volatile as
    $$ insert into library.subjects values (id, name) returning id $$;
create function library.add_stubbornly(id int, name text) returns int language plpgsql volatile as $$
begin
    begin set local transaction_read_only = off; exception when others then raise notice '% %', sqlstate, sqlerrm; end;
    begin set transaction read write; exception when others then raise notice '% %', sqlstate, sqlerrm; end;
    begin perform set_config('transaction_read_only', 'off', false); exception when others then raise notice '% %', sqlstate, sqlerrm; end;
    insert into library.subjects values (id, name);
    return id;
end $$;
-- a function that is declared stable but writes
create function library.add_secretly(id int, name text) returns int language plpgsql stable as
    $$ begin execute format('insert into library.subjects values (%s, %L)', id, name); return id; end $$;
create view library.sneaky as select library.add_subject(77, 'by a view') as id;
grant select on library.sneaky to librarian;
-- PostgreSQL's own functions that write without checking whether the transaction is read-only
create function library.import() returns int language sql volatile security definer as $$ select pg_catalog.pg_import_system_collations('library') $$;
create function library.store() returns oid language sql volatile as $$ select pg_catalog.lo_create(4711) $$;
create function library.hide() returns int language plpgsql volatile as $$
begin
    begin perform pg_catalog.lo_create(4712); exception when division_by_zero then null; end;
    return 1;
end $$;
create function library.emit() returns pg_lsn language sql volatile security definer as $$ select pg_catalog.pg_logical_emit_message(true, 'a', 'b') $$;
create function library.number() returns boolean language sql volatile as $$ select pg_catalog.txid_current() > 0 $$;
create function library.attempt() returns int language plpgsql volatile as $$
begin
    begin perform 1 / 0; exception when division_by_zero then return 1; end;
end $$;
\c - librarian
-- functions that check raise their own error; the others are detected by their effects (lo_create checks since PostgreSQL 16)
select show(restful.serve('GET', '/rpc/import'));
select status, body->>'code' from restful.get('/rpc/store');
select status, body->>'code' from restful.head('/rpc/store');
select status, body->>'code' from restful.get('/rpc/hide');
select show(restful.serve('GET', '/rpc/emit'));
select count(*) from pg_catalog.pg_collation where collnamespace = 'library'::regnamespace;
select count(*) from pg_catalog.pg_largeobject_metadata where oid in (4711, 4712);
-- reading the transaction's number is not a write, and neither is an error that is caught
select show(restful.serve('GET', '/rpc/number'));
select show(restful.serve('GET', '/rpc/attempt'));
begin;
insert into library.subjects values (69, 'w');
select show(restful.serve('GET', '/rpc/number'));
select show(restful.serve('GET', '/rpc/emit'));
select show(restful.serve('GET', '/subjects?id=eq.69'));
rollback;
begin;
select show_all(restful.serve('GET', '/rpc/add_subject?id=70&name=x'));
select show(restful.serve('HEAD', '/rpc/add_subject?id=71&name=x'));
select show(restful.serve('GET', '/rpc/add_stubbornly?id=72&name=x'));
select show(restful.serve('GET', '/rpc/add_secretly?id=73&name=x'));
select show(restful.serve('GET', '/sneaky'));
show transaction_read_only;
select show(restful.serve('POST', '/rpc/add_subject', '{}', '{"id": 74, "name": "x"}'));
select show(restful.serve('GET', '/subjects?id=gte.70&select=id'));
insert into library.subjects values (75, 'y');
select show(restful.serve('GET', '/subjects?id=gte.70&select=id'));
rollback;
-- in a read-only transaction, writes are refused and reads work
begin read only;
select show(restful.serve('POST', '/subjects', '{}', '{"id": 76, "name": "x"}'));
select show(restful.serve('GET', '/subjects?id=eq.1'));
commit;
