-- /rpc/function: one value, a set of values, a row, a table, nothing, OUT parameters, arrays, JSON.
\pset tuples_only on
\pset format unaligned
create type library.pair as (a int, b text);
create function library.one() returns int language sql stable as 'select 1';
create function library.word() returns text language sql stable as $$ select 'a "word"'::text $$;
create function library.no_value() returns int language sql stable as 'select null::int';
create function library.numbers() returns setof int language sql stable as 'select generate_series(1, 3)';
create function library.no_numbers() returns setof int language sql stable as 'select 1 where false';
create function library.pair() returns library.pair language sql stable as $$ select 1, 'x' $$;
create function library.no_pair() returns library.pair language sql stable as 'select null::library.pair';
create function library.pairs() returns setof library.pair language sql stable as $$ values (1, 'x'), (2, null) $$;
create function library.as_table(from_n int) returns table (n int, twice int) language sql stable as 'select n, n * 2 from generate_series(from_n, 5) n';
create function library.out_one(out x int) language sql stable as 'select 5';
create function library.out_two(inout x int, out y text) language sql stable as $$ select x + 1, 'y' $$;
create function library.books_of(who int) returns setof library.books language sql stable as 'select * from library.books where author = who';
create function library.nothing() returns void language sql volatile as '';
create function library.list() returns int[] language sql stable as $$ select '{1,2}'::int[] $$;
create function library.document() returns json language sql stable as $$ select '{"a":  1}'::json $$;
create function library.documents() returns setof jsonb language sql stable as $$ values ('{"a": 1}'::jsonb), ('[]'), (null) $$;
create function library.today() returns date language sql stable as $$ select '2024-02-29'::date $$;
create domain library.short as text;
create function library.of_domain() returns library.short language sql stable as $$ select 'd' $$;
create function library.any_row(kind text) returns record language plpgsql stable as $$
declare found record;
begin
    if kind = 'subject' then select * into found from library.subjects where id = 1;
    else select 1 as a, array[kind] as "b c" into found;
    end if;
    return found;
end $$;
create function library.any_rows() returns setof record language sql stable as 'select id, name from library.subjects order by id';
create procedure library.proc() language sql as '';
\c - authenticator
select show_all(restful.serve('GET', '/rpc/one'));
select show_all(restful.serve('POST', '/rpc/one'));
select show(restful.serve('GET', '/rpc/word'));
select show(restful.serve('GET', '/rpc/no_value'));
select show_all(restful.serve('GET', '/rpc/numbers'));
select show_all(restful.serve('GET', '/rpc/no_numbers'));
select show_all(restful.serve('GET', '/rpc/pair'));
select show(restful.serve('GET', '/rpc/no_pair'));
select show_all(restful.serve('GET', '/rpc/pairs'));
select show(restful.serve('GET', '/rpc/as_table?from_n=3'));
select show(restful.serve('GET', '/rpc/out_one'));
select show(restful.serve('GET', '/rpc/out_two?x=1'));
select show_all(restful.serve('POST', '/rpc/nothing'));
select show(restful.serve('GET', '/rpc/list'));
select show(restful.serve('GET', '/rpc/document'));
select show(restful.serve('GET', '/rpc/documents'));
select show(restful.serve('GET', '/rpc/today'));
select show(restful.serve('GET', '/rpc/of_domain'));
-- a record is returned with its own members; they cannot be selected or filtered
select show_all(restful.serve('GET', '/rpc/any_row?kind=subject'));
select show(restful.serve('POST', '/rpc/any_row', '{}', '{"kind": "x"}'));
select show_all(restful.serve('GET', '/rpc/any_rows?limit=2&offset=1', '{"prefer": "count=exact"}'));
select show(restful.serve('GET', '/rpc/any_rows?select=name'));
-- procedures are not called
select show(restful.serve('POST', '/rpc/proc'));
-- rows are selected, filtered, ordered and paged like those of a table
select show(restful.serve('GET', '/rpc/as_table?from_n=1&select=t:twice&n=gt.1&order=n.desc&limit=2'));
select show(restful.serve('POST', '/rpc/as_table?select=n&twice=gte.8', '{}', '{"from_n": 1}'));
select show_all(restful.serve('GET', '/rpc/books_of?who=2&select=title&year=gt.1961', '{"prefer": "count=exact"}'));
select show_all(restful.serve('GET', '/rpc/as_table?from_n=1&limit=2&offset=1', '{"prefer": "count=exact"}'));
select show_all(restful.serve('GET', '/rpc/numbers?limit=2', '{"prefer": "count=exact"}'));
select show(restful.serve('POST', '/rpc/numbers?limit=1&offset=1'));
select show(restful.serve('GET', '/rpc/numbers', '{"range": "1-"}'));
select show(restful.serve('GET', '/rpc/pair?select=b'));
select show(restful.serve('GET', '/rpc/one?select=x'));
-- one object
select show(restful.serve('GET', '/rpc/as_table?from_n=5', '{"accept": "application/vnd.pgrst.object+json"}'));
select show(restful.serve('GET', '/rpc/as_table?from_n=4', '{"accept": "application/vnd.pgrst.object+json"}'));
select show(restful.serve('GET', '/rpc/pairs?a=eq.2', '{"accept": "application/vnd.pgrst.object+json; nulls=stripped"}'));
