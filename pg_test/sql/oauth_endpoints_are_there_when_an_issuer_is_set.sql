-- If an issuer is set, the extension answers the OAuth paths itself. Otherwise they are ordinary paths.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
grant anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
create table library.oauth (name text primary key, value int);
insert into library.oauth values ('token', 1), ('other', 2);
grant select on library.oauth to anon;
\c - layer
select show(restful.serve('GET', '/oauth/token'));
select show(restful.serve('POST', '/oauth/token'));
select show(restful.serve('POST', '/oauth/revoke'));
select show(restful.serve('POST', '/oauth/introspect'));
select show(restful.serve('GET', '/.well-known/oauth-authorization-server'));
-- SQL users cannot switch them on
set restful.oauth_issuer = 'https://evil.example';
\c - postgres
alter role layer set restful.require_token = on;
alter role layer set restful.oauth_issuer = 'https://id.example/';
\c - layer
-- They need no token, because clients get their tokens there.
select show_all(restful.serve('GET', '/.well-known/jwks.json'));
select show_all(restful.serve('GET', '/.well-known/oauth-authorization-server'));
select show_all(restful.serve('HEAD', '/.well-known/jwks.json'));
select show_all(restful.serve('OPTIONS', '/oauth/token'));
select show_all(restful.serve('GET', '/oauth/token'));
select show(restful.serve('DELETE', '/.well-known/jwks.json'));
\c - postgres
alter role layer reset restful.require_token;
alter role layer set restful.oauth_authorization_endpoint = 'https://app.example/sign-in';
select restful.create_signing_key(kid => 'one');
\c - layer
-- a table with that name is still served, except for the rows whose paths are taken
select show(restful.serve('GET', '/oauth'));
select show(restful.serve('GET', '/oauth/other'));
select status, convert_from(body, 'utf8')::jsonb -> 'grant_types_supported', convert_from(body, 'utf8')::jsonb ->> 'authorization_endpoint'
from restful.serve('GET', '/.well-known/oauth-authorization-server');
select status, convert_from(body, 'utf8')::jsonb #- '{keys,0,x}' #- '{keys,0,y}' from restful.serve('GET', '/.well-known/jwks.json');
\c - postgres
-- An issuer is a URL as RFC 8414 defines it, and the sign-in page is a URL that users can be sent to.
load 'pg_restful';
set restful.oauth_issuer = 'http://id.example';
set restful.oauth_issuer = 'https://id.example?tenant=1';
alter role layer set restful.oauth_issuer = 'https://id.example/#top';
set restful.oauth_issuer = 'id.example';
set restful.oauth_issuer = 'http://localhost:3000';
set restful.oauth_issuer = '';
set restful.oauth_authorization_endpoint = 'javascript:alert(1)';
set restful.oauth_authorization_endpoint = 'https://app.example/sign-in?tenant=1';
-- An invalid value from before the library was loaded is dropped with a warning: there are no endpoints.
\c - postgres
set restful.oauth_issuer = 'http://id.example';
set restful.schemas = 'library';
set restful.anon_role = 'anon';
select show(restful.serve('GET', '/.well-known/oauth-authorization-server'));
select current_setting('restful.oauth_issuer') = '' as off;
drop owned by layer;
drop role layer;
