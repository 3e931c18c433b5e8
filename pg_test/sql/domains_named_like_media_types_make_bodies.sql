-- A function whose result is a domain named like a media type, or an aggregate of rows with such a result, produces the body.
\pset tuples_only on
\pset format unaligned
create domain library."text/html" as text;
create domain library."image/png" as bytea;
create domain library."text/tab-separated-values" as text;
create domain library."text/x-lines" as text;
create domain library."*/*" as bytea;
create function library.page() returns library."text/html" language sql stable as $$ select '<p>hello</p>'::library."text/html" $$;
create function library.pixel() returns library."image/png" language sql stable as $$ select '\x89504e47'::library."image/png" $$;
create function library.nothing() returns library."text/html" language sql stable as $$ select null::library."text/html" $$;
create function library.anything() returns library."*/*" language sql stable as $$ select convert_to(current_setting('request.headers')::json ->> 'accept', 'UTF8')::library."*/*" $$;
create function library.tsv_add(state text, next library.subjects) returns library."text/tab-separated-values" language sql as
    $$ select (state || next.id || E'\t' || next.name || E'\n')::library."text/tab-separated-values" $$;
create aggregate library.tsv(library.subjects) (sfunc = library.tsv_add, stype = library."text/tab-separated-values", initcond = '');
create function library.line_add(state text, next anyelement) returns library."text/x-lines" language sql as
    $$ select (state || next::text || E'\n')::library."text/x-lines" $$;
create aggregate library.lines(anyelement) (sfunc = library.line_add, stype = library."text/x-lines", initcond = '');
create function library.some_subjects() returns setof library.subjects language sql stable as $$ select * from library.subjects where id < 3 $$;
\c - authenticator
select show_all(restful.serve('GET', '/rpc/page', '{"accept": "text/html"}'));
select show_all(restful.serve('GET', '/rpc/page', '{"accept": "text/*, application/json;q=0.5"}'));
-- Accept as a browser sends it
select show_all(restful.serve('GET', '/rpc/page', '{"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}'));
-- a range of types; JSON when any type is accepted
select status, headers ->> 'content-type', encode(body, 'hex') from restful.serve('GET', '/rpc/pixel', '{"accept": "image/*"}');
select show_all(restful.serve('GET', '/rpc/pixel'));
select show_all(restful.serve('GET', '/rpc/nothing', '{"accept": "text/html"}'));
select show_all(restful.serve('GET', '/rpc/anything', '{"accept": "made/up"}'));
select show(restful.serve('GET', '/rpc/page', '{"accept": "image/png"}'));
-- aggregates over a table's rows, over any rows, and over the rows of a function
select show_all(restful.serve('GET', '/subjects?order=id.desc&limit=2', '{"accept": "text/tab-separated-values", "prefer": "count=exact"}'));
select show(restful.serve('GET', '/rpc/some_subjects', '{"accept": "text/tab-separated-values"}'));
select show(restful.serve('GET', '/books?select=id,title&id=lt.3&order=id', '{"accept": "text/x-lines"}'));
select show(restful.serve('GET', '/subjects?id=gt.100', '{"accept": "text/x-lines"}'));
-- a table's aggregate needs whole rows; other tables do not have it
select show(restful.serve('GET', '/subjects?select=id', '{"accept": "text/tab-separated-values"}'));
select show(restful.serve('GET', '/books', '{"accept": "text/tab-separated-values"}'));
\c - librarian
select show(restful.serve('POST', '/subjects', '{"accept": "text/tab-separated-values", "prefer": "return=representation"}', '[{"id": 10, "name": "a"}, {"id": 11, "name": "b"}]'));
select show_all(restful.serve('DELETE', '/subjects?id=gte.10', '{"accept": "text/tab-separated-values", "prefer": "return=representation, count=exact"}'));
select show_all(restful.serve('DELETE', '/subjects?id=gte.10', '{"accept": "text/tab-separated-values", "prefer": "return=representation, count=exact"}'));
-- the role needs the right to call the aggregate
\c - postgres
revoke execute on function library.tsv(library.subjects) from public;
\c - authenticator
select show(restful.serve('GET', '/subjects', '{"accept": "text/tab-separated-values"}'));
