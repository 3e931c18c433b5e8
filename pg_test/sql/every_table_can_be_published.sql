-- A publication FOR ALL TABLES includes the extension's tables. Each needs a replica identity, so that rows can be changed and deleted.
\set VERBOSITY terse
set client_min_messages = error; -- a warning would depend on wal_level
select c.oid::regclass as without_identity
from pg_class c
where c.relnamespace = 'restful'::regnamespace and c.relkind in ('r', 'p')
  and not (c.relreplident = 'f'
      or c.relreplident = 'd' and exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indisvalid)
      or c.relreplident = 'i' and exists (select from pg_index i where i.indrelid = c.oid and i.indisreplident and i.indisvalid));
create publication everything for all tables;

-- roles of the application
select restful.define_role('reader', '{films.read}'), restful.define_role('editor', '{films.*}', '{reader}', '{reader}');
select restful.grant_role('ann', 'reader'), restful.grant_role('ann', 'editor', 'studio-1');
select restful.grant_role('ann', 'reader', expires_at => '2100-01-01');
select restful.revoke_role('ann', 'reader');
select restful.define_role('reader', '{films.read,films.list}');
select restful.drop_role('reader', cascade => true), restful.drop_role('editor', cascade => true);

-- token keys and API keys
select restful.create_signing_key(kid => 'one'), restful.create_signing_key(kid => 'one'), restful.load_secret(repeat('s', 32), 'two');
select restful.revoke_key('one'), restful.revoke_key('two');
select id from restful.create_api_key('ann', 'anon') \gset
select count(*) from restful.rotate_api_key(:'id');
select restful.revoke_api_key(:'id');

-- clients
set restful.oauth_issuer = 'https://api.example.com';
select client_id from restful.register_client('app', '{https://app.example.com/back}', role => 'anon') \gset
select restful.rotate_client_secret(:'client_id') is not null as rotated;
select count(*) from restful.create_authorization_code(:'client_id', 'ann', 'https://app.example.com/back', repeat('c', 43), code_challenge_method => 'S256');
insert into restful.oauth_grant values ('\x01', :'client_id', 'ann', '{}', '\x', '\x', '\x', default, 'infinity');
update restful.oauth_grant set expires_at = now();
select restful.revoke_grants('ann'), restful.drop_client(:'client_id');

-- schemas and exceptions of lints
select restful.register_schema('money', '{}'), restful.register_schema('money', '{}', 'full'), restful.drop_schema('money');
insert into restful.lint_exception values ('no_primary_key', 'x', 'y');
update restful.lint_exception set reason = 'z';
delete from restful.lint_exception;

-- changes by hand
delete from restful.api_key_use;
delete from restful.api_key;
update restful.token_issuer set audiences = '{us}';
delete from restful.token_issuer;
