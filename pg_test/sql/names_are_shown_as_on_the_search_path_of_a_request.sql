-- Names of objects and types are read and shown by the search path of the request, also when a request is repeated and takes the fast path.
select as_superuser($$
create type library.mood as enum ('good', 'bad');
create table library.named (id int primary key, relation regclass, mood library.mood);
insert into library.named values (1, 'library.books', 'good');
grant select, insert, update on library.named to librarian;
create text search configuration library.own (copy = english)
$$);
\c - librarian
select show(restful.serve('GET', '/named?select=relation')) from generate_series(1, 4);
select show(restful.serve('GET', '/named?select=id&mood=eq.odd')) from generate_series(1, 4);
select show(restful.serve('PATCH', '/named?id=eq.1', '{}', '{"mood": "odd"}')) from generate_series(1, 4);
select show(restful.serve('PATCH', '/named?id=eq.1&select=relation', '{"prefer": "return=representation"}', '{"relation": "authors"}'))
from generate_series(1, 4);
select show(restful.serve('GET', '/books?select=id&title=fts(own).nothing')) from generate_series(1, 4);
