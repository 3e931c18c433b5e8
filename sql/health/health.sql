-- Whether everything that the extension needs is there, and what operators watch.

CREATE FUNCTION restful.shared_memory() RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'restful_shared_memory';
COMMENT ON FUNCTION restful.shared_memory() IS
    'Internal: the size of the memory that all sessions share, or why there is none';

CREATE FUNCTION restful.health() RETURNS TABLE ("check" text, state text, detail text)
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 7
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH numbers (name, value, limit_at, shown, reason) AS (
        SELECT 'connections', a.used::numeric, 0.9 * a.allowed, format('%s of %s', a.used, a.allowed), 'new connections will soon be refused'
        FROM (
            SELECT count(*) FILTER (WHERE s.backend_type = 'client backend'),
                current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            FROM pg_stat_activity s
        ) a (used, allowed)
        UNION ALL
        SELECT 'replication', extract(epoch FROM r.lag), 30, coalesce(round(extract(epoch FROM r.lag), 1) || ' s behind', 'no standby'), 'what standbys answer is old'
        FROM (
            SELECT CASE
                WHEN NOT pg_is_in_recovery() THEN (SELECT max(s.replay_lag) FROM pg_stat_replication s)
                -- Where everything that was received is replayed, a quiet primary is the reason.
                WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN interval '0'
                ELSE clock_timestamp() - pg_last_xact_replay_timestamp()
            END
        ) r (lag)
        UNION ALL
        SELECT 'locks', extract(epoch FROM w.longest), 10, coalesce(round(extract(epoch FROM w.longest), 1) || ' s waited for', 'nobody waits'), 'a session waits for another one that keeps a lock'
        FROM (SELECT clock_timestamp() - min(l.waitstart) FROM pg_locks l WHERE NOT l.granted) w (longest)
        UNION ALL
        SELECT 'transactions', extract(epoch FROM t.longest), 3600, coalesce(round(extract(epoch FROM t.longest)) || ' s', 'none'), 'a transaction has been open for so long that dead rows cannot be removed'
        FROM (SELECT clock_timestamp() - min(a.xact_start) FROM pg_stat_activity a WHERE a.backend_type = 'client backend' AND a.datname = current_database()) t (longest)
        UNION ALL
        SELECT 'idempotency_keys', pg_total_relation_size('restful.idempotency_record'), 0.9 * m.most, format('%s of %s', pg_size_pretty(pg_total_relation_size('restful.idempotency_record')), pg_size_pretty(m.most)),
            'new keys will soon be refused (restful.idempotency_max_size)'
        FROM pg_size_bytes(coalesce(current_setting('restful.idempotency_max_size', true), '4GB')) m (most)
        UNION ALL
        SELECT 'transaction_ids', age(d.datfrozenxid), 1500000000, age(d.datfrozenxid) || ' used', 'the database needs VACUUM before transaction identifiers run out'
        FROM pg_database d WHERE d.datname = current_database()
    )
    SELECT 'shared_memory', CASE WHEN m.found->>'unavailable' IS NULL THEN 'ok' ELSE 'degraded' END,
        coalesce(m.found->>'unavailable', pg_size_pretty((m.found->>'bytes')::bigint))
    FROM (SELECT restful.shared_memory()) m(found)
    UNION ALL
    SELECT n.name, CASE WHEN n.value >= n.limit_at THEN 'degraded' ELSE 'ok' END,
        CASE WHEN n.value >= n.limit_at THEN format('%s: %s', n.shown, n.reason) ELSE n.shown END
    FROM numbers n
$function$;
COMMENT ON FUNCTION restful.health() IS
    'What works as it should (ok) and what needs attention (degraded). Without shared memory there are no statistics of requests';

CREATE FUNCTION restful.liveness() RETURNS restful.http_response
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT ROW(200, '{"content-type": "application/health+json", "cache-control": "no-store"}', convert_to('{"status": "pass"}', 'UTF8'))::restful.http_response
$function$;
COMMENT ON FUNCTION restful.liveness() IS 'For a route such as GET /health: the database answers';

CREATE FUNCTION restful.readiness(max_lag interval DEFAULT '5 minutes') RETURNS restful.http_response
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH checks AS MATERIALIZED (
        SELECT h."check", h.state, h.detail FROM restful.health() h
    ), verdict (is_late) AS (
        SELECT pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
            AND clock_timestamp() - pg_last_xact_replay_timestamp() > coalesce(max_lag, '5 minutes')
    )
    SELECT ROW(CASE WHEN coalesce(v.is_late, false) THEN 503 ELSE 200 END, '{"content-type": "application/health+json", "cache-control": "no-store"}',
        convert_to(jsonb_build_object(
            'status', CASE WHEN coalesce(v.is_late, false) THEN 'fail' WHEN EXISTS (SELECT FROM checks c WHERE c.state <> 'ok') THEN 'warn' ELSE 'pass' END,
            'checks', (SELECT jsonb_object_agg(c."check", jsonb_build_array(jsonb_build_object('status', CASE c.state WHEN 'ok' THEN 'pass' ELSE 'warn' END, 'output', c.detail))) FROM checks c)
        )::text, 'UTF8'))::restful.http_response
    FROM verdict v
$function$;
COMMENT ON FUNCTION restful.readiness(interval) IS
    'For a route such as GET /ready: the checks of restful.health(), and 503 on a standby that is further behind than max_lag';
