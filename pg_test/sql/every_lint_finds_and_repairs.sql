-- Every lint has a fixture that it finds, whose fix_sql removes the finding without causing a new one, and a fixture that it passes.
\set SHOW_CONTEXT never
set client_min_messages = warning;
-- lint() would report this helper of the shared set-up
alter function public.as_superuser set search_path = pg_catalog, pg_temp;

create schema shop;
create schema backstage;
grant usage on schema shop to anon;
create role seller;
create role lint_helper;
create foreign data wrapper nothing;
create server files foreign data wrapper nothing;

create table fixtures (lint text primary key, object text, failing text, passing text);
-- `orders` is closed: strangers have no rights on it yet.
insert into fixtures values
    ('rls_disabled_exposed', 'shop.orders',
        'grant select (id) on shop.orders to anon',
        'grant select on shop.orders to anon; alter table shop.orders enable row level security'),
    ('policy_without_rls', 'shop.orders',
        'create policy mine on shop.orders to anon using (false)',
        'create policy mine on shop.orders to anon using (false); alter table shop.orders enable row level security'),
    ('definer_view_exposed', 'shop.recent',
        -- through another view
        $$alter table shop.orders enable row level security;
          create view backstage.middle as select * from shop.orders; create view shop.recent as select id from backstage.middle;
          grant select on shop.recent to anon$$,
        $$alter table shop.orders enable row level security;
          create view shop.recent with (security_invoker = on) as select id from shop.orders; grant select on shop.recent to anon;
          create view shop.numbers as select * from generate_series(1, 9) n; grant select on shop.numbers to anon$$),
    ('sensitive_columns_exposed', 'shop.accounts',
        $$create table shop.accounts (id int primary key, name text, password text, "apiKey" text); grant select on shop.accounts to anon$$,
        $$create table shop.accounts (id int primary key, name text, password text, secretary text);
          grant select (id, name, secretary) on shop.accounts to anon$$),
    ('policy_uses_user_editable_claim', 'admins ON shop.orders',
        $$create policy admins on shop.orders to anon using ((select restful.jwt()) -> 'user_metadata' ->> 'role' = 'admin')$$,
        $$create policy admins on shop.orders to anon using ((select restful.jwt()) -> 'app_metadata' ->> 'role' = 'admin')$$),
    ('policy_reads_request_guc', 'mine ON shop.orders',
        $$create policy mine on shop.orders to anon using (customer = current_setting('request.jwt.claims', true)::json ->> 'sub')
          with check (customer = current_setting('request.jwt.claim.sub'))$$,
        $$create policy mine on shop.orders to anon using (customer = (select restful.claim('sub')) and customer <> 'current_setting(''request.')$$),
    ('policy_recursive', 'team ON shop.orders',
        $$alter table shop.orders enable row level security;
          create policy team on shop.orders for select to anon using (tenant in (select o.tenant from shop.orders o where o.customer = current_user))$$,
        -- a policy that does not lead back, and one that calls a function
        $$alter table shop.orders enable row level security; alter table shop.keys enable row level security;
          create function backstage.tenants() returns setof uuid language sql stable security definer set search_path = pg_catalog, pg_temp
              as 'select tenant from shop.orders';
          create policy team on shop.orders for select to anon using (id in (select k.kind from shop.keys k) or tenant in (select backstage.tenants()));
          create policy known on shop.keys for select to anon using (kind > 0)$$),
    ('policy_denied', 'mine ON shop.orders',
        $$create function backstage.me() returns text language sql stable as 'select current_user::text'; revoke execute on function backstage.me from public;
          alter table shop.orders enable row level security;
          grant select on shop.orders to anon; create policy mine on shop.orders to anon using (customer = (select backstage.me()))$$,
        $$alter table shop.orders enable row level security; create function backstage.me() returns text language sql stable as 'select current_user::text'; revoke execute on function backstage.me from public;
          grant execute on function backstage.me to anon; grant select on shop.orders to anon;
          create policy mine on shop.orders to anon using (customer = (select backstage.me()));
          create function backstage.her() returns text language sql stable as 'select 1::text'; revoke execute on function backstage.her from public;
          create policy hers on shop.orders to seller using (customer = (select backstage.her()))$$),
    ('authenticator_inherits_or_super', 'authenticator',
        'create role restful_admin; grant restful_admin to authenticator; alter role authenticator inherit createrole',
        'select'),
    ('secret_in_role_setting', 'app.jwt_secret of seller in database test_golden',
        $$alter role seller in database test_golden set app.jwt_secret = 'x'$$,
        $$alter role seller set app.keyboard = 'x'; alter role seller set app.public_key = 'x'$$),
    ('truncate_granted', 'shop.orders',
        'grant truncate on shop.orders to anon, public',
        'grant truncate on shop.orders to seller'),
    ('extension_objects_granted', 'restful.json_schema',
        'grant insert on restful.json_schema to anon',
        'grant select on restful.json_schema to anon; grant insert on restful.json_schema to seller'),
    ('partition_child_exposed', 'shop.parts_1',
        $$create table shop.parts (id int primary key) partition by range (id); alter table shop.parts enable row level security;
          create table shop.parts_1 partition of shop.parts for values from (0) to (10); grant select on shop.parts, shop.parts_1 to anon$$,
        $$create table shop.parts (id int primary key) partition by range (id); alter table shop.parts enable row level security;
          create table shop.parts_1 partition of shop.parts for values from (0) to (10); grant select on shop.parts to anon$$),
    ('definer_function_executable', 'shop.buy(item integer)',
        'create function shop.buy(item int) returns int language sql security definer set search_path = pg_catalog, pg_temp as ''select 1''',
        $$create function shop.buy(item int) returns int language sql security definer set search_path = pg_catalog, pg_temp as 'select 1';
          revoke execute on function shop.buy from public; grant execute on function shop.buy to seller;
          create function shop.stamp() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp
              as 'begin return new; end'$$),
    ('definer_search_path_mutable', 'backstage.buy(item integer)',
        'create function backstage.buy(item int) returns int language sql security definer set search_path = shop, "Back, Stage" as ''select 1''',
        $$create function backstage.buy(item int) returns int language sql security definer set search_path = '' as 'select 1';
          create function backstage.sell() returns int language sql security definer set search_path = shop, pg_temp as 'select 1'$$),
    ('policy_not_initplan', 'mine ON shop.orders',
        $$create function shop.words() returns text[] language sql stable as 'select null::text[]';
          create policy mine on shop.orders to anon using (owner = restful.uid() or note = ') restful.uid(' or note = any (shop.words())) with check (customer = current_setting('a.b', true))$$,
        $$create policy mine on shop.orders to anon using (owner = (select restful.uid()) and note = 'restful.uid()' and "restful.uid()" > 0)$$),
    ('policy_always_true', 'anything ON shop.orders',
        'create policy anything on shop.orders to anon using (true)',
        $$create policy anything on shop.orders for select to anon using (true); create policy write on shop.orders to seller using (true);
          create policy insert on shop.orders for insert to anon with check (true); create policy own on shop.orders as restrictive using (id > 0)$$),
    ('policy_null_subject', 'mine ON shop.orders',
        'create policy mine on shop.orders to anon using (owner is not distinct from (select restful.uid()) or (id < 9 and (id = 1 or restful.uid() is null)))',
        'create policy mine on shop.orders to anon using (owner = (select restful.uid()) or (id < 9 and (select restful.uid()) is not null) or note is null)'),
    ('policy_for_public', 'mine ON shop.orders',
        'grant select on shop.orders to public; grant select (id) on shop.orders to seller; create policy mine on shop.orders using (id > 0)',
        'create policy mine on shop.orders to anon, seller using (id > 0)'),
    ('policy_per_row_rbac', 'editors ON shop.orders',
        $$create policy editors on shop.orders to anon using (restful.has_permission('orders.read', tenant::text))
          with check (restful.has_permission('orders.write', customer))$$,
        $$create policy editors on shop.orders to anon using (tenant = any (array(select restful.tenant_uuids_with('orders.read')))
          and (select restful.has_permission('orders.read', 'x')))$$),
    ('unindexed_policy_column', 'shop.orders.owner',
        'create policy mine on shop.orders to anon using (owner = (select restful.uid()))',
        'create policy mine on shop.orders to anon using (owner = (select restful.uid()) and paid = true); create index on shop.orders (owner, id)'),
    ('multiple_permissive', 'shop.orders',
        $$create policy everyone on shop.orders for select to anon, seller using (paid);
          create policy mine on shop.orders to seller using (customer = current_user) with check (customer = current_user and id > 0)$$,
        $$create policy everyone on shop.orders for select to anon using (paid); create policy mine on shop.orders to seller using (id > 0);
          create policy few on shop.orders as restrictive to anon using (id < 9)$$),
    ('rls_not_forced_owner_exposed', 'shop.orders',
        'alter table shop.orders owner to lint_helper; grant lint_helper to anon; alter table shop.orders enable row level security',
        'alter table shop.orders owner to lint_helper; alter table shop.orders enable row level security'),
    ('matview_exposed', 'shop.totals',
        'create materialized view shop.totals as select 1 as total; grant select (total) on shop.totals to anon',
        'create materialized view shop.totals as select 1 as total'),
    ('foreign_table_exposed', 'shop.lines',
        $$create foreign table shop.lines (line text) server files; grant all on shop.lines to anon$$,
        $$create foreign table shop.lines (line text) server files$$),
    ('volatile_get_function', 'shop.newest()',
        'create function shop.newest() returns setof shop.orders language sql as ''select * from shop.orders where updated_at < now() -- insert''',
        $$create function shop.newest() returns setof shop.orders language sql stable as 'select * from shop.orders';
          create function shop.make() returns int language plpgsql as 'begin insert into shop.orders (id) values (1); return 1; end';
          create function shop.call_make() returns int language sql as 'select shop.make()'$$),
    ('function_public_execute', 'shop.newest(integer)',
        'create function shop.newest(int) returns int language sql stable as ''select 1''',
        'create function shop.newest(int) returns int language sql stable as ''select 1''; revoke execute on function shop.newest from public'),
    ('temp_privilege_public', 'database test_golden', 'select', 'revoke temporary on database test_golden from public'),
    ('public_schema_create', 'schema public', 'grant create on schema public to public, anon', 'revoke create on schema public from public'),
    ('no_statement_timeout', 'anon', $$alter role anon set statement_timeout = '0'$$,
        $$alter role anon set statement_timeout = '2s'; alter role lint_helper reset all$$),
    ('queue_exposed', 'shop.q_mail',
        $$create table shop.q_mail (msg_id bigint primary key, read_ct int, enqueued_at timestamptz, vt timestamptz, message jsonb);
          grant insert on shop.q_mail to anon$$,
        'create table shop.q_mail (msg_id bigint primary key, read_ct int, enqueued_at timestamptz, vt timestamptz, message jsonb)'),
    ('outdated_minor', 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1),
        $$create or replace function restful.lint_safe_minor(major int) returns text language sql as $f$ select major || '.999' $f$ $$,
        $$create or replace function restful.lint_safe_minor(major int) returns text language sql as $f$ select major || '.0' $f$ $$),
    ('outdated_extension', 'extension plpgsql',
        $$update pg_extension set extversion = '0.9' where extname = 'plpgsql'$$,
        'select'),
    ('references_granted', 'shop.orders',
        'grant references (id) on shop.orders to anon',
        'grant references on shop.orders to seller'),
    ('unindexed_fk', 'shop.lines (kind, "order")',
        'create table shop.lines (id int primary key, "order" int, kind int, unique (kind), foreign key (kind, "order") references shop.keys)',
        'create table shop.lines ("order" int, kind int, n int, foreign key (kind, "order") references shop.keys, primary key ("order", kind, n))'),
    ('no_primary_key', 'shop.codes',
        'create table shop.codes (code text not null, id int); create unique index codes_code on shop.codes (code)',
        'create table shop.codes (code text primary key)'),
    ('duplicate_index', 'shop.orders_a',
        'create index orders_a on shop.orders (customer); create index orders_b on shop.orders (customer); create unique index orders_c on shop.orders (customer)',
        'create index orders_a on shop.orders (customer); create index orders_b on shop.orders (customer desc); create index orders_d on shop.orders (customer) where paid'),
    ('unused_index', 'shop.read_often_unused', 'select', 'drop index shop.read_often_unused'),
    ('rls_no_policy', 'shop.orders',
        'alter table shop.orders enable row level security; grant select on shop.orders to anon',
        'alter table shop.orders enable row level security; grant select on shop.orders to anon; create policy p on shop.orders to anon using (id = 1)'),
    ('parallel_unsafe_policy_function', 'backstage.allowed(integer)',
        $$create function backstage.allowed(int) returns boolean language plpgsql as 'begin return $1 > 0; end';
          create policy p on shop.orders to anon using (backstage.allowed(id))$$,
        $$create function backstage.allowed(int) returns boolean language sql stable parallel safe as 'select $1 > 0';
          create policy p on shop.orders to anon using (backstage.allowed(id))$$),
    ('invalid_index', 'shop.orders_a',
        $$create index orders_a on shop.orders (customer); update pg_index set indisvalid = false where indexrelid = 'shop.orders_a'::regclass$$,
        'create index orders_a on shop.orders (customer)');

create table shop.keys (kind int, number int, primary key (kind, number));
create table shop.orders (id int primary key, customer text, owner uuid, tenant uuid, paid boolean, note text, updated_at timestamptz,
    "restful.uid()" int);
-- Statistics are visible after the transaction.
create table shop.read_often (id int primary key, word text);
create index read_often_unused on shop.read_often (word);
do $$ begin for i in 1..1000 loop perform from shop.read_often; end loop; end $$;
select pg_stat_force_next_flush();

create function check_lint(f fixtures) returns table (lint text, level text, silent boolean, repair text) language plpgsql as $$
#variable_conflict use_column
declare
    finding record;
    before text[];
    after text[];
begin
    lint := f.lint;
    begin
        execute f.passing;
        silent := not exists (select from restful.lint('{shop}') l where l.lint = f.lint);
        raise exception using errcode = 'ZZ000';
    exception when sqlstate 'ZZ000' then null;
    end;
    begin
        execute f.failing;
        select l.* into finding from restful.lint('{shop}') l where l.lint = f.lint and l.object = f.object;
        level := case when finding is null then 'nothing' when finding.level = (select c.level from restful.lints() c where c.lint = f.lint)
            then finding.level end;
        before := array(select concat(l.lint, ' ', l.object) from restful.lint('{shop}', 'ERROR') l);
        if finding.fix_sql is not null then
            begin
                execute finding.fix_sql;
            exception when others then
                repair := format('FAILS, %s: ', sqlerrm);
            end;
            after := array(select concat(l.lint, ' ', l.object) from restful.lint('{shop}', 'ERROR') l where concat(l.lint, ' ', l.object) <> all (before));
            repair := case when repair <> '' then repair
                when exists (select from restful.lint('{shop}') l where l.lint = f.lint and l.object = f.object) then 'DOES NOT CLEAR: '
                when after <> '{}' then 'NEW ERROR ' || after::text || ': '
                else '' end || finding.fix_sql;
        end if;
        raise exception using errcode = 'ZZ000';
    exception when sqlstate 'ZZ000' then null;
    end;
    return next;
end $$;

\pset format unaligned
\pset tuples_only on
\pset fieldsep ' | '
\pset null none
select c.* from restful.lints() l left join fixtures f using (lint), check_lint(f) c order by l.level, l.lint;
select 'without a fixture', l.lint from restful.lints() l where l.lint not in (select lint from fixtures);

drop owned by seller, lint_helper;
drop role seller, lint_helper;
