-- The state every golden and end-to-end test starts from.
create extension pg_restful;
