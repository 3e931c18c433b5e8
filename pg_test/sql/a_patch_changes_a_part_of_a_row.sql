-- Merge patches and JSON patches change a part of a row, within the UPDATE that stores it.
\pset tuples_only on
\pset format unaligned
create table library.profiles (id int primary key, name text not null, tags text[] not null default '{}', born date, doc jsonb, raw json, secret jsonb, owner text default current_user);
insert into library.profiles values (1, 'Ann', '{a,b}', '2000-01-02', '{"a": {"b": 1, "c": [1, 2]}, "n": 1.50}', '{"x": 1,  "y": 2}', '{"s": 1}', 'alice'), (2, 'Bob', '{}', null, null, null, null, 'bob');
grant select, insert, update, delete on library.profiles to librarian;
grant select (id, name, doc, owner), update (name, doc, secret, tags) on library.profiles to alice;
alter table library.profiles enable row level security;
create policy own on library.profiles to alice using (owner = current_user) with check (owner = current_user and name <> 'no');
create policy every on library.profiles to librarian using (true);
\c - librarian
create function pg_temp.send(target text, media text, body text, prefer text default 'return=representation') returns text language sql as $$
    select show(restful.serve('PATCH', target, jsonb_build_object('prefer', prefer, 'content-type', 'application/' || media), convert_to(body, 'utf8')))
$$;
select pg_temp.send('/profiles/1', 'merge-patch+json', '{"name": "Anna", "born": null, "doc": {"a": {"b": null, "d": {"e": null}}, "z": "x"}}');
select pg_temp.send('/profiles/1?select=raw,tags', 'merge-patch+json', '{"raw": {"x": null}, "tags": ["q"]}');
select pg_temp.send('/profiles/2?select=doc,raw', 'merge-patch+json', '{"doc": {"a": {"b": null}}, "raw": {"x": 1}}');
select pg_temp.send('/profiles/2?select=doc', 'merge-patch+json', '{"doc": [1]}');
select pg_temp.send('/profiles/2?select=doc', 'merge-patch+json', '{}');
select pg_temp.send('/profiles?id=lt.3&select=id,doc&order=id', 'merge-patch+json', '{"doc": {"k": 1}}');
select pg_temp.send('/profiles/1', 'merge-patch+json', body) from (values ('[]'), ('1'), (''), ('{"nothing": {"a": 1}}'), ('{"nothing": 1}'), ('{"name": null}'), ('{"born": {"a": 1}}')) v(body);
select pg_temp.send('/profiles/9', 'merge-patch+json', '{"doc": {"k": 1}}');
select pg_temp.send('/profiles/1?columns=name', 'merge-patch+json', '{"doc": {"k": 1}}');
-- operations
select pg_temp.send('/profiles/1?select=name,tags,doc', 'json-patch+json', '[{"op": "test", "path": "/name", "value": "Anna"}, {"op": "add", "path": "/doc/a/c/-", "value": 3.0}, {"op": "replace", "path": "/tags/0", "value": "r"}, {"op": "copy", "from": "/doc/z", "path": "/name"}]');
select pg_temp.send('/profiles/1?select=born,doc', 'json-patch+json', '[{"op": "add", "path": "/born", "value": "2001-01-01"}, {"op": "remove", "path": "/doc/n"}]');
select pg_temp.send('/profiles/1?select=born,doc', 'json-patch+json', '[{"op": "remove", "path": "/born"}, {"op": "move", "from": "/doc/a", "path": "/doc/b"}]');
select pg_temp.send('/profiles/1?select=name', 'json-patch+json', body) from (values
    ('[{"op": "test", "path": "/name", "value": "x"}]'), ('[]'),
    ('[{"op": "test", "path": "/name", "value": "y"}, {"op": "add", "path": "/name", "value": "z"}]'),
    ('[{"op": "add", "path": "/name", "value": "z"}, {"op": "remove", "path": "/doc/zz"}]'),
    ('[{"op": "add", "path": "/name", "value": "z"}, {"op": "add", "path": "/nothing", "value": 1}]'),
    ('[{"op": "remove", "path": "/name"}]'), ('[{"op": "remove", "path": ""}]'), ('[{"op": "add", "path": "/name"}]'), ('{}'), ('x')) v(body);
select name from library.profiles order by id;
-- under a precondition: the tag of the row as it was read counts once
select headers->>'etag' as etag from restful.get('/profiles/2') \gset
select a.status, b.status, c.status, c.body from (values (jsonb_build_object('content-type', 'application/merge-patch+json', 'if-match', :'etag'))) v(fields),
    restful.serve('PATCH', '/profiles/2', fields, '{"doc": {"first": 1}}') a, restful.serve('PATCH', '/profiles/2', fields, '{"doc": {"second": 1}}') b,
    restful.get('/profiles/2?select=doc') c;
-- over several rows, all or none
select pg_temp.send('/profiles?id=lt.3&select=id', 'json-patch+json', '[{"op": "test", "path": "/name", "value": "Bob"}, {"op": "replace", "path": "/name", "value": "Rob"}]');
select pg_temp.send('/profiles?id=lt.3&select=id,tags&order=id', 'json-patch+json', '[{"op": "add", "path": "/tags/-", "value": "all"}]');
-- within a batch
select body->0->>'status', body->1->'body' from restful.batch('[{"method": "PATCH", "target": "/profiles/1", "headers": {"content-type": "application/json-patch+json"}, "body": [{"op": "add", "path": "/doc/batch", "value": true}]},
    {"method": "GET", "target": "/profiles/1?select=doc->batch"}]');
select name from library.profiles order by id;
-- other bodies
select show(restful.serve(method, '/profiles', '{"content-type": "application/merge-patch+json"}', '{}')) from unnest(array['POST', 'DELETE']) method;
select headers->>'accept-patch' from restful.serve('PATCH', '/profiles/1', '{"content-type": "application/xml"}', '<a/>');
-- rights and policies
\c - alice
select show(restful.serve('PATCH', '/profiles/' || id || '?select=id,name,doc', '{"content-type": "application/merge-patch+json", "prefer": "return=representation"}', convert_to(body, 'utf8')))
from (values (1, 1, '{"doc": {"k": 2}}'), (2, 2, '{"doc": {"k": 2}}'), (3, 1, '{"secret": {"s": 2}}'), (4, 1, '{"secret": [1]}'), (5, 1, '{"name": "no"}'), (6, 1, '{"owner": "bob"}')) v(at, id, body) order by at;
select show(restful.serve('PATCH', '/profiles/1?select=id', '{"content-type": "application/json-patch+json"}', '[{"op": "test", "path": "/secret", "value": 1}]'));
\c - postgres
select id, name, doc, secret, owner from library.profiles order by id;
-- the schema of a column holds for what a patch makes
select restful.constrain('library.profiles', 'doc', '{"type": "object", "properties": {"k": {"type": "integer"}}}');
\c - librarian
select show(restful.serve('PATCH', '/profiles/1', '{"content-type": "application/merge-patch+json"}', convert_to('{"doc": {"k": "text"}}', 'utf8')));
select show(restful.serve('PATCH', '/profiles/1', '{"content-type": "application/json-patch+json"}', convert_to('[{"op": "add", "path": "/doc/k", "value": []}]', 'utf8')));
select doc from library.profiles where id = 1;
