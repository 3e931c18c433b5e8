-- A view that shows all columns of a table's primary key has that key: for items, Location, PUT and upserts.
\pset tuples_only on
\pset format unaligned
create view library.rooms as select capacity as seats, number as "no", room as name from library.shelves;
create view library.themes as select id as theme, name from library.subjects where name <> 'hidden';
create view library.numbers as select number from library.shelves;
create view library.tagged as select id, unnest(tags) as tag from library.books;
create view library.pieces as select id, part from library.books, generate_series(1, 2) part where id < 3;
create function library.change_piece() returns trigger language plpgsql as $$ begin return coalesce(new, old); end $$;
create trigger change instead of update or delete on library.pieces for each row execute function library.change_piece();
create view library.copies_of as select c.id as copy, b.id as book, b.title from library.copies c join library.books b on b.id = c.book;
grant select, insert, update, delete on library.rooms, library.themes, library.tagged, library.pieces to librarian;
grant select on library.copies_of, library.numbers to librarian;
\c - librarian
-- in the order of the table's key
select show_all(restful.serve('GET', '/rooms/A,2'));
select show(restful.serve('GET', '/rooms/2,A'));
select show(restful.serve('GET', '/themes/2?select=name,books(title)'));
select show(restful.serve('GET', '/themes/99'));
select show_all(restful.serve('OPTIONS', '/rooms'));
select show_all(restful.serve('OPTIONS', '/rooms/A,2'));
-- a join has the keys of both tables
select show(restful.serve('GET', '/copies_of/1,1'));
-- created
select show_all(restful.serve('POST', '/themes', '{"prefer": "return=headers-only"}', '{"theme": 7, "name": "Music"}'));
select show_all(restful.serve('POST', '/rooms', '{"prefer": "return=headers-only"}', '{"name": "a b", "no": 1}'));
-- replaced
select show_all(restful.serve('PUT', '/themes/7', '{"prefer": "return=representation"}', '{"theme": 7, "name": "Song"}'));
select show_all(restful.serve('PUT', '/rooms?name=eq.D&no=eq.1', '{"prefer": "return=representation"}', '{"name": "D", "no": 1, "seats": 3}'));
select show(restful.serve('PUT', '/rooms?name=eq.D', '{}', '{"name": "D", "no": 1, "seats": 3}'));
-- merged
select show_all(restful.serve('POST', '/themes?select=theme,name', '{"prefer": "return=representation, resolution=merge-duplicates"}',
    '[{"theme": 7, "name": "Opera"}, {"theme": 8, "name": "Dance"}]'));
select show_all(restful.serve('POST', '/themes', '{"prefer": "return=representation, resolution=ignore-duplicates"}', '{"theme": 7, "name": "x"}'));
-- changed
select show_all(restful.serve('PATCH', '/themes/8', '{}', '{"name": "Ballet"}'));
select show_all(restful.serve('DELETE', '/themes/8', '{"prefer": "return=representation"}'));
-- several rows with the same key are not an item, and none is changed
select show(restful.serve('GET', '/tagged/1'));
select show(restful.serve('DELETE', '/pieces/1'));
select show(restful.serve('PATCH', '/pieces/1', '{}', '{"part": 3}'));
select show(restful.serve('GET', '/pieces?id=eq.1'));
select show(restful.serve('GET', '/tagged/6'));
-- a view that does not show the whole key
select show(restful.serve('GET', '/numbers/1'));
select show_all(restful.serve('OPTIONS', '/numbers'));
