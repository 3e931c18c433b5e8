-- Values of many types: stored from a JSON body, returned as row_to_json would write them.
\pset tuples_only on
\pset format unaligned
set timezone = 'UTC';
create type library.mood as enum ('sad', 'happy');
create type library.point as (x int, y numeric);
create domain library.short as text check (length(value) < 5);
create table library.types (
    id int primary key, i2 int2, i8 int8, n numeric, f4 float4, f8 float8, b boolean, t text, v varchar(3), c char(3), d date, ts timestamp,
    tz timestamptz, ti time, iv interval, u uuid, by bytea, j json, jb jsonb, ia int[], ta text[], mood library.mood, p library.point,
    s library.short, r int4range, ip inet, bits bit(3)
);
grant select, insert, update on library.types to librarian;
\c - librarian
set timezone = 'UTC';
set restful.schemas = 'library';
select show(restful.serve('POST', '/types', '{"prefer": "return=representation"}', convert_to('{
    "id": 1, "i2": -1, "i8": 9223372036854775807, "n": 12345678901234567890.123456789, "f4": 1.5, "f8": 1e300, "b": true,
    "t": "ü \"q\" \\ / \u00e9 \ud83d\ude00 \n", "v": "abc", "c": "a", "d": "2024-02-29", "ts": "2024-02-29T12:34:56.789", "tz": "2024-02-29T12:34:56+02:00",
    "ti": "23:59:59", "iv": "1 day 2 hours", "u": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "by": "\\xdeadbeef", "j": {"k":  [1, null]},
    "jb": {"k":  [1, null]}, "ia": [1, null, 3], "ta": ["a", "b,c", "\"d\""], "mood": "happy", "p": {"x": 1, "y": 2.50}, "s": "four",
    "r": "[1,5)", "ip": "10.0.0.1/8", "bits": "101"}', 'utf8')));
-- row_to_json writes the same
select (restful.serve('GET', '/types?id=eq.1')).body = convert_to('[' || row_to_json(types) || ']', 'utf8') as same from library.types where id = 1;
select show(restful.serve('POST', '/types', '{"prefer": "return=representation"}', '{"id": 2}'));
-- numbers as text, and extreme values
select show(restful.serve('POST', '/types?select=i8,n,f8', '{"prefer": "return=representation"}', '{"id": 3, "i8": "-9223372036854775808", "n": "NaN", "f8": "-Infinity"}'));
select show(restful.serve('POST', '/types?select=d,ts,tz', '{"prefer": "return=representation"}', '{"id": 4, "d": "infinity", "ts": "-infinity", "tz": "0044-03-15 12:00+00 BC"}'));
select show(restful.serve('POST', '/types?select=jb,j', '{"prefer": "return=representation"}', '{"id": 5, "jb": null, "j": null}'));
select show(restful.serve('POST', '/types?select=ia', '{"prefer": "return=representation"}', '{"id": 6, "ia": [[1, 2], [3, 4]]}'));
-- in another time zone
select show_all(restful.serve('GET', '/types?id=eq.1&select=tz', '{"prefer": "timezone=Asia/Tokyo"}'));
select show(restful.serve('GET', '/types?id=eq.1&select=tz', '{"prefer": "timezone=Nowhere/Land"}'));
-- invalid values
select show(restful.serve('POST', '/types', '{}', '{"id": "x"}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 9.5}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 99999999999}'));
select show(restful.serve('POST', '/types', '{}', '{"id": true}'));
select show(restful.serve('POST', '/types', '{}', '{"id": {"a": 1}}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 9, "d": "2023-02-29"}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 9, "u": "x"}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 9, "mood": "angry"}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 9, "s": "five!"}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 9, "v": "abcd"}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 9, "ia": "x"}'));
select show(restful.serve('POST', '/types', '{}', '{"id": 9, "ia": ["x"]}'));
select show(restful.serve('GET', '/types?id=gte.9'));
-- a value that is too large or too deep for its type is the client's error
\c - postgres
create table library.parts (id int, words tsvector, doc jsonb, grid int[]);
grant all on library.parts to librarian;
\c - librarian
select show(restful.serve('GET', '/parts?words=fts.' || repeat('!', 100) || 'a'));
select show(restful.serve('GET', '/parts?words=fts.' || repeat('(', 300) || 'a'));
-- PostgreSQL's message depends on its version and on the stack
select status, body->>'code' from restful.post('/parts', jsonb_build_object('words', repeat('x', 3000)));
select status, body->>'code' from restful.post('/parts', '{"grid": "{{{{{{{1}}}}}}}"}');
select status, body->>'code' from restful.get('/parts?grid=eq.{{{{{{{1}}}}}}}');
select status, body->>'code' from restful.get('/parts?doc=eq.' || repeat('[', 100000));
select status, convert_from(body, 'UTF8')::jsonb->>'code' from restful.serve('POST', '/parts', '{"content-type": "text/csv"}', convert_to(E'doc\n' || repeat('[', 200000), 'UTF8'));
