-- CREATE EXTENSION does not adopt objects that somebody else has put into schema restful. Without them it works.
\set SHOW_CONTEXT never
drop extension pg_restful;
drop schema restful;
create schema restful;
create table restful.t (a int);
create extension pg_restful;
drop table restful.t;
create function restful.serve(method text, target text, headers jsonb, body bytea) returns text language sql as 'select $1';
create extension pg_restful;
drop function restful.serve;
create type restful.response as (status integer, headers jsonb, body jsonb);
create extension pg_restful;
drop type restful.response;
create domain restful.d as int;
create extension pg_restful;
drop domain restful.d;
create function public.f(int, int) returns boolean language sql as 'select true';
create operator restful.= (leftarg = int, rightarg = int, function = public.f);
create extension pg_restful;
drop operator restful.= (int, int);
create view restful.v as select 1;
create extension pg_restful;
drop view restful.v;
create sequence restful.s;
create extension pg_restful;
drop sequence restful.s;
create collation restful.c from "C";
create extension pg_restful;
drop collation restful.c;
create procedure restful.p() language sql as '';
create extension pg_restful;
drop procedure restful.p;
create aggregate restful.a (int) (sfunc = int4pl, stype = int);
create extension pg_restful;
drop aggregate restful.a (int);
-- in a schema that somebody else owns
alter schema restful owner to alice;
create extension pg_restful;
alter schema restful owner to postgres;
-- an empty schema of one's own works
create extension pg_restful;
select extname from pg_extension where extname = 'pg_restful';
