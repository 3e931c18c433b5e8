-- Settings of relations for HTTP: who may set them, and what becomes of them.
\pset tuples_only on
\pset format unaligned
create table library.notes (id int primary key, changed timestamptz);
alter table library.notes owner to librarian;
create view library.note_list as select * from library.notes;
alter view library.note_list owner to librarian;
\c - librarian
select restful.set_resource('library.notes', '{"require_match": true}');
select restful.set_resource('library.notes', '{"cache_control": "max-age=60"}');
select restful.set_resource('library.note_list', '{"last_modified": "changed"}');
-- refused: relations of others, names that no relation has, and values that no field can hold
select restful.set_resource('library.books', '{"require_match": true}');
select restful.set_resource('pg_class', '{"require_match": true}');
select restful.set_resource(1::regclass, '{"require_match": true}');
select restful.set_resource('library.notes', '{"require_match": null}');
select restful.set_resource('library.notes', jsonb_build_object('cache_control', e'no-store\r\nx: y'));
select * from restful.resource;
insert into restful.resource values ('library.books');
\c - postgres
table restful.resource;
-- the settings of a relation that was dropped go with the next change
drop view library.note_list;
\c - librarian
select restful.set_resource('library.notes', '{"require_match": false}');
\c - postgres
table restful.resource;
