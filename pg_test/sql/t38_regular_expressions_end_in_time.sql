-- A regular expression that would run forever is stopped by the role's time limit, and one that is too large is refused.
\pset tuples_only on
\pset format unaligned
create table library.texts (id int primary key, t text);
insert into library.texts select n, repeat('a', 4001) || 'b' from generate_series(1, 200) n;
grant select on library.texts to public;
create role hurried;
alter role hurried set statement_timeout = '300ms';
create role layer login noinherit;
grant hurried to layer;
alter role layer set restful.anon_role = 'hurried';
alter role layer set restful.schemas = 'library';
\c - layer
-- back references make it try every combination, because the number of letters is odd
select show(restful.serve('GET', '/texts?select=id&t=match.^(a%2B)(a%2B)(a%2B)(a%2B)%5C1%5C2%5C3%5C4b$'));
select show(restful.serve('GET', '/texts?select=id&t=not.imatch.^(a%2B)(a%2B)(a%2B)(a%2B)%5C1%5C2%5C3%5C4b$'));
select show(restful.serve('GET', '/texts?select=id&or=(t.match.%22^(a%2B)(a%2B)(a%2B)(a%2B)%5C%5C1%5C%5C2%5C%5C3%5C%5C4b$%22,id.lt.0)'));
-- without back references, PostgreSQL runs regular expressions as automata
select show(restful.serve('GET', '/texts?select=id&id=lt.5&t=match.^(a*)*c$'));
select show(restful.serve('GET', '/texts?select=id&id=lt.5&t=match.^(a%7Ca)*c$'));
select left(show(restful.serve('GET', '/texts?select=id&t=match.a{1,99999}')), 100);
select left(show(restful.serve('GET', '/texts?select=id&t=match.' || repeat('(', 20000) || repeat(')', 20000))), 100);
-- the session goes on
select show(restful.serve('GET', '/texts?select=id&id=eq.1&t=match.^a'));
