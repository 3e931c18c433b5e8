"""Tests pages in Chromium that make requests to the gateway across origins. The PG* variables name the database."""

import http.server
import json
import queue
import shutil
import subprocess
import tempfile
import threading
import unittest

from _clients import another_gateway, psql, start_gateway

# Longer than Chromium takes to start on a slow machine.
SECONDS = 120
PAGE = """<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
// What a script learns: the answer, or that the browser does not let it see one.
const ask = async ([url, options]) => {
    try {
        const response = await fetch(url, options);
        const text = await response.text();
        return {status: response.status, headers: Object.fromEntries(response.headers), body: text && JSON.parse(text)};
    } catch (error) {
        return error.name;
    }
};
const answers = [];
for (const request of await (await fetch('/requests')).json()) {
    answers.push(await ask(request));
}
await fetch('/answers', {method: 'POST', body: JSON.stringify(answers)});
</script>"""

gateway = chromium = pages = None


class Pages(http.server.ThreadingHTTPServer):
    """Serves the page and the requests that it has to make, and receives its answers. Its port makes it another origin."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), PagesHandler)
        self.requests, self.answers = [], queue.Queue()
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class PagesHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kinds = {"/": ("text/html", PAGE), "/requests": ("application/json", json.dumps(self.server.requests))}
        kind, text = kinds.get(self.path, (None, ""))
        self.send_response(200 if kind else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self):
        self.server.answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def browse(requests):
    """Opens a page that makes these requests one after the other, and returns the answers that the page got. A request is
    a URL and the options of fetch."""
    pages.requests = requests
    with tempfile.TemporaryDirectory(prefix="browser_test_", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
             "--remote-debugging-port=0", f"--user-data-dir={profile}", f"{pages.origin}/"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr))
        reader.start()
        try:
            return pages.answers.get(timeout=SECONDS)
        except queue.Empty:
            raise AssertionError("Chromium's page has not answered: " + "".join(said)) from None
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stderr.close()


def setUpModule():
    global gateway, chromium, pages
    chromium = shutil.which("chromium")
    if not chromium:
        raise RuntimeError("there is no chromium: tools/setup tests installs it")
    gateway = start_gateway(BODY_LIMIT=1000)
    psql("-c", f"""
        grant librarian to authenticator;
        select restful.create_signing_key('EdDSA', 'browser')""")
    pages = Pages()


def tearDownModule():
    pages.close()
    gateway.close()
    psql("-c", "revoke librarian from authenticator")


def url(to, target):
    return f"http://127.0.0.1:{to.port}{target}"


class Browser(unittest.TestCase):
    def start(self, **settings):
        started = another_gateway(**settings)
        self.addCleanup(started.close)
        return started

    def test_a_page_reads_and_writes(self):
        token = psql("-c", "select restful.jwt_sign('{\"role\": \"librarian\"}')")
        typed = {"Content-Type": "application/json", "Prefer": "return=representation"}
        requests = [
            ("GET", "/books?select=id,title&id=eq.3", {"Prefer": "count=exact"}, None),
            ("GET", "/authors?select=contact->>web&id=eq.2", {"Accept": "application/vnd.pgrst.object+json"}, None),
            ("POST", "/subjects", typed, {"id": 300, "name": "Browsers"}),
            ("PATCH", "/subjects?id=eq.300", typed, {"name": "Pages"}),
            ("PUT", "/subjects?id=eq.301", typed, {"id": 301, "name": "Tabs"}),
            ("POST", "/rpc/add", typed, {"a": 1, "b": 2}),
            ("HEAD", "/subjects?id=gte.300", {"Prefer": "count=exact"}, None),
            ("DELETE", "/subjects?id=gte.300&order=id", {"Prefer": "return=representation"}, None),
            ("GET", "/books?id=eq.3&select=id", {"Accept-Profile": "library", "Authorization": f"Bearer {token}"}, None),
            ("GET", "/books", {"Authorization": "Bearer no.token.this"}, None),
            ("GET", "/no_such_table", {}, None),
            ("POST", "/subjects", typed, {"id": 302, "name": "x" * 2000}),
        ]
        answers = browse([
            (url(gateway, target), {"method": method, "headers": headers, "body": body and json.dumps(body)})
            for method, target, headers, body in requests])
        read, embedded, created, changed, put, called, head, deleted, signed, refused, missing, large = answers
        self.assertEqual((read["status"], read["body"]), (200, [{"id": 3, "title": "Solaris"}]))
        self.assertEqual(read["headers"]["content-range"], "0-0/1")
        self.assertIn("x-request-id", read["headers"])
        self.assertEqual(embedded["body"], {"web": "lem.pl"})
        self.assertEqual((created["status"], created["body"]), (201, [{"id": 300, "name": "Browsers"}]))
        self.assertEqual(created["headers"]["preference-applied"], "return=representation")
        self.assertEqual((changed["status"], changed["body"]), (200, [{"id": 300, "name": "Pages"}]))
        self.assertEqual((put["status"], put["body"]), (201, [{"id": 301, "name": "Tabs"}]))
        self.assertEqual(called["body"], 3)
        self.assertEqual((head["status"], head["headers"]["content-range"], head["body"]), (200, "0-1/2", ""))
        self.assertEqual((deleted["status"], [row["id"] for row in deleted["body"]]), (200, [300, 301]))
        self.assertEqual((signed["status"], signed["body"]), (200, [{"id": 3}]))
        self.assertEqual(refused["status"], 401)
        self.assertIn("Bearer", refused["headers"]["www-authenticate"])
        self.assertEqual((missing["status"], missing["body"]["code"]), (404, "PGRST205"))
        self.assertEqual((large["status"], large["body"]["code"]), (413, "REST413"))
        self.assertEqual(psql("-c", "select count(*) from library.subjects where id >= 300"), "0")

    def test_a_page_of_the_list_may_send_cookies_too(self):
        get = {"credentials": "include"}
        patch = {**get, "method": "PATCH", "headers": {"Content-Type": "application/json"}, "body": "{}"}
        listed = self.start(CORS_ALLOWED_ORIGINS=f"https://app.example,{pages.origin}")
        read, changed, without = browse([
            (url(listed, "/books?id=eq.1&select=id"), get), (url(listed, "/subjects?id=eq.1"), patch),
            (url(gateway, "/books?id=eq.1"), get),
        ])
        self.assertEqual((read["status"], read["body"], changed["status"]), (200, [{"id": 1}], 204))
        self.assertEqual(without, "TypeError", "without a list, any page may ask, but not with cookies")

    def test_a_page_of_a_foreign_origin_is_kept_out(self):
        headers = {"Content-Type": "application/json"}
        foreign, off = self.start(CORS_ALLOWED_ORIGINS="https://app.example"), self.start(CORS_ALLOWED_ORIGINS="off")
        before = psql("-c", "select json_agg(s order by id) from library.subjects s")
        for closed in foreign, off:
            answers = browse([
                (url(closed, "/books?id=eq.1"), {}),
                (url(closed, "/subjects?id=eq.1"), {"method": "PATCH", "headers": headers, "body": '{"name": "Hatred"}'}),
                (url(closed, "/subjects"), {"method": "POST", "headers": headers, "body": '{"id": 303, "name": "Hatred"}'}),
                (url(closed, "/subjects?id=eq.4"), {"method": "DELETE"}),
                (url(closed, "/books?id=eq.1"), {"headers": {"Authorization": "Bearer x"}}),
            ])
            self.assertEqual(answers, ["TypeError"] * 5)
        self.assertEqual(psql("-c", "select json_agg(s order by id) from library.subjects s"), before)


if __name__ == "__main__":
    unittest.main()
