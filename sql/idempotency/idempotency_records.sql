-- What was answered to requests with an Idempotency-Key. The library reads and writes the rows itself, without statements, and relies on
-- these columns and on the primary key. It deletes expired rows bit by bit, and VACUUM makes their room usable: hence often.
CREATE TABLE restful.idempotency_record (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    status integer NOT NULL,
    fingerprint bytea NOT NULL,
    headers text NOT NULL,
    body bytea
) USING heap WITH (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_threshold = 500, toast.autovacuum_vacuum_cost_delay = 0
);
COMMENT ON TABLE restful.idempotency_record IS 'Answers to requests with an Idempotency-Key, kept for replays until they expire. pg_dump leaves the rows out';
COMMENT ON COLUMN restful.idempotency_record.id IS 'The hash of the client''s identity and of its key';
COMMENT ON COLUMN restful.idempotency_record.fingerprint IS 'The hash of identity, key and request';
COMMENT ON COLUMN restful.idempotency_record.headers IS 'The response''s header fields, one in a line';
ALTER TABLE restful.idempotency_record ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.idempotency_record FROM PUBLIC;

CREATE FUNCTION restful.forget_idempotency_keys(expired_only boolean DEFAULT true) RETURNS bigint
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $function$
    WITH gone AS (DELETE FROM restful.idempotency_record r WHERE NOT expired_only OR r.expires_at < clock_timestamp() RETURNING 1)
    SELECT count(*) FROM gone
$function$;
COMMENT ON FUNCTION restful.forget_idempotency_keys(boolean) IS 'Deletes the kept answers to requests with an Idempotency-Key that have expired, or all of them, and returns how many. A forgotten request runs again if it is retried';
