-- The settings request.* tell functions, policies, defaults and triggers about the request.
\pset tuples_only on
\pset format unaligned
create function library.request() returns jsonb language sql stable as $$
    select jsonb_build_object('method', current_setting('request.method'), 'path', current_setting('request.path'),
        'headers', current_setting('request.headers')::jsonb, 'cookies', current_setting('request.cookies')::jsonb,
        'claims', current_setting('request.jwt.claims')::jsonb, 'search_path', current_setting('search_path'), 'user', current_user)
$$;
create table library.visits (path text default current_setting('request.path'), agent text default current_setting('request.headers')::json->>'user-agent');
grant select, insert on library.visits to anon;
\c - authenticator
select show(restful.serve('GET', '/rpc/request?', '{"User-Agent": "psql", "X-Many": ["a", "b"], "Cookie": "a=1; b=x=y"}'));
select show(restful.serve('POST', '/rpc/request', '{}'));
select show(restful.serve('POST', '/visits', '{"user-agent": "psql", "prefer": "return=representation"}', '{}'));
\c - librarian
select show(restful.serve('GET', '/rpc/request'));
set restful.extra_search_path = 'public, "Odd, one"';
select show(restful.serve('GET', '/rpc/request'));
-- after the request they are gone
select nullif(current_setting('request.path', true), '') is null as gone;
