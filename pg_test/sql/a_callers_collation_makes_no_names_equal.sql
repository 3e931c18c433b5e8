-- A caller's collation may treat different names as equal. This must not change which roles a subject can grant, or which subject a
-- grant belongs to. Only servers with ICU have such collations.
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never
create role loose_proxy login noinherit;
alter role loose_proxy set restful.trusted_authenticators = 'loose_proxy';
grant alice to loose_proxy;
create collation public.loose (provider = icu, locale = 'und-u-ks-level1-ka-shifted', deterministic = false);
select 'me-mber' = 'member' collate loose;
select restful.define_role('member', '{posts.read}');
select restful.define_role('manager', '{posts.*}', inherits => '{member}', can_grant => '{member}');
select restful.define_role('me-mber', '{*}');
select restful.grant_role('lou', 'manager');
\c - loose_proxy
set role alice;
set request.jwt.claims = '{"role": "alice", "sub": "lou"}';
select restful.grant_role('lou', 'me-mber' collate loose);
select restful.set_grant_as_subject(true, 'lou', 'me-mber' collate loose, null, null);
select restful.grant_role('lo-u' collate loose, 'member');
select restful.revoke_role('lou' collate loose, 'member');
select restful.revoke_role('lo-u' collate loose, 'member');
set request.jwt.claims = '{"role": "alice", "sub": "l-ou"}';
select restful.grant_role('l-ou', 'member' collate loose);
select restful.has_role('manager' collate loose), restful.has_any_role('{manager}'::text[] collate loose),
    restful.has_permission('posts.read', 'x' collate loose), restful.permissions('x' collate loose),
    array(select restful.tenants_with('posts.read' collate loose));
\c - postgres
select restful.revoke_role('lou', 'manager');
select restful.drop_role('me-mber', true);
drop role loose_proxy;
