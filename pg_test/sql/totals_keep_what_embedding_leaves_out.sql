-- Prefer: count=exact counts the rows that remain after inner joins and filters on embedded relations: as many as are returned.
\pset tuples_only on
\pset format unaligned
create function public.total(target text) returns text language sql as $$
    select format('%s of %s', json_array_length(convert_from(answer.body, 'utf8')::json), answer.headers->>'content-range')
    from restful.serve('GET', target, '{"prefer": "count=exact"}') answer
$$;
\c - authenticator
select total('/authors?select=id,books!author!inner(title)');
select total('/authors?select=id,...books!author!inner(title)&books.year=gt.1900');
select total('/authors?select=id,books!author()&books=is.null');
select total('/authors?select=id,books!author()&books.year=lt.1900&books=not.is.null');
select total('/authors?select=id,books!author(),countries()&countries.code=eq.pl&or=(books.is.null,countries.not.is.null)');
select total('/authors?select=id,books!author!inner(details!inner())');
select total('/authors?select=id,books!author!inner(details())&books.details=is.null');
select total('/books?select=id,subjects!inner()&subjects.name=eq.Love&year=lt.1900');
select total('/books?select=id,subjects()&subjects=is.null');
select total('/subjects?select=id,...books!inner(...details!inner(pages))');
-- limit and offset of embedded rows apply to each parent row
select total('/authors?select=id,books!author!inner()&books.offset=1&books.order=id');
select total('/authors?select=id,books!author!inner()&books.limit=0');
\c - alice
select total('/books?select=id,loans!inner()');
\c - bob
select total('/books?select=id,loans!inner()');
-- aggregates without grouping columns return a row even if there are no rows
\c - authenticator
select as_superuser('create role pollster login noinherit; grant anon to pollster; alter role pollster set restful.anon_role = ''anon''; alter role pollster set restful.schemas = ''library''; alter role pollster set restful.aggregates_enabled = on');
\c - pollster
select total('/authors?select=id,books!author!inner(count())');
select total('/authors?select=id,books!author!inner(year,count())');
\c - postgres
drop role pollster;
