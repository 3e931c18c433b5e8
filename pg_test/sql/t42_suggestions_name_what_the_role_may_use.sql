-- For a name that does not exist, a similar name is suggested, but never one that the role may not use.
\pset tuples_only on
\pset format unaligned
create table library.secrets (id int);
create table library.stocks (id int, secret int);
create function library.restock(book int, number int) returns int language sql as 'select 1';
create function library.restock(book int) returns int language sql as 'select 1';
create function library.audit(note text) returns int language sql as 'select 1';
revoke execute on function library.audit(text) from public;
grant execute on function library.audit(text) to librarian;
grant select on library.secrets to librarian;
grant select (id) on library.stocks to public;
\c - authenticator
select show(restful.serve('GET', '/book'));
select show(restful.serve('GET', '/Books?id=eq.1'));
select show(restful.serve('GET', '/book/1'));
select show(restful.serve('OPTIONS', '/book'));
select show(restful.serve('DELETE', '/autors?id=eq.1'));
select show(restful.serve('GET', '/stock'));
select show(restful.serve('GET', '/films'));
select show(restful.serve('GET', '/secret'));
select show(restful.serve('GET', '/secret/1'));
select show(restful.serve('OPTIONS', '/secret'));
select show(restful.serve('POST', '/rpc/restok', '{}', '{"book": 1}'));
select show(restful.serve('POST', '/rpc/restock', '{}', '{"bok": 1}'));
select show(restful.serve('POST', '/rpc/restock', '{}', '{"book": 1, "number": 2, "shelf": 3}'));
select show(restful.serve('POST', '/rpc/restock', '{}', '{"unlike": 1}'));
select show(restful.serve('POST', '/rpc/audits', '{}', '{"note": "x"}'));
select show(restful.serve('POST', '/rpc/audit', '{}', '{"not": "x"}'));
\c - librarian
select show(restful.serve('GET', '/secret'));
select show(restful.serve('GET', '/secret/1'));
select show(restful.serve('OPTIONS', '/secret'));
select show(restful.serve('POST', '/rpc/audits', '{}', '{"note": "x"}'));
select show(restful.serve('POST', '/rpc/audit', '{}', '{"not": "x"}'));
-- Nothing is suggested from a schema that the role may not use.
select as_superuser('revoke usage on schema library from public');
select show(restful.serve('GET', '/secret'));
select show(restful.serve('POST', '/rpc/restok', '{}', '{"book": 1}'));
