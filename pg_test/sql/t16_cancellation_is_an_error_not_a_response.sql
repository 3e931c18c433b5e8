-- A cancelled request is raised to the caller with its SQLSTATE, and never turned into a response. So is every error that says that
-- the transaction or the server cannot go on.
\pset tuples_only on
\pset format unaligned
-- the role of a request may not cancel its session's backend, so the function runs with its owner's rights
create function library.cancel() returns void language plpgsql security definer as $$
begin
    perform pg_cancel_backend(pg_backend_pid());
    perform pg_sleep(60);
end $$;
create function library.fail(code text) returns void language plpgsql as $$
begin
    raise 'failed on purpose' using errcode = code;
end $$;
create function public.sqlstate_of(command text) returns text language plpgsql as $$
declare answer text;
begin
    execute command into answer;
    return 'answered: ' || answer;
exception when query_canceled or others then
    return 'raised: ' || sqlstate || ' ' || sqlerrm;
end $$;
\c - authenticator
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/cancel')) $$);
-- serialization failure, deadlock
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "40001"}')) $$);
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "40P01"}')) $$);
-- out of memory, disk full, too many connections
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "53200"}')) $$);
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "53100"}')) $$);
-- shutdown, I/O error, internal error
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "57P01"}')) $$);
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "58030"}')) $$);
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "XX000"}')) $$);
-- other errors become responses
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "55P03"}')) $$);
select sqlstate_of($$ select show(restful.serve('POST', '/rpc/fail', '{}', '{"code": "22012"}')) $$);
-- and the session goes on
select show(restful.serve('GET', '/subjects?id=eq.1'));
