-- response.status, response.headers and the errors that a function raises become the response.
\pset tuples_only on
\pset format unaligned
create function library.respond(status text, headers text) returns text language sql as $$
    select set_config('response.status', status, true); select set_config('response.headers', headers, true); select 'body'
$$;
create function library.pt(code text) returns void language plpgsql as $$
begin
    raise 'payment needed' using errcode = code, detail = 'quota', hint = 'upgrade';
end $$;
create function library.pgrst(message json, detail json) returns void language plpgsql as $$
begin
    raise sqlstate 'PGRST' using message = message::text, detail = detail::text;
end $$;
create function library.pgrst_alone(message text) returns void language plpgsql as $$ begin raise sqlstate 'PGRST' using message = message; end $$;
\c - librarian
select show_all(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "202", "headers": "[{\"X-One\": \"1\"}, {\"x-two\": \"2\"}]"}', 'utf8')));
select show_all(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "", "headers": "[{\"Content-Type\": \"text/x\"}, {\"set-cookie\": \"a=1\"}, {\"set-cookie\": \"b=2\"}]"}', 'utf8')));
-- some statuses have no body
select show_all(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "304", "headers": "[]"}', 'utf8')));
select show_all(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "204", "headers": "[]"}', 'utf8')));
-- settings that the caller made before the request have no effect
set response.status = '418';
set response.headers = '[{"x-old": "1"}]';
select show_all(restful.serve('GET', '/subjects?id=eq.1'));
-- malformed
select show(restful.serve('POST', '/rpc/respond', '{}', '{"status": "99", "headers": ""}'));
select show(restful.serve('POST', '/rpc/respond', '{}', '{"status": "199", "headers": ""}'));
select show(restful.serve('POST', '/rpc/respond', '{}', '{"status": "600", "headers": ""}'));
select show(restful.serve('POST', '/rpc/respond', '{}', '{"status": "", "headers": "x"}'));
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "", "headers": "[{\"a\": 1}]"}', 'utf8')));
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "", "headers": "[{\"a\": \"1\", \"b\": \"2\"}]"}', 'utf8')));
select show(restful.serve('POST', '/rpc/respond', '{}', convert_to('{"status": "", "headers": "[{\"a b\": \"1\"}]"}', 'utf8')));
-- RAISE with a status of its own
select show_all(restful.serve('POST', '/rpc/pt', '{}', '{"code": "PT402"}'));
select show_all(restful.serve('POST', '/rpc/pt', '{}', '{"code": "PT303"}'));
select show_all(restful.serve('POST', '/rpc/pt', '{}', '{"code": "PT999"}'));
-- a raised error undoes the request, so its status can be neither 1xx nor 2xx
select show(restful.serve('POST', '/rpc/pt', '{}', jsonb_build_object('code', code)::text::bytea)) from unnest(array['PT100', 'PT199', 'PT200', 'PT204']) code;
select show(restful.serve('POST', '/rpc/pgrst', '{}', '{"message": {"code": "123", "message": "x"}, "detail": {"status": 200, "headers": {}}}'));
select show_all(restful.serve('POST', '/rpc/pt', '{}', '{"code": "PTXYZ"}'));
-- RAISE SQLSTATE 'PGRST' sets the whole response
select show_all(restful.serve('POST', '/rpc/pgrst', '{}', '{"message": {"code": "123", "message": "in words", "details": "more", "hint": "try"}, "detail": {"status": 418, "headers": {"X-Powered-By": "Tea"}}}'));
select show_all(restful.serve('POST', '/rpc/pgrst', '{}', '{"message": {"code": "123", "message": "in words"}, "detail": {"status": 402, "headers": {}}}'));
select show(restful.serve('POST', '/rpc/pgrst', '{}', '{"message": {"code": "123"}, "detail": {"status": 402, "headers": {}}}'));
select show(restful.serve('POST', '/rpc/pgrst', '{}', '{"message": {"code": "123", "message": "x"}, "detail": {"status": 402}}'));
select show(restful.serve('POST', '/rpc/pgrst', '{}', '{"message": {"code": "123", "message": "x"}, "detail": {"status": 1000, "headers": {}}}'));
select show(restful.serve('POST', '/rpc/pgrst_alone', '{}', convert_to('{"message": "{\"code\": \"1\", \"message\": \"x\"}"}', 'utf8')));
select show(restful.serve('POST', '/rpc/pgrst', '{}', '{"message": {"code": "123", "message": "x"}, "detail": {"status": 402, "headers": {"a b": "x"}}}'));
