-- Lints recognize what a policy means however it is written, and ignore policies that only look similar.
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on
set client_min_messages = warning;
create schema shop;
create role web_anon;
create role clerk;
grant usage on schema shop to web_anon;
create table shop.members (note int not null, who text not null, primary key (note, who));
create table shop.notes (id int primary key, owner text, published boolean not null, tags text[]);
create function shop.me() returns text language sql stable parallel safe return restful.user_id();
alter table shop.notes enable row level security;
grant select on shop.members to web_anon;
grant all on shop.notes to web_anon;
create function lints_of(condition text, command text default 'select') returns table (lint text, fix_sql text) language plpgsql as $$
begin
    execute format('create policy p on shop.notes for %s to web_anon using (%s)', command, condition);
    return query select l.lint, l.fix_sql from restful.lint('{shop}') l
        where l.lint in ('policy_null_subject', 'policy_always_true', 'policy_not_initplan', 'policy_reads_request_guc', 'policy_recursive') order by l.lint;
    drop policy p on shop.notes;
end $$;

-- The policy is true when nobody has signed in.
select c.condition, l.* from unnest(array[
    '(select restful.user_id() is null) or owner = (select restful.user_id())',
    '(owner = (select restful.user_id())) is not false',
    'coalesce(owner = (select restful.user_id()), true)',
    'coalesce(owner, '''') = coalesce((select restful.user_id()), '''')',
    'owner = coalesce((select restful.user_id()), owner)',
    'case when (select restful.user_id()) is null then true else owner = (select restful.user_id()) end',
    'not ((select restful.user_id()) is not null)',
    '(owner = (select restful.user_id())) is distinct from false',
    '(not owner <> (select restful.user_id())) is not false',
    'not (select restful.is_authenticated()) or owner = (select restful.user_id())',
    'exists (select from shop.members m where m.note = id and (m.who = (select restful.user_id()) or (select restful.user_id()) is null))',
    '(select shop.me()) is null or owner = (select shop.me())',
    '((select restful.jwt()) ->> ''sub'') is null or published'
]) c (condition), lints_of(c.condition) l;
-- The policy is also true for others, or for nobody.
select c.condition, l.* from unnest(array[
    'owner = (select restful.user_id()) or published', 'owner is null', '(owner = (select restful.user_id())) is true',
    'not owner = (select restful.user_id())', 'not ((owner <> (select restful.user_id())) is not false)', '(select restful.user_id()) is not null', 'owner is distinct from (select restful.user_id())',
    'exists (select from shop.members m where m.note = id and m.who = (select restful.user_id()))'
]) c (condition), lints_of(c.condition) l;

-- The policy is true for every row.
select c.condition, l.* from unnest(array[
    '1 = 1', 'not false', 'true or owner = (select restful.user_id())', '''a'' = ''a''', '(select true)', 'id is not null', 'published is not null', 'published or not published',
    '1 in (1, 2)', 'coalesce(null, true)', 'id = id', 'case when published then true else 2 > 1 end'
]) c (condition), lints_of(c.condition, 'delete') l;
select c.condition, l.* from unnest(array['1 = 2', 'owner = owner', 'owner = ''a'' or owner <> ''a''', 'owner is not null']) c (condition), lints_of(c.condition, 'delete') l;
-- roles of requests are recognized by their names, also with a prefix; other roles may have such a policy
create policy clerks on shop.notes to clerk using (1 = 1);
select object from restful.lint('{shop}') where lint = 'policy_always_true';
drop policy clerks on shop.notes;

-- A function in the condition of a sub-select is called for each row that the sub-select reads; one in its select list is not.
select c.condition, l.* from unnest(array[
    'exists (select from shop.members m where m.note = id and m.who = restful.user_id())',
    'id in (select m.note from shop.members m join shop.members n on n.who = restful.claim(''boss'') and n.note = m.note)',
    'exists (select from shop.members m where m.note = id and m.who = restful.claim(m.who))',
    'owner in (select restful.user_id())',
    'id in (select m.note from shop.members m where m.who = (select restful.user_id()))'
]) c (condition), lints_of(c.condition) l;

-- Names of settings are case-insensitive.
select c.condition, l.* from unnest(array[
    'owner = (select current_setting(''Request.JWT.claims'', true)::json ->> ''sub'')',
    'owner = (select current_setting(''REQUEST.jwt.Claim.sub'', true))',
    'owner = (select current_setting(''Request.Method'', true))',
    'owner = (select current_setting(''app.Request.x'', true))'
]) c (condition), lints_of(c.condition) l;

-- Policies that lead back to their own table.
select c.condition, l.* from unnest(array[
    'exists (select from shop.notes n where n.owner = notes.owner and n.published)', 'id in (select m.note from shop.members m)'
]) c (condition), lints_of(c.condition) l;
alter table shop.members enable row level security;
create policy of_notes on shop.members to web_anon using (note in (select n.id from shop.notes n));
create policy of_members on shop.notes to web_anon using (id in (select m.note from shop.members m));
select lint, object, detail from restful.lint('{shop}') where lint = 'policy_recursive' order by object;
set role web_anon;
table shop.notes;
reset role;
drop policy of_notes on shop.members;
-- For INSERT it depends on the policies for SELECT: if they contain a sub-select, PostgreSQL reports infinite recursion.
drop policy of_members on shop.notes;
create policy few on shop.notes for insert to web_anon with check ((select count(*) from shop.notes) < 3);
create policy readable on shop.notes for select to web_anon using (published);
select object from restful.lint('{shop}') where lint = 'policy_recursive';
set role web_anon;
insert into shop.notes values (1, 'ann', true);
reset role;
alter policy readable on shop.notes using (owner = (select restful.user_id()) or published);
select object from restful.lint('{shop}') where lint = 'policy_recursive';
set role web_anon;
insert into shop.notes values (2, 'ann', true);
reset role;
drop policy few on shop.notes;
-- Roles that lack a right that the policy needs get an error.
create function shop.closed() returns boolean language sql stable parallel safe return true;
revoke execute on function shop.closed from public;
alter policy readable on shop.notes using ((select shop.closed()));
revoke select on shop.members from web_anon;
create policy members on shop.notes for delete to web_anon using (id in (select m.note from shop.members m));
select object, detail, fix_sql from restful.lint('{shop}') where lint = 'policy_denied' order by object;
set role web_anon;
table shop.notes;
reset role;
drop policy readable on shop.notes;
drop policy members on shop.notes;

-- A partial index counts only if it contains every row that the column can find.
create table shop.lines (id int primary key, note int references shop.notes, owner text, "Who" text, kind point);
alter table shop.lines enable row level security;
create policy own on shop.lines for select to web_anon using (owner = (select restful.user_id()) or kind ~= point '(1,1)' and "Who" = (select restful.email()));
create function unindexed() returns setof text language sql as
    $$ select l.lint || ' ' || l.object from restful.lint('{shop}') l where l.lint ~ '^unindexed_' order by 1 $$;
select unindexed();
create index on shop.lines (note) where owner is not null;
create index on shop.lines (owner) where note > 0;
select unindexed();
create index on shop.lines (note) where note is not null;
create index on shop.lines (owner) where owner is not null;
create index on shop.lines ("Who") where "Who" is not null;
select unindexed();

-- A primary key that PostgreSQL accepts, or no fix.
create table shop.descending (code text not null, id int, row_id int);
create unique index on shop.descending (code desc);
create table shop.pattern (code text not null, id int, row_id int);
create unique index on shop.pattern (code text_pattern_ops);
create type shop.row as (code text);
create table shop.typed of shop.row;
create table shop.parent (code text);
create table shop.child (more text) inherits (shop.parent);
create table shop.part (code text) partition by list (code);
create table shop.in_rows (code text);
create table shop.of_rows (id int primary key, rows shop.in_rows[]);
select l.object, l.fix_sql from restful.lint('{shop}') l where l.lint = 'no_primary_key' order by 1;
do $$
declare
    fix text;
begin
    for fix in select l.fix_sql from restful.lint('{shop}') l where l.lint = 'no_primary_key' and l.fix_sql is not null loop execute fix; end loop;
end $$;
select l.object from restful.lint('{shop}') l where l.lint = 'no_primary_key' order by 1;
-- Of two equal indexes, the one that a foreign key needs stays.
create table shop.codes (id int primary key, code int);
create unique index codes_first on shop.codes (code);
create unique index codes_second on shop.codes (code);
create table shop.uses (id int primary key, code int references shop.codes (code));
select l.object, l.fix_sql from restful.lint('{shop}') l where l.lint = 'duplicate_index' and l.object ~ 'codes';
drop schema shop cascade;
drop owned by web_anon;
drop role web_anon, clerk;
