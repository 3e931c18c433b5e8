-- Before the extension's library is loaded, its settings are only placeholders that anybody can set. Loading drops them.
\pset tuples_only on
\pset format unaligned
\c - alice
set restful.claims = '{"sub": "bob"}';
set restful.anon_role = 'librarian';
set restful.max_rows = 1;
-- any request loads the library
select (restful.head('/')).status;
select current_setting('restful.claims') = '' as claims, current_setting('restful.anon_role') = '' as anon_role,
    current_setting('restful.max_rows') as max_rows;
-- set in the startup packet
\c -reuse-previous=on "user=alice options='-c restful.claims=x -c restful.trusted_authenticators=alice'"
show restful.claims;
select (restful.head('/')).status;
select current_setting('restful.claims') = '' as claims, current_setting('restful.trusted_authenticators') = '' as trusted;
