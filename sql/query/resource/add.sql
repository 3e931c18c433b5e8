WITH gone AS (
    DELETE FROM restful.resource r
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) r.relation)
)
INSERT INTO restful.resource (relation) VALUES ($1) ON CONFLICT (relation) DO NOTHING
