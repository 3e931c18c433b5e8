-- select=column.sum(): aggregates, grouped by the other columns, if restful.aggregates_enabled allows them.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
grant anon to layer;
alter role layer set restful.anon_role = 'anon';
alter role layer set restful.schemas = 'library';
\c - layer
select show(restful.serve('GET', '/books?select=count()'));
set restful.aggregates_enabled = on;
select as_superuser('alter role layer set restful.aggregates_enabled = on');
\c - layer
select show(restful.serve('GET', '/books?select=count()'));
select show(restful.serve('GET', '/books?select=price.sum(),price.avg(),price.min(),price.max(),price.count()'));
select show(restful.serve('GET', '/books?select=author,price.sum()&order=author'));
select show(restful.serve('GET', '/books?select=author,books:count(),cheapest:price.min()&year=gt.1900&order=author'));
select show(restful.serve('GET', '/books?select=price.avg()::int,year::text.max()&author=eq.1'));
select show(restful.serve('GET', '/authors?select=name,books!author(count(),price.sum())&order=id'));
select show(restful.serve('GET', '/authors?select=contact->fax->>no::int.sum()'));
select show(restful.serve('GET', '/books?select=title.sum()'));
select show(restful.serve('GET', '/books?select=price.median()'));
select show_all(restful.serve('GET', '/books?select=author,count()&order=author&limit=2', '{"prefer": "count=exact"}'));
