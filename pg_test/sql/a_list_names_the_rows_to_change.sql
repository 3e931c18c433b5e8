-- PATCH and DELETE change exactly the rows that a list names by their primary keys, or none.
\pset tuples_only on
\pset format unaligned
\c - librarian
create function pg_temp.shelves() returns text language sql as $$ select string_agg(concat_ws('/', room, number, capacity), ' ' order by room, number) from library.shelves $$;
create function pg_temp.send(method text, target text, body text, prefer text default '', media text default 'application/json', accept text default '*/*')
returns text language sql as $$
    select show(restful.serve(method, target, jsonb_build_object('prefer', prefer, 'content-type', media, 'accept', accept), convert_to(body, 'utf8')))
$$;
-- each object with the whole key; the rows come back in the order of the body
select show_all(restful.serve('PATCH', '/shelves', '{"prefer": "return=representation, count=exact"}',
    '[{"room": "B", "number": 1, "capacity": 21}, {"number": 1, "capacity": 41, "room": "A"}]'));
select show_all(restful.serve('PATCH', '/shelves', '{}', '[{"room": "A", "number": 2, "capacity": 31}]'));
select pg_temp.shelves();
select pg_temp.send('PATCH', '/shelves?order=capacity.desc&select=capacity', '[{"room": "B", "number": 1, "capacity": 1}, {"room": "A", "number": 1, "capacity": 2}]', 'return=representation');
select pg_temp.send('PATCH', '/shelves?select=count()', '[{"room": "B", "number": 1, "capacity": 1}]', 'return=representation');
-- columns that an object does not have stay as they are
select pg_temp.send('PATCH', '/authors?select=id,name,born', '[{"id": 3, "name": "H. M."}, {"id": 2, "born": 1}, {"id": 1}]', 'return=representation');
-- unless the request says what they stand for
select pg_temp.send('PATCH', '/authors?columns=id,born&select=id,name,born', '[{"id": 3, "name": "x"}, {"id": 2, "born": 2}]', 'return=representation');
select pg_temp.send('PATCH', '/authors?select=id,name,born', '[{"id": 3, "name": "H."}, {"id": 2, "born": 3, "name": "S."}]', 'return=representation, missing=null');
select pg_temp.send('PATCH', '/shelves', '[{"room": "B", "number": 1}, {"room": "A", "number": 1, "capacity": 3}]', 'return=representation, missing=default');
-- without the whole key in every object nothing is changed
select pg_temp.send('PATCH', '/shelves', body) from (values
    ('[{"room": "B", "number": 1, "capacity": 0}, {"room": "A", "capacity": 0}]'),
    ('[{"room": "B", "capacity": 0}, {"room": "A", "capacity": 0}]'),
    ('[{"capacity": 0}]'),
    ('[{}, {}]'),
    ('[{"room": "B", "number": 1}]'),
    ('[{"room": "B", "number": 1, "capacity": 0}, 7]'),
    ('[{"room": "B", "number": 1, "capacity": 0}, {"room": "A", "number": 1, "capacity": "x"}]'),
    ('[{"room": "B", "number": 1, "capacity": 0}, {"room": "A", "number": 1, "nothing": 0}]'),
    ('[{"room": "B", "number": 1, "capacity": 0}, {"room": "B", "number": 1.0, "capacity": 1}]'),
    ('[{"room": "B", "number": 1, "capacity": 0}, {"room": "C", "number": 1, "capacity": 0}, {"room": "B", "number": null, "capacity": 0}]'),
    ('[{"room": "C", "number": 1, "capacity": 0}, {"room": "A", "number": 1, "capacity": 1}, {"room": "C", "number": 1, "capacity": 0}]')
) v(body);
select pg_temp.send('PATCH', '/shelves?limit=1', '[{"room": "B", "number": 1, "capacity": 0}]');
select pg_temp.send('PATCH', '/shelves?room=eq.A', '[{"room": "B", "number": 1, "capacity": 0}]');
select pg_temp.send('PATCH', '/shelves', '[{"room": "B", "number": 1, "capacity": 0}, {"room": "A", "number": 1, "capacity": 0}]', 'handling=strict, max-affected=1');
select pg_temp.send('PATCH', '/shelves', '[{"room": "B", "number": 1, "capacity": 0}, {"room": "A", "number": 1, "capacity": 0}]', '', 'application/json', 'application/vnd.pgrst.object+json');
select pg_temp.send('PATCH', '/shelves/A,1', '[{"capacity": 1}, {"capacity": 2}]');
select pg_temp.shelves();
-- filters restrict the rows that are found
select pg_temp.send('PATCH', '/shelves?capacity=lt.10', '[{"room": "B", "number": 1, "capacity": 9}]', 'return=representation');
-- an empty list changes nothing
select pg_temp.send('PATCH', '/shelves', '[]');
select pg_temp.send('DELETE', '/shelves', '[]');
-- a report tells what was found, and leaves the rest
select show_all(restful.serve('PATCH', '/shelves', '{"prefer": "handling=lenient, return=report"}',
    '[{"room": "B", "number": 1, "capacity": 8}, {"room": "C", "number": 1, "capacity": 8}]'));
select show_all(restful.serve('PATCH', '/shelves', '{"prefer": "return=report"}', '[{"room": "B", "number": 1, "capacity": 7}]'));
select pg_temp.send('PATCH', '/shelves', '[{"room": "B", "number": 1, "capacity": 6}, {"room": "C", "number": 1, "capacity": 8}]', 'return=report');
select pg_temp.send(method, '/shelves?room=eq.B', '{"room": "D", "number": 1, "capacity": 5}', 'return=report') from unnest(array['POST', 'PATCH']) method;
select pg_temp.shelves();
-- lines of JSON
select pg_temp.send('POST', '/shelves', e'{"room": "D", "number": 1, "capacity": 5}\n\n{"room": "D", "number": 2, "capacity": 6}\r\n', 'return=representation', 'application/x-ndjson', 'application/x-ndjson');
select pg_temp.send('PATCH', '/shelves', e'{"room": "D", "number": 1, "capacity": 7}\n{"room": "D", "number": 2, "capacity": 8}', 'return=representation', 'application/jsonl', 'application/jsonl');
select pg_temp.send('POST', '/shelves?on_conflict=room,number', e'{"room": "D", "number": 1, "capacity": 9}\n{"room": "D", "number": 3, "capacity": 9}\n', 'return=representation, resolution=merge-duplicates', 'application/ndjson');
select pg_temp.send('POST', '/shelves', body, '', 'application/x-ndjson') from (values
    (e'{"room": "E", "number": 1}\n{"room": "E", "number": 2'),
    (e'{"room": "E", "number": 1}\n{"room": "E",\n"number": 2}'),
    (e'{"room": "E", "number": 1}, {"room": "E", "number": 2}'),
    (e'{"room": "E", "number": 1}\n\n{"room": "E", "number": 2, "capacity": 1}'),
    (e'[{"room": "E", "number": 1}]')
) v(body);
select pg_temp.send('POST', '/shelves', '', '', 'application/x-ndjson');
select pg_temp.send('PATCH', '/shelves', e'{"room": "D", "number": 1, "capacity": 7}\n\n{"room": "D", "capacity": 8}', '', 'application/x-ndjson');
select show_all(restful.serve('GET', '/shelves?room=eq.D&order=number', '{"accept": "application/x-ndjson"}'));
select pg_temp.send('GET', '/shelves/D,1', null, '', '', 'application/x-ndjson');
select pg_temp.send('GET', '/shelves?room=eq.Z', null, '', '', 'application/x-ndjson');
-- CSV
select pg_temp.send('PATCH', '/shelves', e'room,number,capacity\nD,1,1\nD,2,2', 'return=representation', 'text/csv', 'text/csv');
select pg_temp.send('PATCH', '/shelves', e'room,capacity\nD,1\nD,2', '', 'text/csv');
-- keys to delete
select pg_temp.send('DELETE', '/shelves', '[{"room": "D", "number": 1}, {"room": "Z", "number": 1}]');
select pg_temp.send('DELETE', '/shelves', '[{"room": "D", "number": 3}, {"room": "D", "number": 1}]', 'return=representation');
select pg_temp.send('DELETE', '/shelves', '[{"room": "D", "number": 2}, {"room": "Z", "number": 1}]', 'handling=lenient, return=report');
select pg_temp.send('DELETE', '/shelves', body) from (values
    ('{"room": "B", "number": 1}'), ('[{"room": "B"}]'), ('[{"room": "B", "number": 1, "capacity": 1}]'), ('["B"]'), ('null')) v(body);
select pg_temp.send('DELETE', '/shelves/B,1', '[]');
select pg_temp.shelves();
select pg_temp.send('POST', '/countries', e'{"code": "aa", "name": "A"}\n{"code": "bb", "name": "B"}\n{"code": "cc", "name": "C"}\n{"code": "dd", "name": "D"}', '', 'application/x-ndjson');
select pg_temp.send('DELETE', '/countries?select=code', '["cc", "aa"]', 'return=representation');
select pg_temp.send('DELETE', '/countries', '["bb", "zz"]');
select pg_temp.send('DELETE', '/countries', '["bb", "dd", "bb"]');
select pg_temp.send('DELETE', '/countries', '["bb", {"code": "dd"}]');
select pg_temp.send('DELETE', '/countries?name=eq.B', '["bb", "dd"]', 'handling=lenient, return=report');
select pg_temp.send('DELETE', '/countries', '"dd"', '', 'application/x-ndjson');
-- a relation without a primary key
select as_superuser('create view library.titles as select title, year from library.books where id = 1 union all select title, year from library.books where id = 2; grant select on library.titles to librarian');
select as_superuser('create table library.notes (text text); grant all on library.notes to librarian; insert into library.notes values (''a''), (''b'')');
select pg_temp.send('PATCH', '/notes', '[{"text": "c"}, {"text": "d"}]');
select pg_temp.send('PATCH', '/notes?text=eq.a', '[{"text": "c"}]', 'return=representation');
select pg_temp.send('DELETE', '/notes', '["b"]');
-- hidden rows look like missing ones, and policies hold for the new rows
\c - alice
select show(restful.serve('PATCH', '/loans', '{"prefer": "return=representation"}', '[{"id": 1, "days": 1}, {"id": 3, "days": 1}]'));
select show(restful.serve('PATCH', '/loans', '{"prefer": "return=representation"}', '[{"id": 1, "days": 1}, {"id": 4, "days": 1}]'));
select show(restful.serve('PATCH', '/loans', '{"prefer": "handling=lenient, return=report"}', '[{"id": 1, "days": 2}, {"id": 3, "days": 2}, {"id": 4, "days": 2}]'));
select show(restful.serve('PATCH', '/loans', '{}', '[{"id": 1, "borrower": "bob"}]'));
select show(restful.serve('DELETE', '/loans', '{"prefer": "handling=lenient, return=report"}', '[2, 3]'));
select as_superuser('select 1');
\c - librarian
-- rights
select as_superuser('create table library.desks (id int primary key, a int, b int, c int generated always as identity); insert into library.desks values (1, 1, 1), (2, 2, 2); grant update (a, b), select (id), delete on library.desks to alice');
\c - alice
select show(restful.serve('PATCH', '/desks', '{}', '[{"id": 1, "a": 5}, {"id": 2, "a": 6}]'));
select show(restful.serve('PATCH', '/desks', '{}', '[{"id": 1, "a": 7}, {"id": 2, "b": 7}]'));
select show(restful.serve('PATCH', '/desks', '{}', '[{"id": 1, "c": 7}]'));
select show(restful.serve('PATCH', '/desks', '{}', '[{"a": 7}, {"a": 8}]'));
select show(restful.serve('PATCH', '/authors', '{}', '[{"id": 1, "name": "x"}]'));
\c - postgres
select * from library.desks order by id;
-- triggers that skip a row make it missing; each row is written once
create function library.skip() returns trigger language plpgsql as $$ begin if new.id = 2 then return null; end if; return new; end $$;
create trigger skip before update on library.desks for each row execute function library.skip();
grant all on library.desks to librarian;
\c - librarian
select show(restful.serve('PATCH', '/desks', '{}', '[{"id": 1, "a": 15}, {"id": 2, "a": 16}]'));
select show(restful.serve('PATCH', '/desks?select=id,a', '{"prefer": "return=representation"}', '[{"id": 1, "a": 15}]'));
-- a key that a view repeats
select as_superuser('create view library.both as select d.id, d.a from library.desks d; grant all on library.both to librarian');
select show(restful.serve('PATCH', '/both', '{"prefer": "return=representation"}', '[{"id": 1, "a": 16}]'));
