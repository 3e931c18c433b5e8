-- A function made a composite value before its type was altered, so the value has an old layout. Reading it in any form gives an error
-- and does not crash the server. Values that are still readable after an ALTER are returned.
\pset tuples_only on
\pset format unaligned
create type library.pair as (a int, b text);
create type library.pairs as (one library.pair, more library.pair[]);
create function library.stale(change text) returns record language plpgsql as $$
declare v library.pair := row(12345678, 'xxxxxxxxxxxxxxxx');
begin execute 'alter type library.pair ' || change; return v; end $$;
create function library.stale_pair(change text) returns library.pair language plpgsql as $$
declare v library.pair := row(12345678, 'xxxxxxxxxxxxxxxx');
begin execute 'alter type library.pair ' || change; return v; end $$;
create function library.stale_array(change text) returns library.pair[] language plpgsql as $$
declare v library.pair[] := array[row(1, 'x'), row(2, 'yyyyyyyyyyyyyyyyy')]::library.pair[];
begin execute 'alter type library.pair ' || change; return v; end $$;
create function library.stale_member(change text) returns record language plpgsql as $$
declare v library.pairs := row(row(1, null), array[row(2, 'yyyyyyyyyyyyyyyyy')]);
begin execute 'alter type library.pair ' || change; return v; end $$;
create function public.ask(function text, change text, accept text default 'application/json') returns text language plpgsql as $$
declare
    r restful.http_response;
    answer text;
begin
    begin
        r := restful.serve('POST', '/rpc/' || function, jsonb_build_object('accept', accept, 'content-type', 'application/json'),
            convert_to(jsonb_build_object('change', change)::text, 'utf8'));
        answer := r.status || ' ' || case when r.status = 200 then convert_from(r.body, 'utf8') else convert_from(r.body, 'utf8')::jsonb ->> 'code' end;
        -- restores the type
        raise sqlstate 'UNDO0';
    exception when sqlstate 'UNDO0' then
        return answer;
    end;
end $$;
alter type library.pair owner to librarian;
alter type library.pairs owner to librarian;
\c - librarian
-- attributes of another length
select f, ask(f, 'alter attribute b type int8') from unnest('{stale,stale_array,stale_member}'::text[]) f;
select f, ask(f, 'alter attribute b type uuid') from unnest('{stale,stale_array,stale_member}'::text[]) f;
select f, ask(f, 'alter attribute a type int8') from unnest('{stale,stale_array,stale_member}'::text[]) f;
-- passed by value or by reference: a number would be taken for a length
select f, ask(f, 'alter attribute a type text') from unnest('{stale,stale_array,stale_member}'::text[]) f;
select f, ask(f, 'alter attribute a type name') from unnest('{stale,stale_array,stale_member}'::text[]) f;
select f, ask(f, 'alter attribute a type jsonb, alter attribute b type bool') from unnest('{stale,stale_array,stale_member}'::text[]) f;
-- several changes in one statement
select f, ask(f, 'drop attribute a, alter attribute b type int8, add attribute c text') from unnest('{stale,stale_array,stale_member}'::text[]) f;
-- in a format that the server's output function writes
select ask('stale', 'alter attribute a type text', 'text/csv');
-- a function that returns the type itself: the server checks the type of its result, or the value's age
select ask('stale_pair', 'alter attribute a type text') ~ '^400 (22P07|42804)$', ask('stale_pair', 'alter attribute a type text', 'text/csv') ~ '^400 (22P07|42804)$';
-- an attribute that is added or dropped leaves the others in place
select f, ask(f, 'add attribute c int8') from unnest('{stale,stale_array,stale_member}'::text[]) f;
select f, ask(f, 'drop attribute a') from unnest('{stale,stale_array,stale_member}'::text[]) f;
select f, ask(f, 'rename attribute a to z') from unnest('{stale,stale_array,stale_member}'::text[]) f;
select ask('stale', 'drop attribute b', 'text/csv');
-- rows of every shape can be read: wide, null, long, short, out of line, compressed
\c - postgres
create type library.row as (a bool, b int2, c text, d int8, e name, f uuid, g numeric, h int2[], i "char", j timetz, k text);
create table library.kept (id int primary key, v library.row);
grant select on library.kept to librarian;
insert into library.kept values
    (1, row(true, 1, 'c', 2, 'e', '00112233-4455-6677-8899-aabbccddeeff', 1.5, '{1,2}', 'i', '12:00+01', 'k')),
    (2, row(null, 1, null, 2, null, null, null, '{}', null, '12:00+01', null)),
    (3, row(null, null, null, null, null, null, null, null, null, null, null)),
    (4, row(true, null, repeat('c', 100), null, 'e', null, 10 ^ 100, null, 'i', null, repeat('k', 100000))),
    (5, row(false, 1, (select string_agg(md5(i::text), '') from generate_series(1, 1000) i), 1, '', null, 0, null, null, null, 'k'));
alter type library.row add attribute l int;
alter type library.row drop attribute d;
insert into library.kept values (6, row(true, 1, 'c', 'e', null, 1.5, '{1,2}', 'i', '12:00+01', 'k', 9));
\c - librarian
select r.status, r.body = (select jsonb_agg(to_jsonb(k) order by id) from library.kept k) from restful.get('/kept?order=id') r;
