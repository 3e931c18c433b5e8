"""A target that users of curl type unencoded means the same to the gateway as the percent-encoded target."""

import unittest
import urllib.parse

from _clients import psql, start_gateway

gateway = None


def setUpModule():
    global gateway
    gateway = start_gateway()


def tearDownModule():
    gateway.close()


def ask(target, method="GET"):
    """Makes a request with the target as it is. Returns the answer. curl and http.client would check, cut or encode it."""
    return gateway.raw(f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


class TypedTargets(unittest.TestCase):
    def test_raw_characters_mean_what_their_escapes_mean(self):
        for target, part in [
            ("/authors?select=contact->>web&contact->>web=not.is.null&order=id", b"murakami.jp"),
            ("/authors?select=id,fax:contact->fax->>no&contact->fax->no=eq.12", b'"12"'),
            ('/books?select=title&title=in.("Pinball,%201973","Emma")', b"Pinball, 1973"),
            ("/books?select=title&tags=cs.{novel,space}", b"Solaris"),
            ('/books?select=title&tags=cs.{"novel","love"}', b"Emma"),
            ("/books?select=id&title=match.^(Emma|Solaris)$", b'{"id":3}'),
            ("/books?select=id&title=match.^\\w{4}$", b'{"id":1}'),
            ("/books?select=id&title=imatch.`|emma", b'{"id":1}'),
            ("/authors?select=id&name=eq.Stanis\u0142aw%20Lem", b'{"id":2}'),
            ("/authors?select=id&name=like.*\u0142aw*", b'{"id":2}'),
            ("/books?select=id&lent=ov.[2024-01-03,2024-01-05)&order=id", b'{"id":1}'),
            ("/books?select=id&title=lt.<", b"[]"),
            ("/b>ks", b"PGRST205"),
        ]:
            answer = ask(target)
            self.assertIn(part, answer.body, target)
            path, _, query = target.partition("?")
            encoded = urllib.parse.quote(path) + (query and "?" + urllib.parse.quote(query, safe="%=&"))
            self.assertNotEqual(encoded, target)
            same = ask(encoded)
            self.assertEqual((same.status, same.body), (answer.status, answer.body), target)

    def test_what_would_be_cut_changes_nothing(self):
        count = "select count(*) from library.subjects"
        before = psql("-c", count)
        for target in ["/subjects#?id=eq.1", "/subjects?id=gte.0#", "/subjects?id=eq.1 or 1", "subjects?id=eq.1", "subjects",
                       "subjects/"]:
            answer = ask(target, "DELETE")
            self.assertEqual((answer.status, answer.json["code"]), (400, "REST400"), target)
        self.assertEqual(psql("-c", count), before)


if __name__ == "__main__":
    unittest.main()
