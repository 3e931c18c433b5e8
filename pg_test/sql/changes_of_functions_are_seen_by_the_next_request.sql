-- In one session, with plans cached: a function that is created, replaced, overloaded or dropped is called as it is now.
\pset tuples_only on
\pset format unaligned
\c - librarian
select show(restful.serve('GET', '/rpc/f?a=1'));
select warm('/rpc/f?a=1');
select as_superuser('create function library.f(a int) returns int language sql stable as ''select a + 1''');
select show(restful.serve('GET', '/rpc/f?a=1'));
select warm('/rpc/f?a=1');
-- a new body
select as_superuser('create or replace function library.f(a int) returns int language sql stable as ''select a + 2''');
select show(restful.serve('GET', '/rpc/f?a=1'));
select warm('/rpc/f?a=1');
-- volatile, and it writes
select as_superuser('create or replace function library.f(a int) returns int language sql volatile as ''insert into library.subjects values (a, ''''x'''') returning id''');
select show(restful.serve('GET', '/rpc/f?a=60'));
select show(restful.serve('POST', '/rpc/f', '{}', '{"a": 60}'));
select show_all(restful.serve('OPTIONS', '/rpc/f'));
-- an overload
select as_superuser('create function library.f(a int, b int) returns int language sql immutable as ''select a * b''');
select show(restful.serve('GET', '/rpc/f?a=2&b=3'));
select warm('/rpc/f?a=2&b=3');
-- one that makes the call ambiguous
select as_superuser('create function library.f(a text) returns text language sql immutable as ''select a''');
select show(restful.serve('GET', '/rpc/f?a=60'));
select warm('/rpc/f?a=60');
-- dropped, one by one
select as_superuser('drop function library.f(int)');
select show(restful.serve('GET', '/rpc/f?a=60'));
select warm('/rpc/f?a=60');
select as_superuser('drop function library.f(text)');
select show(restful.serve('GET', '/rpc/f?a=60'));
select warm('/rpc/f?a=60');
-- another result type
select as_superuser('create function library.f(a text) returns table (x text, n int) language sql immutable as ''select a, length(a)''');
select show(restful.serve('GET', '/rpc/f?a=60'));
select show(restful.serve('GET', '/rpc/f?a=60&select=n'));
select warm('/rpc/f?a=60&select=n');
-- the right to call it is revoked
select as_superuser('revoke execute on function library.f(text) from public');
select show(restful.serve('GET', '/rpc/f?a=60'));
