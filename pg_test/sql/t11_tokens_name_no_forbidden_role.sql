-- A forbidden role in a token is refused with the same message, whatever the reason, even if the token is valid.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
create role root superuser;
create role seeall bypassrls;
create role stranger;
create role "Mixed";
create role a23456789_123456789_123456789_123456789_123456789_123456789_123;
grant root, seeall, "Mixed", pg_read_all_data, anon, a23456789_123456789_123456789_123456789_123456789_123456789_123 to layer;
create function library.who() returns text language sql stable as $$ select current_user::text $$;
select restful.create_signing_key(kid => 'one');
create function public.as_role(role jsonb) returns text language sql security definer as $$ select restful.jwt_sign(jsonb_build_object('role', role)) $$;
\c - layer
select role, replace(show(restful.serve('GET', '/rpc/who', jsonb_build_object('authorization', 'Bearer ' || as_role(role)))), e'\n', ' ')
from unnest(array['"root"', '"postgres"', '"pg_read_all_data"', '"seeall"', '"stranger"', '"none"', '"mixed"', '""', '"layer\u0001"',
    '"a23456789_123456789_123456789_123456789_123456789_123456789_1234"', '42', '["anon"]', '"Mixed"', '"anon"',
    '"a23456789_123456789_123456789_123456789_123456789_123456789_123"', 'null']::jsonb[]) role;
\c - postgres
drop owned by layer;
drop role layer, root, seeall, stranger, "Mixed", a23456789_123456789_123456789_123456789_123456789_123456789_123;
