-- Settings from ALTER ROLE ... SET on the request's role apply to its requests, and to nothing else.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
create role guest;
grant guest to layer;
alter role layer set restful.anon_role = 'guest';
alter role layer set restful.schemas = 'library';
alter role guest set work_mem = '3MB';
alter role guest set timezone = 'Asia/Tokyo';
alter role guest in database test_golden set work_mem = '5MB';
alter role guest set my.setting = 'of guest';
-- these do not apply, because the request sets them
alter role guest set search_path = 'pg_catalog';
alter role guest set role = 'postgres';
create function library.settings() returns jsonb language sql stable as $$
    select jsonb_build_object('work_mem', current_setting('work_mem'), 'zone', current_setting('timezone'),
        'mine', current_setting('my.setting', true), 'path', current_setting('search_path'), 'user', current_user)
$$;
\c - layer
select show(restful.serve('GET', '/rpc/settings'));
select show(restful.serve('GET', '/rpc/settings', '{"prefer": "timezone=UTC"}'));
select current_setting('work_mem'), current_setting('timezone'), coalesce(current_setting('my.setting', true), '') = '' as none;
-- A setting that cannot be applied gives a warning, as it does at login; requests still work.
\c - postgres
create text search configuration public.gone (copy = simple);
alter role guest set default_text_search_config = 'public.gone';
drop text search configuration public.gone;
\c - layer
select show(restful.serve('GET', '/rpc/settings'));
