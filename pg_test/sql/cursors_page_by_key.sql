-- A page may begin beside a row: cursor=first, cursor=last, and the cursors of the Link field lead through the rows in any order.
\pset tuples_only on
\pset format unaligned
create table library.events (id int primary key, kind text, at timestamptz, weight float8, note text);
insert into library.events
select i, (array['a', 'b', null])[1 + i % 3], '2026-03-29 00:30+00'::timestamptz + i / 2 * interval '1 hour', i / 10.0, repeat('n', i)
from generate_series(1, 8) i;
create table library.keyless (n int, t text);
create table library.unkeyed (a int not null, b text not null, c int unique, unique (b, a));
insert into library.unkeyed values (1, 'x', 1), (2, 'x', null), (1, 'y', null);
create view library.recent as select id, kind as sort from library.events;
create view library.doubled as select e.id, g from library.events e, generate_series(1, 2) g;
create function library.chance(library.events) returns float8 volatile language sql as 'select random()';
create function library.length(library.events) returns int immutable language sql as 'select 8 - $1.id';
create type library.pair as (a int, b int);
create table library.pairs (id int primary key, p library.pair);
create table library.parted (id int, day date, primary key (id, day)) partition by range (day);
create table library.parted_1 partition of library.parted for values from ('2026-01-01') to ('2026-07-01');
create table library.parted_2 partition of library.parted for values from ('2026-07-01') to ('2027-01-01');
insert into library.parted select i, date '2026-01-01' + i * 40 from generate_series(1, 7) i;
create table library.narrow (id int primary key, name text, secret int);
insert into library.narrow values (1, 'a', 1), (2, 'b', 2);
grant select on library.events, library.keyless, library.unkeyed, library.recent, library.doubled, library.pairs, library.parted to public;
grant select (name) on library.narrow to public;
grant all on library.events to librarian;
-- The pages from one to the next: status, Content-Range, the values of one member, and the relations of Link.
create function public.pages(target text, member text, start text default 'first', way text default 'next', headers jsonb default '{}')
returns setof text language plpgsql as $$
declare
    r record;
    link text := target || '&cursor=' || start;
begin
    for i in 1..9 loop
        select * from restful.serve('GET', link, headers) into r;
        if r.status >= 400 then return next show(r); end if;
        exit when r.status >= 400;
        return next concat_ws(' | ', r.status, r.headers->>'content-range', jsonb_path_query_array(convert_from(r.body, 'utf8')::jsonb, ('$.' || member)::jsonpath),
            (select string_agg(m[1], ' ') from regexp_matches(r.headers->>'link', 'rel="(\w+)"', 'g') m));
        link := split_part(target, '?', 1) || substring(r.headers->>'link' from '<([^<>]*)>; rel="' || way || '"');
        exit when link is null;
    end loop;
end $$;
create function public.token(target text, way text default 'next') returns text language sql as $$
    select substring(r.headers->>'link' from '<[^<>]*cursor=([^<>&]*)[^<>]*>; rel="' || way || '"') from restful.serve('GET', target) r
$$;

\c - authenticator
select pages('/events?order=id&limit=3', 'id');
select pages('/events?order=id&limit=3', 'id', 'last', 'prev');
-- the page is full, and there is no next one
select pages('/events?order=id&limit=4', 'id');
-- ties, nulls, and directions that differ
select pages('/events?order=kind&limit=3', 'id');
select pages('/events?order=kind&limit=3', 'id', 'last', 'prev');
select pages('/events?order=kind.desc.nullslast,at.asc&limit=3&select=id', 'id');
select pages('/events?order=kind.nullsfirst,at.desc&limit=3', 'id', 'last', 'prev');
-- with filters, totals and a total limit
select pages('/events?order=id&limit=2&kind=not.is.null', 'id', headers => '{"prefer": "count=exact"}');
\c - postgres
alter role authenticator set restful.max_rows = 5;
alter role authenticator set restful.aggregates_enabled = on;
\c - authenticator
select pages('/events?order=id', 'id');
\c - postgres
alter role authenticator reset restful.max_rows;
\c - authenticator
-- by a path, a computed column, a related column
select pages('/authors?order=contact->fax->no&limit=2', 'id');
select pages('/events?order=length&limit=3', 'id');
select pages('/books?select=id,authors!author(name)&order=authors(name).desc&limit=4', 'id');
select pages('/books?select=id,subjects!inner(name)&subjects.name=eq.Love&order=title&limit=2', 'id');
select pages('/books?select=id,copies(id)&order=title&limit=4', 'copies[*].id');
-- views, partitioned tables, and tables with another unique key
select pages('/recent?order=sort&limit=3', 'id');
select pages('/parted?order=day.desc&limit=3', 'id');
select pages('/unkeyed?order=a&limit=2', 'b');
-- nothing is left
select pages('/events?id=gt.99&limit=3', 'id');
select pages('/events?id=gt.99&limit=3', 'id', 'last');
-- the body as CSV, as one object, and no body; by QUERY
select regexp_replace(show_all(restful.serve('GET', '/events?select=id,kind&order=id.desc&limit=2&cursor=last', '{"accept": "text/csv"}')),
    'cursor=[\w-]{20,}', 'cursor=...', 'g');
select show(restful.serve('GET', '/events?select=id&limit=1&cursor=last', '{"accept": "application/vnd.pgrst.object+json"}'));
select show(restful.serve('GET', '/events?select=id&limit=3&cursor=last', '{"accept": "application/x-ndjson"}'));
select status, headers->>'link' ~ 'rel="next"', body is null from restful.serve('HEAD', '/events?limit=1&cursor=first');
select show(restful.serve('QUERY', '/events', '{"content-type": "application/json"}', '{"select": "id", "order": "id.desc", "limit": 2, "cursor": "first"}'));
select headers->>'link' ~ '^<\?cursor=[\w-]+&limit=2>; rel="next"$' as short
from restful.serve('QUERY', '/events', '{"content-type": "application/json"}',
    convert_to(jsonb_build_object('id', jsonb_build_object('in', array(select generate_series(1, 400))), 'limit', 2, 'cursor', 'first')::text, 'utf8'));

-- What the settings of a session say of dates, numbers and time zones does not matter.
set datestyle = 'SQL, DMY'; set timezone = 'Europe/Berlin'; set extra_float_digits = -15;
select token('/events?order=at,weight.desc&limit=3&cursor=first') as token \gset
select pages('/events?order=at,weight.desc&limit=3', 'id', :'token');
set datestyle = 'Postgres, MDY'; set timezone = 'America/St_Johns'; set extra_float_digits = 3;
select pages('/events?order=at,weight.desc&limit=3', 'id', :'token');
reset datestyle; reset timezone; reset extra_float_digits;
-- The number of rows and what is shown of them may change.
select pages('/events?order=at,weight.desc&limit=4&select=at', 'at', :'token');
-- the rest may not
select show(restful.serve('GET', '/events?order=at,weight&limit=3&cursor=' || :'token'));
select show(restful.serve('GET', '/events?order=at,weight.desc&limit=3&id=gt.1&cursor=' || :'token'));
select show(restful.serve('GET', '/recent?order=sort&limit=3&cursor=' || :'token'));
select show(restful.serve('GET', '/events?order=at,weight.desc&limit=3&cursor=x' || :'token'));
select show(restful.serve('GET', '/events?order=at,weight.desc&limit=3&cursor=' || overlay(:'token' placing case when substr(:'token', 9, 1) = 'A' then 'B' else 'A' end from 9)));
select show(restful.serve('GET', '/events?order=at,weight.desc&limit=3&cursor=FIRST'));
\c - alice
select show(restful.serve('GET', '/events?order=at,weight.desc&limit=3&cursor=' || :'token'));
-- a policy hides the rows of others
select pages('/loans?order=days&limit=1', 'borrower');

\c - authenticator
-- What has no pages by cursor.
select show(restful.serve('GET', '/events?cursor=first'));
select show(restful.serve('GET', '/events?cursor=first&limit=0'));
select show(restful.serve('GET', '/events?cursor=first&limit=2&offset=2'));
select show(restful.serve('GET', '/events?cursor=first&limit=2', '{"range": "0-1"}'));
select show(restful.serve('GET', '/events?cursor=first&cursor=last&limit=2'));
select show(restful.serve('GET', '/events/1?cursor=first&limit=2'));
select show(restful.serve('GET', '/events?cursor=eq.first&limit=2'));
select show(restful.serve('GET', '/keyless?cursor=first&limit=2'));
select show(restful.serve('GET', '/events?select=count()&cursor=first&limit=2'));
select show(restful.serve('GET', '/events?order=chance&cursor=first&limit=2'));
select show(restful.serve('GET', '/pairs?order=p&cursor=first&limit=2'));
select show(restful.serve('GET', '/doubled?order=id&cursor=first&limit=1'));
select pages('/doubled?order=id,g&limit=7', 'g');
select as_superuser('update library.events set note = repeat(''n'', 5000)');
select show(restful.serve('GET', '/events?order=note&cursor=first&limit=2'));
-- columns that the role may not read
select show(restful.serve('GET', '/narrow?select=name&cursor=first&limit=1'));
select show(restful.serve('GET', '/narrow?select=name&order=secret&cursor=first&limit=1'));
\c - librarian
select show(restful.serve('PATCH', '/events?id=eq.1&cursor=first&limit=1', '{}', '{"kind": "x"}'));
select show(restful.serve('DELETE', '/events?id=eq.1&cursor=first&limit=1'));
select count(*), count(*) filter (where kind = 'x') from library.events;
-- Rows come and go between the pages.
select token('/events?order=id&limit=3&cursor=first') as token \gset
delete from library.events where id in (2, 3, 5);
insert into library.events values (0), (4000);
select pages('/events?order=id&limit=3&select=id', 'id', :'token');
select pages('/events?order=id&limit=3&select=id', 'id', :'token', 'prev');
-- The order is another when the key is.
select as_superuser('update library.events set note = id');
select as_superuser('alter table library.events drop constraint events_pkey, add primary key (id, note)');
select show(restful.serve('GET', '/events?select=id&order=id&limit=3&cursor=' || :'token'));
select as_superuser('alter table library.events drop constraint events_pkey, add primary key (id)');
select status from restful.serve('GET', '/events?select=id&order=id&limit=3&cursor=' || :'token');

-- Only its owner reads the secret. When it changes, all cursors are refused.
select * from restful.cursor_secret;
select as_superuser('update restful.cursor_secret set secret = sha256(secret)');
select show(restful.serve('GET', '/events?select=id&order=id&limit=3&cursor=' || :'token'));
select as_superuser('delete from restful.cursor_secret');
select show(restful.serve('GET', '/events?order=id&limit=3&cursor=first'));
\c - postgres
insert into restful.cursor_secret (secret) values ('short');

-- A page far from the first one reads the index from where it begins.
create table library.long (id int primary key, day date, n int not null);
insert into library.long select i, case when i % 10 > 0 then date '2020-01-01' + i / 10 end, i % 200 from generate_series(1, 20000) i;
create index on library.long (day, id);
create index on library.long (n, id desc);
analyze library.long;
insert into restful.cursor_secret (secret) values (sha256('a secret'));
set restful.schemas = 'library';
set restful.plan_enabled = on;
create function public.conditions(target text) returns setof text language sql as $$
    select trim(line) from restful.serve('GET', target, '{"accept": "application/vnd.pgrst.plan+text; for=\"application/json\""}') r,
        string_to_table(convert_from(r.body, 'utf8'), e'\n') line where line ~ 'Cond|Filter|Sort|Seq'
$$;
set plan_cache_mode = force_generic_plan;
select conditions('/long?order=id&limit=10&cursor=' || token('/long?order=id&limit=10000&cursor=first'));
select conditions('/long?order=day.desc&limit=10&cursor=' || token('/long?order=day.desc&limit=10000&cursor=first'));
select conditions('/long?order=day&limit=10&cursor=' || token('/long?order=day&limit=10000&cursor=first'));
select conditions('/long?order=n,id.desc&limit=10&cursor=' || token('/long?order=n,id.desc&limit=10000&cursor=first'));
select conditions('/long?order=id&limit=10&cursor=' || token('/long?order=id&limit=10000&cursor=last', 'prev'));
\c - postgres
alter role authenticator reset restful.aggregates_enabled;
