-- In one session, with plans cached: creating, replacing or dropping an aggregate changes the media types that rows can have.
\pset tuples_only on
\pset format unaligned
create domain library."text/x-names" as text;
create domain library."application/json" as json;
create function library.name_add(state text, next library.subjects) returns text language sql as $$ select state || next.name || ';' $$;
create function library.name_end(state text) returns library."text/x-names" language sql as $$ select state::library."text/x-names" $$;
\c - authenticator
select warm('/subjects?id=lt.3&order=id');
select show(restful.serve('GET', '/subjects?id=lt.3&order=id', '{"accept": "text/x-names"}'));
select as_superuser('create aggregate library.names(library.subjects) (sfunc = library.name_add, finalfunc = library.name_end, stype = text, initcond = '''')');
select show(restful.serve('GET', '/subjects?id=lt.3&order=id', '{"accept": "text/x-names"}'));
-- also for JSON
select as_superuser($$create function library.json_end(state text) returns library."application/json" language sql as 'select to_json(state)::library."application/json"'$$);
select as_superuser('create aggregate library.as_json(library.subjects) (sfunc = library.name_add, finalfunc = library.json_end, stype = text, initcond = '''')');
select show(restful.serve('GET', '/subjects?id=lt.3&order=id', '{"accept": "application/json"}'));
select as_superuser('drop aggregate library.as_json(library.subjects)');
select show(restful.serve('GET', '/subjects?id=lt.3&order=id', '{"accept": "application/json"}'));
-- the table is renamed
select as_superuser('alter table library.subjects rename to topics');
select show(restful.serve('GET', '/topics?id=lt.3&order=id', '{"accept": "text/x-names"}'));
select as_superuser('drop domain library."text/x-names" cascade');
select show(restful.serve('GET', '/topics?id=lt.3&order=id', '{"accept": "text/x-names"}'));
