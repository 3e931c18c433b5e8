-- The secret that cursors are signed with. Not dumped: a restored database has one of its own, and clients start their pages again.
CREATE TABLE restful.cursor_secret (
    is_only boolean PRIMARY KEY DEFAULT true,
    secret bytea NOT NULL,
    CONSTRAINT only_one CHECK (is_only),
    CONSTRAINT secret_is_long CHECK (pg_catalog.octet_length(secret) >= 32)
);
COMMENT ON TABLE restful.cursor_secret IS 'The secret that cursors are signed with; an UPDATE makes all cursors invalid. pg_dump leaves it out';
ALTER TABLE restful.cursor_secret ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON restful.cursor_secret FROM PUBLIC;
-- each UUID has 122 random bits
INSERT INTO restful.cursor_secret (secret)
SELECT pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) OPERATOR(pg_catalog.||) pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));

CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE ON restful.cursor_secret
    FOR EACH ROW EXECUTE FUNCTION restful.keys_changed();
CREATE TRIGGER keys_truncated AFTER TRUNCATE ON restful.cursor_secret
    FOR EACH STATEMENT EXECUTE FUNCTION restful.keys_changed();
ALTER TABLE restful.cursor_secret ENABLE ALWAYS TRIGGER keys_changed, ENABLE ALWAYS TRIGGER keys_truncated;
