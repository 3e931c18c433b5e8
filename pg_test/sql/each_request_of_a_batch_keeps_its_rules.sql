-- Policies, rights, time limits and the functions of users: a request of a batch is a request.
\pset tuples_only on
\pset format unaligned
create function public.statuses(requests text, headers jsonb default '{}') returns text language sql as $$
    select coalesce((select string_agg(concat_ws(' ', e->>'status', e->'body'), e'\n') from jsonb_array_elements(case when r.status = 200 then r.body else '[]' end) e),
        concat_ws(' ', r.status, r.body->>'code', r.body->>'index', r.body->>'pointer', r.body->>'message', coalesce(r.body->>'details', r.body->>'hint')))
    from restful.batch(requests::jsonb, headers) r
$$;
-- policies
\c - alice
select statuses('[{"method": "GET", "target": "/loans?select=borrower"}, {"method": "POST", "target": "/loans", "body": {"book": 2}}, {"method": "PATCH", "target": "/loans?borrower=eq.bob", "body": {"days": 1}}, {"method": "GET", "target": "/loans?select=book&order=book"}]');
select statuses('[{"method": "POST", "target": "/loans", "body": {"book": 5}}, {"method": "POST", "target": "/loans", "body": {"book": 5, "borrower": "bob"}}]');
\c - postgres
select book, borrower, days from library.loans order by id;
-- the role of the batch, and who it is
create table library.notes (id int generated always as identity primary key, note text, owner text not null default current_user);
revoke all on library.notes from public;
grant select (id, note, owner), insert (note) on library.notes to anon;
create function library.who() returns text language sql as $$ select concat_ws(' ', current_user, current_setting('request.method'), current_setting('request.path'), restful.method(), current_setting('request.headers')::jsonb->>'x-way', current_setting('request.headers')::jsonb->>'accept', current_setting('request.cookies')) $$;
\c - authenticator
select statuses('[{"method": "POST", "target": "/notes", "body": {"note": "a"}}, {"method": "GET", "target": "/notes?select=note,owner"}, {"method": "GET", "target": "/rpc/who", "headers": {"Accept": "application/json"}}, {"method": "POST", "target": "/rpc/who"}]', '{"x-way": "proxy", "cookie": "a=b", "accept": "*/*"}');
select statuses('[{"method": "POST", "target": "/notes", "body": {"note": "b"}}, {"method": "GET", "target": "/notes"}]');
select statuses('[{"method": "POST", "target": "/notes", "body": {"note": "b"}}, {"method": "POST", "target": "/notes", "body": {"note": "b", "owner": "x"}}]');
select show(restful.serve('POST', '/batch', '{"authorization": "Bearer x"}', '[]'));
select current_user, current_setting('request.path', true) is null or current_setting('request.path', true) = '' as left_nothing;
\c - postgres
select note, owner from library.notes;
-- settings of one request are not those of the next
create function library.shape(status text, field text) returns text language plpgsql as $$
declare before text := concat_ws(',', current_setting('response.status', true), current_setting('response.headers', true), current_setting('app.left', true));
begin
    perform set_config('app.left', 'something', true);
    perform set_config('response.status', status, true);
    perform set_config('response.headers', jsonb_build_array(jsonb_build_object('x-field', field))::text, true);
    return before;
end $$;
\c - librarian
select e->'status', e->'headers'->'x-field', e->'body' from restful.batch('[{"method": "POST", "target": "/rpc/shape", "body": {"status": "201", "field": "one"}}, {"method": "POST", "target": "/rpc/shape", "body": {"status": "202", "field": "two"}}, {"method": "GET", "target": "/subjects?limit=1"}]') r, jsonb_array_elements(r.body) e;
-- a status that a function chooses is not a failure: alone, the request would be committed too
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 10, "name": "Ten"}}, {"method": "POST", "target": "/rpc/shape", "body": {"status": "409", "field": "x"}}]');
select count(*) from library.subjects where id = 10;
-- reads are read-only
\c - postgres
create function library.sneak() returns int language sql as $$ insert into library.subjects values (11, 'x') returning id $$;
grant execute on function library.sneak() to public;
\c - librarian
select statuses('[{"method": "GET", "target": "/rpc/sneak"}]');
select statuses('[{"method": "POST", "target": "/rpc/sneak"}, {"method": "GET", "target": "/rpc/who"}]');
begin read only;
select statuses('[{"method": "GET", "target": "/subjects?select=id&limit=1"}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 12, "name": "x"}}]');
commit;
-- the schema of each request; those of the batch count where a request has none
\c - postgres
create schema other;
grant usage on schema other to public;
create table other.things (id int primary key);
grant select, insert on other.things to librarian;
alter role librarian set restful.schemas = 'library, other';
\c - librarian
select statuses('[{"method": "POST", "target": "/things", "headers": {"Content-Profile": "other"}, "body": {"id": 1}}, {"method": "GET", "target": "/things", "headers": {"Accept-Profile": "other"}}, {"method": "GET", "target": "/subjects?limit=1"}]');
select statuses('[{"method": "POST", "target": "/things", "body": {"id": 2}}, {"method": "GET", "target": "/things"}, {"method": "GET", "target": "/subjects?limit=1&select=id", "headers": {"Accept-Profile": "library"}}]', '{"accept-profile": "other", "content-profile": "other"}');
select statuses('[{"method": "GET", "target": "/things", "headers": {"Accept-Profile": "pg_catalog"}}]');
\c - postgres
alter role librarian set restful.schemas = 'library';
-- pre_request runs for each of them
create table library.calls (n int generated always as identity, method text, path text);
create function public.note_call() returns void language plpgsql security definer as $$
begin
    if current_setting('request.method') <> 'GET' then insert into library.calls (method, path) values (current_setting('request.method'), current_setting('request.path')); end if;
    if current_setting('request.path') = '/authors' then raise sqlstate 'PT403' using message = 'not today'; end if;
end $$;
alter role librarian set restful.pre_request = 'public.note_call';
\c - librarian
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 13, "name": "x"}}, {"method": "GET", "target": "/subjects", "key": [13]}, {"method": "DELETE", "target": "/subjects", "key": [13]}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 13, "name": "x"}}, {"method": "GET", "target": "/authors"}]');
\c - postgres
select method, path from library.calls order by n;
-- and sees what was written before
create function public.refuse_many() returns void language plpgsql stable as $$
begin if (select count(*) > 6 from library.subjects) then raise sqlstate 'PT403' using message = 'too many'; end if; end $$;
alter role librarian set restful.pre_request = 'public.refuse_many';
\c - librarian
select count(*) from library.subjects;
select statuses('[{"method": "GET", "target": "/authors?select=id&limit=1"}, {"method": "POST", "target": "/subjects", "body": {"id": 15, "name": "x"}}, {"method": "GET", "target": "/authors?select=id&limit=1"}]');
\c - postgres
alter role librarian reset restful.pre_request;
-- deferred constraints are checked when all requests have run
create table library.nodes (id int primary key, next int not null references library.nodes deferrable initially deferred);
grant select, insert, delete on library.nodes to librarian;
\c - librarian
select statuses('[{"method": "POST", "target": "/nodes", "body": {"id": 1, "next": 2}}, {"method": "POST", "target": "/nodes", "body": {"id": 2, "next": 1}}]');
select statuses('[{"method": "POST", "target": "/nodes", "body": {"id": 3, "next": 4}}, {"method": "GET", "target": "/nodes"}]');
select id, next from library.nodes order by 1;
-- guards
select statuses('[{"method": "DELETE", "target": "/nodes?id=eq.9"}, {"method": "PATCH", "target": "/subjects", "body": {"name": "x"}, "headers": {"Prefer": "handling=strict, max-affected=2"}}]');
select count(*) from library.subjects where name = 'x';
-- JSON Schemas: pointers lead into the batch
\c - postgres
create table library.orders (id int primary key, data jsonb);
select restful.constrain('library.orders', 'data', '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}');
grant select, insert, update on library.orders to librarian;
\c - librarian
select r.status, r.body->'index', r.body->'pointer', r.body->'hint', jsonb_path_query_array(r.body, '$.errors[*].pointer') from restful.batch('[{"method": "POST", "target": "/orders", "body": {"id": 1, "data": {"n": 1}}}, {"method": "POST", "target": "/orders", "body": [{"id": 2, "data": {"n": 1}}, {"id": 3, "data": {"n": "x"}}, {"id": 4, "data": {}}]}]') r;
select count(*) from library.orders;
-- the time limit of the role is one for the batch; errors that end the session's work are raised
\c - postgres
create function library.wait(seconds float8) returns void language sql as $$ select pg_sleep(seconds) $$;
create role slow login;
grant slow to authenticator;
alter role slow set statement_timeout = '400ms';
grant usage on schema library to slow;
alter role authenticator set restful.anon_role = 'slow';
\c - authenticator
select statuses('[{"method": "POST", "target": "/rpc/wait", "body": {"seconds": 0.05}}]');
select statuses('[{"method": "POST", "target": "/rpc/wait", "body": {"seconds": 0.25}}, {"method": "POST", "target": "/rpc/wait", "body": {"seconds": 0.25}}, {"method": "POST", "target": "/rpc/wait", "body": {"seconds": 0.25}}]');
set statement_timeout = '100ms';
select statuses('[{"method": "POST", "target": "/rpc/wait", "body": {"seconds": 5}}]');
reset statement_timeout;
\c - postgres
alter role authenticator set restful.anon_role = 'anon';
revoke usage on schema library from slow;
drop role slow;
create function library.conflict() returns void language plpgsql as $$ begin raise sqlstate '40001' using message = 'try again'; end $$;
\c - librarian
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 14, "name": "x"}}, {"method": "POST", "target": "/rpc/conflict"}]');
select count(*) from library.subjects where id = 14;
-- a function can make a batch within a request, as the same role
\c - postgres
create function library.nested(requests jsonb) returns jsonb language sql as $$ select to_jsonb(r) from restful.batch(requests) r $$;
\c - authenticator
select show(restful.serve('POST', '/rpc/nested', '{}', '{"requests": [{"method": "GET", "target": "/rpc/who"}, {"method": "POST", "target": "/notes", "body": {"note": "in"}}]}'));
select show(restful.serve('POST', '/batch', '{}', '[{"method": "POST", "target": "/rpc/nested", "body": {"requests": [{"method": "POST", "target": "/notes", "body": {"note": "deep"}}]}}, {"method": "GET", "target": "/notes?select=note&order=id"}]'));
select show(restful.serve('GET', '/rpc/nested?requests=[{"method":"POST","target":"/notes","body":{"note":"x"}}]'));
