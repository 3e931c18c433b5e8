-- The demo's database: who may connect, what is exposed, and who sees which rows.

-- The gateway logs in as authenticator, which has no rights of its own: a request without identity runs as anon.
create role anon nologin;
create role authenticated nologin;
create role authenticator login noinherit;
grant anon, authenticated to authenticator;
alter role authenticator set restful.anon_role = 'anon';

-- Two persons who use SQL, and the one who brings in the reference data.
create role alice login in role authenticated;
create role bob login in role authenticated;
create role loader login;

create extension pg_restful;

create schema api;
grant usage on schema api to anon, authenticated, loader;
alter database demo set restful.schemas = 'api';

-- Reference data: everybody reads, loader writes.
create table api.countries (
    alpha_2 text primary key check (alpha_2 ~ '^[A-Z]{2}$'),
    alpha_3 text not null unique,
    numeric text not null unique,
    name text not null,
    official_name text,
    flag text
);
comment on table api.countries is 'ISO 3166-1';

create table api.subdivisions (
    code text primary key,
    country text not null references api.countries,
    name text not null,
    type text not null,
    parent text references api.subdivisions
);
create index on api.subdivisions (country);
create index on api.subdivisions (parent);
comment on table api.subdivisions is 'ISO 3166-2';

create table api.currencies (
    alpha_3 text primary key,
    numeric text not null,
    name text not null
);
comment on table api.currencies is 'ISO 4217';

create table api.languages (
    alpha_3 text primary key,
    alpha_2 text unique,
    name text not null,
    scope text not null,
    type text not null
);
comment on table api.languages is 'ISO 639-3';

grant select on api.countries, api.subdivisions, api.currencies, api.languages to anon, authenticated, loader;
grant insert on api.countries, api.subdivisions, api.currencies, api.languages to loader;

-- An inventory. Anonymous visitors see public products; a person sees these and the own ones, and changes the own ones.
create table api.products (
    sku text primary key,
    name text not null,
    price numeric(10, 2) not null check (price >= 0),
    public boolean not null default false,
    made_in text references api.countries,
    owner name not null default current_user
);

create table api.stock_movements (
    id bigint generated always as identity primary key,
    product text not null references api.products on delete cascade,
    quantity integer not null check (quantity <> 0),
    reason text not null,
    at timestamptz not null default now(),
    owner name not null default current_user
);
create index on api.stock_movements (product);

alter table api.products enable row level security;
alter table api.stock_movements enable row level security;

grant select on api.products to anon, authenticated;
grant insert, update, delete on api.products to authenticated;
grant select, insert on api.stock_movements to authenticated;

create policy public_products on api.products for select to anon, authenticated using (public);
create policy own_products on api.products to authenticated using (owner = current_user) with check (owner = current_user);
create policy own_movements on api.stock_movements to authenticated
    using (owner = current_user)
    with check (owner = current_user and exists (select from api.products p where p.sku = product and p.owner = current_user));

-- What visitors may write: one review per product and name, which they may replace.
create table api.reviews (
    product text not null references api.products,
    reviewer text not null,
    stars integer not null check (stars between 1 and 5),
    comment text,
    primary key (product, reviewer)
);
grant select, insert, update on api.reviews to anon, authenticated;

-- restful.lint() asks about every table that visitors reach without row-level security. These are meant to be everybody's.
insert into restful.lint_exception values
    ('rls_disabled_exposed', 'api.countries', 'reference data'),
    ('rls_disabled_exposed', 'api.subdivisions', 'reference data'),
    ('rls_disabled_exposed', 'api.currencies', 'reference data'),
    ('rls_disabled_exposed', 'api.languages', 'reference data'),
    ('rls_disabled_exposed', 'api.reviews', 'visitors write reviews and replace them, nobody is signed in');
