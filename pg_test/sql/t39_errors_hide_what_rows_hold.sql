-- The DETAIL of a constraint violation contains values of rows, so it is shown only if restful.expose_details is on.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
grant librarian to layer;
alter role layer set restful.anon_role = 'librarian';
alter role layer set restful.schemas = 'library';
\c - layer
select show_all(restful.serve('POST', '/subjects', '{}', '{"id": 1, "name": "x"}'));
select show(restful.serve('POST', '/books', '{}', '{"id": 9, "title": "x", "author": 77}'));
select show(restful.serve('POST', '/books', '{}', '{"id": 9, "title": "x", "author": 1, "year": -1}'));
select show(restful.serve('POST', '/books', '{}', '{"id": 9, "author": 1}'));
select show(restful.serve('DELETE', '/countries?code=eq.gb'));
-- the HTTP layer cannot change the setting
set restful.expose_details = on;
\c - postgres
alter role layer set restful.expose_details = on;
\c - layer
select show(restful.serve('POST', '/subjects', '{}', '{"id": 1, "name": "x"}'));
select show(restful.serve('POST', '/books', '{}', '{"id": 9, "title": "x", "author": 1, "year": -1}'));
-- minimal errors have neither details nor a hint
\c - postgres
alter role layer set restful.error_verbosity = 'minimal';
\c - layer
select show_all(restful.serve('POST', '/subjects', '{}', '{"id": 1, "name": "x"}'));
select show_all(restful.serve('GET', '/nothing'));
