-- Implicit casts of a domain from json and text and to json define how its values look in bodies, filters and responses.
\pset tuples_only on
\pset format unaligned
-- A colour is stored as a number and shown as #rrggbb.
create domain library.colour as int check (value between 0 and 16777215);
create function library.colour(text) returns library.colour language plpgsql immutable as $$
begin
    if $1 !~ '^#[0-9a-f]{6}$' then raise invalid_text_representation using message = format('"%s" is no colour', $1); end if;
    return ('x' || substr($1, 2))::bit(24)::int;
end $$;
create function library.colour(json) returns library.colour language sql immutable as $$ select library.colour($1 #>> '{}') $$;
create function library.json(library.colour) returns json language sql immutable as $$ select to_json('#' || lpad(to_hex($1::int), 6, '0')) $$;
create cast (text as library.colour) with function library.colour(text) as implicit;
create cast (json as library.colour) with function library.colour(json) as implicit;
create cast (library.colour as json) with function library.json(library.colour) as implicit;
create table library.inks (shade library.colour primary key, name text, mixed_from library.colour default 255, facts jsonb);
create table library.pens (id int primary key, ink library.colour references library.inks);
insert into library.inks values (16711680, 'red', default, '{"a": 1}'), (255, 'blue', null, null), (8388736, 'purple', 16711680, null);
insert into library.pens values (1, 255), (2, 255), (3, 8388736);
create view library.dark_inks as select shade, name from library.inks where shade::int < 9000000;
create function library.mixed() returns setof library.inks language sql stable as $$ select * from library.inks where mixed_from is not null $$;
grant select on library.inks, library.pens, library.dark_inks to anon;
grant all on library.inks, library.pens, library.dark_inks to librarian;
\c - authenticator
select show(restful.serve('GET', '/inks?order=name'));
select show(restful.serve('GET', '/inks?select=name,mix:mixed_from,text:shade::text&order=shade'));
select show(restful.serve('GET', '/inks?select=shade,*&name=eq.red'));
select show(restful.serve('GET', '/inks?order=shade', '{"accept": "text/csv"}'));
select show(restful.serve('GET', '/pens?select=id,inks(shade,name)&order=id&inks.shade=eq.%230000ff'));
select show(restful.serve('GET', '/dark_inks?order=name'));
select show(restful.serve('GET', '/rpc/mixed?order=name&shade=neq.%23ff0000'));
-- filters
select show(restful.serve('GET', '/inks?select=name&shade=eq.%23ff0000'));
select show(restful.serve('GET', '/inks?select=name&shade=in.(%23ff0000,%230000ff)&order=name'));
select show(restful.serve('GET', '/inks?select=name&shade=not.in.(%23ff0000,%230000ff)'));
select show(restful.serve('GET', '/inks?select=name&shade=gt(any).{%23800080,%23ffffff}'));
select show(restful.serve('GET', '/inks?select=name&or=(shade.eq.%23ff0000,mixed_from.isdistinct.%230000ff)&order=name'));
select show(restful.serve('GET', '/inks/%230000ff'));
select show(restful.serve('GET', '/inks?shade=eq.255'));
select show_all(restful.serve('GET', '/inks?select=name&shade=eq.%23ff0000', '{"prefer": "count=exact"}'));
\c - librarian
-- bodies
select show(restful.serve('POST', '/inks', '{"prefer": "return=representation"}', '{"shade": "#00ff00", "name": "green", "mixed_from": null}'));
select show_all(restful.serve('POST', '/inks', '{"prefer": "return=headers-only"}', '{"shade": "#00ffff"}'));
select show(restful.serve('GET', '/inks?shade=eq.%2300ffff'));
select show(restful.serve('POST', '/inks', '{}', '{"shade": "yellow"}'));
select show(restful.serve('POST', '/inks', '{}', '{"shade": 7}'));
select show(restful.serve('POST', '/inks?columns=shade,mixed_from', '{"prefer": "missing=default, return=representation"}',
                          '[{"shade": "#000001"}, {"shade": "#000002", "mixed_from": "#000001"}]'));
select show(restful.serve('POST', '/inks', '{"content-type": "text/csv", "prefer": "return=representation"}', E'shade,name\n#000003,three'));
-- a CSV field that contains JSON is read as JSON, so a value can be sent as it was received
select show(restful.serve('POST', '/inks', '{"content-type": "text/csv", "accept": "text/csv", "prefer": "return=representation"}', E'shade,name\n"""#000005""",five'));
select show(restful.serve('POST', '/inks?select=shade', '{"content-type": "application/x-www-form-urlencoded", "prefer": "return=representation"}', 'shade=%23000006'));
select show(restful.serve('POST', '/inks?select=shade,name', '{"prefer": "resolution=merge-duplicates, return=representation"}',
                          '[{"shade": "#0000ff", "name": "Blue"}, {"shade": "#000004", "name": "four"}]'));
select show(restful.serve('PUT', '/inks/%23000004', '{"prefer": "return=representation"}', '{"name": "FOUR"}'));
select show(restful.serve('PUT', '/inks?shade=eq.%23000004', '{"prefer": "return=representation"}', '{"shade": "#000004", "name": "4"}'));
select show(restful.serve('PATCH', '/inks?name=eq.red', '{"prefer": "return=representation"}', '{"mixed_from": "#0000ff"}'));
select show(restful.serve('PATCH', '/dark_inks?shade=lt.%23000004&order=shade&select=shade,name', '{"prefer": "return=representation"}', '{"name": "dark"}'));
select show(restful.serve('DELETE', '/inks?shade=in.(%23000001,%23000002)&select=shade&order=shade.desc', '{"prefer": "return=representation"}'));
select count(*) from library.inks where shade = 255;
-- OpenAPI does not know what the casts return.
select convert_from(body, 'utf8')::jsonb #> '{components,schemas,inks,properties,shade}', convert_from(body, 'utf8')::jsonb #> '{components,schemas,inks,properties,mixed_from}'
from restful.serve('GET', '/');
-- The next request notices when a cast is dropped or its function is renamed.
select warm('/inks?shade=eq.%23ff0000&select=shade');
select as_superuser('alter function library.colour(text) rename to colour_of');
select show(restful.serve('GET', '/inks?shade=eq.%23ff0000&select=shade'));
select as_superuser('drop cast (library.colour as json)');
select show(restful.serve('GET', '/inks?shade=eq.%23ff0000&select=shade'));
select as_superuser('drop cast (text as library.colour)');
select show(restful.serve('GET', '/inks?shade=eq.16711680&select=shade'));
-- An assignment cast does not count.
select as_superuser('create cast (library.colour as json) with function library.json(library.colour) as assignment');
select show(restful.serve('GET', '/inks?shade=eq.16711680&select=shade'));
-- The function runs with the rights of the role.
select as_superuser('drop cast (library.colour as json)');
select as_superuser('create cast (library.colour as json) with function library.json(library.colour) as implicit');
select as_superuser('revoke execute on function library.json(library.colour) from public');
select show(restful.serve('GET', '/inks?shade=eq.16711680&select=shade'));
select show(restful.serve('GET', '/inks?shade=eq.16711680&select=name'));
