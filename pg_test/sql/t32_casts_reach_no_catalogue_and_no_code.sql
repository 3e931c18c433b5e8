-- Casts can only name types without side effects: no type that reads the catalogue, runs code of another schema or parses documents.
\pset tuples_only on
\pset format unaligned
create schema private;
create function private.check_it(text) returns boolean language plpgsql as $$ begin raise 'code of a private schema has run as %', current_user; end $$;
create domain private.checked as text check (private.check_it(value));
create domain public.checked_too as text check (private.check_it(value));
create function library.who(text) returns boolean language plpgsql as $$ begin raise 'checked as %', current_user; end $$;
create domain library.exposed as text check (library.who(value));
create type private.hidden_row as (a int);
create type private.mood as enum ('good');
grant usage on schema private to public;
\c - librarian
select format('%-20s', name) || show(restful.serve('GET', format('/books?select=title::%s&limit=1', name)))
from unnest('{regclass,regproc,regprocedure,regoper,regoperator,regtype,regrole,regnamespace,regconfig,regdictionary,regcollation,
    xml,"\"char\"",char,"pg_catalog.regclass","private.checked",checked,checked_too,hidden_row,mood,books,_regclass,"regclass[]",cstring,internal,
    record,anyelement,trigger,pg_class,void,unknown,refcursor,aclitem,pg_node_tree}'::text[]) name;
-- also on values computed from a column
select show(restful.serve('GET', '/authors?select=contact->>web::regclass&id=eq.2'));
select show(restful.serve('GET', '/books?select=id.max()::regclass'));
-- a refused write writes nothing
select show(restful.serve('POST', '/subjects?select=name::regclass', '{"prefer": "return=representation"}', '{"id": 9, "name": "pg_authid"}'));
select show(restful.serve('PATCH', '/subjects?select=name::regrole', '{"prefer": "return=representation"}', '{"name": "postgres"}'));
select show(restful.serve('GET', '/subjects?select=name&order=id'));
-- a domain of the exposed schema can be used; its check runs as the role of the request
\c - authenticator
select show(restful.serve('GET', '/books?select=title::exposed&limit=1'));
