-- limit, offset and the Range header choose a page; Content-Range says which; 206 and 416 are possible if the total is known.
\pset tuples_only on
\pset format unaligned
create function public.page(r record) returns text language plpgsql immutable as $$
begin
    if r.status >= 400 then return concat_ws(' | ', r.headers->>'content-range', show(r)); end if;
    return concat_ws(' | ', r.status, r.headers->>'content-range', jsonb_path_query_array(convert_from(r.body, 'utf8')::jsonb, '$.id'));
end $$;
\c - authenticator
select page(restful.serve('GET', '/books?order=id'));
select page(restful.serve('GET', '/books?order=id&limit=2'));
select page(restful.serve('GET', '/books?order=id&limit=2&offset=3'));
select page(restful.serve('GET', '/books?order=id&offset=4'));
select page(restful.serve('GET', '/books?order=id&limit=0'));
select page(restful.serve('GET', '/books?order=id&offset=99'));
select page(restful.serve('GET', '/books?order=id', '{"range": "1-2"}'));
select page(restful.serve('GET', '/books?order=id', '{"range": "4-", "range-unit": "items"}'));
-- parameters and header: the rows that both allow
select page(restful.serve('GET', '/books?order=id&limit=3', '{"range": "1-9"}'));
-- with a total
select page(restful.serve('GET', '/books?order=id', '{"prefer": "count=exact"}'));
select page(restful.serve('GET', '/books?order=id&limit=2', '{"prefer": "count=exact"}'));
select page(restful.serve('GET', '/books?order=id&limit=2&year=gt.1900', '{"prefer": "count=exact"}'));
select page(restful.serve('GET', '/books?order=id', '{"range": "4-9", "prefer": "count=exact"}'));
select page(restful.serve('GET', '/books?order=id&limit=0', '{"prefer": "count=exact"}'));
select page(restful.serve('GET', '/books?order=id&offset=6', '{"prefer": "count=exact"}'));
select page(restful.serve('GET', '/books?order=id&offset=7', '{"prefer": "count=exact"}'));
select page(restful.serve('GET', '/books?order=id', '{"range": "7-9", "prefer": "count=exact"}'));
select page(restful.serve('GET', '/books?id=eq.99', '{"prefer": "count=exact"}'));
-- with the planner's total
select page(restful.serve('GET', '/books?order=id&limit=2', '{"prefer": "count=planned"}'));
select page(restful.serve('GET', '/books?order=id&limit=2', '{"prefer": "count=estimated"}'));
-- an invalid Range is ignored (RFC 9110, section 14.2), but a reversed range is not
select page(restful.serve('GET', '/books?order=id', '{"range": "first"}'));
select page(restful.serve('GET', '/books?order=id', '{"range": "bytes=0-1"}'));
select page(restful.serve('GET', '/books?order=id', '{"range": "3-1"}'));
select page(restful.serve('GET', '/books?order=id&limit=-1'));
select page(restful.serve('GET', '/books?order=id&offset=-1'));
select page(restful.serve('GET', '/books?order=id&limit=many'));
select page(restful.serve('GET', '/books?order=id&limit=9223372036854775807&offset=9223372036854775807'));
select page(restful.serve('GET', '/books?order=id&limit=9223372036854775808'));
-- totals of functions and of HEAD
select show_all(restful.serve('HEAD', '/books?limit=2', '{"prefer": "count=exact"}'));
-- Range has no meaning for writes
select page(restful.serve('POST', '/subjects', '{"range": "5-1"}', '{}'));
