-- Every object of schema restful, with everything that affects its safety. A change in this output has to be intended.
\pset format unaligned
\pset fieldsep ' | '
\pset footer off
select p.oid::regprocedure as function, l.lanname as language, p.provolatile as volatile, p.proparallel as parallel,
    p.proisstrict as strict, p.prosecdef as definer, p.proleakproof as leakproof, p.proconfig as settings,
    array(select coalesce(nullif(a.grantee, 0)::regrole::text, 'public') || '=' || a.privilege_type
        from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee <> p.proowner order by 1) as granted,
    obj_description(p.oid, 'pg_proc') is not null as described
from pg_proc p join pg_language l on l.oid = p.prolang
where p.pronamespace = 'restful'::regnamespace order by p.oid::regprocedure::text;
select t.oid::regtype as type, t.typtype as kind, obj_description(t.oid, 'pg_type') is not null as described,
    array(select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute where attrelid = t.typrelid and attnum > 0 order by attnum) as columns
from pg_type t where t.typnamespace = 'restful'::regnamespace and t.typcategory <> 'A' order by t.oid::regtype::text;
select c.relname, c.relkind from pg_class c where c.relnamespace = 'restful'::regnamespace and c.relkind <> 'c' order by 1;
select coalesce(nullif(a.grantee, 0)::regrole::text, 'public') as grantee, a.privilege_type
from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = 'restful' and a.grantee <> n.nspowner order by 1, 2;
-- every function belongs to the extension
select count(*) as strangers from pg_proc p where p.pronamespace = 'restful'::regnamespace
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e');
-- settings: who may set them, and what they are by default
load 'pg_restful';
select name, context, vartype, unit, boot_val, enumvals from pg_settings where name like 'restful.%' order by name;
-- the setting that contains the claims is not listed
show restful.claims;
select count(*) from pg_settings where name = 'restful.claims';
