-- Writes work with the objects of the schema: views, triggers, generated and identity columns, rules.
\pset tuples_only on
\pset format unaligned
create table library.things (id int generated always as identity primary key, a text, twice text generated always as (a || a) stored);
create view library.some_things as select id, a from library.things where a <> 'hidden' with check option;
create table library.log (what text);
create function library.log() returns trigger language plpgsql security definer as $$
begin
    insert into library.log values (tg_op || ' ' || coalesce(new.a, old.a));
    if new.a = 'skip' then return null; end if;
    if new.a = 'raise' then raise 'not this one' using errcode = 'PT422', detail = 'a detail', hint = 'a hint'; end if;
    if tg_op <> 'DELETE' then new.a := upper(new.a); return new; end if;
    return old;
end $$;
create trigger log before insert or update or delete on library.things for each row execute function library.log();
create view library.joined as select t.id, t.a, 1 as one from library.things t;
create function library.insert_joined() returns trigger language plpgsql as $$
begin
    insert into library.things (a) values (new.a) returning id into new.id;
    return new;
end $$;
create view library.handled as select id, a from library.things group by id, a;
create trigger handle instead of insert on library.handled for each row execute function library.insert_joined();
create table library.defaults (
    id int primary key, a text not null default 'of the table', b text default 'of the table', c text, twice text generated always as (a || a) stored
);
create view library.defaults_list as select id, a, b, c, twice from library.defaults;
alter view library.defaults_list alter b set default 'of the view';
create view library.outer_list as select id, b, a from library.defaults_list;
grant select, insert, update on library.defaults_list, library.outer_list to librarian;
grant select, insert, update, delete on library.things, library.some_things, library.joined, library.handled to librarian;
\c - librarian
select show(restful.serve('POST', '/things', '{"prefer": "return=representation"}', '{"a": "b"}'));
select show(restful.serve('POST', '/things', '{"prefer": "return=representation"}', '{"id": 7, "a": "b"}'));
select show(restful.serve('POST', '/things', '{"prefer": "return=representation"}', '{"a": "b", "twice": "x"}'));
select show(restful.serve('PATCH', '/things?id=eq.1', '{"prefer": "return=representation"}', '{"a": "c"}'));
select show(restful.serve('PATCH', '/things?id=eq.1', '{}', '{"twice": "c"}'));
-- a trigger that skips a row, and one that raises an error
select show_all(restful.serve('POST', '/things', '{"prefer": "return=representation"}', '[{"a": "skip"}, {"a": "d"}]'));
select show_all(restful.serve('POST', '/things', '{}', '[{"a": "e"}, {"a": "raise"}]'));
-- views
select show(restful.serve('POST', '/some_things', '{"prefer": "return=representation"}', '{"a": "f"}'));
select show_all(restful.serve('POST', '/joined', '{"prefer": "return=representation"}', '{"a": "g"}'));
select show(restful.serve('POST', '/joined', '{}', '{"one": 2}'));
select show(restful.serve('POST', '/handled', '{"prefer": "return=representation"}', '{"a": "h"}'));
select show(restful.serve('PATCH', '/handled?id=eq.1', '{}', '{"a": "i"}'));
select show(restful.serve('DELETE', '/some_things?a=eq.F', '{"prefer": "return=representation"}'));
-- missing columns: generated and identity columns are left out; columns of views get the defaults of their tables
select show(restful.serve('POST', '/things?columns=id,a,twice&select=a,twice', '{"prefer": "missing=default, return=representation"}', '[{"a": "m"}, {"a": "n"}]'));
select show(restful.serve('POST', '/things?columns=id,a,twice', '{"prefer": "missing=default"}', '[{"a": "o"}, {"a": "p", "id": 3}]'));
select show(restful.serve('POST', '/things?columns=a,twice', '{"prefer": "missing=default"}', '[{"a": "o"}, {"a": "p", "twice": "x"}]'));
select show(restful.serve('PATCH', '/things?a=eq.M&columns=id,a,twice&select=a,twice', '{"prefer": "missing=default, return=representation"}', '{"a": "mm"}'));
select show(restful.serve('POST', '/some_things?columns=id,a&select=a', '{"prefer": "missing=default, return=representation"}', '{"a": "q"}'));
select show(restful.serve('POST', '/defaults_list?columns=id,a,b,c,twice', '{"prefer": "missing=default, return=representation"}', '{"id": 1}'));
select show(restful.serve('POST', '/defaults_list?columns=id,a,b,c,twice', '{"prefer": "missing=default, return=representation"}',
    '[{"id": 2, "a": "two"}, {"id": 3, "b": null}, {"id": 4, "c": "four"}]'));
select show(restful.serve('PATCH', '/defaults_list?id=eq.2&columns=a,b,c,twice', '{"prefer": "missing=default, return=representation"}', '{"b": "set"}'));
select show(restful.serve('POST', '/defaults_list?columns=id,a,b,c', '{"prefer": "missing=default, resolution=merge-duplicates, return=representation"}', '{"id": 2}'));
select show(restful.serve('POST', '/outer_list?columns=id,a,b', '{"prefer": "missing=default, return=representation"}', '[{"id": 5}, {"id": 6, "a": "x"}]'));
select show(restful.serve('POST', '/defaults_list?columns=id,a', '{"content-type": "text/csv", "prefer": "missing=default, return=representation"}', E'id\n7'));
-- nothing is left of failed writes
select show(restful.serve('GET', '/things?order=id&select=a'));
\c - postgres
select what from library.log;
