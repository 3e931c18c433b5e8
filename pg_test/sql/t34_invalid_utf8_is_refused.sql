-- Bytes that are not UTF-8 are refused everywhere, and so is NUL; the session goes on.
\pset tuples_only on
\pset format unaligned
create table library.things (id int primary key, t text, b bytea);
create function library.raw(bytea) returns int language sql immutable as 'select length($1)';
create function library.words(text) returns int language sql immutable as 'select length($1)';
grant select, insert on library.things to librarian;
\c - librarian
-- in the target: a lone byte, overlong, a surrogate, above U+10FFFF, cut off
select show(restful.serve('GET', '/books?title=eq.%ff'));
select show(restful.serve('GET', '/books?title=eq.%00'));
select show(restful.serve('GET', '/bo%00oks'));
select show(restful.serve('GET', '/books?title=eq.%c0%af'));
select show(restful.serve('GET', '/books?title=eq.%ed%a0%80'));
select show(restful.serve('GET', '/books?title=eq.%f4%90%80%80'));
select show(restful.serve('GET', '/books?title=eq.%e2%82'));
select show(restful.serve('GET', '/books?%ff=eq.1'));
select show(restful.serve('GET', '/%ff'));
select show(restful.serve('GET', '/books/%ff'));
select show(restful.serve('GET', '/rpc/words?%ff'));
-- in bodies of every kind
select show(restful.serve('POST', '/things', '{}', '\x7b2274223a22ff227d'));
select show(restful.serve('POST', '/things', '{}', '\x7b22ff223a317d'));
select show(restful.serve('POST', '/things', '{}', '\x7b226964223a312c2274223a22eda08022'));
select show(restful.serve('POST', '/things', '{"content-type": "text/csv"}', '\x69642c740a312cff0a'));
select show(restful.serve('POST', '/things', '{"content-type": "text/csv"}', '\x69642c740a312c000a'));
select show(restful.serve('POST', '/things', '{"content-type": "application/x-www-form-urlencoded"}', 'id=1&t=%ff'));
select show(restful.serve('POST', '/things', '{"content-type": "application/x-www-form-urlencoded"}', 'id=1&t=%00'));
select show(restful.serve('POST', '/rpc/words', '{"content-type": "text/plain"}', '\xff'));
select show(restful.serve('POST', '/rpc/words', '{"content-type": "text/plain"}', '\x6100'));
-- except where bytes are expected
select show(restful.serve('POST', '/rpc/raw', '{"content-type": "application/octet-stream"}', '\xff00'));
select count(*) from library.things;
