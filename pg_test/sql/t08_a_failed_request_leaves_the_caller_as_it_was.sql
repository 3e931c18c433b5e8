-- A request fails, is rolled back to a savepoint, or raises an error into a plpgsql EXCEPTION block: the user, the settings and
-- the transaction of the caller are the same as before.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create function library.boom() returns void language plpgsql as $$
begin
    insert into library.subjects values (90, 'half done');
    perform set_config('my.mark', 'left', false);
    raise 'boom';
end $$;
create function library.cancelled() returns void language plpgsql as $$
begin
    insert into library.subjects values (91, 'half done');
    raise sqlstate '57014' using message = 'cancelled';
end $$;
grant insert on library.subjects to anon;
\c - authenticator
begin;
set local request.path = 'mine';
select show(restful.serve('POST', '/rpc/boom'));
select current_user, current_setting('request.path'), current_setting('my.mark', true);
-- an error that is not turned into a response
savepoint s;
select show(restful.serve('POST', '/rpc/cancelled'));
rollback to s;
select current_user, current_setting('request.path'), current_setting('my.mark', true);
do $$
begin
    begin
        perform restful.serve('POST', '/rpc/cancelled');
    exception when query_canceled then
        raise notice 'caught %, still %', sqlerrm, current_user;
    end;
    raise notice '%', show(restful.serve('GET', '/subjects?id=gte.90'));
end $$;
-- a successful request is undone with its savepoint
savepoint s;
select show(restful.serve('POST', '/subjects', '{}', '{"id": 92, "name": "done"}'));
select show(restful.serve('GET', '/subjects?id=gte.90'));
rollback to s;
select show(restful.serve('GET', '/subjects?id=gte.90'));
select current_user, current_setting('request.path'), current_setting('transaction_read_only');
commit;
