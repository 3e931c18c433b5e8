"""Tests the unmodified Python client postgrest over the gateway, and compares its answers with what the database holds."""

import asyncio
import json
import sys
import unittest

from _clients import psql, python_packages, start_gateway
from harness import HERE

sys.path.insert(0, str(python_packages(HERE / "postgrest_py.txt")))

from postgrest import APIError, AsyncPostgrestClient, SyncPostgrestClient  # noqa: E402
from postgrest.types import CountMethod, ReturnMethod  # noqa: E402

gateway = None


def setUpModule():
    global gateway
    gateway = start_gateway()


def tearDownModule():
    gateway.close()


def rows(query):
    return json.loads(psql("-c", f"select coalesce(json_agg(q), '[]') from ({query}) q"))


def subjects():
    """The subjects with ids from 100 on, which belong to the tests that write."""
    return rows("select * from library.subjects where id >= 100 order by id")


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = SyncPostgrestClient(f"http://127.0.0.1:{gateway.port}", schema="library")
        self.addCleanup(self.client.aclose)
        self.books, self.subjects = (lambda: self.client.from_("books")), (lambda: self.client.from_("subjects"))

    def assertReads(self, request, query):
        """The client sees what the database holds."""
        expected = rows(query)
        self.assertTrue(expected, "the query finds nothing")
        self.assertEqual(request.execute().data, expected)

    def assertFinds(self, condition, filtered):
        """The client's filter finds the same books as the SQL condition."""
        self.assertReads(filtered(self.books().select("id")).order("id"), f"select id from library.books where {condition} order by id")

    def assertRefused(self, request, code, message):
        with self.assertRaises(APIError) as raised:
            request.execute()
        self.assertEqual(raised.exception.code, code)
        self.assertRegex(raised.exception.message, message)
        return raised.exception


class Reads(ClientTest):
    def test_select(self):
        self.assertReads(self.books().select("*").order("id"), "select * from library.books order by id")
        self.assertReads(
            self.client.from_("authors").select("id", "label:name", "born::text", "contact->>web", "first:contact->phones->0").order("id"),
            "select id, name as label, born::text, contact->>'web' as web, contact->'phones'->0 as first from library.authors order by id")

    def test_stripped_nulls(self):
        row = {"id": 4, "name": "Michael Kandel", "born": 1941}
        request = self.client.from_("authors").select("*").eq("id", 4).strip_nulls()
        self.assertEqual(request.execute().data, [row])
        self.assertEqual(request.single().execute().data, row)

    def test_comparisons(self):
        for condition, filtered in [
            ("id = 6", lambda q: q.eq("title", "Pinball, 1973")),
            ("title <> 'Emma'", lambda q: q.neq("title", "Emma")),
            ("year > 1961", lambda q: q.gt("year", 1961)),
            ("year >= 1961", lambda q: q.gte("year", 1961)),
            ("price < 8.5", lambda q: q.lt("price", 8.5)),
            ("price <= 8.5", lambda q: q.lte("price", 8.5)),
            ("author = 2 and year > 1961", lambda q: q.eq("author", 2).gt("year", 1961)),
            ("author = 1 and in_print", lambda q: q.match({"author": 1, "in_print": True})),
            ("title like '%a%'", lambda q: q.like("title", "%a%")),
            ("title ilike '%S%'", lambda q: q.ilike("title", "%S%")),
            ("title like 'E%' or title like 'S%'", lambda q: q.like_any_of("title", "E%,S%")),
            ("title like '%e%' and title like '%r%'", lambda q: q.like_all_of("title", "%e%,%r%")),
            ("title ilike 'e%' or title ilike 's%'", lambda q: q.ilike_any_of("title", "e%,s%")),
            ("title ilike '%E%' and title ilike '%R%'", lambda q: q.ilike_all_of("title", "%E%,%R%")),
        ]:
            with self.subTest(condition):
                self.assertFinds(condition, filtered)

    def test_is_in_and_containment(self):
        for condition, filtered in [
            ("price is null", lambda q: q.is_("price", None)),
            ("in_print is false", lambda q: q.is_("in_print", False)),
            ("price is not null", lambda q: q.not_.is_("price", "null")),
            ("id in (1, 3)", lambda q: q.in_("id", [1, 3, 99])),
            ("id in (1, 6)", lambda q: q.in_("title", ["Pinball, 1973", "Emma", 'x")'])),
            ("id not in (1, 2)", lambda q: q.not_.in_("id", [1, 2])),
            ("tags @> '{novel,space}'", lambda q: q.contains("tags", ["novel", "space"])),
            ("tags @> '{novel}'", lambda q: q.cs("tags", ["novel"])),
            ("tags <@ '{novel,love}'", lambda q: q.contained_by("tags", ["novel", "love"])),
            ("tags && '{love,robots}'", lambda q: q.overlaps("tags", ["love", "robots"])),
            ("not tags @> '{novel}'", lambda q: q.not_.cs("tags", ["novel"])),
            ("lent @> '[2024-03-02,2024-03-03)'", lambda q: q.contains("lent", "[2024-03-02,2024-03-03)")),
        ]:
            with self.subTest(condition):
                self.assertFinds(condition, filtered)
        authors = self.client.from_("authors").select("id")
        self.assertReads(authors.contains("contact", {"fax": {"no": 12}}), "select 2 as id")

    def test_ranges(self):
        # The client can only send ranges that exclude both bounds.
        days = ("2024-03-01", "2024-03-11")
        for operator, filtered in [
            (">>", lambda q: q.range_gt("lent", days)), ("&>", lambda q: q.range_gte("lent", days)),
            ("<<", lambda q: q.range_lt("lent", days)), ("&<", lambda q: q.range_lte("lent", days)),
            ("&&", lambda q: q.ov("lent", "(2024-03-01,2024-03-11)")),
        ]:
            with self.subTest(operator):
                self.assertFinds(f"lent {operator} '(2024-03-01,2024-03-11)'", filtered)
        self.assertFinds("lent -|- '(2024-03-10,2024-04-01)'", lambda q: q.range_adjacent("lent", ("2024-03-10", "2024-04-01")))

    def test_text_search(self):
        for condition, column, text, options in [
            ("id in (3, 4)", "about", "ocean | 'robot'", {}),
            ("id = 3", "about", "thinking oceans", {"type": "plain", "config": "english"}),
            ("id = 4", "about", "telling stories", {"type": "phrase", "config": "english"}),
            ("id in (3, 4)", "about", "ocean or robots -wind", {"type": "web_search", "config": "english"}),
            ("id = 5", "title", "wind", {"config": "simple"}),
        ]:
            with self.subTest(text):
                request = self.books().select("id").order("id").text_search(column, text, options)
                self.assertReads(request, f"select id from library.books where {condition} order by id")
        self.assertFinds("id = 3", lambda q: q.plfts("about", "oceans"))

    def test_logic(self):
        for condition, filtered in [
            ("id in (1, 6)", lambda q: q.or_('year.lt.1816,and(author.eq.3,title.eq."Pinball, 1973")')),
            ("id in (1, 2, 4)", lambda q: q.or_("id.in.(1,2),tags.cs.{robots}")),
            ("id not in (1, 2)", lambda q: q.not_.or_("id.eq.1,id.eq.2")),
            ("id = 1", lambda q: q.or_("id.eq.1,id.eq.2").or_("year.eq.1815,year.eq.1961")),
            ("id in (1, 3)", lambda q: q.filter("title", "in", '("Emma","Solaris")')),
            ("not title = 'Emma'", lambda q: q.not_.eq("title", "Emma")),
        ]:
            with self.subTest(condition):
                self.assertFinds(condition, filtered)
        authors = self.client.from_("authors").select("id")
        self.assertReads(authors.eq("contact->>web", "lem.pl"), "select 2 as id")

    def test_embeds(self):
        self.assertReads(
            self.books().select("title, author(name), by:authors!books_translator_fkey(name), details(pages)").order("id"),
            """select title, (select json_build_object('name', name) from library.authors a where a.id = author) as author,
               (select json_build_object('name', name) from library.authors a where a.id = translator) as by,
               (select json_build_object('pages', pages) from library.details where book = b.id) as details
               from library.books b order by id""")
        self.assertReads(
            self.client.from_("authors").select("name, books!author(title)").order("id").lt("books.year", 1970)
                .order("year", desc=True, foreign_table="books").limit(1, foreign_table="books"),
            """select name, coalesce((select json_agg(b) from (select title from library.books where author = a.id and year < 1970
               order by year desc limit 1) b), '[]') as books from library.authors a order by id""")
        self.assertReads(
            self.books().select("title, subjects(name)").order("id").order("name", foreign_table="subjects"),
            """select title, coalesce((select json_agg(json_build_object('name', name) order by name) from library.subjects s
               join library.books_subjects bs on s.id = bs.subject where bs.book = b.id), '[]') as subjects
               from library.books b order by id""")
        self.assertReads(
            self.books().select("title, ...authors!books_author_fkey(by:name)").order("id"),
            "select title, name as by from library.books b join library.authors a on a.id = author order by b.id")
        self.assertReads(
            self.client.from_("authors").select("id, books!author(id)").eq("id", 3)
                .or_("year.eq.1980,title.eq.Emma", reference_table="books"),
            """select 3 as id, '[{"id": 6}]'::json as books""")

    def test_embeds_choose_parents(self):
        self.assertReads(
            self.books().select("id, details!inner(pages)").gt("details.pages", 250).order("id"),
            "select book as id, json_build_object('pages', pages) as details from library.details where pages > 250 order by book")
        self.assertReads(
            self.books().select("id, details()").is_("details", "null").order("id"),
            "select id from library.books where id not in (select book from library.details) order by id")

    def test_order_and_pages(self):
        select = self.books().select
        self.assertReads(select("id").order("author", desc=True).order("year"), "select id from library.books order by author desc, year")
        self.assertReads(select("id").order("price", nullsfirst=True), "select id from library.books order by price nulls first")
        self.assertReads(select("id").order("price", desc=True, nullsfirst=False),
                         "select id from library.books order by price desc nulls last")
        self.assertReads(select("id").order("id").limit(2).offset(1), "select id from library.books order by id limit 2 offset 1")
        self.assertReads(select("id").order("id").range(1, 3), "select id from library.books order by id limit 3 offset 1")

    def test_counts(self):
        for count in CountMethod:
            page = self.books().select("id", count=count).range(0, 1).execute()
            self.assertEqual((page.count, len(page.data)), (6, 2), count)
        head = self.books().select("*", count=CountMethod.exact, head=True).gt("year", 1900).execute()
        self.assertEqual((head.count, head.data), (4, []))
        self.assertRefused(self.books().select("id", count=CountMethod.exact).range(100, 110), "PGRST103", "range")

    def test_single(self):
        self.assertEqual(self.books().select("id, title").eq("id", 1).single().execute().data, {"id": 1, "title": "Emma"})
        none = self.assertRefused(self.books().select("*").eq("id", 99).single(), "PGRST116", "single JSON object")
        self.assertEqual(none.details, "The result contains 0 rows")
        self.assertRefused(self.books().select("*").single(), "PGRST116", "single JSON object")

    def test_maybe_single(self):
        self.assertEqual(self.books().select("id").eq("id", 1).maybe_single().execute().data, {"id": 1})
        self.assertIsNone(self.books().select("id").eq("id", 99).maybe_single().execute())
        self.assertRefused(self.books().select("id").maybe_single(), "406", "single JSON object")

    def test_asynchronous(self):
        async def read():
            async with AsyncPostgrestClient(f"http://127.0.0.1:{gateway.port}", schema="library") as client:
                return await asyncio.gather(*(client.from_("books").select("id").eq("id", i).execute() for i in range(1, 7)))
        self.assertEqual([answer.data for answer in asyncio.run(read())], [[{"id": i}] for i in range(1, 7)])


class Writes(ClientTest):
    def setUp(self):
        super().setUp()
        psql("-c", "delete from library.subjects where id >= 100; insert into library.subjects values (100, 'A'), (101, 'B')")

    def test_insert(self):
        one = self.subjects().insert({"id": 102, "name": 'C "c" é'}).execute()
        self.assertEqual(one.data, [{"id": 102, "name": 'C "c" é'}])
        bare = self.subjects().insert({"id": 103, "name": "D"}, returning=ReturnMethod.minimal).execute()
        self.assertEqual(bare.data, [])
        many = self.subjects().insert([{"id": 104, "name": "E"}, {"id": 105, "name": "F"}], count=CountMethod.exact).execute()
        self.assertEqual((many.count, many.data), (2, [{"id": 104, "name": "E"}, {"id": 105, "name": "F"}]))
        self.assertEqual([s["name"] for s in subjects()], ["A", "B", 'C "c" é', "D", "E", "F"])

    def test_insert_with_chosen_columns(self):
        answer = self.subjects().insert([{"id": 102, "name": "C"}]).select("name, books(id)").execute()
        self.assertEqual(answer.data, [{"name": "C", "books": []}])

    def test_insert_missing_values(self):
        psql("-c", "delete from library.loans where borrower = 'anon'")
        loans = [{"book": 1}, {"book": 2, "days": 3}]
        self.assertRefused(self.client.from_("loans").insert(loans), "23502", "null value")
        self.client.from_("loans").insert(loans, default_to_null=False).execute()
        self.assertEqual(rows("select book, days from library.loans where borrower = 'anon' order by book"),
                         [{"book": 1, "days": 14}, {"book": 2, "days": 3}])

    def test_insert_types(self):
        author = {"id": 100, "name": "Ω", "born": None, "country": "gb", "contact": {"a": [1, None, 'x\n"\\'], "b": {"c": 1.5}}}
        self.addCleanup(psql, "-c", "delete from library.authors where id = 100")
        self.assertEqual(self.client.from_("authors").insert(author).execute().data, [author])
        self.assertEqual(rows("select * from library.authors where id = 100"), [author])

    def test_upsert(self):
        merged = self.subjects().upsert([{"id": 101, "name": "b"}, {"id": 102, "name": "c"}]).execute()
        self.assertEqual(merged.data, [{"id": 101, "name": "b"}, {"id": 102, "name": "c"}])
        ignored = self.subjects().upsert([{"id": 101, "name": "no"}, {"id": 103, "name": "d"}], ignore_duplicates=True).execute()
        self.assertEqual(ignored.data, [{"id": 103, "name": "d"}])
        self.assertEqual([s["name"] for s in subjects()], ["A", "b", "c", "d"])
        self.subjects().insert({"id": 100, "name": "a"}, upsert=True).execute()
        self.assertEqual(subjects()[0], {"id": 100, "name": "a"})

    def test_upsert_by_another_unique_key(self):
        psql("-c", "insert into library.countries values ('xx', 'Nowhere')")
        self.addCleanup(psql, "-c", "delete from library.countries where name = 'Nowhere'")
        self.client.from_("countries").upsert({"code": "yy", "name": "Nowhere"}, on_conflict="name").execute()
        self.assertEqual(rows("select code from library.countries where name = 'Nowhere'"), [{"code": "yy"}])

    def test_update(self):
        answer = self.subjects().update({"name": "z"}, count=CountMethod.exact).gte("id", 100).execute()
        self.assertEqual((answer.count, len(answer.data)), (2, 2))
        self.assertEqual(self.subjects().update({"name": "q"}).eq("id", 999).execute().data, [])
        bare = self.subjects().update({"name": "one"}, returning=ReturnMethod.minimal).eq("id", 100).execute()
        self.assertEqual(bare.data, [])
        self.assertEqual(subjects(), [{"id": 100, "name": "one"}, {"id": 101, "name": "z"}])

    def test_delete(self):
        self.assertEqual(self.subjects().delete().eq("id", 100).execute().data, [{"id": 100, "name": "A"}])
        answer = self.subjects().delete(count=CountMethod.exact, returning=ReturnMethod.minimal).gte("id", 100).execute()
        self.assertEqual((answer.count, answer.data), (1, []))
        self.assertEqual(subjects(), [])

    def test_max_affected(self):
        self.assertRefused(self.subjects().delete().gte("id", 100).max_affected(1), "PGRST124", "max-affected")
        self.assertEqual(len(subjects()), 2)
        self.assertEqual(len(self.subjects().delete().gte("id", 100).max_affected(2).execute().data), 2)
        self.assertEqual(subjects(), [])

    def test_schema(self):
        scans = self.client.schema("archive").from_("scans")
        self.assertReads(scans.select("*").order("id"), "select * from archive.scans order by id")
        scans.insert({"id": 3, "book": 1, "pages": 9}).execute()
        self.assertEqual(rows("select * from archive.scans where id = 3"), [{"id": 3, "book": 1, "pages": 9}])
        self.assertEqual(scans.delete().eq("id", 3).execute().data, [{"id": 3, "book": 1, "pages": 9}])
        self.assertRefused(self.client.schema("pg_catalog").from_("pg_class").select("*"), "PGRST106", "schema")


class Calls(ClientTest):
    def test_values(self):
        for get in (False, True):
            self.assertEqual(self.client.rpc("add", {"a": 2, "b": 3}, get=get).execute().data, 5)
            self.assertEqual(self.client.rpc("add", {"a": 2}, get=get).execute().data, 3)
            self.assertEqual(self.client.rpc("total", {"numbers": [1, 2, 3]}, get=get).execute().data, 6)
        self.assertEqual(self.client.rpc("echo", {"document": {"a": [1, {"b": None}]}}).execute().data, {"a": [1, {"b": None}]})
        self.assertEqual(self.client.rpc("titles", {}).execute().data,
                         [row["title"] for row in rows("select title from library.books order by id")])

    def test_rows(self):
        for get in (False, True):
            self.assertReads(
                self.client.rpc("books_of", {"author_id": 2}, get=get).select("title, details(pages)").gt("year", 1900).order("year", desc=True),
                """select title, json_build_object('pages', pages) as details from library.books, library.details
                   where book = id and author = 2 order by year desc""")
            self.assertReads(self.client.rpc("books_of", {"author_id": 3}, get=get).select("id").order("id").range(1, 1), "select 6 as id")
            one = self.client.rpc("books_of", {"author_id": 1}, get=get).select("title").eq("year", 1815).single()
            self.assertEqual(one.execute().data, {"title": "Emma"})
        self.assertEqual(self.client.rpc("oldest_book", {}).execute().data["title"], "Emma")
        self.assertEqual(self.client.rpc("books_of", {"author_id": 3}, count=CountMethod.exact).execute().count, 2)
        head = self.client.rpc("books_of", {"author_id": 3}, count=CountMethod.exact, head=True).execute()
        self.assertEqual((head.count, head.data), (2, []))

    def test_changes(self):
        psql("-c", "insert into library.subjects values (150, 'A')")
        self.addCleanup(psql, "-c", "delete from library.subjects where id = 150")
        self.client.rpc("rename_subject", {"subject": 150, "new_name": "r"}).execute()
        self.assertEqual(rows("select name from library.subjects where id = 150"), [{"name": "r"}])
        self.assertRefused(self.client.rpc("rename_subject", {"subject": 150, "new_name": "x"}, get=True), "25006", "read-only")

    def test_what_a_function_raises(self):
        error = self.assertRefused(self.client.rpc("refuse", {}), "PT402", "Pay first")
        self.assertEqual((error.details, error.hint), ("Nothing is free", "Pay"))


class Errors(ClientTest):
    def test_names_that_do_not_exist(self):
        for request, code, message in [
            (self.client.from_("nope").select("*"), "PGRST205", r"library\.nope"),
            (self.books().select("nope"), "42703", r"books\.nope does not exist"),
            (self.books().select("*").eq("nope", 1), "42703", "nope"),
            (self.books().select("id, nope(id)"), "PGRST200", "relationship"),
            (self.books().select("id, authors(name)"), "PGRST201", "more than one relationship"),
            (self.subjects().insert({"id": 1, "nope": 2}), "PGRST204", "nope"),
            (self.client.rpc("nope", {"a": 1}), "PGRST202", "nope"),
        ]:
            with self.subTest(code=code, message=message):
                self.assertRefused(request, code, message)

    def test_values_and_constraints(self):
        for request, code, message in [
            (self.books().select("*").eq("id", "x"), "22P02", "integer"),
            (self.books().select("*").or_("id.eq"), "PGRST100", "parse"),
            (self.subjects().insert({"id": 1, "name": "x"}), "23505", "duplicate key"),
            (self.client.from_("details").insert({"book": 77}), "23503", "foreign key"),
            (self.books().update({"year": -1}).eq("id", 1), "23514", "check constraint"),
            (self.subjects().insert({"id": 200}), "23502", "null value"),
        ]:
            with self.subTest(code=code):
                self.assertRefused(request, code, message)
        self.assertEqual(rows("select year from library.books where id = 1"), [{"year": 1815}])


if __name__ == "__main__":
    unittest.main()
