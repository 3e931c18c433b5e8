"""A session's memory does not grow with bodies above the limit, or over many calls of every kind, errors included."""

import json
import pathlib
import unittest

from _session import Session

ROUNDS, CALLS = 20, 1000
MEGABYTE = 1 << 20

# Method, target, header fields and body. The calls are made in turn.
CALLS_OF_EVERY_KIND = [
    ("GET", "/books?select=id,title&id=eq.3", {}, None),
    ("GET", "/books/3", {}, None),
    ("GET", "/authors?select=name,books!books_author_fkey(title,subjects(name))&order=name", {"prefer": "count=exact"}, None),
    ("GET", "/books?nothing=eq.1", {}, None),
    ("GET", "/books?id=eq.x", {}, None),
    ("GET", "/books/99", {}, None),
    ("GET", "/nowhere", {}, None),
    ("GET", "/books?select=id::regclass", {}, None),
    ("GET", "/books?order=title&limit=2&offset=1", {"accept": "text/csv"}, None),
    ("HEAD", "/books", {}, None),
    ("OPTIONS", "/books", {}, None),
    ("POST", "/subjects", {"prefer": "return=representation, tx=rollback"}, {"id": 77, "name": "x"}),
    ("POST", "/subjects", {}, {"id": 1, "name": "twice"}),
    ("POST", "/subjects", {"prefer": "resolution=merge-duplicates"}, [{"id": 1, "name": "Love"}, {"id": 2, "name": "Space"}]),
    ("POST", "/subjects", {}, {"id": "x"}),
    ("POST", "/subjects", {}, "no object"),
    ("PATCH", "/subjects?id=eq.1", {"prefer": "return=representation"}, {"name": "Love"}),
    ("PATCH", "/countries?code=eq.pl", {}, {"code": "toolong"}),
    ("PUT", "/subjects/1", {}, {"id": 1, "name": "Love"}),
    ("DELETE", "/authors?id=eq.1", {}, None),
    ("DELETE", "/subjects?id=eq.99", {}, None),
    ("POST", "/rpc/raise", {}, {"code": "P0001"}),
    ("POST", "/rpc/raise", {}, {"code": "23505"}),
    ("GET", "/rpc/raise?code=22012", {}, None),
    ("POST", "/rpc/nested", {}, {}),
    ("POST", "/batch", {}, [
        {"method": "GET", "target": "/books?select=id,title&limit=2"},
        {"method": "PATCH", "target": "/subjects", "key": [{"$ref": "0/body/0/id"}], "body": {"name": {"$ref": "0/body/1/title"}}},
        {"method": "PATCH", "target": "/subjects", "key": [1], "body": {"name": "Love"}}]),
    ("POST", "/batch", {}, [
        {"method": "GET", "target": "/books?select=id,title"}, {"method": "POST", "target": "/subjects", "body": {"id": 1, "name": "twice"}}]),
    ("POST", "/batch", {}, [{"method": "GET", "target": "/books", "key": [{"$ref": "x"}]}]),
    ("TRACE", "/books", {}, None),
    ("GET", "/loans?select=id", {"authorization": "Bearer x"}, None),
]

SETUP = """
create or replace function library.raise(code text) returns void language plpgsql as $$ begin raise 'x' using errcode = code; end $$;
create or replace function library.nested() returns int language sql as $$
    select (restful.serve('GET', '/books?nothing=eq.1')).status $$;
create table public.calls (n int primary key, method text, target text, headers jsonb, body bytea);
grant select on public.calls to librarian;
"""


def memory(session, field="RssAnon"):
    """Bytes of a backend's memory."""
    for line in pathlib.Path(f"/proc/{session.pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(field)


class Memory(unittest.TestCase):
    def setUp(self):
        self.librarian = Session("librarian")
        self.addCleanup(self.librarian.close)
        self.admin = Session("postgres")
        self.addCleanup(self.admin.close)

    def test_t51_a_body_above_the_limit_costs_nothing(self):
        size = 64 * MEGABYTE
        body = f"(select convert_to(repeat('x', {size}), 'utf8') offset 0)"
        kinds = "application/json", "text/csv", "application/octet-stream", "application/x-www-form-urlencoded"

        def post(content, what):
            return self.librarian.ask(f"""select status, convert_from(body, 'utf8')::json->>'code'
                from restful.serve('POST', '/subjects', '{{"content-type": "{content}"}}', {what})""")

        # First make the session load what it loads only once, and hold a body of this size.
        for content in kinds:
            post(content, "'x'")
        post(kinds[0], "(select convert_to(repeat('x', 2000000), 'utf8') offset 0)")
        for _ in range(2):
            self.assertEqual(self.librarian.ask(f"select octet_length({body})"), str(size))
        pathlib.Path(f"/proc/{self.librarian.pid}/clear_refs").write_text("5")  # This resets the peak.
        self.librarian.ask(f"select octet_length({body})")
        peak, before = memory(self.librarian, "VmHWM"), memory(self.librarian)
        for _ in range(5):
            for content in kinds:
                self.assertEqual(post(content, body), "413|REST413")
        self.assertLess(memory(self.librarian, "VmHWM") - peak, size / 4)
        self.assertLess(memory(self.librarian) - before, MEGABYTE)
        self.assertEqual(self.librarian.get("/subjects/1?select=id"), '200 {"id": 1}')

    def test_t52_calls_of_every_kind_leave_nothing_behind(self):
        self.admin.ask(SETUP)
        for number, (method, target, headers, body) in enumerate(CALLS_OF_EVERY_KIND):
            text = "null" if body is None else f"$b${json.dumps(body)}$b$"
            self.admin.ask(f"insert into public.calls values ({number}, '{method}', $t${target}$t$, '{json.dumps(headers)}', convert_to({text}, 'utf8'))")
        run = f"""select count(distinct status) from generate_series(1, {CALLS}) i
            join public.calls c on c.n = i % {len(CALLS_OF_EVERY_KIND)}, restful.serve(method, target, headers, body)"""

        def used():
            contexts = """select sum(used_bytes), count(*) from pg_backend_memory_contexts
                where name not in ('ExecutorState', 'ExprContext', 'MessageContext', 'PortalContext')"""
            self.admin.ask("grant pg_read_all_stats to librarian")
            return [int(n) for n in self.librarian.ask(contexts).split("|")]

        # After these calls, the session has cached all that it ever caches.
        for _ in range(4):
            kinds = int(self.librarian.ask(run))
        self.assertGreater(kinds, 6)
        resident, (bytes_used, contexts) = memory(self.librarian), used()
        for _ in range(ROUNDS):
            self.assertEqual(self.librarian.ask(run), str(kinds))
        self.assertLess(memory(self.librarian) - resident, MEGABYTE)
        now_used, now_contexts = used()
        # A leak of 16 bytes per call would exceed this.
        self.assertLess(now_used - bytes_used, 16 * ROUNDS * CALLS)
        self.assertLess(now_contexts - contexts, 20)
        self.assertEqual(self.librarian.ask("select count(*) from pg_cursors where name <> ''"), "0")
        self.assertEqual(self.librarian.ask("select count(*) from pg_prepared_statements"), "0")
        self.assertEqual(self.admin.ask(f"select count(*) from pg_locks where pid = {self.librarian.pid} and locktype = 'relation'"), "0")


if __name__ == "__main__":
    unittest.main()
