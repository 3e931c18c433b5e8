-- Many requests in one transaction: each sees what the earlier ones wrote, and one that fails undoes them all.
\pset tuples_only on
\pset format unaligned
create function public.batch(requests text, headers jsonb default '{}') returns text language sql as $$
    select r.status || e'\n' || jsonb_pretty(r.body) from restful.batch(requests::jsonb, headers) r
$$;
create function public.statuses(requests text, headers jsonb default '{}') returns text language sql as $$
    select coalesce((select string_agg(concat_ws(' ', e->>'status', e->'body'), e'\n') from jsonb_array_elements(case when r.status = 200 then r.body else '[]' end) e),
        concat_ws(' ', r.status, r.body->>'code', r.body->>'index', r.body->>'pointer', r.body->>'message', coalesce(r.body->>'details', r.body->>'hint')))
    from restful.batch(requests::jsonb, headers) r
$$;
\c - librarian
select * from restful.batch('[{"method": "GET", "target": "/subjects?order=id&limit=1"}, {"method": "DELETE", "target": "/subjects?id=eq.99"}]');
select show(restful.serve('POST', '/batch', '{"content-type": "application/json"}', '[
    {"method": "GET", "target": "/subjects?order=id&limit=1"}, {"method": "HEAD", "target": "/subjects?limit=1"}, {"method": "OPTIONS", "target": "/subjects"}]'));
select statuses('[]');
-- each sees what the earlier ones wrote
select statuses('[
    {"method": "GET", "target": "/subjects?select=count:id&id=eq.20"},
    {"method": "POST", "target": "/subjects", "body": {"id": 20, "name": "Twenty"}},
    {"method": "GET", "target": "/subjects?id=eq.20"},
    {"method": "PATCH", "target": "/subjects?id=eq.20", "body": {"name": "Vingt"}},
    {"method": "PUT", "target": "/subjects/21", "body": {"id": 21, "name": "Vingt et un"}},
    {"method": "GET", "target": "/subjects?id=gte.20&order=id"},
    {"method": "DELETE", "target": "/subjects/20", "headers": {"Prefer": "return=representation"}},
    {"method": "GET", "target": "/subjects?id=gte.20", "headers": {"Accept": "application/vnd.pgrst.object+json"}}]');
select id, name from library.subjects where id >= 20;
-- references: by position and by id, into bodies, header fields and statuses, in bodies, keys and filters
select statuses('[
    {"id": "new", "method": "POST", "target": "/authors", "body": {"id": 30, "name": "A \"quoted\" name", "contact": {"n": 12345678901234567890.10}}, "headers": {"Prefer": "return=representation"}},
    {"method": "POST", "target": "/books", "body": [{"id": 31, "title": {"$ref": "new/body/0/name"}, "author": {"$ref": "0/body/0/id"}}], "headers": {"Prefer": "return=representation"}},
    {"method": "PATCH", "target": "/authors", "key": [{"$ref": "1/body/0/author"}], "body": {"born": {"$ref": "1/status"}, "contact": {"first": {"$ref": "new/body/0/contact"}, "all": [{"$ref": "0/body"}], "field": {"$ref": "0/headers/content-range"}, "literal": {"$literal": {"$ref": "0/body"}}}}, "headers": {"Prefer": "return=representation"}},
    {"method": "GET", "target": "/books?select=id", "where": {"title": {"$ref": "new/body/0/name"}, "translator": null}},
    {"method": "DELETE", "target": "/books", "where": {"id": {"$ref": "3/body/0/id"}}},
    {"method": "DELETE", "target": "/authors", "key": ["30"]}]');
-- values cannot change what a target means
select statuses('[
    {"method": "POST", "target": "/shelves", "body": [{"room": "A,1\"&room=eq.A", "number": 9}, {"room": "", "number": 1}]},
    {"method": "PATCH", "target": "/shelves", "key": ["A,1\"&room=eq.A", 9], "body": {"capacity": 1}},
    {"method": "PATCH", "target": "/shelves", "key": ["", 1], "body": {"capacity": 2}},
    {"method": "DELETE", "target": "/shelves?select=room,capacity", "where": {"room": "A,1\"&room=eq.A"}, "headers": {"Prefer": "return=representation"}},
    {"method": "DELETE", "target": "/shelves?select=room,capacity", "where": {"room": ""}, "headers": {"Prefer": "return=representation"}}]');
select statuses('[{"method": "GET", "target": "/shelves?select=room,number", "where": {"number": 1, "room": "A"}}]');
select statuses('[{"method": "GET", "target": "/shelves", "where": {"select": "room"}}]');
select room, number, capacity from library.shelves order by 1, 2;
-- an error undoes everything, and says where it happened
select batch('[{"method": "POST", "target": "/subjects", "body": {"id": 40, "name": "Forty"}}, {"method": "POST", "target": "/subjects", "body": {"id": 40, "name": "Forty"}}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 40, "name": "Forty"}}, {"method": "GET", "target": "/subjects/41"}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 40, "name": "Forty"}}, {"method": "GET", "target": "/nothing"}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 40, "name": "Forty"}}, {"method": "POST", "target": "/subjects", "body": {"id": {"$ref": "0/body/0/id"}, "name": "x"}}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 40, "name": "Forty"}}, {"method": "GET", "target": "/subjects", "key": [{"$ref": "0/headers"}]}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 40, "name": "Forty"}}, {"method": "GET", "target": "/subjects", "headers": {"Accept": "text/html"}}]');
select count(*) from library.subjects where id = 40;
-- what is malformed is refused before anything runs
select statuses('{"method": "GET", "target": "/subjects"}');
select statuses('[1]');
select statuses('[{"target": "/subjects"}]');
select statuses('[{"method": "GET"}]');
select statuses('[{"method": "GET", "target": 1}]');
select statuses('[{"method": "GET", "target": "/subjects", "url": "/x"}]');
select statuses('[{"method": "GET", "target": "/subjects", "id": "1"}]');
select statuses('[{"id": "a", "method": "GET", "target": "/subjects"}, {"id": "a", "method": "GET", "target": "/subjects"}]');
select statuses('[{"method": "GET", "target": "/subjects", "headers": []}]');
select statuses('[{"method": "GET", "target": "/subjects", "headers": {"Accept": 1}}]');
select statuses('[{"method": "GET", "target": "/subjects", "headers": {"Accept": "*/*", "accept": "*/*"}}]');
select statuses('[{"method": "GET", "target": "/subjects", "key": []}]');
select statuses('[{"method": "GET", "target": "/subjects", "key": [null]}]');
select statuses('[{"method": "GET", "target": "/subjects", "key": [{"a": 1}]}]');
select statuses('[{"method": "GET", "target": "/subjects/1", "key": [1]}]');
select statuses('[{"method": "GET", "target": "/rpc/f", "where": {"a": 1}}]');
select statuses('[{"method": "GET", "target": "/", "key": [1]}]');
select statuses('[{"method": "GET", "target": "/subjects", "where": [1]}]');
select statuses('[{"method": "GET", "target": "/subjects", "where": {"id": [1]}}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {}, "base64": ""}]');
select statuses('[{"method": "POST", "target": "/subjects", "base64": "?"}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": {"$ref": "0/body/id"}}}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": {"$ref": "x/body/id"}}}, {"id": "x", "method": "GET", "target": "/subjects"}]');
select statuses('[{"method": "GET", "target": "/subjects"}, {"method": "POST", "target": "/subjects", "body": [{"a": [1, {"$ref": 0}]}]}]');
select statuses('[{"method": "GET", "target": "/subjects"}, {"method": "POST", "target": "/subjects", "body": {"a/b": {"$ref": "0/body", "x": 1}}}]');
select statuses('[{"method": "POST", "target": "/subjects", "body": {"a": {"x": 1, "$literal": 1}}}]');
select statuses('[{"method": "CONNECT", "target": "/subjects"}]');
select statuses('[{"method": "GET", "target": "subjects"}]');
select show(restful.serve('POST', '/batch', '{}', '[{"method": "GET", "method": "GET", "target": "/subjects"}]'));
select show(restful.serve('POST', '/batch', '{}', '[{"method": "GET", "target": "/subjects"}'));
select show(restful.serve('POST', '/batch'));
-- a request of a batch does not say who asks, and does not decide how the transaction ends
select statuses(format('[{"method": "GET", "target": "/subjects", "headers": {%s: "x"}}]', to_jsonb(name)))
from unnest('{Authorization,cookie,apikey,Idempotency-Key,X-Forwarded-For,x-anything}'::text[]) name;
select statuses('[{"method": "GET", "target": "/subjects", "headers": {"Prefer": "tx=commit"}}]');
select statuses('[{"method": "GET", "target": "/subjects"}, {"method": "POST", "target": "/batch", "body": []}]');
select as_superuser($$alter role librarian set restful.oauth_issuer = 'https://api.example.org'$$);
\c - librarian
select statuses('[{"method": "GET", "target": "/.well-known/jwks.json"}]');
select as_superuser($$alter role librarian reset restful.oauth_issuer$$);
-- the batch itself
\c - librarian
select show_all(restful.serve('OPTIONS', '/batch'));
select show(restful.serve('GET', '/batch'));
select show(restful.serve('POST', '/batch', '{"accept": "text/csv"}', '[]'));
select show(restful.serve('POST', '/batch', '{"content-type": "text/csv"}', '[]'));
select show_all(restful.serve('POST', '/batch', '{"accept": "text/html, application/*", "prefer": "handling=strict, timezone=Asia/Tokyo"}', '[]'));
-- Prefer: tx counts for the whole
select as_superuser($$alter role librarian set restful.tx_end = 'commit-allow-override'$$);
\c - librarian
select status, headers->>'preference-applied', body->2->'body' from restful.batch('[{"method": "POST", "target": "/subjects", "body": {"id": 50, "name": "Fifty"}}, {"method": "PATCH", "target": "/subjects/50", "body": {"name": "L"}}, {"method": "GET", "target": "/subjects/50"}]', '{"prefer": "tx=rollback"}');
select count(*) from library.subjects where id = 50;
select as_superuser($$alter role librarian set restful.tx_end = 'rollback'$$);
\c - librarian
select statuses('[{"method": "POST", "target": "/subjects", "body": {"id": 50, "name": "Fifty"}}, {"method": "GET", "target": "/subjects/50"}]');
select count(*) from library.subjects where id = 50;
select as_superuser($$alter role librarian reset restful.tx_end$$);
-- bodies that are not JSON
\c - postgres
create domain library."application/octet-stream" as bytea;
create function library.bytes() returns library."application/octet-stream" language sql immutable as $$ select '\xff00fe'::bytea $$;
create function library.length_of(bytea) returns int language sql immutable as $$ select length($1) $$;
\c - librarian
select batch('[
    {"method": "POST", "target": "/subjects", "headers": {"Content-Type": "text/csv", "Prefer": "return=representation", "Accept": "text/csv"}, "body": "id,name\n60,\"Six, ty\"\n"},
    {"method": "GET", "target": "/rpc/bytes", "headers": {"Accept": "application/octet-stream"}},
    {"method": "POST", "target": "/rpc/length_of", "headers": {"Content-Type": "application/octet-stream"}, "base64": "/wD+AA=="}]');
select statuses('[{"method": "POST", "target": "/subjects", "headers": {"Content-Type": "text/csv"}, "body": {"id": 1}}]');
-- limits
select as_superuser($$alter role librarian set restful.max_batch_requests = 2$$);
\c - librarian
select statuses('[{"method": "GET", "target": "/subjects/1"}, {"method": "GET", "target": "/subjects/1"}]');
select statuses('[{"method": "GET", "target": "/subjects/1"}, {"method": "GET", "target": "/subjects/1"}, {"method": "GET", "target": "/subjects/1"}]');
select as_superuser($$alter role librarian set restful.max_batch_requests = 0$$);
\c - librarian
select statuses('[{"method": "GET", "target": "/subjects/1"}]');
select show(restful.serve('POST', '/batch', '{}', '[]'));
select as_superuser($$alter role librarian reset restful.max_batch_requests$$);
select as_superuser($$alter role librarian set restful.max_response_bytes = 300$$);
\c - librarian
select status, body->>'code', body->>'message', body->'index' from restful.batch('[{"method": "POST", "target": "/subjects", "body": {"id": 61, "name": "x"}}, {"method": "GET", "target": "/subjects?limit=1"}, {"method": "GET", "target": "/subjects?limit=1"}]');
select count(*) from library.subjects where id = 61;
select as_superuser($$alter role librarian reset restful.max_response_bytes$$);
select as_superuser($$alter role librarian set restful.max_body_bytes = 250$$);
\c - librarian
select statuses('[{"method": "GET", "target": "/books?limit=3"}, {"method": "POST", "target": "/subjects", "body": {"id": 62, "name": {"$ref": "0/body"}}}]');
select as_superuser($$alter role librarian reset restful.max_body_bytes$$);
\c - librarian
select statuses((select jsonb_build_array('{"method": "GET", "target": "/subjects"}'::jsonb, jsonb_build_object('method', 'POST', 'target', '/subjects', 'body', jsonb_agg('{"$ref": "0/body"}'::jsonb)))::text from generate_series(1, 1001)));
-- a table or view of that name comes first
\c - postgres
create table library.batch (id int primary key, size int);
grant select, insert on library.batch to librarian;
\c - librarian
select show(restful.serve('POST', '/batch', '{"prefer": "return=representation"}', '[{"id": 1, "size": 2}]'));
select statuses('[{"method": "GET", "target": "/batch"}]');
