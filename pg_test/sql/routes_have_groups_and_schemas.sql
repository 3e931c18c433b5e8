-- Groups give routes a prefix and a host, and schemas say what queries and results have to be.
CREATE SCHEMA app;
CREATE FUNCTION app.list(tag text DEFAULT 'none', deep bool DEFAULT false, "limit_to" int DEFAULT 10, tags text[] DEFAULT '{}') RETURNS jsonb LANGUAGE sql IMMUTABLE
    AS $$ SELECT jsonb_build_object('tag', tag, 'deep', deep, 'limit', limit_to, 'tags', tags) $$;
CREATE FUNCTION app.one(tenant text, id int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT tenant || id $$;
CREATE FUNCTION app.add(title text, size int DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('title', title, 'size', size) $$;
CREATE FUNCTION app.home() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'home' $$;
CREATE FUNCTION app.admin_home() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'admin' $$;
CREATE TABLE app.posts (id int PRIMARY KEY, title text);
CREATE FUNCTION app.save(title text) RETURNS jsonb LANGUAGE sql AS $$ INSERT INTO app.posts VALUES ((SELECT count(*) + 1 FROM app.posts), title); SELECT jsonb_build_object('titel', title) $$;
CREATE FUNCTION app.drop_post(id int) RETURNS text LANGUAGE sql AS $$ SELECT 'dropped' $$;
CREATE FUNCTION app.touch_posts() RETURNS text LANGUAGE sql AS $$ SELECT 'touched' $$;
CREATE ROLE route_client;
GRANT USAGE ON SCHEMA app TO route_client;
GRANT ALL ON app.posts TO route_client;
SET restful.schemas = 'app';

-- Groups.
SELECT restful.route_group('blog', '/blog');
SELECT restful.route_group('tenants', '/t/{tenant}');
SELECT restful.route_group('admin', host => 'Admin.Example.com');
SELECT restful.route_group('wrong', '/x/'), 1;
SELECT restful.route_group('wrong', '/{x'), 1;
SELECT restful.route_group('wrong', '', 'a b'), 1;
SELECT restful.route('GET /', 'app.home', of_group => 'blog');
SELECT restful.route('GET /home', 'app.home');
SELECT restful.route('GET /home', 'app.admin_home', of_group => 'admin');
SELECT restful.route('GET /posts/{id}', 'app.one', of_group => 'tenants');
SELECT restful.route('GET /posts', 'app.list', of_group => 'nobody');
SELECT restful.route('GET /', 'app.home');
SELECT method, path, handler, host, of_group FROM restful.routes();
SET ROLE route_client;
SELECT t, h, status, body FROM (VALUES ('/blog', NULL), ('/t/acme/posts/7', NULL), ('/t/acme/posts/x', NULL), ('/home', NULL), ('/home', 'admin.example.com'), ('/home', 'ADMIN.example.com.:8080'),
    ('/home', 'other.example.com')) v(t, h), restful.get(t, CASE WHEN h IS NULL THEN '{}' ELSE jsonb_build_object('host', h) END);
RESET ROLE;
-- A new prefix moves all routes of the group, unless one of them is another route then.
SELECT restful.route_group('blog', '/log');
SET ROLE route_client;
SELECT (restful.get('/blog')).status, (restful.get('/log')).status;
RESET ROLE;
SELECT restful.route_group('blog', '/home');
SELECT method, path FROM restful.routes() WHERE of_group = 'blog';
SELECT restful.drop_route_group('blog');
SELECT restful.drop_route('GET /'), restful.drop_route('GET /', 'blog'), restful.drop_route_group('blog'), restful.drop_route_group('blog');

-- Hooks of a group.
CREATE FUNCTION app.no_tenant() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE sqlstate 'PT402' USING MESSAGE = 'pay first'; END $$;
SELECT restful.hook('before', 'app.no_tenant', 'group tenants');
SET ROLE route_client;
SELECT (restful.get('/t/acme/posts/7')).status, (restful.get('/home')).status;
RESET ROLE;
SELECT restful.drop_hook('before', 'app.no_tenant', 'group tenants');

-- The schema of the query.
SELECT restful.register_schema('list_query', '{"properties": {"limit_to": {"type": "integer", "maximum": 50}, "deep": {"type": "boolean"}, "tags": {"type": "array", "maxItems": 2}, "tag": {"type": "string", "minLength": 2}}, "additionalProperties": false}');
SELECT restful.route('GET /list', 'app.list', query => 'list_query', example => '{"query": {"limit_to": 5}}');
SET ROLE route_client;
SELECT q, status, coalesce(body->'errors', body) FROM unnest(ARRAY['', '?limit_to=5&deep=true', '?limit_to=51', '?limit_to=five', '?tag=7', '?tag=77', '?tags=a', '?tags=a&tags=b', '?tags=a&tags=b&tags=c', '?other=eq.1']) q, restful.get('/list' || q);
RESET ROLE;

-- Bodies, and examples that fit them.
SELECT restful.register_schema('post', '{"type": "object", "properties": {"title": {"type": "string", "maxLength": 5}}, "required": ["title"]}');
SELECT restful.route('POST /add', 'app.add', body => 'post', example => '{"body": {"title": "too long"}}');
SELECT restful.route('POST /add', 'app.add', body => 'post', example => '{"bodies": {}}');
SELECT restful.route('POST /add', 'app.add', body => 'post', query => '{"maxProperties": 0}', example => '{"body": {"title": "short"}}');
SET ROLE route_client;
SELECT b, status, body->'errors'->0->'pointer' FROM unnest(ARRAY['{"title": "short"}', '{"title": "too long"}', '{"title": "short", "size": "large"}']::jsonb[]) b, restful.post('/add', b);
SELECT status, body->'errors'->0->'pointer', body->>'message' FROM restful.post('/add?size=1', '{"title": "short"}');
SELECT body->'paths'->'/add'->'post'->'requestBody'->'content'->'application/json', body->'paths'->'/list'->'get'->'parameters' FROM restful.get('/');
RESET ROLE;

SELECT restful.route('POST /add2', 'app.add', example => '{"query": {"sise": 1}, "body": {"titel": "typo", "size": 2}}');

-- The schema of results.
SELECT restful.route('POST /save', 'app.save', result => '{"required": ["title"]}');
SET ROLE route_client;
SELECT status, body FROM restful.post('/save', '{"title": "one"}');
RESET ROLE;
SET restful.check_results = strict;
SET ROLE route_client;
SELECT status, body->>'code', body->>'message' FROM restful.post('/save', '{"title": "two"}');
SELECT * FROM app.posts;
RESET ROLE;
RESET restful.check_results;

-- OPTIONS of a path that is a table and a route.
SELECT restful.route('POST /posts', 'app.touch_posts');
SELECT restful.route('DELETE /posts/{id:int}', 'app.drop_post');
SELECT restful.route('PUT /titles/{title}', 'app.save');
SET ROLE route_client;
SELECT p, status, headers->>'allow' FROM unnest(ARRAY['/posts', '/posts/1', '/save', '/titles/x']) p, restful.serve('OPTIONS', p);
RESET ROLE;

-- Files.
CREATE FUNCTION app.upload(title text, document restful.http_file, raw bytea DEFAULT NULL, more restful.http_file[] DEFAULT '{}') RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT format('%s: %s (%s) %s; %s; %s', title, (document).name, (document).media_type, (document).content, raw, (SELECT string_agg(m.name || '=' || convert_from(m.content, 'UTF8'), ',') FROM unnest(more) m)) $$;
SELECT restful.route('POST /upload', 'app.upload');
CREATE FUNCTION pg_temp.form(VARIADIC parts text[]) RETURNS bytea LANGUAGE sql AS $$
    SELECT convert_to(string_agg(E'--x\r\nContent-Disposition: form-data; ' || p || E'\r\n', '') || '--x--', 'UTF8') FROM unnest(parts) p $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pg_temp TO route_client;
SELECT n, status, convert_from(body, 'UTF8') FROM (VALUES
    (1, pg_temp.form(E'name=title\r\n\r\nReport', E'name=document; filename="a.bin"\r\nContent-Type: image/png\r\n\r\nabc', E'name=raw\r\n\r\n\x01', E'name=more; filename=b\r\n\r\nB', E'name=more; filename=c\r\n\r\nC')),
    (2, pg_temp.form(E'name=title\r\n\r\nReport')),
    (3, pg_temp.form(E'name=title\r\n\r\nReport', E'name=title\r\n\r\nagain', E'name=document; filename=a\r\n\r\n', E'name=other\r\n\r\n1')),
    (4, convert_to('no form', 'UTF8'))) v(n, sent), restful.serve('POST', '/upload', '{"content-type": "multipart/form-data; boundary=x"}', sent);
