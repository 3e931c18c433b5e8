-- A policy that reads the identity gives the same rows with and without parallel workers.
\pset tuples_only on
\pset format unaligned
create role proxy login;
alter role proxy set restful.trusted_authenticators = 'proxy';
alter role proxy set restful.schemas = 'library';
grant alice to proxy;
create table library.messages (id int, owner text);
insert into library.messages select n, case when n % 2 = 0 then 'a' else 'b' end from generate_series(1, 4000) n;
alter table library.messages enable row level security;
create policy own on library.messages
    using (owner = current_setting('restful.claims')::jsonb->>'sub' and current_user = 'alice');
create function library.pid() returns int language plpgsql parallel safe as 'begin return pg_backend_pid(); end';
create view library.inbox with (security_invoker = true) as select owner, library.pid() as pid from library.messages;
grant select on library.messages, library.inbox to alice;
analyze library.messages;
\c - proxy
set role alice;
set request.jwt.claims = '{"role": "alice", "sub": "a"}';
create function pg_temp.tell() returns table (rows bigint, owners text, by_leader boolean) language sql volatile as $$
    select count(*), string_agg(distinct i.owner, ','), bool_or(pid = pg_backend_pid())
    from jsonb_to_recordset((restful.get('/inbox')).body) i(owner text, pid int)
$$;
select * from pg_temp.tell();
set parallel_leader_participation = off;
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
discard plans;
-- a different statement, so that it is planned under the new settings
create or replace function pg_temp.tell() returns table (rows bigint, owners text, by_leader boolean) language sql volatile as $$
    select count(*), string_agg(distinct i.owner, ','), bool_or(pid = pg_backend_pid())
    from jsonb_to_recordset((restful.get('/inbox?select=owner,pid')).body) i(owner text, pid int)
$$;
select * from pg_temp.tell();
