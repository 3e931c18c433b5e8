-- request.jwt.claims counts only in the session of a trusted authenticator that has taken the role named in the claims.
\pset tuples_only on
\pset format unaligned
create role proxy login;
alter role proxy set restful.trusted_authenticators = 'other, proxy';
alter role proxy set restful.schemas = 'library';
grant alice, bob to proxy;
create function library.claims() returns text language sql stable as $$ select current_user || ': ' || current_setting('restful.claims') $$;
\c - proxy
set role alice;
set request.jwt.claims = '{"role": "alice", "sub": "42"}';
select show(restful.serve('GET', '/rpc/claims'));
set request.jwt.claims = '{"role": "bob", "sub": "42"}';
select show_all(restful.serve('GET', '/rpc/claims'));
set request.jwt.claims = '{"sub": "42"}';
select show(restful.serve('GET', '/rpc/claims'));
set request.jwt.claims = '{"role": 42}';
select show(restful.serve('GET', '/rpc/claims'));
set request.jwt.claims = 'no json';
select show(restful.serve('GET', '/rpc/claims'));
-- without claims: no subject
set request.jwt.claims = '';
select show(restful.serve('GET', '/rpc/claims'));
-- alice herself is not trusted, whatever she sets
\c - alice
set request.jwt.claims = '{"role": "alice", "sub": "42"}';
select show(restful.serve('GET', '/rpc/claims'));
set request.jwt.claims = '{"role": "bob"}';
select show(restful.serve('GET', '/rpc/claims'));
