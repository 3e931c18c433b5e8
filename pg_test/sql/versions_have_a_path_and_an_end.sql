-- Versions of the API: a path and a profile for a schema, what answers tell of a version that goes, and 410 once it is gone.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create schema old authorization librarian;
create schema new authorization librarian;
create schema other authorization librarian;
create role keeper login;
grant execute on function restful.version(text, text, timestamptz, timestamptz, text, text), restful.drop_version(text) to keeper;
create table old.notes (id int primary key, text text, tags text[] default '{}');
alter table old.notes owner to librarian;
create table new.notes (id int primary key, text text, tags text[] default '{}');
alter table new.notes owner to librarian;
create table old.batches (id int primary key, note int references old.notes);
insert into old.notes values (1, 'old'); insert into new.notes values (1, 'new');
create function old.path() returns json language sql stable as $$
    select json_build_object('path', current_setting('request.path'), 'profile', current_setting('request.headers')::json ->> 'accept-profile')
$$;
create table other.secrets (id int primary key);
grant select on other.secrets to anon;
grant usage on schema old, new to anon;
grant select, insert, update, delete on old.notes, new.notes, old.batches to anon;
\c - alice
-- refused: who may not declare, and who writes the table directly
select restful.version('v1', 'old');
insert into restful.api_version values ('v1', 'old');
\c - keeper
select restful.version('rpc', 'old');
do $$
declare bad text;
begin
    foreach bad in array '{rpc,batch,oauth,"",a/b,.,..,.well-known,é,"a b",v%31}'::text[] || repeat('v', 64) loop
        begin
            perform restful.version(bad, 'old');
            raise warning 'accepted: %', bad;
        exception when invalid_parameter_value then null;
        end;
    end loop;
end $$;
select restful.version('v1', 'nowhere');
select restful.version('v1', 'restful');
select restful.version('v1', 'old', '2024-01-01', '2023-01-01');
select restful.version('v1', 'old', 'infinity');
select restful.version('v1', 'old', successor => 'v2');
select restful.version('v1', 'old', docs => 'javascript:alert(1)');
select restful.version('v1', 'old', docs => e'https://x/>; rel="next"');
select restful.version('books', 'old');
select restful.version(null, 'old');
select * from restful.versions;
select restful.version('v1', 'old');
select restful.version('v2', 'new');
-- one schema is one version, and no profile means two schemas
select restful.version('v3', 'old');
select restful.version('old', 'other');
select restful.version('library', 'other');
select restful.version('notes', 'other');
select name, schema, state, hides from restful.versions;
\c - authenticator
-- the path, the version's name and the schema's name mean the same; without any, the default schema is asked
select show_all(restful.serve('GET', '/v1/notes?select=text'));
select show_all(restful.serve('GET', '/notes?select=text', '{"accept-profile": "v1"}'));
select show_all(restful.serve('GET', '/notes?select=text', '{"accept-profile": "old"}'));
select show(restful.serve('GET', '/notes?select=text'));
select show(restful.serve('GET', '/v2/notes/1'));
select a.headers ->> 'vary' like '%Accept-Profile%', b.headers ->> 'vary' like '%Accept-Profile%' from restful.get('/v1/notes') a, restful.get('/nothing') b;
-- functions see the path without the version
select show(restful.serve('GET', '/v1/rpc/path'));
-- answers name targets below the version
select show_all(restful.serve('POST', '/v1/notes', '{"prefer": "return=headers-only"}', '{"id": 2, "text": "x"}'));
select show_all(restful.serve('POST', '/notes', '{"content-profile": "v1", "prefer": "return=headers-only"}', '{"id": 3, "text": "x"}'));
select (restful.get('/v1/notes?limit=1')).headers ->> 'link';
select body ->> 'instance' from restful.get('/v1/nothing');
select show_all(restful.serve('OPTIONS', '/v1/notes'));
select show(restful.serve('PATCH', '/v1/notes/2', '{"prefer": "return=representation"}', '{"text": "y"}'));
select show(restful.serve('DELETE', '/v1/notes?id=gt.1', '{"prefer": "return=representation"}'));
-- a path and a profile that disagree; endpoints and paths that are none
select show(restful.serve('GET', '/v1/notes', '{"accept-profile": "v2"}'));
select show(restful.serve('GET', '/v1/notes', '{"content-profile": "library"}'));
select show(restful.serve('GET', '/v1/notes', '{"accept-profile": "old"}'));
select show(restful.serve('GET', '/notes', '{"accept-profile": "v9"}'));
select show(restful.serve('GET', '/v9/notes'));
select show(restful.serve('GET', '/V1/notes'));
select show(restful.serve('GET', '/v1/v1/notes'));
select show(restful.serve('GET', '/v1/notes/1/2'));
select show(restful.serve('POST', '/v1/oauth/token'));
-- a schema needs USAGE as ever
\c - keeper
select restful.version('v3', 'other');
\c - authenticator
select show(restful.serve('GET', '/v3/secrets'));
-- the description
select body ->> 'openapi', body -> 'info' ->> 'version', body -> 'servers', body -> 'paths' -> '/notes' -> 'get' -> 'deprecated' from restful.get('/v1/');
select body ->> 'basePath' from restful.get('/v1', '{"accept": "application/openapi+json;version=2.0"}');
-- batches: what the path of the batch names, its requests inherit
select jsonb_pretty(body) from restful.request('POST', '/v1/batch', '[
    {"method": "POST", "target": "/notes", "body": {"id": 7, "text": "b"}},
    {"method": "GET", "target": "/notes?id=eq.7"},
    {"method": "GET", "target": "/v2/notes?select=text"},
    {"method": "GET", "target": "/notes?select=text", "headers": {"accept-profile": "v2"}}]');
select show(restful.serve('POST', '/batch', '{}', '[{"method": "GET", "target": "/v1/notes", "headers": {"accept-profile": "v2"}}]'));
select jsonb_path_query_array(body, '$[*].body') from restful.batch('[{"method": "GET", "target": "/v1/notes?id=eq.7"}]');
-- rows in rows
select show_all(restful.serve('POST', '/v1/batches', '{"prefer": "return=headers-only"}', '{"id": 1, "notes": {"id": 8, "text": "n"}}'));
\c - librarian
select id from old.notes order by id;
-- deprecated, with a date on which it goes
\c - keeper
select restful.version('v1', 'old', '2023-06-30 23:59:59+00', '2100-01-01 00:00:00+00', 'v2', 'https://example.com/v1');
select name, schema, state, deprecated_at at time zone 'utc', sunset_at at time zone 'utc', successor, docs from restful.versions;
\c - authenticator
select show_all(restful.serve('GET', '/v1/notes?id=eq.1&limit=1'));
select show_all(restful.serve('HEAD', '/notes/1', '{"accept-profile": "old"}'));
select headers ->> 'link', headers ->> 'deprecation' from restful.get('/v1/rpc/path');
select headers ->> 'link' from restful.get('/v1/batches');
select headers ->> 'link', headers ->> 'sunset', headers ->> 'deprecation' from restful.get('/v1/notes?nothing=eq.1');
select headers ->> 'deprecation' from restful.get('/v2/notes');
select headers ->> 'deprecation' from restful.get('/books');
select body -> 'paths' -> '/notes' -> 'get' -> 'deprecated', body -> 'paths' -> '/rpc/path' -> 'get' -> 'deprecated' from restful.get('/v1/');
select headers ->> 'deprecation', jsonb_path_query_array(body, '$[*].headers.deprecation') from restful.request('POST', '/v1/batch', '[{"method": "GET", "target": "/notes"}, {"method": "GET", "target": "/v2/notes"}]');
-- a relation that comes later does not take the path
select as_superuser('create table library.v1 (id int)');
\c - keeper
set restful.schemas = 'library';
select restful.version('v1', 'old');
select name, hides from restful.versions where name = 'v1';
select as_superuser('drop table library.v1');
-- gone: by every way
\c - keeper
select restful.version('v1', 'old', '2023-06-30 23:59:59+00', '2024-01-01 00:00:00+00', 'v2', 'https://example.com/v1');
select name, state from restful.versions;
\c - authenticator
select show_all(restful.serve('GET', '/v1/notes?id=eq.1'));
select show(restful.serve('POST', '/v1/notes', '{}', '{"id": 9}'));
select show(restful.serve('GET', '/notes', '{"accept-profile": "v1"}'));
select show(restful.serve('GET', '/notes', '{"accept-profile": "old"}'));
select show(restful.serve('GET', '/v1/'));
select show(restful.serve('POST', '/v1/batch', '{}', '[]'));
select headers ->> 'deprecation' from restful.request('POST', '/batch', '[{"method": "GET", "target": "/v1/notes"}]');
select show(restful.serve('POST', '/batch', '{}', '[{"method": "POST", "target": "/v2/notes", "body": {"id": 9}}, {"method": "GET", "target": "/v1/notes"}]'));
set restful.schemas = 'old, library';
select show(restful.serve('GET', '/notes'));
\c - librarian
select count(*) from old.notes where id = 9;
select count(*) from new.notes where id = 9;
-- a change counts from the next statement, and is undone with its transaction
\c - keeper
select restful.drop_version('v2');
begin;
select restful.drop_version('v1');
select status from restful.get('/v1/notes');
rollback;
select status from restful.get('/v1/notes');
select restful.drop_version('v1');
select restful.drop_version('v1');
select status from restful.get('/v1/notes');
select restful.drop_version('v2');
select restful.drop_version('v3');
select * from restful.versions;
-- no lint overlooks what a version exposes
select restful.version('v1', 'old');
\c - librarian
select restful.exposed_schemas(), restful.exposed_schemas('library');
select object from restful.lint() where object like 'old.%' group by object order by object;
\c - postgres
drop owned by keeper;
drop role keeper;
