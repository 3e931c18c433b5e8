-- Hostile text in the place of a name gives a 4xx, never a server error or a syntax error of SQL, and changes nothing.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create table public.canary (id int);
-- everything that an injection would change
create function public.state() returns text language sql security definer set search_path = pg_catalog, pg_temp as $$
    select md5(concat((select string_agg(oid::text || relname || coalesce(relacl::text, ''), ',' order by oid) from pg_class where relnamespace in (select oid from pg_namespace where nspname in ('public', 'library', 'restful', 'pg_catalog'))),
        (select string_agg(b::text, ',' order by id) from library.books b), (select string_agg(s::text, ',' order by id) from library.subjects s),
        (select string_agg(oid::text || rolname || rolsuper, ',' order by oid) from pg_authid)))
$$;
create table public.payloads (payload text);
insert into payloads values ('"'), ('""'), (''''), ('''''); drop table public.canary; --'), ('"; drop table public.canary; --'), ('--'), (';'), ('/*'), ('*/'),
    ('$$'), ('$1'), ('$body$'), ('\'), ('\"'), ('id" from library.books; drop table public.canary; --'), ('id;drop table public.canary'),
    ('id) as x; drop table public.canary; --'), ('(select 1)'), ('(select pg_sleep(9))'), ('pg_sleep(9)'), ('version()'), ('current_user'),
    (e'id\n'), (e'id\x01'), ('ｉd'), ('іd'), (U&'id\200B'), (U&'\202Edi'), (U&'\FEFFid'), ('U&"\0069d"'), ('\u0000'), ('%00'), ('ctid'), ('xmin'), ('tableoid'),
    ('pg_temp.books'), ('pg_catalog.pg_class'), ('library.books'), ('restful.json_schema'), ('information_schema.tables'), ('pg_read_file'), ('set_config'),
    ('lo_import'), ('query_to_xml'), ('regclass'), ('pg_catalog.regclass'), (repeat('x', 63)), (repeat('x', 64)), (repeat('é', 32)), (repeat('"', 64));
-- percent-encodes every byte, also bytes that are not allowed in URLs
create function public.escaped(payload text) returns text language sql immutable as $$
    select string_agg('%' || lpad(to_hex(get_byte(b, i)), 2, '0'), '' order by i) from convert_to(payload, 'utf8') b, generate_series(0, length(b) - 1) i
$$;
create function public.quoted(payload text) returns text language sql immutable as $$
    select '"' || replace(replace(payload, '\', '\\'), '"', '\"') || '"'
$$;
grant select on payloads to public;
select state() as before \gset
\c - librarian
-- for the name of a text search configuration that is too long
set client_min_messages = warning;
-- requests with @ in the place of the name in target, body or header field, and their responses
create temp table positions (kind text, method text, target text, headers text, body text);
insert into positions values
    ('name', 'GET', '/@', '{}', null), ('name', 'GET', '/@/1', '{}', null), ('name', 'GET', '/books?select=@', '{}', null),
    ('name', 'GET', '/books?select=x:@', '{}', null), ('name', 'GET', '/books?select=@::text', '{}', null), ('name', 'GET', '/books?select=id::@', '{}', null),
    ('name', 'GET', '/books?select=id.@()', '{}', null), ('name', 'GET', '/books?select=@(id)', '{}', null), ('name', 'GET', '/books?select=...@(id)', '{}', null),
    ('name', 'GET', '/books?select=authors!@(id)', '{}', null), ('name', 'GET', '/subjects?select=books(@)', '{}', null),
    ('name', 'GET', '/subjects?select=books(id)&books.@=eq.1', '{}', null), ('name', 'GET', '/subjects?select=books(id)&books.order=@', '{}', null),
    ('name', 'GET', '/subjects?select=books(id)&@.id=eq.1', '{}', null), ('name', 'GET', '/books?order=@', '{}', null), ('name', 'GET', '/books?order=id.@', '{}', null),
    ('name', 'GET', '/books?@=eq.1', '{}', null), ('name', 'GET', '/books?id=@.1', '{}', null), ('name', 'GET', '/books?or=(@.eq.1)', '{}', null),
    ('name', 'POST', '/books?columns=@', '{}', '{"id": 9}'), ('name', 'POST', '/books?on_conflict=@', '{"prefer": "resolution=merge-duplicates"}', '{"id": 9}'),
    ('name', 'POST', '/subjects?select=@', '{"prefer": "return=representation"}', '{"id": 9, "name": "x"}'), ('name', 'PATCH', '/subjects?@=eq.1', '{}', '{"name": "x"}'),
    ('name', 'DELETE', '/subjects?@=eq.1', '{}', null), ('name', 'PUT', '/@/1', '{}', '{"id": 1}'), ('name', 'GET', '/rpc/@', '{}', null), ('name', 'POST', '/rpc/@', '{}', '{}'),
    ('key', 'POST', '/subjects', '{}', '{"id": 9, "name": "x", @: 1}'), ('key', 'PATCH', '/subjects?id=eq.1', '{}', '{@: 1}'), ('key', 'PUT', '/subjects/1', '{}', '{"name": "x", @: 1}'),
    ('field', 'GET', '/books', '{"accept-profile": @}', null), ('field', 'POST', '/subjects', '{"content-profile": @}', '{"id": 9, "name": "x"}'),
    ('free', 'GET', '/books?select=@:id&limit=1', '{}', null), ('free', 'GET', '/books?select=@:authors!books_author_fkey(id)&limit=1', '{}', null),
    ('free', 'GET', '/authors?select=contact->@', '{}', null), ('free', 'GET', '/authors?contact->>@=eq.1', '{}', null), ('free', 'GET', '/authors?order=contact->@', '{}', null),
    ('free', 'GET', '/books?title=eq.@', '{}', null), ('free', 'GET', '/books?title=in.(@)', '{}', null), ('free', 'GET', '/books?title=like.@', '{}', null),
    ('free', 'GET', '/books?title=fts(@).x', '{}', null), ('free', 'GET', '/books?tags=cs.@', '{}', null), ('free', 'GET', '/books/@', '{}', null), ('free', 'GET', '/books?limit=@', '{}', null);
create temp table answers as
select kind, method || ' ' || target as request, status, convert_from(answer.body, 'utf8') as body
from positions, payloads, unnest(array[payload, quoted(payload)]) form, restful.serve(method,
    case when kind in ('name', 'free') then replace(target, '@', escaped(form)) else target end,
    case when kind = 'field' then replace(headers, '@', to_json(form)::text) else positions.headers end::jsonb,
    convert_to(case when kind = 'key' then replace(positions.body, '@', to_json(form)::text) else positions.body end, 'utf8')) answer;
select count(*) from answers;
-- the name is unknown, so its request is refused
select kind, status, count(*) from answers where kind <> 'free' group by 1, 2 order by 1, 2;
select * from answers where kind <> 'free' and status not between 400 and 499 and status <> 300;
-- free text is allowed
select distinct status from answers where kind = 'free' order by 1;
-- nothing was run as SQL
select * from answers where status >= 500 or body ~ '"code":"(42601|42P0[12]|XX...|P0001|58...|57...)"';
\c - postgres
select state() = :'before' as unchanged;
