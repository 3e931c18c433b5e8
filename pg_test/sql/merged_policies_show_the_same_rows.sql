-- The fixes of multiple_permissive and policy_not_initplan leave everybody the same rows to read and to write.
\set SHOW_CONTEXT never
set client_min_messages = warning;
create role editor login;
create role guest login;
create table library.notes (id int primary key, owner name, shared boolean, locked boolean default false);
insert into library.notes select i, case i % 3 when 0 then 'editor' when 1 then 'guest' end, i % 4 = 0, i % 5 = 0 from generate_series(1, 24) i;
alter table library.notes enable row level security;
grant select, insert, update, delete on library.notes to editor, guest;
create policy shared on library.notes for select to editor, guest using (shared);
create policy own on library.notes to editor using (owner = current_setting('role_of.mine', true)) with check (owner = current_setting('role_of.mine', true) and id < 100);
create policy own_guest on library.notes for update to guest using (owner = 'guest') with check (id < 20);
create policy any_guest on library.notes for insert to guest with check (owner = 'guest');
create policy few_guest on library.notes for insert to guest with check (id > 90);
create policy open on library.notes as restrictive to editor, guest using (not locked);

-- What a role can read, change, delete and insert, tried with one row at a time.
create function attempts() returns table (what text, ids int[]) language plpgsql as $$
declare
    candidate library.notes;
begin
    perform set_config('role_of.mine', current_user, true);
    what := 'reads'; ids := array(select n.id from library.notes n order by 1); return next;
    begin
        with touched as (update library.notes n set id = n.id returning n.id) select array_agg(t.id order by t.id) from touched t into ids;
        what := 'updates'; return next;
        with gone as (delete from library.notes n returning n.id) select array_agg(t.id order by t.id) from gone t into ids;
        what := 'deletes'; return next;
        raise exception using errcode = 'ZZ000';
    exception when sqlstate 'ZZ000' then null; when insufficient_privilege then what := 'updates refused'; return next;
    end;
    what := 'inserts'; ids := '{}';
    for candidate in select i, o, i % 2 = 0, false from unnest('{50,51,95,96,150,151}'::int[]) i, unnest('{editor,guest,other}'::name[]) o loop
        begin
            insert into library.notes values (candidate.*);
            ids := ids || candidate.id;
            raise exception using errcode = 'ZZ000';
        exception when sqlstate 'ZZ000' then null; when insufficient_privilege then null;
        end;
    end loop;
    return next;
end $$;
create table before (role name, what text, ids int[]);
create table after (like before);
grant insert on before, after to editor, guest;
grant select on before to editor, guest;
set role editor; insert into before select current_user, a.* from attempts() a;
set role guest; insert into before select current_user, a.* from attempts() a;
reset role;
table before;
do $$
declare
    statement text;
begin
    for statement in select l.fix_sql from restful.lint('{library}') l where l.lint = 'multiple_permissive' and l.object = 'library.notes' loop execute statement; end loop;
    for statement in select l.fix_sql from restful.lint('{library}') l where l.lint = 'policy_not_initplan' loop execute statement; end loop;
end $$;
select policyname, roles, cmd, qual, with_check from pg_policies where tablename = 'notes' order by 1;
select lint, object from restful.lint('{library}') where object ~ 'notes' and lint in ('multiple_permissive', 'policy_not_initplan');
set role editor; insert into after select current_user, a.* from attempts() a;
set role guest; insert into after select current_user, a.* from attempts() a;
reset role;
-- no difference
(table before except table after) union all (table after except table before);
drop owned by editor, guest;
drop role editor, guest;
