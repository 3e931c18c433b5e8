-- The readers give the same answers in our requests and in queries that PostgREST runs itself: in policies, defaults, views and
-- SECURITY DEFINER functions.
\pset tuples_only on
\pset format unaligned
create role proxy login;
alter role proxy set restful.trusted_authenticators = 'proxy';
alter role proxy set restful.schemas = 'library';
grant alice, anon to proxy;
create view library.me as select restful.uid(), restful.user_id(), restful.role(), restful.email(), restful.claim('app.plan') as plan,
    restful.claim('$.app.seats[1]') as seat, restful.tenant_id(), restful.scopes(), restful.has_scope('write') as may_write,
    restful.has_scope('w') as may_w, restful.aal(), restful.method(), restful.is_authenticated(), restful.jwt() = restful.claims() as same;
create function library.who() returns text language sql stable security definer as $$ select current_user || ' for ' || restful.role() || ' ' || restful.user_id() $$;
create table library.notes (id int primary key, owner uuid default restful.uid());
insert into library.notes values (1, '00112233-4455-6677-8899-aabbccddeeff'), (2, '10112233-4455-6677-8899-aabbccddeeff');
alter table library.notes enable row level security;
create policy own on library.notes using (owner = (select restful.uid()));
grant select, insert on library.me, library.notes to alice, anon;
\c - proxy
select * from library.me;
set role alice;
set request.jwt.claims = '{"role": "alice", "sub": "00112233-4455-6677-8899-aabbccddeeff", "email": "a@b.example", "tenant_id": 7, "scope": "read write", "aal": "aal2", "app": {"plan": "gold", "seats": [1, "x"]}}';
\x on
select * from library.me;
\x off
select library.who();
select id from library.notes;
select show(restful.serve('GET', '/me'));
select show(restful.serve('GET', '/rpc/who'));
select show(restful.serve('GET', '/notes'));
select show(restful.serve('POST', '/notes', '{"prefer": "return=representation"}', '{"id": 3}'));
-- a subject that is not a UUID, and another claim for the tenant
set request.jwt.claims = '{"role": "alice", "sub": "auth0|42", "org": {"id": "acme"}, "scopes": ["a", "b"]}';
select as_superuser($$ set restful.tenant_claim = 'org.id' $$);
select uid, user_id, tenant_id, scopes from library.me;
select show(restful.serve('GET', '/me?select=uid,user_id,tenant_id,scopes'));
-- the type uuid accepts other spellings too
create function pg_temp.uids(subjects text[]) returns table (uid uuid, same boolean) language plpgsql as $$
declare
    subject text;
begin
    foreach subject in array subjects loop
        perform set_config('request.jwt.claims', json_build_object('role', 'alice', 'sub', subject)::text, false);
        begin
            return query select restful.uid(), restful.uid() = restful.user_id()::uuid;
        exception when invalid_text_representation then
            return query select restful.uid(), restful.uid() is null;
        end;
    end loop;
end $$;
select * from pg_temp.uids('{00112233-4455-6677-8899-AABBCCDDEEFF,00112233445566778899aabbccddeeff,0011-2233-4455-6677-8899-aabb-ccdd-eeff,
    001122334455-6677-8899aabbccddeeff,"{00112233-4455-6677-8899-aabbccddeeff}","{00112233445566778899AABBCCDDEEFF}"}');
select * from pg_temp.uids('{00112233-4455-6677-8899-aabbccddeef," 00112233-4455-6677-8899-aabbccddeeff","{00112233-4455-6677-8899-aabbccddeeff",
    00112233--4455-6677-8899-aabbccddeeff,0-0112233-4455-6677-8899-aabbccddeeff,00112233-4455-6677-8899-aabbccddeeff-,urn:uuid:00112233-4455-6677-8899-aabbccddeeff}');
-- claims of another role, and claims that are not an object
set request.jwt.claims = '{"role": "bob", "sub": "42"}';
select user_id, role, method from library.me;
set request.jwt.claims = '[1]';
select user_id, role, method from library.me;
-- anonymous: PostgREST sets only the role
set role anon;
set request.jwt.claims = '{"role": "anon"}';
select user_id, role, method, is_authenticated, same from library.me;
select show(restful.serve('GET', '/me?select=user_id,role,method,is_authenticated,same'));
\c - postgres
drop owned by proxy;
drop role proxy;
