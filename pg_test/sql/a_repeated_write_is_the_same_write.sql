-- A write that is repeated runs without the request's settings if nothing on the table can read them. What it does is the same, and as
-- soon as something can read them, they are there.
\pset tuples_only on
\pset format unaligned
create table library.events (
    id bigint generated always as identity primary key, what varchar(8) not null, n int check (n < 100), twice int generated always as (n * 2) stored,
    price numeric(6,2), at timestamptz default now(), who text default current_user, book int references library.books
);
grant select, insert, update, delete on library.events to anon;
create function library.repeated(method text, target text, headers jsonb, body text) returns setof text language sql as $$
    select distinct show(restful.serve(method, target, headers, convert_to(body, 'utf8'))) from generate_series(1, 4)
$$;
create function library.held() returns setof text language sql security definer as $$
    select format('%s %s %s %s %s %s', what, n, twice, price, who, count(*)) from library.events group by what, n, twice, price, who order by 1
$$;
grant usage on schema library to anon, authenticator;
\c - authenticator
select library.repeated('POST', '/events', '{}', '{"what": "one", "n": 1, "price": "1.005"}');
select library.repeated('POST', '/events', '{"prefer": "return=representation"}', '[{"what": "é\u00e9", "n": "2"}]') is not null;
select library.repeated('POST', '/events?columns=what,n', '{}', '{"what": "two", "n": null, "zz": [1]}');
select library.repeated('POST', '/events', '{"content-type": "text/csv"}', e'what,n\ncsv,3');
select library.held();
-- refusals keep their order: rights, then the body
select library.repeated('POST', '/events', '{}', '{"what": "too long a text", "n": 1}');
select library.repeated('POST', '/events', '{}', '{"what": "x", "n": 100}');
select library.repeated('POST', '/events', '{}', '{"what": "x", "n": "y"}');
select library.repeated('POST', '/events', '{}', '{"what": null}');
select library.repeated('POST', '/events', '{}', '{"what": "x", "book": 4711}');
select library.repeated('POST', '/events', '{}', '{"id": 1, "what": "x"}');
select library.repeated('PATCH', '/events?what=eq.two', '{}', '{"n": "y"}');
select library.repeated('PATCH', '/events?what=eq.two', '{"prefer": "count=exact"}', '{"n": 5, "price": 7}');
select library.repeated('PATCH', '/events?what=eq.two', '{"prefer": "handling=strict, max-affected=3"}', '{"n": 6}');
select library.repeated('PATCH', '/events?what=like.o*', '{"prefer": "tx=rollback"}', '{"n": 7}');
select library.held();
-- a policy that asks who it is
\c - postgres
alter table library.events enable row level security;
create policy own on library.events using (who = restful.role()) with check (n < 50 and restful.method() = 'anonymous' and restful.claim('role') = 'anon');
insert into library.events (what, who) values ('hidden', 'bob');
\c - authenticator
select library.repeated('POST', '/events', '{}', '{"what": "three", "n": 3}');
select library.repeated('POST', '/events', '{}', '{"what": "three", "n": 60}');
select library.repeated('PATCH', '/events?n=is.null', '{}', '{"price": 1}');
select library.repeated('GET', '/events?select=what&what=in.(hidden,three)', '{}', null);
select library.repeated('DELETE', '/events?what=in.(hidden,three)', '{"prefer": "count=exact"}', null);
select library.held();
-- a policy, a trigger, a default and a check that read the settings
\c - postgres
drop policy own on library.events;
create policy own on library.events using (who = restful.role() and current_setting('request.method') <> '');
\c - authenticator
select library.repeated('PATCH', '/events?what=eq.one', '{}', '{"price": 2}');
select library.repeated('GET', '/events?select=what,price&what=eq.one', '{}', null);
\c - postgres
drop policy own on library.events;
alter table library.events disable row level security;
\c - authenticator
select library.repeated('POST', '/events', '{}', '{"what": "four"}');
\c - postgres
alter table library.events add constraint asked check (coalesce(current_setting('request.path', true), '') in ('', '/events') or what is null) not valid;
\c - authenticator
select library.repeated('POST', '/events', '{}', '{"what": "five"}');
\c - postgres
create function library.stamp() returns trigger language plpgsql as $$
begin new.what := current_setting('request.method'); return new; end $$;
create trigger stamp before insert or update on library.events for each row execute function library.stamp();
alter table library.events alter who set default current_setting('request.path');
\c - authenticator
select library.repeated('POST', '/events', '{}', '{"n": 9}');
select library.held();
