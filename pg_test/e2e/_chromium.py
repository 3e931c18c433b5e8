"""A browser for tests of the gateway's pages."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

from harness import wait_until

SECONDS = 120


class Chromium:
    """A headless browser, driven by the DevTools protocol over pipes. Names of other hosts do not resolve in it."""

    def __init__(self):
        program = shutil.which("chromium")
        if not program:
            raise RuntimeError("there is no chromium: tools/setup tests installs it")
        self.profile = tempfile.TemporaryDirectory(prefix="docs_test_", ignore_cleanup_errors=True)
        to_read, self.to = os.pipe()
        self.of, to_write = os.pipe()

        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe",
                   "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={self.profile.name}"]
        # The protocol's pipes are the descriptors 3 and 4.
        shell = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self.process = subprocess.Popen(["bash", "-c", shell, "bash", *command], pass_fds=(to_read, to_write),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.events, self.answers, self.number = [], {}, 0
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in "Page", "Runtime", "Network", "Log":
            self.call(f"{domain}.enable")

    def read(self):
        with os.fdopen(self.of, "rb") as pipe:
            waiting = b""
            while more := pipe.read1(1 << 20):
                *whole, waiting = (waiting + more).split(b"\0")
                for message in map(json.loads, whole):
                    if "id" in message:
                        self.answers[message["id"]] = message
                    else:
                        self.events.append(message)

    def call(self, method, params=None):
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": params or {}}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        wait_until(lambda: number in self.answers, SECONDS)
        answer = self.answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def run(self, script):
        """The value of a script, which may be a promise."""
        result = self.call("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, script):
        try:
            return wait_until(lambda: self.run(script), SECONDS)
        except AssertionError:
            seen = self.run("document.body.innerText.slice(0, 1000)")
            raise AssertionError(f"{script}: the page shows {seen!r}, and said {self.said('Runtime.exceptionThrown', 'Log.entryAdded')}") from None

    def press(self, key, text=""):
        code = {"Enter": 13, "Tab": 9}.get(key, 0)
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def picture(self, name):
        """Takes a screenshot if the variable PAGE_PICTURES names a folder."""
        if folder := os.environ.get("PAGE_PICTURES"):
            data = self.call("Page.captureScreenshot", {"format": "png"})["data"]
            (pathlib.Path(folder) / f"{name}.png").write_bytes(base64.b64decode(data))

    def said(self, *methods):
        return [event["params"] for event in self.events if event["method"] in methods]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        os.close(self.to)
        self.profile.cleanup()
