-- Requests are counted by route, method and class of the status, whatever their values are, and whoever may read statistics sees them.
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, number text NOT NULL);
INSERT INTO shop.orders SELECT i, 'number ' || i FROM generate_series(1, 20) i;
CREATE FUNCTION shop.slowly(seconds float8) RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(seconds)';
CREATE FUNCTION shop.archive(id int) RETURNS int LANGUAGE sql AS 'SELECT id';
CREATE FUNCTION shop.nested() RETURNS int LANGUAGE sql AS $$ SELECT (restful.get('/orders?id=eq.1')).status $$;
SELECT restful.route('POST /orders/{id}/archive', 'shop.archive');
CREATE ROLE counted_client;
GRANT USAGE ON SCHEMA shop TO counted_client;
GRANT SELECT, INSERT ON shop.orders TO counted_client;
SET restful.schemas = 'shop';

-- What is declared before counts too, so everything begins with nothing.
SELECT restful.stat_reset();
SET ROLE counted_client;
SELECT count(*) FROM (SELECT restful.get('/orders?id=eq.' || i) FROM generate_series(1, 20) i OFFSET 0) r;
SELECT count(*) FROM (SELECT restful.get('/orders/' || i) FROM generate_series(1, 30) i OFFSET 0) r;
SELECT (restful.get('/orders?limit=7')).status, (restful.get('/orders?colour=eq.red')).status;
SELECT (restful.get('/invoices/' || i)).status FROM generate_series(1, 2) i;
SELECT (restful.post('/orders', '{"id": 100, "number": "new"}')).status, (restful.post('/orders/7/archive')).status;
SELECT (restful.get('/rpc/nested')).status, (restful.head('/orders')).status;
SELECT (restful.batch('[{"method": "GET", "target": "/orders?limit=3"}, {"method": "GET", "target": "/orders/1"}]')).status;
SELECT status FROM restful.serve('BREW', '/orders');
-- Names that nothing has are not remembered, whatever fails first.
SELECT (restful.get('/made_up_' || i, '{"authorization": "Bearer x"}')).status, (restful.post('/rpc/made_up_' || i, headers => '{"authorization": "Bearer x"}')).status FROM generate_series(1, 3) i;
SELECT (restful.get('/orders', '{"authorization": "Bearer x"}')).status, (restful.serve('OPTIONS', '/orders/7/archive')).status;
-- A cancelled request is one without an answer.
SET statement_timeout = 50;
SELECT restful.post('/rpc/slowly', '{"seconds": 10}');
RESET statement_timeout;

-- Clients do not see what others ask for.
SELECT * FROM restful.stat_requests();
SELECT restful.stat_reset();
RESET ROLE;

SELECT schema, route, method, status_class, calls, rows, bytes_in, bytes_out > 0 AS answered, rate_limited
FROM restful.stat_requests() ORDER BY route COLLATE "C" NULLS FIRST, method, status_class;

-- The times fit together.
SELECT bool_and(plan_time >= 0 AND execution_time >= 0 AND plan_time + execution_time <= total_time AND mean_time <= max_time
    AND p50 <= p95 AND p95 <= p99 AND p99 <= max_time AND buckets[20] = calls) AS fit,
    bool_or(planned > 0) AS some_are_planned, bool_or(calls > planned) AS some_are_not
FROM restful.stat_requests();
SELECT max_time BETWEEN 50 AND 9000 AS timed_out FROM restful.stat_requests() WHERE status_class = 'none';
SELECT restful.stat_bounds();

-- Nothing is counted while it is switched off.
SET restful.track_requests = off;
SELECT (restful.get('/orders')).status;
RESET restful.track_requests;
SELECT sum(calls) FROM restful.stat_requests() WHERE route = '/orders' AND method = 'GET';

-- Without an identifier of statements, no statement is known.
SELECT count(*) FROM restful.stat_statements();
SET compute_query_id = on;
SELECT restful.stat_reset();
SELECT (restful.get('/orders?id=eq.' || i)).status FROM generate_series(1, 2) i;
SELECT schema, route, method, queryid <> 0 AS is_known, requests, query FROM restful.stat_statements();
RESET compute_query_id;

-- A deprecated version says who uses it.
SELECT restful.version('v1', 'shop', deprecated_at => '2020-01-01');
SET ROLE counted_client;
SELECT status FROM restful.get('/v1/orders/1');
SELECT status FROM restful.get('/v1/orders/2');
SELECT status FROM restful.get('/orders/1', '{"accept-profile": "shop"}');
SELECT * FROM restful.deprecated_use();
RESET ROLE;
SELECT version, subject, role, method, calls, first_at <= last_at AND last_at BETWEEN now() - interval '1 minute' AND clock_timestamp() AS just_now
FROM restful.deprecated_use();
