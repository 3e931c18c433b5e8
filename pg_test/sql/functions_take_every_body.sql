-- A form passes arguments by name, CSV one line of them; text, XML and bytes go to the one unnamed parameter of their type.
\pset tuples_only on
\pset format unaligned
create function library.greet(name text, times int default 1) returns text language sql as $$ select repeat(name, times) $$;
create function library.joined(variadic words text[]) returns text language sql as $$ select array_to_string(words, '+') $$;
create domain library.facts as jsonb;
create function library.kinds(j json default null, b jsonb default null, f library.facts default null, t text default null)
returns text language sql as $$ select concat_ws(' ', json_typeof(j), jsonb_typeof(b), jsonb_typeof(f), t is null) $$;
create function library.take(text) returns text language sql as $$ select 'text ' || $1 $$;
create function library.take(xml) returns text language sql as $$ select 'xml ' || $1::text $$;
create function library.take(bytea) returns text language sql as $$ select 'bytes ' || encode($1, 'hex') $$;
create function library.take(json) returns text language sql as $$ select 'json ' || $1::text $$;
\c - authenticator
select show(restful.serve('POST', '/rpc/greet', '{"content-type": "application/x-www-form-urlencoded"}', 'name=a+%26%20b&times=2'));
select show(restful.serve('POST', '/rpc/joined', '{"content-type": "application/x-www-form-urlencoded"}', 'words=a&words=b'));
select show(restful.serve('POST', '/rpc/greet', '{"content-type": "text/csv"}', E'times,name\n2,x'));
select show(restful.serve('POST', '/rpc/greet', '{"content-type": "text/csv"}', E'times,name\n2,x\n3,y'));
-- JSON is read as JSON, in CSV and in forms; an empty field is null
select show(restful.serve('POST', '/rpc/kinds', '{"content-type": "text/csv"}', E'j,b,f,t\n5,"{""a"": 1}",null,\n'));
select show(restful.serve('POST', '/rpc/kinds', '{"content-type": "text/csv"}', E'j,b,f,t\n,"[1]","""x""",""\n'));
select show(restful.serve('POST', '/rpc/kinds', '{"content-type": "application/x-www-form-urlencoded"}', 'j=5&b={"a": 1}&f=null&t='));
select show(restful.serve('POST', '/rpc/kinds', '{"content-type": "text/csv"}', E'j\nplain\n'));
select show(restful.serve('POST', '/rpc/kinds', '{"content-type": "application/x-www-form-urlencoded"}', 'j=plain'));
select show(restful.serve('POST', '/rpc/take', '{"content-type": "text/plain"}', 'a "b"'));
select show(restful.serve('POST', '/rpc/take', '{"content-type": "text/xml"}', '<a>1</a>'));
select show(restful.serve('POST', '/rpc/take', '{"content-type": "application/octet-stream"}', '\x00ff'));
select show(restful.serve('POST', '/rpc/take', '{"content-type": "application/json"}', '{"a": 1}'));
-- a form or CSV is not passed as a whole
select show(restful.serve('POST', '/rpc/take', '{"content-type": "application/x-www-form-urlencoded"}', 'a=1'));
select show(restful.serve('POST', '/rpc/take', '{"content-type": "text/csv"}', E'a\n1'));
