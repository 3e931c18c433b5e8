-- Errors do not suggest anything that the role may not use, or anything in a schema that is not exposed.
\pset tuples_only on
\pset format unaligned
create role clerk login;
alter role clerk set restful.schemas = 'library';
create table library.secrets (id int primary key, book int references library.books, author int references library.authors);
create table library.secret_links (book int references library.books, author int references library.authors, primary key (book, author));
create function library.secret_sum(a int, b int) returns int language sql as 'select 1';
revoke execute on function library.secret_sum from public;
create schema vault;
create table vault.papers (id int primary key, book int references library.books);
create function vault.open_safe(a int) returns int language sql as 'select 1';
revoke select on library.countries, library.shelves from public;
\c - clerk
-- names that are nearly right
select show(restful.serve('GET', '/secret'));
select show(restful.serve('GET', '/secrets_'));
select show(restful.serve('GET', '/countrie'));
select show(restful.serve('GET', '/paper'));
select show(restful.serve('GET', '/papers'));
select show(restful.serve('GET', '/rpc/secret_su?a=1&b=2'));
select show(restful.serve('GET', '/rpc/secret_sum?a=1'));
select show(restful.serve('GET', '/rpc/open_safe?a=1'));
select show(restful.serve('GET', '/books?select=secret(id)'));
select show(restful.serve('GET', '/books?select=paper(id)'));
select show(restful.serve('GET', '/books?select=papers(id)'));
-- several relationships, one of which goes through a table that the role may not read
select show(restful.serve('GET', '/books?select=authors(name)'));
select show(restful.serve('GET', '/books?select=titl'));
select show(restful.serve('GET', '/books', '{"accept-profile": "vault"}'));
-- no response names what the role may not use
select coalesce(string_agg(target, ' '), 'none')
from unnest('{/secret,/secrets_,/countrie,/paper,/papers,/rpc/secret_su?a=1&b=2,/books?select=secret(id),/books?select=paper(id),/books?select=authors(name),/}'::text[]) target,
    restful.serve('GET', target) r
where replace(convert_from(r.body, 'utf8'), target, '') ~ 'secrets\M|secret_links|secret_sum|vault|open_safe|countries';
\c - postgres
drop owned by clerk;
drop role clerk;
