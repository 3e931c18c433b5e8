-- Requests are UTF-8, so the database has to be UTF-8 too.
\set SHOW_CONTEXT never
create database test_latin1 encoding 'LATIN1' locale 'C' template template0;
\c test_latin1
create extension pg_restful;
create database test_ascii encoding 'SQL_ASCII' locale 'C' template template0;
\c test_ascii
create extension pg_restful;
select count(*) from pg_namespace where nspname = 'restful';
\c test_golden
drop database test_latin1;
drop database test_ascii;
