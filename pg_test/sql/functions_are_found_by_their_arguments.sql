-- Which function is called and how it gets its arguments: by name, from defaults, as a whole body, variadic.
\pset tuples_only on
\pset format unaligned
create function library.add(a int, b int default 10) returns int language sql immutable as 'select a + b';
create function library.greet(name text default 'you', "odd Name" text default '!') returns text language sql immutable as $$ select 'hello ' || name || "odd Name" $$;
create function library.over(a int) returns text language sql immutable as $$ select 'a' $$;
create function library.over(a int, b int) returns text language sql immutable as $$ select 'a, b' $$;
create function library.over(c text) returns text language sql immutable as $$ select 'c' $$;
create function library.clash(a int) returns text language sql immutable as $$ select 'int' $$;
create function library.clash(a text) returns text language sql immutable as $$ select 'text' $$;
create function library.whole(json) returns text language sql immutable as $$ select json_typeof($1) || ' ' || $1::text $$;
create function library.whole_b(jsonb) returns jsonb language sql immutable as $$ select $1 $$;
create function library.named_json(doc json) returns json language sql immutable as $$ select doc $$;
create function library.of_text(text) returns int language sql immutable as $$ select length($1) $$;
create function library.of_bytes(bytea) returns text language sql immutable as $$ select encode($1, 'hex') $$;
create function library.unnamed(int, int) returns int language sql immutable as $$ select $1 + $2 $$;
create function library.many(variadic words text[]) returns text language sql immutable as $$ select array_to_string(words, '+') $$;
create function library.of_array(a int[]) returns int[] language sql immutable as 'select a';
create function library.of_row(b library.countries) returns text language sql immutable as 'select (b).name';
create function library.strictly(a int) returns int language sql immutable strict as 'select a';
create function library.search(t text, kind text default 'any') returns text language sql immutable as $$ select concat_ws('/', t, kind) $$;
create function library.titled(title text, old boolean default false) returns setof library.books language sql stable
    as $$ select * from library.books b where b.title like $1 $$;
create function library.cheap(price numeric default 9, sort text default 'none') returns setof library.books language sql stable
    as $$ select * from library.books b where b.price < $1 $$;
-- overloads that PostgreSQL cannot tell apart, and overloads that it can by their types
create function library.near(a int) returns text language sql immutable as $$ select 'a' $$;
create function library.near(a int, c text default 'x') returns text language sql immutable as $$ select 'a, c' $$;
create function library.near(a text, d int default 1) returns text language sql immutable as $$ select 'text' $$;
create function library.far(a int) returns text language sql immutable as $$ select 'int' $$;
create function library.far(a text, d int default 1) returns text language sql immutable as $$ select 'text' $$;
create function library.today() returns text language sql immutable as $$ select 'now' $$;
create function library.today(zone text default 'utc') returns text language sql immutable as $$ select zone $$;
create function library.lend(a int) returns text language sql immutable as $$ select 'lent' $$;
create procedure library.lend(a int, days int default 14) language sql as 'select';
create function library.load(json) returns text language sql immutable as $$ select 'whole' $$;
create function library.load(doc json, strict bool default true) returns text language sql immutable as $$ select 'doc' $$;
create function library.lines(variadic l text[] default '{none}') returns text language sql immutable as $$ select array_to_string(l, '+') $$;
create function library.tally(a int, b int default 2, variadic rest int[] default '{3,4}') returns text language sql immutable
    as $$ select concat_ws(' ', a, b, rest) $$;
create function library.first(a anyelement) returns text language sql immutable as $$ select a::text $$;
create function library.first_of(n int, a anyarray) returns text language sql immutable as $$ select a[n]::text $$;
create function library.typed(a anyelement default 7) returns text language sql immutable as $$ select pg_typeof(a) $$;
create function library.both(a anycompatible, b anycompatible) returns text language sql immutable as $$ select pg_typeof(a) $$;
\c - authenticator
select show(restful.serve('GET', '/rpc/add?a=1&b=2'));
select show(restful.serve('POST', '/rpc/add', '{}', '{"b": 2, "a": 1}'));
select show(restful.serve('GET', '/rpc/add?a=1'));
select show(restful.serve('POST', '/rpc/add', '{}', '{"a": "7"}'));
select show(restful.serve('POST', '/rpc/greet'));
select show(restful.serve('POST', '/rpc/greet', '{}', '{}'));
select show(restful.serve('GET', '/rpc/greet?odd%20Name=%3F&name=M%C3%BCller'));
select show(restful.serve('GET', '/rpc/greet?name='));
select show(restful.serve('POST', '/rpc/greet', '{}', '{"name": null}'));
select show(restful.serve('POST', '/rpc/strictly', '{}', '{"a": null}'));
-- overloads
select show(restful.serve('GET', '/rpc/over?a=1'));
select show(restful.serve('GET', '/rpc/over?a=1&b=2'));
select show(restful.serve('POST', '/rpc/over', '{}', '{"c": "x"}'));
select show_all(restful.serve('GET', '/rpc/clash?a=1'));
select show_all(restful.serve('GET', '/rpc/over?d=1'));
select show(restful.serve('POST', '/rpc/over', '{}', '{"a": 1, "d": 1}'));
select show(restful.serve('POST', '/rpc/over'));
select show(restful.serve('GET', '/rpc/add?a=x'));
select show(restful.serve('POST', '/rpc/add?columns=a', '{}', '{"a": 1, "b": 99}'));
select show(restful.serve('GET', '/rpc/near?a=1'));
select show(restful.serve('POST', '/rpc/near', '{}', '{"a": 1}'));
select show(restful.serve('POST', '/rpc/near', '{"content-type": "text/csv"}', E'a\n1'));
select show(restful.serve('GET', '/rpc/near?a=1&c=y'));
select show(restful.serve('GET', '/rpc/near?a=1&d=2'));
select show(restful.serve('GET', '/rpc/far?a=1'));
select show(restful.serve('GET', '/rpc/today'));
select show(restful.serve('POST', '/rpc/today'));
select show(restful.serve('GET', '/rpc/today?zone=cet'));
select show(restful.serve('GET', '/rpc/lend?a=1'));
select show(restful.serve('POST', '/rpc/load', '{}', '[1]'));
select show(restful.serve('POST', '/rpc/load', '{}', '{"doc": 1}'));
-- an argument of a polymorphic type whose type nothing else decides
select show(restful.serve('GET', '/rpc/first?a=1'));
select show(restful.serve('POST', '/rpc/first', '{}', '{"a": 1}'));
select show(restful.serve('POST', '/rpc/first', '{"content-type": "text/csv"}', E'a\n1'));
select show(restful.serve('GET', '/rpc/first_of?n=1&a={1}'));
select show(restful.serve('GET', '/rpc/typed'));
select show(restful.serve('GET', '/rpc/both?a=1&b=2'));
-- the body as a whole
select show(restful.serve('POST', '/rpc/whole', '{}', '{"a":  1}'));
select show(restful.serve('POST', '/rpc/whole', '{}', '[1, 2]'));
select show(restful.serve('POST', '/rpc/whole', '{}', '"text"'));
select show(restful.serve('POST', '/rpc/whole_b', '{}', '{"a":  1}'));
select show(restful.serve('POST', '/rpc/named_json', '{}', '{"doc": {"a":  1}}'));
select show(restful.serve('GET', '/rpc/named_json?doc={"a":1}'));
select show(restful.serve('POST', '/rpc/of_text', '{"content-type": "text/plain"}', convert_to('größer', 'utf8')));
select show(restful.serve('POST', '/rpc/of_bytes', '{"content-type": "application/octet-stream"}', '\x00ff7f'));
select show(restful.serve('POST', '/rpc/of_text', '{"content-type": "text/plain"}', '\xff'));
select show(restful.serve('POST', '/rpc/of_text', '{"content-type": "application/octet-stream"}', 'x'));
select show(restful.serve('POST', '/rpc/unnamed', '{}', '{"a": 1}'));
-- variadic, arrays, rows
select show(restful.serve('GET', '/rpc/many?words=a&words=b'));
select show(restful.serve('GET', '/rpc/many?words=a'));
select show(restful.serve('GET', '/rpc/many'));
select show(restful.serve('POST', '/rpc/many'));
-- defaults of a variadic function
select show(restful.serve('GET', '/rpc/lines'));
select show(restful.serve('POST', '/rpc/lines', '{}', '{"l": []}'));
select show(restful.serve('GET', '/rpc/tally?a=1'));
select show(restful.serve('POST', '/rpc/tally', '{}', '{"a": 1}'));
select show(restful.serve('GET', '/rpc/tally?a=1&rest=5&rest=6'));
select show(restful.serve('GET', '/rpc/tally?b=7&a=1'));
-- if another parameter is repeated, its last value counts
select show(restful.serve('GET', '/rpc/add?a=1&b=2&a=3'));
select show(restful.serve('POST', '/rpc/many', '{}', '{"words": ["a", "b"]}'));
select show(restful.serve('GET', '/rpc/of_array?a={1,2}'));
select show(restful.serve('POST', '/rpc/of_array', '{}', '{"a": [1, null]}'));
select show(restful.serve('POST', '/rpc/of_row', '{}', '{"b": {"code": "xx", "name": "Nowhere"}}'));
-- an argument that looks like a filter, when there is no such column or the call needs the argument
select show(restful.serve('GET', '/rpc/search?t=cs.lewis'));
select show(restful.serve('GET', '/rpc/search?t=not.is.NULL&kind=eq.x'));
select show(restful.serve('GET', '/rpc/many?words=a&words=in.(b)&words=c'));
select show(restful.serve('GET', '/rpc/titled?title=like.x&select=id'));
select show(restful.serve('GET', '/rpc/titled?title=%25a%25&title=like.P*&select=id'));
select show(restful.serve('GET', '/rpc/titled?title=%25a%25&year=gt.1900&old=is.true&select=id'));
-- otherwise it is a filter
select show(restful.serve('GET', '/rpc/cheap?price=gt.8&select=id'));
select show(restful.serve('GET', '/rpc/cheap?price=gt.8&sort=eq.x&select=id'));
select show(restful.serve('GET', '/rpc/search?kind=eq.x'));
select show(restful.serve('GET', '/rpc/search?none=eq.x&t=a'));
-- functions of other schemas are not found
select show(restful.serve('GET', '/rpc/now'));
select show(restful.serve('GET', '/rpc/pg_sleep?seconds=1'));
select show(restful.serve('GET', '/rpc/show_all'));
-- a function without EXECUTE is found but refused
select as_superuser('revoke execute on function library.add from public');
select show(restful.serve('GET', '/rpc/add?a=1&b=2'));
-- bodies of other types
select show(restful.serve('POST', '/rpc/greet', '{"content-type": "application/x-www-form-urlencoded"}', 'name=x'));
select show(restful.serve('POST', '/rpc/greet', '{"content-type": "application/json; charset=utf-8"}', '{"name": "x"}'));
