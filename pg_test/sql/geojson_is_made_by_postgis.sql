-- Rows are returned as GeoJSON if PostGIS is installed: PostGIS makes a Feature of each row, and together they are a FeatureCollection.
\pset tuples_only on
\pset format unaligned
create table library.places (id int primary key, body text, geom text);
insert into library.places values (1, 'Krakow', '{"type": "Point", "coordinates": [20, 50]}'), (2, 'Bath', null);
create table library.visits (id int primary key, place int references library.places, author int references library.authors);
insert into library.visits values (1, 1, 2), (2, 1, 3);
grant select on library.places, library.visits to public;
grant insert, update, delete on library.places to librarian;
create function library.near() returns setof library.places language sql stable as $$ select * from library.places order by id $$;
create function library.home() returns library.places language sql stable as $$ select * from library.places where id = 1 $$;
create function library.far() returns int language sql stable as $$ select 3 $$;
\c - authenticator
-- without PostGIS
select show(restful.serve('GET', '/places', '{"accept": "application/geo+json"}'));
select status, headers ->> 'content-type' from restful.serve('GET', '/places?id=eq.1', '{"accept": "application/geo+json, application/json;q=0.5"}');
\c - postgres
-- A stand-in: the entry of the extension and its function as PostGIS 3 declares it. Here a geometry is a text column named geom.
create schema geo;
create function geo.st_asgeojson(r record, geom_column text default '', maxdecimaldigits int4 default 9, pretty_bool bool default false)
returns text language plpgsql stable parallel safe as $$
declare
    properties jsonb := to_jsonb(r);
begin
    if not properties ? 'geom' then
        raise exception using errcode = '22023', message = 'geometry column is missing';
    end if;
    return json_build_object('type', 'Feature', 'geometry', (properties ->> 'geom')::json, 'properties', properties - 'geom');
end $$;
create function geo.st_asgeojson(text) returns text language sql immutable as $$ select $1 $$;
insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    values (16000, 'postgis', 10, 'geo'::regnamespace, false, '3.4.0');
alter extension postgis add function geo.st_asgeojson(record, text, int4, bool);
alter extension postgis add function geo.st_asgeojson(text);
-- Functions of the same name that a call with fewer arguments could mean.
create function geo.st_asgeojson(record) returns text language plpgsql as $$ begin return '"another"'; end $$;
create function library.st_asgeojson(record, text default '', int4 default 9, bool default false) returns text language plpgsql as $$ begin return '"another"'; end $$;
grant execute on all functions in schema geo to public;
\c - authenticator
-- only the owner of the schema can grant access to it
select show(restful.serve('GET', '/places', '{"accept": "application/geo+json"}'));
\c - postgres
grant usage on schema geo to public;
\c - authenticator
select show_all(restful.serve('GET', '/places?order=id', '{"accept": "application/geo+json", "prefer": "count=exact"}'));
select show(restful.serve('GET', '/places?id=gt.7', '{"accept": "application/geo+json"}'));
select show_all(restful.serve('GET', '/places?select=geom,label:body,visits(id)&order=id&limit=1&visits.order=id', '{"accept": "application/geo+json", "prefer": "count=exact"}'));
select show(restful.serve('GET', '/visits?select=id,...places(geom)&order=id', '{"accept": "application/geo+json"}'));
-- one row by its key is a Feature
select show_all(restful.serve('GET', '/places/1', '{"accept": "application/geo+json"}'));
select status, body from restful.serve('HEAD', '/places', '{"accept": "application/geo+json"}');
-- no geometry among the columns, or only in an embedded row
select show(restful.serve('GET', '/places?select=id', '{"accept": "application/geo+json"}'));
select show(restful.serve('GET', '/visits?select=id,places(geom)', '{"accept": "application/geo+json"}'));
-- a client that accepts both gets JSON if it prefers JSON or accepts any type
select status, headers ->> 'content-type' from restful.serve('GET', '/places', '{"accept": "application/*"}');
-- functions: rows, one row, no row
select show(restful.serve('GET', '/rpc/near', '{"accept": "application/geo+json"}'));
select show_all(restful.serve('POST', '/rpc/near?limit=1', '{"accept": "application/geo+json", "prefer": "count=exact"}', '{}'));
select show(restful.serve('GET', '/rpc/home', '{"accept": "application/geo+json"}'));
select show(restful.serve('GET', '/rpc/far', '{"accept": "application/geo+json"}'));
-- writes
\c - librarian
select show_all(restful.serve('POST', '/places', '{"accept": "application/geo+json", "prefer": "return=representation"}', '{"id": 3, "geom": "[]"}'));
select show(restful.serve('POST', '/places', '{"accept": "application/geo+json"}', '{"id": 4}'));
select show(restful.serve('PATCH', '/places?id=gt.2&order=id', '{"accept": "application/geo+json", "prefer": "return=representation"}', '{"body": "x"}'));
select show(restful.serve('PATCH', '/places?id=gt.2', '{"accept": "application/geo+json", "prefer": "return=representation"}', '{}'));
select show(restful.serve('PUT', '/places/3', '{"accept": "application/geo+json", "prefer": "return=representation"}', '{"id": 3, "body": "y"}'));
select show(restful.serve('DELETE', '/places?id=eq.3&select=id', '{"accept": "application/geo+json", "prefer": "return=representation"}'));
select show(restful.serve('DELETE', '/places?id=gt.2', '{"accept": "application/geo+json", "prefer": "return=representation"}'));
-- a user's own aggregate takes precedence
\c - postgres
create domain library."application/geo+json" as text;
create function library.own_add(state text, next library.places) returns library."application/geo+json" language sql as
    $$ select (state || next.id || next.body || ';')::library."application/geo+json" $$;
create aggregate library.own(library.places) (sfunc = library.own_add, stype = library."application/geo+json", initcond = '');
\c - authenticator
select show(restful.serve('GET', '/places?id=lt.3&order=id', '{"accept": "application/geo+json"}'));
-- when PostGIS is dropped, GeoJSON is gone at once
select show(restful.serve('GET', '/visits?select=id,...places(geom)&order=id&limit=1', '{"accept": "application/geo+json"}'));
select as_superuser('drop extension postgis');
select show(restful.serve('GET', '/visits?select=id,...places(geom)&order=id&limit=1', '{"accept": "application/geo+json"}'));
