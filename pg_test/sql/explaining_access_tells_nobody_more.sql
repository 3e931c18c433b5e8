-- A user who asks why a row is hidden learns only what they could read themselves: the row is read with their own rights, code that
-- users wrote runs as the role in question, and roles and claims cannot be borrowed.
\pset tuples_only on
\pset format unaligned
\set VERBOSITY terse
create role mallory login;
create role victim login;
create role helpdesk nologin;
create role inspector bypassrls nologin;
grant execute on function restful.explain_access(regclass, text, name, jsonb, jsonb, jsonb) to mallory;
create schema traps authorization mallory;
create table library.notes (id int primary key, owner text, body text);
alter table library.notes enable row level security;
create policy own on library.notes using (owner = current_user);
insert into library.notes values (1, 'victim', 'secret'), (2, 'mallory', 'hers');
grant select on library.notes to mallory, victim, anon, helpdesk, inspector;
create table library.diary (line text);
insert into library.diary values ('dear diary');
grant select on library.diary to victim;

-- at first nobody has EXECUTE
\c - alice
select restful.explain_access('library.loans', 'select', 'alice');
select restful.explain_access_text('library.loans', 'select', 'alice');
\c - mallory
-- a row that is hidden from her and a row that does not exist get the same answer
select restful.explain_access('library.notes', 'select', 'mallory', key => '1') - 'key'
     = restful.explain_access('library.notes', 'select', 'mallory', key => '77') - 'key';
select restful.explain_access('library.notes', 'select', 'mallory', key => '1') ->> 'verdict';
select restful.explain_access('library.notes', 'select', 'mallory', key => '1') #>> '{steps,0,policies,0,result}';
select restful.explain_access('library.notes', 'update', 'mallory', key => '1', new_row => '{"body": "x"}') ->> 'verdict';
select restful.explain_access('library.notes', 'select', 'mallory', key => '2') ->> 'verdict';
-- an insert does not reveal a conflicting row either
\c - postgres
grant insert, update on library.notes to mallory;
\c - mallory
select restful.explain_access('library.notes', c, 'mallory', new_row => '{"id": 1, "owner": "mallory"}') - 'row'
     = restful.explain_access('library.notes', c, 'mallory', new_row => '{"id": 77, "owner": "mallory"}') - 'row',
    restful.explain_access('library.notes', c, 'mallory', new_row => '{"id": 1, "owner": "mallory"}') ->> 'verdict'
from unnest('{insert on conflict do nothing,insert on conflict (id) do nothing,insert on conflict do update}'::text[]) c;
select restful.explain_access('library.notes', 'insert on conflict do update', 'mallory', new_row => '{"id": 2, "owner": "mallory"}') ->> 'verdict';
\c - postgres
revoke insert, update on library.notes from mallory;
\c - mallory
-- roles that she may not take, whether they exist or not
select restful.explain_access('library.notes', 'select', 'victim', key => '1');
select restful.explain_access('library.notes', 'select', 'postgres', key => '1');
select restful.explain_access('library.notes', 'select', 'nobody_of_this_name', key => '1');
-- roles that requests run as are allowed: none of the victim's code runs
select restful.explain_access('library.notes', 'select', 'anon', key => '2') ->> 'verdict';
-- refused in a function with borrowed rights and within a request
\c - postgres
create function public.borrowed() returns jsonb language sql security definer as $$
    select restful.explain_access('library.notes', 'select', 'victim', key => '1') $$;
create function library.ask() returns jsonb language sql as $$
    select restful.explain_access('library.notes', 'select', current_user, '{"sub": "victim"}', '1') $$;
\c - mallory
select public.borrowed();
select restful.request('GET', '/rpc/ask', headers => '{"accept": "application/json"}');
set restful.schemas = 'library';
select status, body ->> 'code', body ->> 'message' from restful.request('POST', '/rpc/ask');
reset restful.schemas;

-- A superuser asks about mallory's table: her policy, default, domain and operators run as the role in question, read-only.
create table traps.ran (who text);
create function traps.trap(what text) returns boolean language plpgsql as $$
begin
    raise notice '% runs as %', what, current_user;
    begin
        insert into traps.ran values (current_user);
    exception when others then
        raise notice '%', sqlerrm;
    end;
    return true;
end $$;
create domain traps.checked as text check (traps.trap('domain'));
create table traps.bait (id traps.checked primary key, made boolean default traps.trap('default'));
insert into traps.bait values ('a', true);
truncate traps.ran;
alter table traps.bait enable row level security;
create policy p on traps.bait using (traps.trap('policy'));
grant usage on schema traps to public;
grant all on all tables in schema traps to public;
\c - postgres
select restful.explain_access('traps.bait', 'insert', 'victim', new_row => '{"id": "b"}') ->> 'verdict';
select restful.explain_access('traps.bait', 'select', 'victim', key => '"a"') ->> 'verdict';
-- none of her code runs as a superuser
select restful.explain_access('traps.bait', 'select', 'postgres', key => '"a"') ->> 'verdict';
select restful.explain_access('traps.bait', 'insert', 'postgres', new_row => '{"id": "b"}') ->> 'verdict';
select count(*) from traps.ran;
-- nor when a literal is read, which runs the domain's check for arrays of domains
\c - mallory
create policy literal on traps.bait as restrictive using (not id = any ('{x}'::traps.checked[]));
create table traps.pairs (id traps.checked[] primary key);
insert into traps.pairs values ('{a}');
\c - postgres
select restful.explain_access('traps.bait', 'select', 'victim', key => '"a"') ->> 'verdict';
select restful.explain_access('traps.pairs', 'select', 'victim', key => '"{a}"') ->> 'verdict';
-- nor when a policy changes how strings are read, so that part of a literal would be taken for an expression
\c - mallory
create function traps.unescape() returns boolean language sql as $$
    select set_config('standard_conforming_strings', 'off', false) is not null $$;
create function traps.unlike(text, text) returns boolean language sql immutable return $1 <> $2;
create operator traps.*/ (function = traps.unlike, leftarg = text, rightarg = text);
create table traps.words (id text primary key);
insert into traps.words values ('w');
grant all on traps.words to public;
alter table traps.words enable row level security;
create policy a on traps.words using (traps.unescape());
create policy b on traps.words using (
    id = '\'' OR $d${b}$d$::traps.checked[] IS NOT NULL OR id = varchar(3 /*' and id operator(traps.*/) 'V');
\c - postgres
select a #>> '{steps,0,policies,1,parts}' from restful.explain_access('traps.words', 'select', 'victim', key => '"w"') a;
-- a literal of a user's type is read as the role too
\c - mallory
create type traps.mood as enum ('glad', 'sad');
create table traps.moods (mood traps.mood primary key, had traps.mood[] default '{sad}');
insert into traps.moods values ('glad');
grant all on traps.moods to public;
alter table traps.moods enable row level security;
create policy a on traps.moods using (mood = 'glad' and 'sad' = any (had) and had <> '{glad,sad}');
\c - postgres
select restful.explain_access('traps.moods', 'select', 'victim', key => '"glad"') ->> 'verdict';
select restful.explain_access('traps.moods', 'insert', 'victim', new_row => '{"mood": "glad"}') ->> 'verdict';
-- objects that shadow PostgreSQL's own names are not used
create function traps.unnest(anyarray) returns setof anyelement language plpgsql as $$ begin raise 'planted'; end $$;
set search_path = traps, pg_catalog;
select restful.explain_access('library.notes', 'select', 'victim', key => '1') ->> 'verdict';
reset search_path;

-- Over HTTP: the preference is ignored unless the role is listed, and a listed role learns only what it can see.
\c - authenticator
select status, headers ->> 'preference-applied', body ? 'access' from restful.get('/notes/1', '{"prefer": "explain-access"}');
\c - postgres
alter role authenticator set restful.explain_roles = 'anon, helpdesk';
insert into library.notes values (3, 'anon', 'public');
\c - authenticator
select status, headers ->> 'preference-applied', headers ->> 'content-type', body #>> '{access,verdict}'
from restful.get('/notes/1', '{"prefer": "explain-access"}');
select a.body #- '{instance}' #- '{access,key}' = b.body #- '{instance}' #- '{access,key}'
from restful.get('/notes/1', '{"prefer": "explain-access"}') a, restful.get('/notes/77', '{"prefer": "explain-access"}') b;
select status, headers ->> 'preference-applied', headers ->> 'content-type', body #>> '{access,verdict}'
from restful.get('/notes/3', '{"prefer": "explain-access"}');
select status, body ->> 'code', body #>> '{access,verdict}' from restful.get('/loans/1', '{"prefer": "explain-access"}');
select status, body from restful.get('/notes?select=id', '{"prefer": "explain-access"}');
-- even with a reader, the role needs EXECUTE on explain_access
\c - postgres
alter role authenticator set restful.explain_reader = 'inspector';
\c - authenticator
select body #>> '{access,verdict}' from restful.get('/notes/1', '{"prefer": "explain-access"}');
\c - postgres
grant helpdesk to authenticator;
alter role authenticator set restful.anon_role = 'helpdesk';
grant execute on function restful.explain_access(regclass, text, name, jsonb, jsonb, jsonb) to helpdesk;
\c - authenticator
select status, body #>> '{access,verdict}' from restful.get('/notes/1', '{"prefer": "explain-access"}');
select status, body #>> '{access,verdict}' from restful.get('/notes/77', '{"prefer": "explain-access"}');
select body #>> '{access,steps}' from restful.get('/notes/1', '{"prefer": "explain-access"}');
-- the contents of the row are not revealed
select body::text like '%secret%' from restful.get('/notes/1', '{"prefer": "explain-access"}');
-- callers cannot change these settings
set restful.explain_roles = 'alice';
set restful.explain_reader = 'postgres';
\c - postgres
alter role authenticator reset restful.explain_roles;
alter role authenticator reset restful.explain_reader;
alter role authenticator set restful.anon_role = 'anon';
