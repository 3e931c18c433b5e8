-- When functions quote the responses of their requests in errors, escapes double at every level; so the text of an error is cut.
\pset tuples_only on
\pset format unaligned
create function library.descend(n int) returns text language plpgsql as $$
begin
    if n = 0 then
        raise 'too "deep"';
    end if;
    raise '%', convert_from((restful.serve('POST', '/rpc/descend', '{}', convert_to(format('{"n": %s}', n - 1), 'utf8'))).body, 'utf8');
end $$;
\c - authenticator
select show(restful.serve('POST', '/rpc/descend', '{}', '{"n": 1}'));
-- 20 levels would make a million backslashes for each quote
select status, length(convert_from(body, 'utf8')::json->>'message') from restful.serve('POST', '/rpc/descend', '{}', '{"n": 20}');
