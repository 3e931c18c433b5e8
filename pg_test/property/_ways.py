"""Makes requests in two ways: in the one that every request can take, and in the faster ones, for which some qualify. The answers must
be equal. A library that is built with the feature pg_test has the function that chooses the way (src/pg/execution/test_hook.rs)."""

import json

import _sql

CLEAN_UP = "drop schema if exists ways cascade;\n"


def set_up(library):
    """Makes the functions of this file, in the schema ways."""
    return f"""{CLEAN_UP}
create schema ways;
grant usage on schema ways to public;
-- Chooses the ways of the requests to come. Returns how often each of the faster ways was taken in this session.
create function ways.take(choice text) returns json language c strict as {_sql.quote(str(library))}, 'restful_test_ways';
-- Makes a request in both ways, and undoes what it does in the first. Raises an error if the answers differ.
create function ways.serve(method text, target text, headers jsonb, body bytea) returns restful.http_response language plpgsql as $$
declare
  general restful.http_response;
  fast restful.http_response;
begin
  perform ways.take('general');
  begin
    general := restful.serve(method, target, headers, body);
    raise exception using errcode = 'WAYS0';
  exception when sqlstate 'WAYS0' then null;
  end;
  perform ways.take('fastest');
  fast := restful.serve(method, target, headers, body);
  -- Each time that a row is written, it has another version.
  if method not in ('GET', 'HEAD') then
    general.headers := general.headers - 'etag';
    fast.headers := fast.headers - 'etag';
  end if;
  if general is distinct from fast then
    raise exception using errcode = 'WAYS1', message = format(E'%s %s %s: the general way answers\\n%s %s %s, and the fast way\\n%s %s %s',
      method, left(target, 1000), left(convert_from(body, 'UTF8'), 1000),
      general.status, general.headers, left(convert_from(general.body, 'UTF8'), 2000),
      fast.status, fast.headers, left(convert_from(fast.body, 'UTF8'), 2000));
  end if;
  return fast;
end $$;
"""


def run(library, *statements, messages="error"):
    """Runs statements that use the functions. Returns what psql prints for them, and how often each of the faster ways was taken."""
    printed = _sql.run(set_up(library), *statements, "reset role;", "select ways.take('');", CLEAN_UP, messages=messages)
    *lines, taken = printed.splitlines()
    return "\n".join(lines), json.loads(taken)


def seldom(taken, least):
    """Says what was taken less often than it must be for a test to prove anything. Empty if nothing was."""
    return ", ".join(f"{way}: {taken.get(way, 0)} times, not {count}" for way, count in least.items() if taken.get(way, 0) < count)
