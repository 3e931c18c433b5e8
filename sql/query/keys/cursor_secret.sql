-- The secret that cursors are signed with.
SELECT s.secret
FROM restful.cursor_secret s
