-- Settings of a SQL user are never trusted: neither request.jwt.claims, as PostgREST names it, nor what a request says about itself.
\pset tuples_only on
\pset format unaligned
\set identity 'select restful.uid(), restful.user_id(), restful.role(), restful.email(), restful.claims(), restful.tenant_id(), restful.scopes(), restful.aal(), restful.method(), restful.is_authenticated()'
create function library.identity() returns text language sql stable as $$
    select concat_ws(' ', restful.user_id(), restful.role(), restful.claims(), restful.method(), restful.is_authenticated()) $$;
-- a function that sets the claims within a request, and then reads the identity
create function library.pretend(role text) returns text language plpgsql as $$
begin
    perform set_config('request.jwt.claims', format('{"role": "%s", "sub": "victim"}', pretend.role), false);
    return library.identity();
end $$;
create role layer login noinherit;
grant anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.trusted_authenticators = 'layer';
\c - alice
set request.jwt.claims = '{"role": "alice", "sub": "00112233-4455-6677-8899-aabbccddeeff", "email": "a@b", "scope": "all"}';
:identity;
select show(restful.serve('GET', '/rpc/identity'));
select show(restful.serve('POST', '/rpc/pretend', '{}', '{"role": "alice"}'));
set restful.method = 'jwt';
select set_config('restful.method', 'jwt', true);
alter role alice set restful.method = 'jwt';
:identity;
-- code within a trusted layer's request cannot change the identity, whatever role it names
\c - layer
select show(restful.serve('POST', '/rpc/pretend', '{}', '{"role": "anon"}'));
select show(restful.serve('POST', '/rpc/pretend', '{}', '{"role": "layer"}'));
\c - postgres
drop role layer;
