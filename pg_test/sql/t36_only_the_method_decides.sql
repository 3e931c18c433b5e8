-- A method is one of seven names in capital letters, and no other field or parameter changes it.
\pset tuples_only on
\pset format unaligned
\c - librarian
select show(restful.serve(null, '/books'));
select show(restful.serve('', '/books'));
select left(show(restful.serve(repeat('X', 1000000), '/books')), 200);
select left(show(restful.serve(name, '/subjects?id=eq.4')), 60)
from unnest(array['get', 'Get', 'delete', 'TRACE', 'CONNECT', 'PROPFIND', 'QUERY', ' GET', 'GET ', e'GET\n', e'DELETE\r\n', e'\tDELETE', 'GЕT',
    e'GET /x HTTP/1.1\r\n\r\nDELETE']) name;
-- a read stays a read, and a write stays a write
select show(restful.serve('GET', '/subjects?id=eq.4', '{"x-http-method-override": "DELETE", "x-http-method": "DELETE", "x-method-override": "DELETE"}'));
select show(restful.serve('GET', '/subjects?id=eq.4&_method=DELETE'));
select show(restful.serve('POST', '/subjects', '{"x-http-method-override": "DELETE"}', '{"id": 5, "name": "Five"}'));
select show(restful.serve('POST', '/subjects', '{"content-type": "application/x-www-form-urlencoded"}', 'id=6&name=Six&_method=DELETE'));
-- the Allow field lists the methods
select headers->>'allow' from restful.serve('TRACE', '/subjects');
select id from library.subjects order by id;
