-- The session's settings for backslashes in strings do not affect requests: neither the first one, which reads the catalogue, nor
-- later ones.
\pset tuples_only on
\pset format unaligned
\c - alice
set restful.schemas = 'library';
set standard_conforming_strings = off;
select status from restful.get('/books?limit=1');
select status, body from restful.get($$/books?select="a\'b":id&limit=0$$);
reset standard_conforming_strings;
select status from restful.get('/books?limit=1');
-- they do not affect the extension's functions either, and neither does quote_all_identifiers
\c - postgres
create table library.drafts (id int primary key, owner text, "Words" text);
alter table library.drafts enable row level security;
create policy own on library.drafts using (owner is not distinct from restful.user_id() and current_setting('request.jwt.claims') <> '');
set restful.schemas = 'library';
create temp table found as select * from restful.lint();
create temp table matrix as select * from restful.access_matrix();
set standard_conforming_strings = off;
set quote_all_identifiers = on;
select count(*) from (table found except all select * from restful.lint()) _;
select count(*) from (table matrix except all select * from restful.access_matrix()) _;
select length(id) from restful.create_api_key('ann', 'anon', '{read-all}');
select * from restful.policy_public_read('library.drafts', '{anon}', 'random() < 0.5', dry_run => true);
reset standard_conforming_strings;
reset quote_all_identifiers;
