-- restful.import_postgrest makes statements of a configuration of PostgREST. They run, and make the settings.
\pset tuples_only on
\pset format unaligned
\set VERBOSITY terse
\set SHOW_CONTEXT never
create role "Web login" login noinherit;
create role web_anon;
grant web_anon to "Web login";
select $conf$
# every setting that is one here
db-uri = "postgres://Web%20login:p@ss@localhost/db" # the login
db-schemas = "library, My Schema"
db-extra-search-path = ""
db-anon-role = "web_anon"
db-max-rows = 2
db-plan-enabled = true
db-aggregates-enabled = "True"
db-tx-end = "commit-allow-override"
db-pre-request = "library.before"
db-root-spec = ""
client-error-verbosity = "minimal"
openapi-mode = "ignore-privileges"
openapi-security-active = on
openapi-server-proxy-uri = "https://x.example/it's"
server-timing-enabled = false
app.settings.api_key = "a'b\\c"
jwt-secret = "it's really, really, really very safe \\"
jwt-aud = "my app"
jwt-role-claim-key = "$$.app.role"
db-pool = 3
server-port = 80
db-channel = "x"
db-shemas = "y"
$conf$ as config \gset
-- anyone may read a configuration; it changes nothing
set role web_anon;
select * from restful.import_postgrest(:'config');
reset role;
select count(*) from pg_db_role_setting where setrole = '"Web login"'::regrole;
select coalesce(statement, 'select 1 where false') from restful.import_postgrest(:'config') where setting <> 'jwt-secret' \gexec
select unnest(setconfig) from pg_db_role_setting where setrole = '"Web login"'::regrole;
select statement is not null from restful.import_postgrest(:'config') where setting = 'jwt-secret';
select replace(statement, 'load_secret(', 'load_secret(kid => ''imported'', ') from restful.import_postgrest(:'config') where setting = 'jwt-secret' \gexec
select convert_from(secret, 'utf8'), audiences, role_path from restful.secret_key join restful.token_issuer using (issuer);
-- the settings work
create function library.before() returns void language sql as '';
\c - "Web login"
select show(restful.serve('GET', '/books?select=id,author.count()&order=id'));
select show(restful.serve('GET', '/nothing'));
select current_setting('app.settings.api_key'), current_setting('restful.openapi_server_proxy_uri');
select restful.method();
\c - postgres
-- the role is an argument, too; keys become calls of two functions
select statement from restful.import_postgrest(
    'PGRST_JWT_SECRET={"keys": [{"kty": "oct", "k": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", "kid": "o"}, {"kty": "OKP", "crv": "Ed25519", "kid": "e", "d": "private", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}', 'order');
select statement from restful.import_postgrest(
    'PGRST_JWT_SECRET={"keys": [{"kty": "oct", "k": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", "kid": "o"}, {"kty": "OKP", "crv": "Ed25519", "kid": "e", "d": "private", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}', 'order') where setting = 'jwt-secret' \gexec
-- what is malformed is an error that names the line
\set VERBOSITY default
select * from restful.import_postgrest(e'db-schemas = "api"\ndb-pool 10');
select * from restful.import_postgrest(e'\n\ndb-tx-end = "sometimes"');
select * from restful.import_postgrest('db-max-rows = 0');
select * from restful.import_postgrest(e'db-uri = "x\n');
select * from restful.import_postgrest(repeat(' ', 70000));
select count(*) from restful.import_postgrest(null);
drop owned by "Web login";
drop role "Web login", web_anon;
