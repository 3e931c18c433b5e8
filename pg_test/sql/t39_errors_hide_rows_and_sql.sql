-- An error reveals neither rows that a role may not see nor the text of SQL.
\pset tuples_only on
\pset format unaligned
create role reader login;
alter role reader set restful.schemas = 'library';
create schema vault;
create table vault.safe (id int primary key, code text unique);
insert into vault.safe values (1, 'swordfish');
create table library.owned (id int primary key, owner text default current_user, code text unique, n int check (n < 10), parent int references library.owned);
alter table library.owned enable row level security;
create policy own on library.owned using (owner = current_user);
insert into library.owned values (1, 'bob', 'code of bob', 1, null), (2, 'reader', '42', 1, null);
grant select, insert, update, delete on library.owned to reader;
-- each of these fails in its own way, in SQL that the client did not write
create function library.inside() returns int language plpgsql as $$ begin return (select code::int from vault.safe where id = 1); end $$;
create function library.definer() returns int language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    begin return (select code::int from vault.safe where id = 1 /* text of SQL */); end $$;
create function library.duplicate() returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into vault.safe values (2, 'swordfish') $$;
create view library.of_vault with (security_barrier) as select id, code from vault.safe;
grant select on library.of_vault to reader;
\c - reader
-- nothing is computed for rows that a policy hides
select show(restful.serve('GET', '/owned?select=code::int&order=id'));
select show(restful.serve('GET', '/owned?select=id&code=eq.code%20of%20bob'));
select show(restful.serve('PATCH', '/owned?code=like.*bob*', '{"prefer": "return=representation"}', '{"n": 5}'));
-- a unique key reveals that a value is taken, but not whose it is, and not the row
select show_all(restful.serve('POST', '/owned', '{}', '{"id": 3, "code": "code of bob"}'));
select show(restful.serve('POST', '/owned', '{}', '{"id": 3, "owner": "bob", "code": "x"}'));
select show(restful.serve('PATCH', '/owned?id=eq.2', '{}', '{"n": 11}'));
select show(restful.serve('POST', '/owned', '{}', '{"id": 3, "parent": 99}'));
-- an error in a function has PostgreSQL's message, but not the function's source text
select show_all(restful.serve('GET', '/rpc/inside'));
select show(restful.serve('POST', '/rpc/duplicate'));
select show(restful.serve('GET', '/owned?id=like.1'));
select show(restful.serve('GET', '/owned?select=n&code=fts(nothing).x'));
-- no response body contains the secrets
select coalesce(string_agg(target, ' '), 'none')
from unnest('{/rpc/inside,/rpc/definer,/rpc/duplicate,/owned?id=like.1,/owned?select=nothing,/owned?code=fts(nothing).x,/safe,/vault.safe,/of_vault?select=code::int,
    /owned?select=safe(id),/owned?select=vault(id),/of_vault?select=safe(*),/rpc/vault,/owed,/saf}'::text[]) target,
    restful.serve('POST', target, '{"prefer": "return=representation"}', '{}') posted, restful.serve('GET', target) got
where concat(convert_from(posted.body, 'utf8'), convert_from(got.body, 'utf8')) ~* '\mselect .* from|text of sql|pl/pgsql|context|src/|\.rs|code of bob';
\c - postgres
select id, owner, n from library.owned order by id;
drop owned by reader;
drop role reader;
