-- traceparent (W3C Trace Context) and Server-Timing.
\pset tuples_only on
\pset format unaligned
create function library.trace() returns text language sql stable as 'select coalesce(nullif(current_setting(''request.traceparent'', true), ''''), ''none'')';
create function library.inner_trace(headers jsonb) returns jsonb language sql as 'select (restful.post(''/rpc/trace'', null, $1)).body';
create function library.own() returns text language sql as
    $$select set_config('response.headers', '[{"traceparent": "mine"}, {"server-timing": "db"}]', true)$$;
create table library.traced (id int primary key, trace text default library.trace());
grant select, insert on library.traced to public;
grant select on pg_backend_memory_contexts to public;
grant execute on function pg_get_backend_memory_contexts() to public;
\c - authenticator
-- it is given back, also on errors, and to functions
select status, headers->>'traceparent', body from restful.get('/rpc/trace', '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}');
select status, headers->>'traceparent' from restful.get('/nothing', '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}');
select status, headers->>'traceparent' from restful.head('/books', '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}');
select status, headers->>'traceparent', body from restful.post('/traced', '{"id": 1}',
    '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "prefer": "return=representation"}');
-- a later version is read as the known one
select status, headers->>'traceparent', body from restful.get('/rpc/trace', '{"traceparent": "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-x"}');
-- what is malformed is as if it were absent
select status, headers->>'traceparent', body from restful.get('/rpc/trace', '{"traceparent": "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"}');
select status, headers->>'traceparent', body from restful.get('/rpc/trace', '{"traceparent": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]}');
select status, headers->>'traceparent', body from restful.get('/rpc/trace', '{"traceparent": "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}');
-- one request says nothing about the next, and a setting of the session is not a trace
select body from restful.get('/rpc/trace');
set request.traceparent = 'of the session';
select body from restful.get('/rpc/trace');
-- a request within a request belongs to the same trace
select body from restful.post('/rpc/inner_trace', '{"headers": {}}', '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}');
select body from restful.post('/rpc/inner_trace', '{"headers": {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-01"}}',
    '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}');
-- what a function says counts
select headers->>'traceparent', headers->>'server-timing' from restful.post('/rpc/own', null, '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}');
-- thousands of traces are one statement: nothing is prepared for them, and plans of the session take no more memory
create temp table used (at text, bytes bigint, statements bigint);
create function pg_temp.note(at text) returns void language sql as $$
    insert into used select $1, (select sum(total_bytes) from pg_backend_memory_contexts where name in ('CachedPlan', 'CachedPlanSource', 'CachedPlanQuery')),
        (select count(*) from pg_prepared_statements)
$$;
create function pg_temp.ask(n int) returns text language sql as $$
    select string_agg(distinct (r).status::text || ((r).headers->>'traceparent' = trace)::text, ',')
    from (select trace, restful.serve('GET', '/books?select=title&id=eq.' || n % 7, jsonb_build_object('traceparent', trace)) as r
        from (select n, format('00-%s-%s-01', md5(n::text), left(md5('x' || n), 16)) as trace from generate_series(1, $1) n) traces) answers
$$;
select pg_temp.ask(100);
select pg_temp.note('first');
select pg_temp.note('before');
select pg_temp.ask(2000);
select pg_temp.note('after');
select max(bytes) = min(bytes), max(statements) = min(statements) from used where at in ('before', 'after');
-- times
\c - postgres
alter role authenticator set restful.server_timing = on;
\c - authenticator
create function pg_temp.times(response restful.response) returns text language sql as $$
    select ($1).status || ' ' || coalesce(regexp_replace(($1).headers->>'server-timing', '[0-9]+\.[0-9]{3}', 'N', 'g'), 'none')
$$;
select pg_temp.times(restful.get('/books'));
select pg_temp.times(restful.head('/books'));
select pg_temp.times(restful.request('OPTIONS', '/books'));
select pg_temp.times(restful.get('/'));
select pg_temp.times(restful.query('/books'));
select pg_temp.times(restful.post('/traced', '{"id": 2}'));
select pg_temp.times(restful.post('/rpc/inner_trace', '{"headers": {}}'));
select pg_temp.times(restful.post('/rpc/own'));
-- not of errors, as with PostgREST
select pg_temp.times(restful.get('/nothing'));
\c - postgres
alter role authenticator reset restful.server_timing;
