-- Checks and metrics are for those who may, by routes that administrators declare.
CREATE SCHEMA app;
CREATE TABLE app.orders (id int PRIMARY KEY);
CREATE ROLE watcher;
CREATE ROLE watched_client;
GRANT USAGE ON SCHEMA app TO watched_client;
GRANT SELECT ON app.orders TO watched_client;
GRANT EXECUTE ON FUNCTION restful.metrics(), restful.readiness(interval), restful.liveness() TO watcher;
SET restful.schemas = 'app';
SELECT restful.stat_reset();
SELECT restful.route('GET /metrics', 'restful.metrics'), restful.route('GET /ready', 'restful.readiness'), restful.route('GET /health', 'restful.liveness');

SET ROLE watched_client;
SELECT (restful.get('/orders')).status, (restful.get('/orders/1')).status;
SELECT t, status FROM unnest(ARRAY['/metrics', '/ready', '/health']) t, restful.get(t);
RESET ROLE;
SET ROLE watcher;
SELECT status, headers->>'content-type', headers->>'cache-control', body FROM restful.get('/health');
SELECT status, headers->>'content-type', body->'checks'->'shared_memory', (SELECT array_agg(c ORDER BY c) FROM jsonb_object_keys(body->'checks') c) FROM restful.get('/ready');
SELECT status FROM restful.get('/ready?max_lag=soon');
SELECT status, headers->>'content-type' FROM restful.get('/metrics');
-- Counters have a sample for each route, and the last bucket has all requests.
SELECT line FROM (SELECT regexp_split_to_table(convert_from(body, 'UTF8'), '\n') AS line FROM restful.serve('GET', '/metrics')) m
WHERE line ~ '^http_server_request_duration_seconds_(count|bucket)' AND line ~ '"/orders' AND line ~ '(_count|"\+Inf")' ORDER BY line COLLATE "C";
SELECT line FROM (SELECT regexp_split_to_table(convert_from(body, 'UTF8'), '\n') AS line FROM restful.serve('GET', '/metrics')) m WHERE line LIKE '# TYPE%' OR line LIKE 'pg_restful_build_info%';
SELECT * FROM restful.health();
RESET ROLE;
SELECT "check" FROM restful.health();
-- A check that needs attention is degraded; the database still takes requests.
SET restful.idempotency_max_size = '1kB';
SELECT state, detail ~ 'new keys will soon be refused' AS says_why FROM restful.health() WHERE "check" = 'idempotency_keys';
SET ROLE watcher;
SELECT status, body->>'status', body->'checks'->'idempotency_keys'->0->>'status' FROM restful.get('/ready');
SELECT line FROM (SELECT regexp_split_to_table(convert_from(body, 'UTF8'), '\n') AS line FROM restful.serve('GET', '/metrics')) m WHERE line ~ 'check_degraded.*idempotency' AND line !~ '#' AND line ~ ' 1$' AND line ~ 'db_namespace="';
