-- The limits of requests.
SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.name COLLATE "C"), '[]')
FROM restful.limit_entry e
