-- application/vnd.pgrst.plan returns PostgreSQL's plan of the statement itself, under the role, if the setting allows it.
\pset tuples_only on
\pset format unaligned
\c - librarian
select show(restful.serve('GET', '/subjects', '{"accept": "application/vnd.pgrst.plan"}'));
select as_superuser('alter role ' || r || ' set restful.plan_enabled = on') from unnest('{librarian,alice,authenticator}'::text[]) r;
\c - librarian
select regexp_replace(show_all(restful.serve('GET', '/subjects?id=eq.1', '{"accept": "application/vnd.pgrst.plan; options=nothing"}')), '\(cost.*?\)', '(cost)', 'g');
select status, headers ->> 'content-type', convert_from(body, 'utf8')::jsonb #>> '{0,Plan,Node Type}'
from restful.serve('GET', '/subjects', '{"accept": "application/vnd.pgrst.plan+json; for=\"text/csv\"; options=verbose|settings"}');
-- a write is planned but not executed, even with analyze, whether or not it returns rows
select status, headers ->> 'content-type', convert_from(body, 'utf8')::jsonb #>> '{0,Plan,Node Type}', convert_from(body, 'utf8')::jsonb #>> '{0,Plan,Actual Rows}'
from restful.serve('DELETE', '/copies?id=gt.0', '{"accept": "application/vnd.pgrst.plan+json; options=analyze"}');
select status, convert_from(body, 'utf8')::jsonb #>> '{0,Plan,Operation}'
from restful.serve('POST', '/subjects', '{"accept": "application/vnd.pgrst.plan+json", "prefer": "return=headers-only"}', '{"id": 50, "name": "x"}');
select show(restful.serve('GET', '/copies?select=id'));
-- rows of other borrowers are not counted in the plan
\c - alice
select (convert_from(body, 'utf8')::jsonb #>> '{0,Plan,Actual Rows}')::numeric
from restful.serve('GET', '/loans', '{"accept": "application/vnd.pgrst.plan+json; options=analyze"}');
select show(restful.serve('DELETE', '/subjects?id=eq.1', '{"accept": "application/vnd.pgrst.plan+json"}'));
\c - authenticator
select show(restful.serve('GET', '/loans', '{"accept": "application/vnd.pgrst.plan+json"}'));
select as_superuser('alter role ' || r || ' reset restful.plan_enabled') from unnest('{librarian,alice,authenticator}'::text[]) r;
