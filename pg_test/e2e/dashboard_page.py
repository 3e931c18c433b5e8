"""The dashboard of the gateway: the page in Chromium, with 200 routes and no way out."""

import http.client
import json
import os
import re
import unittest

from _chromium import Chromium
from _clients import another_gateway, psql, start_gateway
from harness import wait_until

ROUTES = 200

off = gateway = key = None


def setUpModule():
    global off, gateway, key
    off = start_gateway()
    gateway = another_gateway(DASHBOARD_PATH="/dashboard")
    psql("-c", f"""
        create schema shop;
        grant usage on schema shop to anon, librarian;
        do $$ begin
            for i in 1..{ROUTES} loop
                execute format('create table shop.items_%s (id int primary key)', i);
            end loop;
        end $$;
        grant select on all tables in schema shop to anon;
        grant librarian to authenticator;
        grant execute on function restful.dashboard() to librarian;
        select restful.route('GET /dashboard.json', 'restful.dashboard');
        select restful.limit('3 per hour', by => 'all', requests => 'GET /items_2', name => '<b>few</b>');
        select restful.stat_reset();""")
    key = psql("-c", "select key from restful.create_api_key('eve', 'librarian')")
    psql("-c", f"alter role authenticator in database {os.environ['PGDATABASE']} set restful.schemas = 'shop'")
    wait_until(lambda: get("/items_200") == 200)
    for number in range(1, ROUTES + 1):
        get(f"/items_{number}")
    for _ in range(9):
        get("/items_2")


def tearDownModule():
    off.close()
    gateway.close()
    psql("-c", "revoke librarian from authenticator; drop owned by librarian")


def get(path):
    """The status of a request to the gateway."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=120)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


class Page(unittest.TestCase):
    def setUp(self):
        self.browser = Chromium()
        self.addCleanup(self.browser.close)

    def size(self, width, height, mobile=False):
        self.browser.call("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile})

    def open(self):
        self.browser.call("Page.navigate", {"url": f"http://127.0.0.1:{gateway.port}/dashboard"})
        self.browser.until("!!document.getElementById('message')?.classList.contains('problem')")

    def log_in(self):
        self.browser.run(f"document.getElementById('kind').value = 'key'; document.getElementById('credential').value = {json.dumps(key)};"
                         "document.getElementById('every').value = '2'; document.querySelector('#who button').click()")
        self.browser.until("!document.getElementById('main').hidden")

    def cells(self, table):
        return self.browser.run(f"[...document.getElementById('{table}').tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent))")

    def test_who_may_not_is_told_so(self):
        self.open()
        self.assertIn("may not see the dashboard", self.browser.run("document.getElementById('message').textContent"))
        self.assertTrue(self.browser.run("document.getElementById('main').hidden"))

    def test_it_shows_what_the_statistics_say_and_asks_nobody_else(self):
        browser = self.browser
        self.size(1280, 1400)
        self.open()
        self.log_in()
        shown = {(row[0], row[2], row[3]): row for row in self.cells("routes")}
        told = json.loads(psql("-c", """select jsonb_agg(jsonb_build_array(route, method, status_class, calls)) from restful.stat_requests()
            where route like '/items_%'"""))
        self.assertGreaterEqual(len(told), ROUTES)
        for route, method, status, calls in told:
            self.assertEqual(shown[route, method, status][4].replace(",", ""), str(calls), route)
        # Names are text.
        limits = {row[0]: row for row in self.cells("limits")}
        self.assertEqual(limits["<b>few</b>"][3:5], ["all", "7"])
        self.assertIn(["shared_memory", "ok"], [row[:2] for row in self.cells("checks")])
        # It goes on: rates are those between two answers.
        for _ in range(30):
            get("/items_1")
        browser.until("document.querySelector('#rate canvas') && /[1-9]/.test(document.querySelector('#rate-text').textContent.split(':')[1] || '')")
        browser.until("[...document.getElementById('routes').tBodies[0].rows].some(row => row.cells[0].textContent === '/items_1' && row.cells[4].textContent === '30')")
        browser.picture("dashboard")
        # Sorting and finding.
        browser.run("document.getElementById('find').value = 'items_19'; document.getElementById('find').dispatchEvent(new Event('input'))")
        self.assertEqual(len(self.cells("routes")), len([row for row in told if "items_19" in row[0]]))
        browser.run("document.getElementById('find').value = ''; document.getElementById('find').dispatchEvent(new Event('input'));"
                    "[...document.querySelectorAll('#routes thead button')].find(b => b.textContent === 'Route').click()")
        names = [row[0] for row in self.cells("routes")]
        self.assertEqual(names, browser.run(f"{json.dumps(names)}.sort((a, b) => a.localeCompare(b))"))
        self.assertEqual(browser.run("document.querySelector('#routes th').getAttribute('aria-sort')"), "ascending")
        asked = {event["request"]["url"].split("?")[0] for event in browser.said("Network.requestWillBeSent")}
        self.assertEqual({re.sub(r"//[^/]+", "", url.removeprefix("http:")) for url in asked if not url.startswith("data:")},
                         {"/dashboard", "/dashboard/page.js", "/dashboard/page.css", "/dashboard/uplot-1.6.32/uPlot.iife.min.js",
                          "/dashboard/uplot-1.6.32/uPlot.min.css", "/dashboard.json"})
        self.assertTrue(all(url.startswith((f"http://127.0.0.1:{gateway.port}/", "data:")) for url in asked), asked)
        problems = [p for p in browser.said("Runtime.exceptionThrown", "Log.entryAdded") if "401" not in json.dumps(p) and "403" not in json.dumps(p)]
        self.assertEqual(problems, [])

    def test_it_fits_a_phone_in_the_dark(self):
        browser = self.browser
        self.size(360, 740, mobile=True)
        browser.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        self.open()
        self.log_in()
        browser.until("!!document.querySelector('#rate canvas')")
        self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), 360)
        red, green, blue = map(int, re.findall(r"\d+", browser.run("getComputedStyle(document.body).backgroundColor"))[:3])
        self.assertLess(red + green + blue, 150)
        browser.picture("dashboard_phone")
        browser.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]})
        browser.until("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'")

    def test_the_keyboard_reaches_everything_in_order(self):
        self.open()
        self.log_in()
        self.browser.run("document.getElementById('every').value = '0'; document.getElementById('every').dispatchEvent(new Event('change')); document.getElementById('kind').focus()")
        reached = []
        for _ in range(60):
            reached.append(self.browser.run("(e => e.id || (e.className === 'scroll' ? 'scroll of ' + e.querySelector('table').id : e.textContent))(document.activeElement)"))
            self.browser.press("Tab")
        places = [reached.index(wanted) for wanted in ("kind", "credential", "every", "Show", "find", "scroll of routes", "Route", "scroll of statements", "scroll of limits", "Limit", "scroll of checks", "Check")]
        self.assertEqual(places, sorted(places), reached)
        # Everything that is not text has a name.
        unnamed = self.browser.run("[...document.querySelectorAll('input, select, button, [role=img], [role=region]')].filter(e => !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-labelledby')).map(e => e.outerHTML)")
        self.assertEqual(unnamed, [])


if __name__ == "__main__":
    unittest.main()
