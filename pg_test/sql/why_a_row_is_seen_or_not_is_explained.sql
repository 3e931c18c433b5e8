-- restful.explain_access says for a role and a row which policy shows or hides the row, and with which message PostgreSQL would
-- refuse a write.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role keeper login;
create role reader login;
create role editor login in role reader;
create role stranger login;
create role seeall login bypassrls;
create schema vault authorization keeper;
create schema hidden authorization keeper;
grant usage on schema vault to reader, seeall;
grant execute on function restful.explain_access(regclass, text, name, jsonb, jsonb, jsonb),
    restful.explain_access_text(regclass, text, name, jsonb, jsonb, jsonb) to keeper, reader;
grant reader, editor, stranger, seeall to keeper;
set role keeper;
create function hidden.tenant() returns int language sql stable as $$ select 7 $$;
create table hidden.members (member text, doc int);
insert into hidden.members values ('reader', 5);
grant select on hidden.members to reader;
grant execute on function hidden.tenant() to reader;
create table vault.docs (
    id int primary key, owner text, tenant int, secret boolean not null default false, title text,
    words int generated always as (length(title)) stored
);
alter table vault.docs enable row level security;
create policy own on vault.docs for select to reader using (owner = current_user and tenant = hidden.tenant());
create policy shared on vault.docs for select to reader
    using (exists (select from hidden.members m where m.doc = docs.id and m.member = current_user));
create policy by_editors on vault.docs to editor using (tenant = hidden.tenant()) with check (tenant = hidden.tenant() and owner <> 'keeper');
create policy open on vault.docs as restrictive using (not secret);
create policy short on vault.docs as restrictive for insert with check (words < 6);
insert into vault.docs (id, owner, tenant, secret, title) values (1, 'reader', 7, false, 'mine'), (2, 'reader', 8, false, 'moved'),
    (3, 'reader', 7, true, 'secret'), (4, null, 7, false, 'no owner'), (5, 'keeper', 9, false, 'shared');
grant select, insert, update, delete on vault.docs to reader, seeall;
reset role;

create function public.verdict(r regclass, c text, n name, k jsonb default null, w jsonb default null) returns text language sql as $$
    select restful.explain_access(r, c, n, '{}', k, w) ->> 'verdict' $$;

\c - keeper
-- a visible row, and by which policy; the policies use a schema that the role may not use
select public.verdict('vault.docs', 'select', 'reader', '1');
select public.verdict('vault.docs', 'select', 'reader', '5');
-- hidden rows: the operand that is false is named
select public.verdict('vault.docs', 'select', 'reader', '2');
select public.verdict('vault.docs', 'select', 'reader', '3');
select public.verdict('vault.docs', 'select', 'reader', '4');
select public.verdict('vault.docs', 'select', 'reader', '99');
-- other roles
select public.verdict('vault.docs', 'select', 'editor', '4');
select public.verdict('vault.docs', 'select', 'stranger', '1');
select public.verdict('vault.docs', 'select', 'seeall', '3');
select public.verdict('vault.docs', 'select', 'keeper', '3');
-- writes
select public.verdict('vault.docs', 'update', 'reader', '1', '{"title": "x"}');
select public.verdict('vault.docs', 'update', 'editor', '4', '{"title": "x"}');
select public.verdict('vault.docs', 'update', 'editor', '1', '{"tenant": 8}');
select public.verdict('vault.docs', 'update', 'editor', '1', '{"owner": "keeper"}');
select public.verdict('vault.docs', 'update', 'editor', '1', '{"secret": true}');
select public.verdict('vault.docs', 'update', 'editor', '1');
select public.verdict('vault.docs', 'update', 'editor', '2', '{"title": "x"}');
select public.verdict('vault.docs', 'delete', 'editor', '3');
select public.verdict('vault.docs', 'delete', 'editor', '1');
select public.verdict('vault.docs', 'insert', 'reader', null, '{"id": 6}');
select public.verdict('vault.docs', 'insert', 'editor', null, '{"id": 6, "owner": "editor", "tenant": 7, "title": "short"}');
select public.verdict('vault.docs', 'insert', 'editor', null, '{"id": 6, "owner": "editor", "tenant": 7, "title": "too long"}');
select public.verdict('vault.docs', 'insert', 'editor', null, '{"id": 6, "owner": "keeper", "tenant": 7}');
select public.verdict('vault.docs', 'insert', 'editor', null, '{"id": "six"}');
-- without a row
select public.verdict('vault.docs', 'select', 'reader');
select public.verdict('vault.docs', 'insert', 'editor');
-- the whole explanation, to read
select * from restful.explain_access_text('vault.docs', 'SELECT', 'reader', key => '2');
select jsonb_pretty(restful.explain_access('vault.docs', 'insert', 'editor', new_row => '{"id": 6, "owner": "keeper", "tenant": 7}'));
-- nothing is left behind
select current_user, current_setting('transaction_read_only'), current_setting('request.jwt.claims', true);

-- FORCE for the owner; missing rights on columns; a key of several columns or no key; errors in policies
alter table vault.docs force row level security;
select public.verdict('vault.docs', 'select', 'keeper', '3');
alter table vault.docs no force row level security;
create table vault.pairs (a int, b text, c int, primary key (b, a));
insert into vault.pairs values (1, 'x', 1), (2, 'x', 1);
grant select (a, c), update (c) on vault.pairs to reader;
select public.verdict('vault.pairs', 'select', 'reader', '["x", 1]');
select public.verdict('vault.pairs', 'update', 'reader', '{"a": 1}', '{"b": "y"}');
select public.verdict('vault.pairs', 'update', 'reader', '{"a": 1}', '{"c": 2}');
select public.verdict('vault.pairs', 'select', 'reader', '{"a": 3}');
select public.verdict('vault.pairs', 'select', 'reader', '1');
select public.verdict('vault.pairs', 'select', 'reader', '{"c": 1}');
select public.verdict('vault.pairs', 'select', 'reader', '{"d": 1}');
select public.verdict('vault.pairs', 'update', 'reader', '{"a": 1}', '{"d": 1}');
alter table vault.pairs enable row level security;
create policy dividing on vault.pairs using (10 / (a - 1) > 3);
select public.verdict('vault.pairs', 'select', 'reader', '{"a": 1}');
select public.verdict('vault.pairs', 'select', 'reader', '{"a": 2}');
drop policy dividing on vault.pairs;
create policy recursive on vault.pairs using (exists (select from vault.pairs p where p.a = pairs.c));
select public.verdict('vault.pairs', 'select', 'reader', '{"a": 2}');
drop policy recursive on vault.pairs;
select public.verdict('vault.pairs', 'select', 'reader', '{"a": 2}');
create function hidden.whole(vault.pairs) returns boolean language sql stable as $$ select $1.a = 1 $$;
create policy whole on vault.pairs using (hidden.whole(pairs));
select public.verdict('vault.pairs', 'select', 'reader', '{"a": 1}');
select public.verdict('vault.pairs', 'select', 'reader', '{"a": 2}');
-- views and partitions
create view vault.titles as select id, title from vault.docs;
grant select on vault.titles to reader;
select public.verdict('vault.titles', 'select', 'reader', '1');
create table vault.log (id int, at int, primary key (id, at)) partition by range (at);
create table vault.log1 partition of vault.log for values from (0) to (10);
insert into vault.log values (1, 1);
alter table vault.log enable row level security;
grant select on vault.log, vault.log1 to reader;
select public.verdict('vault.log', 'select', 'reader', '{"id": 1}');
select restful.explain_access('vault.log1', 'select', 'reader', key => '{"id": 1}') #>> '{notes,0}';
-- the claims are set for functions that read them, as in a request, and are gone afterwards
create policy claimed on vault.pairs using (b = current_setting('request.jwt.claims', true)::jsonb ->> 'sub'
    and current_setting('restful.claims', true)::jsonb ->> 'role' = current_user);
drop policy whole on vault.pairs;
select restful.explain_access('vault.pairs', 'select', 'reader', '{"sub": "x", "role": "keeper"}', '{"a": 2}') ->> 'verdict';
select restful.explain_access('vault.pairs', 'select', 'reader', '{"sub": "y"}', '{"a": 2}') ->> 'verdict';
select restful.explain_access('vault.pairs', 'select', 'reader', '{}', '{"a": 2}') -> 'readers';
select current_setting('restful.claims', true), current_setting('request.jwt.claims', true);
-- a policy that exceeds the role's time limit
\c - postgres
alter role reader set statement_timeout = '50ms';
\c - keeper
create policy slow on vault.pairs as restrictive using (pg_sleep(60) is not null);
select public.verdict('vault.pairs', 'select', 'reader', '{"a": 2}');
drop policy slow on vault.pairs;
-- invalid arguments
select public.verdict('vault.docs', 'truncate', 'reader');
select public.verdict('vault.docs', null, 'reader');
select public.verdict('vault.docs', 'select', 'no such role');
select restful.explain_access('vault.docs', 'select', 'reader', '[]');
select restful.explain_access('vault.docs', 'select', 'reader', key => '[null]');
