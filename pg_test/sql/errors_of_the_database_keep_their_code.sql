-- An error that the database raises keeps its SQLSTATE and message; the status follows from the SQLSTATE.
\pset tuples_only on
\pset format unaligned
create function library.fail(code text) returns void language plpgsql as $$
begin
    raise 'in words' using errcode = code, detail = 'in detail', hint = 'a hint';
end $$;
create function public.status_of(code text) returns text language sql volatile as $$
    select code || ' ' || (restful.post('/rpc/fail', jsonb_build_object('code', code))).status
$$;
\c - librarian
select show_all(restful.serve('POST', '/rpc/fail', '{}', '{"code": "22012"}'));
select string_agg(status_of(code), e'\n') from unnest('{
    08006,0A000,0L000,0P000,21000,22P02,23502,23503,23505,23514,25006,25001,28000,2D000,38000,39000,3B000,42501,42601,42703,42883,
    42P01,42P17,42804,44000,54001,55006,F0000,HV000,P0001,P0002,P0003,PT402,PT999,ZZZZZ}'::text[]) code;
-- what is 403 for a known user is 401 with a challenge for an anonymous one
select show_all(restful.serve('POST', '/rpc/fail', '{}', '{"code": "42501"}'));
\c - authenticator
select show_all(restful.serve('POST', '/rpc/fail', '{}', '{"code": "42501"}'));
-- HEAD answers with status and header fields only
\c - librarian
select show_all(restful.serve('HEAD', '/books?nothing=eq.1'));
-- an error in a user's cast to json, while rows are written
\c - postgres
create type library.mood as enum ('good', 'bad');
create function library.mood_to_json(library.mood) returns json language plpgsql as $$
begin
    if $1 = 'bad' then
        raise 'in words' using errcode = 'PT402', detail = 'in detail', hint = 'a hint';
    end if;
    return '{"mood": "good"}';
end $$;
create cast (library.mood as json) with function library.mood_to_json(library.mood);
create function library.moods() returns setof library.mood language sql as $$ select unnest(enum_range(null::library.mood)) $$;
\c - librarian
select show(restful.serve('GET', '/rpc/moods'));
select show(restful.serve('GET', '/rpc/moods?limit=1'));
