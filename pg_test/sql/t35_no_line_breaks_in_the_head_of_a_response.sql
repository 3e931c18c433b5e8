-- No value from a function, a row or a request can end a header field of the response: CR, LF and NUL never get there.
\pset tuples_only on
\pset format unaligned
create function library.respond(status text, headers text) returns text language sql as $$
    select set_config('response.status', status, true); select set_config('response.headers', headers, true); select 'body'
$$;
create function library.pgrst(message json, detail json) returns void language plpgsql as $$
begin
    raise sqlstate 'PGRST' using message = message::text, detail = detail::text;
end $$;
create function library.refuse(words text) returns void language plpgsql as $$ begin raise '%', words using hint = words; end $$;
create table library.files (name text primary key, kind text default 'x');
create domain library."text/x; a=b" as text;
create domain library.odd_media as text;
create function library.media() returns library."text/x; a=b" language sql as $$ select 'x'::library."text/x; a=b" $$;
grant select, insert, update on library.files to librarian;
-- the header fields with a character that could end them; there must be none
create function public.broken(r record) returns text language plpgsql as $$
begin
    return format('%s %s %s', r.status, coalesce(substring(convert_from(r.body, 'utf8') from '"code":"([^"]*)"'), '-'), coalesce((
        select string_agg(key, ' ') from jsonb_each_text(r.headers)
        where key !~ '^[a-z0-9-]+$' or value ~ '[\x01-\x08\x0a-\x1f\x7f]' or key = 'set-cookie'), 'whole'));
end $$;
\c - librarian
-- from response.headers
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "", "headers": "[{\"a\": \"x\\r\\nset-cookie: evil=1\"}]"}', 'utf8')));
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "", "headers": "[{\"a\": \"x\\ny\"}]"}', 'utf8')));
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "", "headers": "[{\"a\\r\\nb\": \"x\"}]"}', 'utf8')));
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "", "headers": "[{\"a\": \"x\\u0001\"}]"}', 'utf8')));
-- from an error that a function raises
select show_all(restful.serve('POST', '/rpc/pgrst', '{}', convert_to('{"message": {"code": "123", "message": "x"}, "detail": {"status": 402, "headers": {"a": "b\r\nset-cookie: evil=1"}}}', 'utf8')));
select show_all(restful.serve('POST', '/rpc/pgrst', '{}', convert_to('{"message": {"code": "1\r\nset-cookie: evil=1", "message": "x"}, "detail": {"status": 402, "headers": {}}}', 'utf8')));
select show_all(restful.serve('POST', '/rpc/refuse', '{}', convert_to('{"words": "a\r\nset-cookie: evil=1"}', 'utf8')));
-- from the key of a row: Location
select show_all(restful.serve('POST', '/files', '{"prefer": "return=headers-only"}', convert_to('{"name": "a\r\nset-cookie: evil=1\u007f/?#,é"}', 'utf8')));
-- and the URL leads to the row
select headers->>'location' as location from restful.serve('POST', '/files', '{"prefer": "return=headers-only"}', convert_to('{"name": "b\r\n,"}', 'utf8')) \gset
select show(restful.serve('GET', :'location'));
-- from parts of the request that are repeated
select broken(restful.serve('GET', '/files?name=eq.x%0d%0aset-cookie:%20evil=1'));
select broken(restful.serve('GET', '/files?select=name&name=eq.' || chr(127)));
select broken(restful.serve('GET', '/files', '{"prefer": "timezone=UTC\r\nset-cookie: evil=1"}'));
select broken(restful.serve('GET', '/files', '{"prefer": "tx=commit; x=\"\\r\\nset-cookie: evil=1\""}'));
select broken(restful.serve('GET', '/files', '{"accept-profile": "library\r\nset-cookie: evil=1"}'));
select broken(restful.serve('GET', '/nothing%0d%0aset-cookie:%20evil=1'));
select broken(restful.serve('GET', '/files', '{"accept": "text/x\r\nset-cookie: evil=1"}'));
select broken(restful.serve('GET', '/files?select=%22x%0d%0ay%22:name'));
-- from the name of a domain that defines a media type
select as_superuser(format('alter domain library.odd_media rename to %I', e'text/x\r\nset-cookie: evil=1'));
select as_superuser(format('create function library.odd() returns library.%I language sql as $f$ select null $f$', e'text/x\r\nset-cookie: evil=1'));
select show_all(restful.serve('POST', '/rpc/odd', '{"accept": "*/*"}'));
select show_all(restful.serve('POST', '/rpc/media', '{"accept": "*/*"}'));
