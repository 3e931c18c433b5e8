-- ETag and preconditions (RFC 9110, section 13) of items, lists and writes.
\pset tuples_only on
\pset format unaligned
create table library.notes (id int primary key, body text, secret text, changed timestamptz default '2020-01-02 03:04:05.6Z');
insert into library.notes values (1, 'one', 's'), (2, 'two', 's');
alter table library.notes owner to librarian;
create table library.parted (id int, kind text, v int, primary key (id, kind)) partition by list (kind);
create table library.parted_a partition of library.parted for values in ('a');
create table library.parted_b partition of library.parted for values in ('b');
insert into library.parted values (1, 'a', 1);
create view library.note_list as select id, body, changed from library.notes;
grant select (id, body), update (body), insert (id, body) on library.notes to bob;
grant select, insert, update, delete on library.parted, library.note_list to librarian;
create function pg_temp.x() returns int language sql as 'select 1';
-- the status, the tag's form, and other fields
create function public.say(r restful.http_response) returns text language sql as $$
    select concat_ws(' ', r.status, regexp_replace(r.headers ->> 'etag', '[A-Za-z0-9_-]{16,22}', '~', 'g'), r.headers ->> 'last-modified',
        r.headers ->> 'cache-control', case when r.status >= 400 then convert_from(r.body, 'utf8')::json ->> 'code' else convert_from(r.body, 'utf8') end)
$$;
create function public.tag(target text, headers jsonb default '{}') returns text language sql as $$
    select (restful.serve('GET', target, headers)).headers ->> 'etag'
$$;
create function public.hdr(name text, value text) returns jsonb language sql as 'select jsonb_build_object(name, value)';
\c - librarian
-- one tag for any columns of the row; others for other representations, with the version in front
select say(restful.serve('GET', '/notes/1'));
select tag('/notes/1') = tag('/notes/1?select=id,b:body'), tag('/notes/1') = tag('/notes/2');
select say(restful.serve('GET', '/notes/1?select=id', '{"accept": "text/csv"}'));
select starts_with(tag('/notes/1', '{"accept": "text/csv"}'), rtrim(tag('/notes/1'), '"')), starts_with(tag('/notes/1', '{"prefer": "timezone=Asia/Tokyo"}'), rtrim(tag('/notes/1'), '"') || '.');
-- 304
select r.status, r.body, r.headers - 'etag' from restful.serve('GET', '/notes/1', hdr('if-none-match', 'W/"x", ' || tag('/notes/1'))) r where r.headers ? 'etag';
select say(restful.serve('HEAD', '/notes/1', hdr('if-none-match', tag('/notes/1'))));
select say(restful.serve('GET', '/notes/1', hdr('if-none-match', '*')));
select say(restful.serve('GET', '/notes/9', hdr('if-none-match', '*')));
select say(restful.serve('GET', '/notes/1', hdr('if-none-match', '"x"')));
select say(restful.serve('GET', '/notes/1', hdr('if-match', '"x"')));
select say(restful.serve('GET', '/notes?order=id&select=id', hdr('if-none-match', tag('/notes?order=id&select=id'))));
select say(restful.serve('GET', '/notes?order=id&select=id', hdr('if-match', tag('/notes?order=id&select=id'))));
select say(restful.serve('GET', '/notes?order=id&select=id', hdr('if-none-match', 'abc')));
-- If-Match
select say(restful.serve('PATCH', '/notes/1', hdr('if-match', '"AAAAAAAAAAAAAAAA"'), '{"body": "lost"}'));
select tag('/notes/1') as before \gset
select say(restful.serve('PATCH', '/notes/1', hdr('if-match', :'before'), '{"body": "uno"}'));
select say(restful.serve('PATCH', '/notes/1', hdr('if-match', :'before'), '{"body": "lost"}'));
select say(restful.serve('PATCH', '/notes/1', hdr('if-match', tag('/notes/1', '{"accept": "text/csv"}')) || '{"prefer": "return=representation"}', '{"body": "dos"}'));
select (restful.serve('PATCH', '/notes/1', '{}', '{"body": "tres"}')).headers ->> 'etag' as told \gset
select :'told' = tag('/notes/1');
select say(restful.serve('PATCH', '/notes/1', hdr('if-match', 'W/' || tag('/notes/1')), '{"body": "lost"}'));
select say(restful.serve('PATCH', '/notes/1', hdr('if-match', '*'), '{}'));
select say(restful.serve('PATCH', '/notes/9', hdr('if-match', '*'), '{"body": "lost"}'));
select say(restful.serve('PATCH', '/notes/1', hdr('if-none-match', '*'), '{"body": "lost"}'));
select say(restful.serve('PATCH', '/notes/1', hdr('if-none-match', tag('/notes/1')), '{"body": "lost"}'));
select say(restful.serve('DELETE', '/notes/2', hdr('if-match', tag('/notes/1'))));
select say(restful.serve('DELETE', '/notes/2', hdr('if-match', tag('/notes/2'))));
select say(restful.serve('PATCH', '/notes?id=eq.1', hdr('if-match', '*'), '{"body": "lost"}'));
select say(restful.serve('POST', '/notes', hdr('if-none-match', '*'), '{"id": 5}'));
select id, body from library.notes order by id;
-- PUT creates only, or never
select say(restful.serve('PUT', '/notes/3', hdr('if-match', '*'), '{"id": 3, "body": "three"}'));
select say(restful.serve('PUT', '/notes/3', hdr('if-none-match', '*') || '{"prefer": "return=representation"}', '{"id": 3, "body": "three", "changed": null, "secret": null}'));
select say(restful.serve('PUT', '/notes?id=eq.3', hdr('if-none-match', '*'), '{"id": 3, "body": "lost"}'));
select say(restful.serve('PUT', '/notes/3', hdr('if-match', tag('/notes/1')), '{"id": 3, "body": "lost"}'));
select say(restful.serve('PUT', '/notes/3', hdr('if-match', tag('/notes/3')), '{"id": 3, "body": "drei"}'));
select id, body from library.notes order by id;
-- dates
select restful.last_modified('library.notes', 'changed');
update library.notes set changed = '2020-01-02 03:04:05.6Z';
select say(restful.serve('GET', '/notes/1?select=id'));
select say(restful.serve('GET', '/notes/1?select=id', hdr('if-modified-since', 'Thu, 02 Jan 2020 03:04:05 GMT')));
select say(restful.serve('GET', '/notes/1?select=id', hdr('if-modified-since', 'Thu, 02 Jan 2020 03:04:04 GMT')));
select say(restful.serve('PATCH', '/notes/1', hdr('if-unmodified-since', 'Thu, 02 Jan 2020 03:04:04 GMT'), '{"body": "lost"}'));
select say(restful.serve('PATCH', '/notes/1', hdr('if-unmodified-since', 'Thu, 02 Jan 2020 03:04:05 GMT'), '{"body": "dated"}'));
select restful.last_modified('library.notes', 'body');
-- 428
select restful.require_match('library.notes');
select say(restful.serve('PATCH', '/notes/1', '{}', '{"body": "lost"}'));
select say(restful.serve('DELETE', '/notes?id=eq.1'));
select say(restful.serve('PUT', '/notes/3', '{}', '{"id": 3, "body": "lost"}'));
select say(restful.serve('POST', '/notes', '{"prefer": "resolution=merge-duplicates"}', '{"id": 3, "body": "lost"}'));
select say(restful.serve('POST', '/notes', '{}', '{"id": 4, "body": "four"}'));
select say(restful.serve('PATCH', '/notes/4', hdr('if-match', tag('/notes/4')), '{"body": "vier"}'));
select restful.require_match('library.notes', false);
select say(restful.serve('DELETE', '/notes/4'));
-- Cache-Control and Vary
select restful.cache_control('library.notes', 'private, max-age=60, x="a b"');
select say(restful.serve('GET', '/notes/1?select=id'));
select say(restful.serve('GET', '/notes?select=id&id=eq.1'));
select restful.cache_control('library.notes', 'no-store;');
select restful.cache_control('library.books', 'no-store');
select restful.cache_control('library.notes', null);
select (restful.serve('GET', '/notes/1')).headers ->> 'vary', (restful.serve('GET', '/nowhere')).headers ->> 'vary', (restful.serve('DELETE', '/notes/99')).headers ->> 'vary';
-- a write that shows all columns in an order, or aggregates, shows no column but those
select s.status, convert_from(s.body, 'utf8'), s.headers ->> 'etag' as told from restful.serve('PATCH', '/notes/1?order=id', hdr('if-match', tag('/notes/1')) || '{"prefer": "return=representation"}', '{"body": "four"}') s \gset shown_
select :shown_status, :'shown_convert_from', :'shown_told' = tag('/notes/1');
select as_superuser('alter role librarian set restful.aggregates_enabled = on');
\c - librarian
select say(restful.serve('PATCH', '/notes/1?select=count()', hdr('if-match', tag('/notes/1')) || '{"prefer": "return=representation"}', '{"body": "counted"}'));
select as_superuser('alter role librarian reset restful.aggregates_enabled');
\c - librarian
-- partitions and views, by their contents
select say(restful.serve('GET', '/parted/1,a'));
select say(restful.serve('PATCH', '/parted/1,a', hdr('if-match', tag('/parted/1,a')), '{"v": 2}'));
select say(restful.serve('PATCH', '/parted/1,a', hdr('if-match', tag('/parted/1,a')), '{"kind": "b"}'));
select say(restful.serve('PATCH', '/parted/1,b', hdr('if-match', '"AAAAAAAAAAAAAAAA"'), '{"v": 3}'));
select say(restful.serve('PUT', '/parted/1,b', hdr('if-match', tag('/parted/1,b')) || '{"prefer": "return=representation"}', '{"id": 1, "kind": "b", "v": 4}'));
select tag('/note_list/1') as before \gset
select say(restful.serve('PATCH', '/note_list/1', hdr('if-match', :'before'), '{"body": "by view"}'));
select say(restful.serve('PATCH', '/note_list/1', hdr('if-match', :'before'), '{"body": "lost"}'));
select * from library.parted;
-- a role that may read some columns is told of changes of these alone
\c - bob
select tag('/notes/1?select=id') as before \gset
select as_superuser('update library.notes set secret = ''other'' where id = 1');
select tag('/notes/1?select=id') = :'before';
select say(restful.serve('PATCH', '/notes/1', hdr('if-match', :'before'), '{"body": "bob"}'));
select tag('/notes/1?select=id') = :'before';
select say(restful.serve('PATCH', '/notes/1', hdr('if-match', :'before'), '{"body": "lost"}'));
