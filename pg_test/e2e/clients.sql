-- What methods of the clients are about and the library of setup.sql does not have. anon may write, for clients have no login here.
alter table library.books add column in_print boolean, add column lent daterange, add column about tsvector;
update library.books set in_print = id in (1, 3), lent = daterange(make_date(2024, id, 1), make_date(2024, id, 11)),
    about = to_tsvector('english', case id when 3 then 'An ocean that thinks' when 4 then 'Robots telling stories' else title end);
update library.books set in_print = null, lent = null where id = 6;

create schema archive;
create table archive.scans (id int primary key, book int, pages int not null);
insert into archive.scans values (1, 3, 204), (2, 4, 295);

create function library.add(a int, b int default 1) returns int language sql immutable as 'select a + b';
create function library.total(numbers int[]) returns bigint language sql immutable as 'select sum(n) from unnest(numbers) n';
create function library.echo(document jsonb) returns jsonb language sql immutable as 'select document';
create function library.titles() returns setof text language sql stable as 'select title from library.books order by id';
create function library.books_of(author_id int) returns setof library.books language sql stable
    as 'select * from library.books where author = author_id';
create function library.oldest_book() returns library.books language sql stable
    as 'select * from library.books order by year limit 1';
create function library.rename_subject(subject int, new_name text) returns void language sql
    as 'update library.subjects set name = new_name where id = subject';
create function library.refuse() returns void language plpgsql as $$
begin
    raise sqlstate 'PT402' using message = 'Pay first', detail = 'Nothing is free', hint = 'Pay';
end $$;

grant usage on schema archive to anon;
grant select, insert, update, delete on all tables in schema library, archive to anon;
analyze;
