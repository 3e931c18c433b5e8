-- auth.uid() and similar functions, as policies for Supabase or Neon call them; existing functions are left alone.
\pset tuples_only on
\pset format unaligned
create role proxy login;
alter role proxy set restful.trusted_authenticators = 'proxy';
grant alice to proxy;
select restful.install_auth_api();
select restful.install_auth_api();
create schema "Own auth";
create function "Own auth".role() returns text language sql as $$ select 'mine' $$;
select restful.install_auth_api('Own auth');
\c - proxy
set role alice;
set request.jwt.claims = '{"role": "alice", "sub": "00112233-4455-6677-8899-aabbccddeeff", "email": "a@b.example"}';
select auth.uid(), auth.user_id(), auth.role(), auth.email(), auth.jwt() = restful.claims(), auth.session() = auth.jwt();
-- it runs with the caller's own rights
\c - alice
select restful.install_auth_api('stolen');
\c - postgres
drop owned by proxy;
drop role proxy;
