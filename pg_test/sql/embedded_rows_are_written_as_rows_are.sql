-- Embedded rows are written by functions of the extension, as row_to_json writes them; without the right to these, by PostgreSQL's.
\pset format unaligned
\pset tuples_only on
select format('create table library.wide (id int primary key, author int references library.authors, %s)', string_agg(format('c%s int', i), ', '))
from generate_series(1, 130) i \gexec
insert into library.wide (id, author, c1, c130) values (1, 1, 7, null), (2, 1, null, 9);
grant select on library.wide to anon;
-- more columns than a function has arguments
select string_agg('c' || i, ',' order by i) as columns from generate_series(1, 98) i \gset
\set many :columns,id
\c - authenticator
select n, length(body), left(body, 60), right(body, 60) from (
    select n, convert_from(body, 'utf8') as body from (values
        (1, '*'), (2, 'id,author,c1,c130'), (3, :'columns'), (4, :'many')) q(n, columns),
        restful.serve('GET', format('/authors?id=in.(1,2)&order=id&select=id,wide(%s)&wide.order=id', columns), '{}', null)) a
order by n;
-- the functions themselves
select restful.embedded_object('["a","b\"c"]', 1.50, null::text);
select restful.embedded_object('["a"]', n) from (values (null), ('x')) v(n);
select restful.embedded_object(format('["n%s"]', i), i) from generate_series(1, 3) i;
select restful.embedded_object(r) from (values (1, null), (2, 'x')) r(a, b);
select restful.embedded_object(null::record) is null, restful.embedded_values(1) is null, restful.embedded_objects('["a"]', 1) is null where false;
select restful.embedded_values(i) is null, restful.embedded_objects('["i"]', i) is null from generate_series(1, 0) i;
select i % 3, restful.embedded_objects('["i","t"]', i, 't' || i order by i), restful.embedded_values(nullif(i, 4) order by i) from generate_series(1, 7) i group by 1 order by 1;
select sum(json_array_length(list)), max(length(list::text)) from (
    select restful.embedded_objects('["i","t"]', i, repeat('x', 50)) as list from generate_series(1, 100000) i group by i / 10) l;
\set VERBOSITY terse
select restful.embedded_object('["a"]', 1, 2);
select restful.embedded_object('a', 1);
select restful.embedded_object(null, 1);
select restful.embedded_object('["a"]', variadic array[1]);
select restful.embedded_objects('["i"]', i) over () from generate_series(1, 3) i;
-- a value is not made beyond the limit of a body
select as_superuser('set restful.max_response_bytes = ''1kB''');
select show(restful.serve('GET', '/authors?id=eq.1&select=wide(*)', '{}', null));
-- nor many that are part of one body
select count(j::text) from (select restful.embedded_objects('["i"]', i) as j from generate_series(1, 1000) i group by i % 100) l;
select count(j::text) from (select restful.embedded_objects('{"all":["i"]}', i) as j from generate_series(1, 1000) i group by i % 100) l;
select count(j::text) from (select restful.embedded_objects('{"all":["i"]}', i) as j from generate_series(1, 100) i group by i % 10) l;
select as_superuser('reset restful.max_response_bytes');
-- a role without the right to these functions
\c - postgres
revoke execute on function restful.embedded_object(text, variadic "any"), restful.embedded_objects(text, variadic "any") from public;
\c - authenticator
select show(restful.serve('GET', '/authors?id=in.(1,2)&order=id&select=id,wide(id,c1)&wide.order=id', '{}', null));
\c - postgres
grant execute on function restful.embedded_object(text, variadic "any"), restful.embedded_objects(text, variadic "any") to public;
revoke usage on schema restful from public;
grant usage on schema restful to authenticator;
\c - authenticator
select show(restful.serve('GET', '/authors?id=in.(1,2)&order=id&select=id,wide(id,c1)&wide.order=id', '{}', null));
