-- Only administrators register clients. Nobody else can read, create or change anything of OAuth.
create role web;
\pset tuples_only on
\pset format unaligned
create role boss login;
create role watcher login;
select count(*) > 0 from restful.setup_roles(authenticator => 'oauth_layer', anon => 'anon', authenticated => 'web', service_role => 'oauth_service',
    service_authenticator => 'oauth_service_layer', admin => 'manager', auditor => 'auditor');
grant manager to boss;
grant auditor to watcher;
create function public.attempt(uri text) returns text language plpgsql as $$
begin
    perform restful.register_client(uri, array[uri], role => 'web');
    return 'taken';
exception when others then
    return sqlerrm;
end $$;
\c - alice
select * from restful.oauth_client;
select * from restful.oauth_client_secret;
select * from restful.oauth_code;
select * from restful.oauth_grant;
select restful.register_client('mine', grant_types => '{client_credentials}', role => 'alice');
select restful.rotate_client_secret('x');
select restful.drop_client('x');
select * from restful.list_clients();
select restful.revoke_grants('me');
select restful.create_authorization_code('x');
select restful.random_secret();
select restful.percent_encode('x');
\c - watcher
select * from restful.list_clients();
select restful.drop_client('x');
\c - boss
select client_id ~ '^client_[0-9a-f]{32}$', client_secret ~ '^[A-Za-z0-9_-]{43}$' from restful.register_client('robot', grant_types => '{client_credentials}', role => 'web');
select client_secret is null from restful.register_client('phone', '{com.example.phone:/back}', role => 'web', confidential => false);
select name, redirect_uris, grant_types, scopes, role, confidential from restful.list_clients();
select * from restful.oauth_client_secret;
-- invalid clients
select restful.register_client('', role => 'web');
select restful.register_client('x');
select restful.register_client('x', array['https://a.example', null], role => 'web');
select restful.register_client('x', '{https://a.example}', role => 'nobody');
select restful.register_client('x', '{https://a.example}', role => 'postgres');
select restful.register_client('x', '{https://a.example}', role => 'pg_read_all_data');
select restful.register_client('x', '{https://a.example}', '{implicit}', role => 'web');
select restful.register_client('x', grant_types => '{client_credentials}', role => 'web', confidential => false);
select restful.register_client('x', role => 'web');
select restful.register_client('x', '{https://a.example}', '{client_credentials}', role => 'web');
select restful.register_client('x', '{https://a.example}', scopes => '{a b}', role => 'web');
-- scopes that would make tokens too long
select restful.register_client('x', '{https://a.example}', scopes => array(select repeat('x', 200) || i from generate_series(1, 20) i), role => 'web');
select uri, attempt(uri) from unnest(array['https://a.example/b?c=d', 'http://localhost:8080/', 'http://127.0.0.1/', 'http://[::1]:1/', 'com.example.app:/x',
    'http://a.example/', 'https://a.example/#f', 'https://user@a.example/', 'javascript:alert(1)', 'data:text/html,x', '/back', 'https://', 'https://a.example/*" x',
    e'https://a.example/\r\n', 'http://localhost.evil.example/', 'http://localhost@evil.example/', '']) uri;
-- checked the same way whatever backslashes mean in the session
set standard_conforming_strings = off;
set escape_string_warning = off;
select uri, attempt(uri) from unnest(array['javascript:/alert(1)', 'http://127x0x0x1/', 'http://[::1]/']) uri;
\c - postgres
-- without an issuer there are no codes
select restful.create_authorization_code('x', 'me');
drop owned by manager, auditor, boss, watcher, web, oauth_layer, oauth_service, oauth_service_layer;
drop role manager, auditor, boss, watcher, web, oauth_layer, oauth_service, oauth_service_layer;
