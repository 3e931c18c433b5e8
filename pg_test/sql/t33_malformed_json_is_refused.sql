-- A body that is not JSON, or JSON that a row cannot store, is refused with the place of the error.
\pset tuples_only on
\pset format unaligned
create table library.things (id int primary key, doc jsonb, raw json, n numeric, t text);
create function library.take(doc jsonb) returns jsonb language sql as 'select doc';
grant select, insert, update, delete on library.things to librarian;
\c - librarian
select show(restful.serve('POST', '/things', '{}', ''));
select show(restful.serve('POST', '/things', '{}', '{"id": 1'));
select show(restful.serve('POST', '/things', '{}', '{"id": 1}}'));
select show(restful.serve('POST', '/things', '{}', '{"id": 01}'));
select show(restful.serve('POST', '/things', '{}', '{id: 1}'));
select show(restful.serve('POST', '/things', '{}', '[{"id": 1}, 2]'));
select show(restful.serve('POST', '/things', '{}', '[{"id": 1}, {"id": 2},]'));
select show(restful.serve('POST', '/things', '{}', '"id"'));
select show(restful.serve('POST', '/things', '{}', 'null'));
select show(restful.serve('POST', '/things', '{}', '{"id": NaN}'));
select show(restful.serve('POST', '/things', '{}', '\xefbbbf7b226964223a317d'));
select show(restful.serve('POST', '/things', '{}', '\x7b2274223a2200227d'));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "t": "\u0000"}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "doc": {"\u0000": 1}}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "t": "\ud800"}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "t": "\udc00\ud800"}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "t": "\x"}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', '\x7b2274223a220a227d'));
-- too deep, too long, too large
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "doc": ' || repeat('[', 64) || repeat(']', 64) || '}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "raw": ' || repeat('[', 100000) || repeat(']', 100000) || '}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', convert_to(repeat('[', 100000), 'utf8')));
select show(restful.serve('POST', '/things', '{}', '{"id": 1, "doc": 1e131071}'));
select show(restful.serve('POST', '/things', '{}', '{"id": 1, "n": 1e400}'));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "n": ' || repeat('9', 401) || '}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', '{"id": 1e100}'));
select show(restful.serve('POST', '/things', '{}', convert_to('{"id": 1, "doc": ' || repeat('[', 63) || repeat(']', 63) || '}', 'utf8')));
select show(restful.serve('POST', '/things', '{}', '{"id": 1, "n": -1e-309}'));
select show(restful.serve('POST', '/things', '{}', '{"id": 1, "n": Infinity}'));
select show(restful.serve('POST', '/things', '{}', '{"id": 1}garbage'));
select show(restful.serve('POST', '/things', '{}', '\x7b226964223a20317d00'));
-- a repeated key is refused; within the value of a jsonb column the last one counts, as in PostgreSQL
select show(restful.serve('POST', '/things', '{"prefer": "return=representation"}', '{"id": 2, "t": "first", "t": "last"}'));
select show(restful.serve('PATCH', '/things?id=eq.2&select=t', '{"prefer": "return=representation"}', '{"t": "first", "t": "last"}'));
select show(restful.serve('POST', '/things?select=doc', '{"prefer": "return=representation"}', '{"id": 3, "doc": {"a": 1, "a": 2}}'));
select show(restful.serve('POST', '/rpc/take', '{}', '{"doc": 1, "doc": 2}'));
-- the same for the body of a function call
select show(restful.serve('POST', '/rpc/take', '{}', convert_to('{"doc": "\u0000"}', 'utf8')));
select show(restful.serve('POST', '/rpc/take', '{}', convert_to('{"doc": "\ud800"}', 'utf8')));
select show(restful.serve('POST', '/rpc/take', '{}', '{"doc": 1e131071}'));
select show(restful.serve('POST', '/rpc/take', '{}', convert_to('{"doc": ' || repeat('[', 100000) || repeat(']', 100000) || '}', 'utf8')));
select show(restful.serve('POST', '/rpc/take', '{}', '{"doc": NaN}'));
-- nothing else was written
select id from library.things order by id;
