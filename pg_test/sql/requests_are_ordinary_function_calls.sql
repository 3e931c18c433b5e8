-- Requests are function calls: in a transaction, in a DO block, in a trigger, prepared, from a cursor.
\pset tuples_only on
\pset format unaligned
\c - librarian
prepare ask(text) as select show(restful.serve('GET', $1));
execute ask('/subjects?id=eq.1');
execute ask('/subjects?id=eq.2');
execute ask('/nothing');
execute ask('/subjects?id=eq.1');
execute ask('/subjects?id=eq.1');
execute ask('/subjects?id=eq.1');
execute ask('/subjects?id=eq.1');
begin;
declare answers cursor for select show(restful.serve('GET', '/subjects?select=name&id=eq.' || n)) from generate_series(1, 3) n;
fetch 1 from answers;
fetch 2 from answers;
close answers;
commit;
do $$
declare r restful.http_response;
begin
    for n in 20..22 loop
        r := restful.serve('POST', '/subjects', '{}', convert_to(json_build_object('id', n, 'name', 'n' || n)::text, 'utf8'));
        raise notice '%', r.status;
    end loop;
    r := restful.serve('POST', '/subjects', '{}', '{"id": 20, "name": "twice"}');
    raise notice '%', r.status;
end $$;
select show(restful.serve('GET', '/subjects?id=gte.20&order=id'));
-- many in one statement, each in its own subtransaction
select sum((restful.serve('PATCH', '/subjects?id=eq.' || n, '{}', '{"name": "again"}')).status) from generate_series(20, 22) n;
select (restful.serve('DELETE', '/subjects?id=eq.20')).status, (restful.serve('DELETE', '/subjects?id=eq.20', '{"prefer": "count=exact"}')).headers->>'content-range';
-- in a trigger
create temp table inbox (method text, target text, body text, status int);
create function pg_temp.handle() returns trigger language plpgsql as $$
begin
    new.status := (restful.serve(new.method, new.target, '{}', convert_to(new.body, 'utf8'))).status;
    return new;
end $$;
create trigger handle before insert on inbox for each row execute function pg_temp.handle();
insert into inbox values ('POST', '/subjects', '{"id": 30, "name": "x"}'), ('POST', '/subjects', '{"id": 30, "name": "x"}'), ('GET', '/subjects', null);
select method, status from inbox;
