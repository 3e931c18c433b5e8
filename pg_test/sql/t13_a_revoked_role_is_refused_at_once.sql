-- REVOKE between two requests of one session: the second is refused.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
create role guest;
grant guest to layer;
alter role layer set restful.anon_role = 'guest';
alter role layer set restful.schemas = 'library';
\c - layer
select warm('/subjects?id=eq.1');
select show(restful.serve('GET', '/subjects?id=eq.1'));
select as_superuser('revoke guest from layer');
select show(restful.serve('GET', '/subjects?id=eq.1'));
select as_superuser('grant guest to layer');
select show(restful.serve('GET', '/subjects?id=eq.1'));
-- in one transaction
begin;
select as_superuser('revoke guest from layer');
select show(restful.serve('GET', '/subjects?id=eq.1'));
rollback;
select show(restful.serve('GET', '/subjects?id=eq.1'));
-- a role that becomes one that requests may not take
select as_superuser('alter role guest bypassrls');
select show(restful.serve('GET', '/subjects?id=eq.1'));
select as_superuser('alter role guest nobypassrls superuser');
select show(restful.serve('GET', '/subjects?id=eq.1'));
select as_superuser('alter role guest nosuperuser');
select show(restful.serve('GET', '/subjects?id=eq.1'));
select as_superuser('drop role guest');
select show(restful.serve('GET', '/subjects?id=eq.1'));
