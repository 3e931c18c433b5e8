-- T29: a bad API key gets 401. Unknown keys and wrong keys get the same answer after the same work; only hashes of keys are stored.
\pset tuples_only on
\pset format unaligned
create role web;
create role layer login noinherit;
grant web, anon to layer;
alter role layer set restful.schemas = 'library';
alter role layer set restful.anon_role = 'anon';
create function library.me() returns text language sql stable as $$ select concat_ws(' ', current_user, restful.user_id()) $$;
create table keys (name text primary key, id text, key text);
grant select on keys to layer;
insert into keys select n, k.* from unnest('{good,wrong,revoked,expired}'::text[]) n, restful.create_api_key(n, 'web') k;
-- well-formed keys: an unknown one, and one with the id of another key and so with a wrong secret
insert into keys select 'unknown', g.id, g.key from restful.generate_api_key('live') g;
create table changed as select id, key from restful.generate_api_key('live');
delete from restful.api_key_use u using keys w where w.name = 'wrong' and u.id = w.id;
update restful.api_key k set id = c.id from keys w, changed c where w.name = 'wrong' and k.id = w.id;
update keys w set id = c.id, key = c.key from changed c where w.name = 'wrong';
update restful.api_key k set expires_at = now() - interval '1 second' from keys e where e.name = 'expired' and k.id = e.id;
select restful.revoke_api_key(id) from keys where name = 'revoked';
\c - layer
create function pg_temp.ask(key text) returns text language sql as $$ select show(restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', key))) $$;
create function pg_temp.ask_for(name text) returns text language sql as $$ select pg_temp.ask(key) from keys k where k.name = $1 $$;
select pg_temp.ask_for('good');
select pg_temp.ask_for('unknown');
select pg_temp.ask_for('wrong');
select pg_temp.ask_for('revoked');
select pg_temp.ask_for('expired');
select show_all(restful.serve('GET', '/rpc/me', jsonb_build_object('authorization', 'Bearer ' || key))) from keys where name = 'revoked';
select pg_temp.ask('');
select pg_temp.ask('rk_live_12345678_');
select pg_temp.ask(left(key, -1)) from keys where name = 'good';
select pg_temp.ask(upper(key)) from keys where name = 'good';
select pg_temp.ask(key || ', ' || key) from keys where name = 'good';
select pg_temp.ask('anything');
-- for an unknown id and for a wrong secret, the responses are identical to the byte, and so is the number of table scans
create function pg_temp.whole(name text) returns text language sql as $$
    select restful.serve('GET', '/rpc/me', jsonb_build_object('apikey', (select key from keys k where k.name = $1)))::text $$;
create function pg_temp.scans() returns bigint language sql volatile as $$
    select sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0)) from pg_stat_xact_all_tables where schemaname = 'restful' $$;
select pg_temp.whole('unknown') = pg_temp.whole('wrong') as same;
begin;
select pg_temp.scans() as scans \gset before_
select pg_temp.whole('unknown') \gset
select pg_temp.scans() as scans \gset between_
select pg_temp.whole('wrong') \gset
select pg_temp.scans() as scans \gset after_
select :between_scans - :before_scans as unknown, :after_scans - :between_scans as wrong;
commit;
-- nobody can see what is stored
select * from restful.api_key;
select * from restful.api_key_use;
select restful.create_api_key('me', 'web');
select restful.rotate_api_key('x');
select restful.revoke_api_key('x');
select * from restful.list_api_keys();
select restful.generate_api_key('live');
\c - postgres
-- and only hashes are stored
select count(*), count(*) filter (where k.hash = sha256(convert_to(s.key, 'utf8'))) as hashes,
    count(*) filter (where k::text like '%' || right(s.key, 49) || '%') as whole
from restful.api_key k join keys s using (id);
drop owned by layer, web;
drop role layer, web;
