-- Expressions and names that users pass: no second statement or clause gets through, and names are quoted.
\pset format unaligned
\pset footer off
\pset tuples_only on
\set SHOW_CONTEXT never
create role authenticated;
create role "the ""keeper""; drop table app.victim";
create schema app authorization "the ""keeper""; drop table app.victim";
set role "the ""keeper""; drop table app.victim";
create table app.victim (id int, name text);
create table app."semi;colon ""quoted"" 'table'" ("a;""b" uuid, "Größe" int, flag boolean default true);
create function app.attempt(expression text) returns text language plpgsql as $$
declare code text; message text;
begin
    perform restful.policy_public_read('app.victim', '{public}', expression);
    return 'accepted';
exception when others then
    get stacked diagnostics code = returned_sqlstate, message = message_text;
    return code || ': ' || message;
end $$;
select e, app.attempt(e) from unnest(array[
    'true); drop table app.victim; --',
    'true); drop table app.victim; select (true',
    'true); create policy x on app.victim using (true',
    'true; drop table app.victim',
    'true;',
    'true) with check (true',
    'true) or (true',
    'true --',
    'true /*',
    'true /* ; */',
    '''; drop table app.victim; --'' <> name',
    '$$); drop table app.victim; --$$ <> name',
    E'E\'\\\'); drop table app.victim; --\' <> name',
    '',
    ' ',
    'true, true',
    'true as t',
    'select true',
    '(select true)',
    'id',
    'nothing',
    'count(*) > 0',
    'row_number() over () > 1',
    'generate_series(1, 2) > 1',
    '$1',
    'id in (select victim.id from app.victim v)',
    null]) with ordinality u (e, place) order by place;
select polname, pg_get_expr(polqual, polrelid) from pg_policy where polrelid = 'app.victim'::regclass;
select * from restful.drop_policies('app.victim');
-- the same for defaults
alter table app.victim add kind text;
select * from restful.column_preset('app.victim', 'kind', '1), drop column name, alter kind set default (2');
select * from restful.column_preset('app.victim', 'kind', '1); drop table app.victim; --');
select * from restful.column_preset('app.victim', 'kind', 'name');
select * from restful.column_preset('app.victim', 'kind', 'sum(1)');
select * from restful.column_preset('app.victim', 'id', '''one''::text');
select * from restful.column_preset('app.victim', 'nothing', '1');
select * from restful.column_preset('app.victim', 'kind', null);
select attname, atttypid::regtype from pg_attribute where attrelid = 'app.victim'::regclass and attnum > 0;
-- and for names: of tables, columns, policies, roles, permissions
select s from restful.enable_rls($$app."semi;colon ""quoted"" 'table'"$$) s;
select s from restful.policy_owner($$app."semi;colon ""quoted"" 'table'"$$, 'a;"b', '{select}', array[current_user::text], policy => 'own; "it"') s;
select s from restful.policy_owner($$app."semi;colon ""quoted"" 'table'"$$, 'a;"b', '{select}', array[current_user::text], policy => 'own; "it"') s;
select s from restful.policy_permission($$app."semi;colon ""quoted"" 'table'"$$, 'select', $$it's'); drop table app.victim; --$$, '{authenticated}') s where s not like 'COMMENT%';
select s from restful.column_preset($$app."semi;colon ""quoted"" 'table'"$$, 'Größe', '7') s;
select s from restful.expose($$app."semi;colon ""quoted"" 'table'"$$, '{authenticated}', '{select,insert}', '{"a;\"b",Größe}') s;
select substring(obj_description(oid, 'pg_policy') from 'Again: (.*) Undo: ') from pg_policy where polname = 'own; "it"_select' \gexec
select substring(obj_description(oid, 'pg_policy') from 'Undo: (.*)') from pg_policy where polname = 'own; "it"_select' \gexec
-- names in an expression are looked up on the caller's search path, and then mean the same under any other
set search_path = app, public;
create function app.is_shown(int) returns boolean language sql stable as $$ select $1 > 0 $$;
select s from restful.policy_public_read('victim', '{public}', 'is_shown(id)') s where s not like 'COMMENT%';
set search_path = pg_catalog;
select s from restful.policy_public_read('app.victim', '{public}', 'app.is_shown(id)') s;
-- an expression that is the same for all rows is evaluated once, unless it is volatile
select s from restful.policy_public_read('app.victim', '{public}', 'restful.aal() = ''aal2'' and now() > ''2000-01-01''', true) s where s not like 'COMMENT%';
select s from restful.policy_public_read('app.victim', '{public}', 'random() < 0.5', true) s where s not like 'COMMENT%';
reset search_path;
reset role;
drop schema app cascade;
drop role "the ""keeper""; drop table app.victim", authenticated;
