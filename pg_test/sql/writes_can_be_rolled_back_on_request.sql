-- restful.tx_end decides how a request's transaction ends, and whether Prefer: tx= may override it.
\pset tuples_only on
\pset format unaligned
create role layer login noinherit;
grant librarian to layer;
alter role layer set restful.anon_role = 'librarian';
alter role layer set restful.schemas = 'library';
\c - layer
select show_all(restful.serve('POST', '/subjects', '{"prefer": "tx=rollback, return=representation"}', '{"id": 10, "name": "kept: no override"}'));
\c - postgres
alter role layer set restful.tx_end = 'commit-allow-override';
\c - layer
select show_all(restful.serve('POST', '/subjects', '{"prefer": "tx=rollback, return=representation"}', '{"id": 11, "name": "gone"}'));
select show(restful.serve('POST', '/subjects', '{}', '{"id": 12, "name": "kept"}'));
select show(restful.serve('DELETE', '/subjects?id=eq.12', '{"prefer": "tx=rollback"}'));
\c - postgres
alter role layer set restful.tx_end = 'rollback';
\c - layer
select show(restful.serve('POST', '/subjects', '{"prefer": "return=representation"}', '{"id": 13, "name": "gone"}'));
select show_all(restful.serve('POST', '/subjects', '{"prefer": "tx=commit"}', '{"id": 14, "name": "gone: no override"}'));
\c - postgres
alter role layer set restful.tx_end = 'rollback-allow-override';
\c - layer
select show(restful.serve('POST', '/subjects', '{}', '{"id": 15, "name": "gone"}'));
select show_all(restful.serve('POST', '/subjects', '{"prefer": "tx=commit"}', '{"id": 16, "name": "kept"}'));
select show(restful.serve('GET', '/subjects?id=gte.10&order=id'));
