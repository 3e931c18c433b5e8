-- A function that a request calls can make requests itself. They run as the role of the outer request and cannot bring a token.
\pset tuples_only on
\pset format unaligned
create function library.inner_request(method text, target text, headers jsonb default '{}', body text default null) returns jsonb language sql as $$
    select jsonb_build_object('status', r.status, 'body', convert_from(r.body, 'utf8')::jsonb, 'then', current_user)
    from restful.serve(method, target, headers, convert_to(body, 'utf8')) r
$$;
create function library.who() returns text language sql as $$ select current_user || ' at ' || current_setting('request.path') $$;
\c - authenticator
select show(restful.serve('POST', '/rpc/inner_request', '{}', '{"method": "GET", "target": "/rpc/who"}'));
select show(restful.serve('POST', '/rpc/inner_request', '{}', '{"method": "GET", "target": "/books?select=id&id=eq.1"}'));
select show(restful.serve('POST', '/rpc/inner_request', '{}', '{"method": "POST", "target": "/books", "body": "{}"}'));
select show(restful.serve('POST', '/rpc/inner_request', '{}', '{"method": "GET", "target": "/books", "headers": {"authorization": "Bearer x"}}'));
-- a read is read-only at every depth
\c - librarian
select show(restful.serve('GET', '/rpc/inner_request?method=POST&target=/subjects&body={"id":50,"name":"x"}'));
select count(*) from library.subjects where id = 50;
-- an upsert in a trigger of another upsert is counted separately
\c - postgres
create table library.visits (page text primary key, last int);
create table library.totals (id int primary key, last int);
insert into library.totals values (1, 0);
grant select, insert, update on library.visits, library.totals to anon;
create function library.add_up() returns trigger language plpgsql as $$
begin
    perform restful.serve('POST', '/totals', '{"prefer": "resolution=merge-duplicates"}', '{"id": 1, "last": 1}');
    return new;
end $$;
create trigger add_up before insert on library.visits for each row execute function library.add_up();
\c - authenticator
select show(restful.serve('POST', '/visits', '{"prefer": "resolution=merge-duplicates"}', '{"page": "a", "last": 1}'));
select show(restful.serve('POST', '/visits', '{"prefer": "resolution=merge-duplicates"}', '{"page": "a", "last": 2}'));
