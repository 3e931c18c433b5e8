-- GET and HEAD run read-only, whatever they call; a later POST in the same transaction writes.
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
-- a function that lies about what it does
create function library.add_secretly(id int, name text) returns int language plpgsql stable as
    $$ begin execute format('insert into library.subjects values (%s, %L)', id, name); return id; end $$;
create view library.sneaky as select library.add_subject(77, 'by a view') as id;
grant select on library.sneaky to librarian;
\c - librarian
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
-- in a transaction that is read-only itself, writes are refused and reads are not
begin read only;
select show(restful.serve('POST', '/subjects', '{}', '{"id": 76, "name": "x"}'));
select show(restful.serve('GET', '/subjects?id=eq.1'));
commit;
