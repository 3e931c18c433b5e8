-- What a session takes a backslash in a string for is no matter of requests: neither the first one, which reads the catalogue,
-- nor those after it.
\pset tuples_only on
\pset format unaligned
\c - alice
set restful.schemas = 'library';
set standard_conforming_strings = off;
select status from restful.get('/books?limit=1');
select status, body from restful.get($$/books?select="a\'b":id&limit=0$$);
reset standard_conforming_strings;
select status from restful.get('/books?limit=1');
