-- A report turns rows into JSON, which runs the casts to JSON of their types with the rights of the user who asks. Only casts of that
-- user and of superusers are run.
\pset tuples_only on
\pset format unaligned
create role cast_owner; create role cast_reader;
grant create, usage on schema library to cast_owner;
grant usage on schema library to cast_reader;
set role cast_owner;
create type library.mood as enum ('glad', 'sad');
create function library.mood_to_json(library.mood) returns json language plpgsql as $$
begin
    raise notice 'run as %', current_user;
    return to_json($1::text);
end $$;
create cast (library.mood as json) with function library.mood_to_json(library.mood);
create type library.day as (moods library.mood[]);
create table library.days (id int primary key, day library.day, plain jsonb);
insert into library.days values (1, row(array['glad'::library.mood]), '"x"');
grant select on library.days to cast_reader;
select * from restful.validation_report('library.days', null, '{"required": ["none"]}');
set role cast_reader;
select * from restful.validation_report('library.days', null, '{"required": ["none"]}');
-- for a column without such a type, it runs none
select instance_location, keyword from restful.validation_report('library.days', 'plain', '{"type": "integer"}');
reset role;
select count(*) from restful.validation_report('library.days', null, '{"required": ["none"]}');
drop owned by cast_owner, cast_reader cascade;
drop role cast_owner, cast_reader;
