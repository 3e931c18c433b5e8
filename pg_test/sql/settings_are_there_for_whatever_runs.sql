-- User code that runs for a value sees the request's settings and search path, however often the request is repeated.
\pset tuples_only on
\pset format unaligned
create function library.seen() returns text language sql stable as $$
    select concat_ws(' ', current_user, 'asks', coalesce(current_setting('request.path', true), 'nothing'), 'along', current_setting('search_path'))
$$;
-- a cast to json
create type library.mood as enum ('calm', 'glad');
create function library.to_json(library.mood) returns json language sql stable as $$ select to_json($1::text || ': ' || library.seen()) $$;
create cast (library.mood as json) with function library.to_json(library.mood);
create table library.moods (id int primary key, mood library.mood);
insert into library.moods values (1, 'glad');
-- the input function of a range over a domain
create function library.is_fit(int) returns boolean language plpgsql stable as $$ begin raise notice '%', library.seen(); return true; end $$;
create domain library.size as int;
create type library.sizes as range (subtype = library.size);
alter domain library.size add check (library.is_fit(value));
create table library.fits (id int primary key, sizes library.sizes);
grant select on library.moods, library.fits to anon;
\c - authenticator
select distinct show(restful.serve('GET', '/moods/' || id)) from repeat('1', 1) id, generate_series(1, 10);
do $$ begin for i in 1..10 loop perform restful.serve('GET', '/fits?sizes=eq.[1,2)'); end loop; end $$;
