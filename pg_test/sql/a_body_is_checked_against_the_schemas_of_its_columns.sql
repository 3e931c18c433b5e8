-- If the body of a write breaks a schema that is bound to a column, the response lists the places, and nothing is written.
\pset tuples_only on
\pset format unaligned
create table library.items (
    id int primary key,
    doc jsonb check (restful.jsonb_matches_schema('{"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 2}, "price": {"type": "number", "minimum": 0}}}', doc)),
    note json,
    kind text,
    amount int constraint amount_is_small check (amount < 100)
);
comment on constraint amount_is_small on library.items is 'Order more than 99 by telephone.';
create table library.written (id int);
create function library.note_write() returns trigger language plpgsql as $$ begin insert into library.written values (new.id); return new; end $$;
create trigger note_write before insert or update on library.items for each row execute function library.note_write();
grant select, insert, update on library.items to anon;
grant insert on library.written to anon;
grant select on library.items to bob;
create function show_errors(r restful.http_response) returns setof text language sql as $$
    select r.status || ' ' || coalesce(convert_from(r.body, 'UTF8')::jsonb ->> 'code', '') || ' ' || coalesce(convert_from(r.body, 'UTF8')::jsonb ->> 'message', '')
    union all
    select '  ' || (e ->> 'pointer') || ' | ' || (e ->> 'keyword_location') || ' | ' || (e ->> 'message')
    from jsonb_array_elements(convert_from(r.body, 'UTF8')::jsonb -> 'errors') e
$$;
\c - authenticator
-- one object, and several: the index is part of the pointer
select show_errors(restful.serve('POST', '/items', '{}', '{"id": 1, "doc": {"name": "x", "price": -1}}'));
select show_errors(restful.serve('POST', '/items', '{}', '[{"id": 1, "doc": {"name": "ok"}}, {"id": 2, "doc": {"price": 3}}, {"id": 3, "doc": []}]'));
select show_all(restful.serve('POST', '/items', '{}', '{"id": 1, "doc": {"name": "x"}}'));
-- nothing was written, not even by triggers that run before the check
select show(restful.serve('GET', '/items'));
\c - postgres
select count(*) from library.written;
\c - authenticator
-- valid values are written; null and missing members are not checked
select show(restful.serve('POST', '/items', '{"prefer": "return=minimal"}', '[{"id": 1, "doc": {"name": "one"}}, {"id": 2, "doc": null}]'));
select show(restful.serve('POST', '/items', '{}', '{"id": 3}'));
-- in CSV and forms, the JSON in a field is checked
select show_errors(restful.serve('POST', '/items', '{"content-type": "text/csv"}', E'id,doc\n4,"{""name"": ""four""}"\n5,"{""name"": ""x""}"'));
select show_errors(restful.serve('POST', '/items', '{"content-type": "application/x-www-form-urlencoded"}', 'id=4&doc=3'));
select show(restful.serve('POST', '/items', '{"content-type": "text/csv"}', E'id,doc\n14,"{""name"": ""four""}"\n15,'));
-- updates and PUT
select show_errors(restful.serve('PATCH', '/items?id=eq.1', '{}', '{"doc": {"name": "1"}}'));
select show_errors(restful.serve('PUT', '/items?id=eq.1', '{}', '{"id": 1, "doc": 3}'));
select show(restful.serve('PATCH', '/items?id=eq.1', '{"prefer": "return=representation"}', '{"doc": {"name": "new"}}'));
-- a member that columns leaves out is not written, so it is not checked
select show(restful.serve('POST', '/items?columns=id', '{}', '{"id": 4, "doc": 3}'));
-- a role that may not write learns nothing about the schema
\c - bob
select show_errors(restful.serve('POST', '/items', '{}', '{"id": 9, "doc": 3}'));
-- schemas bound by name, to a column and to a whole row; the one for the row is checked when the row is written
\c - postgres
select restful.register_schema('note', '{"type": "string"}');
select restful.constrain('library.items', 'note', 'note');
select restful.constrain('library.items', null, '{"if": {"properties": {"kind": {"const": "gift"}}}, "then": {"required": ["note"], "properties": {"note": {"type": "string"}}}}');
\c - authenticator
select show_errors(restful.serve('POST', '/items', '{}', '[{"id": 5, "note": "fine"}, {"id": 6, "note": 7}]'));
select show_errors(restful.serve('POST', '/items', '{}', '{"id": 5, "kind": "gift"}'));
select show(restful.serve('POST', '/items', '{}', '{"id": 5, "kind": "gift", "note": "with a note"}'));
-- a new version applies to the next request
\c - postgres
select restful.register_schema('note', '{"type": "object"}', 'none');
\c - authenticator
select show_errors(restful.serve('POST', '/items', '{}', '{"id": 7, "note": "no more"}'));
-- other constraints are reported with their columns, their rule and their comment
select show_all(restful.serve('POST', '/items', '{}', '{"id": 8, "amount": 500}'));
-- a schema that was dropped from the table is no longer checked
\c - postgres
select restful.unconstrain('library.items', 'note'), restful.unconstrain('library.items', null);
\c - authenticator
select show(restful.serve('POST', '/items', '{}', '{"id": 7, "note": 3, "kind": "gift"}'));
