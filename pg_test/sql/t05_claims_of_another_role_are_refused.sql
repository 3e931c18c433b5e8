-- request.jwt.claims counts only in the session of a trusted authenticator that has taken the role which the claims name.
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
-- no claims: nobody's
set request.jwt.claims = '';
select show(restful.serve('GET', '/rpc/claims'));
-- alice herself is not believed, whatever she sets
\c - alice
set request.jwt.claims = '{"role": "alice", "sub": "42"}';
select show(restful.serve('GET', '/rpc/claims'));
set request.jwt.claims = '{"role": "bob"}';
select show(restful.serve('GET', '/rpc/claims'));
