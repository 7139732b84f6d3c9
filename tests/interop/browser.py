"""A page in a headless Chromium calls our service, from another origin: Connect, gRPC-Web and CORS.

The page is browser/page.html; it says how each case went. Debian's chromium is installed when it is
missing and this runs as root; else the part is skipped.
"""

import http.server
import os
import shutil
import subprocess
import tempfile
import threading
import urllib.parse

from harness import ENVIRONMENT, HERE, Server

PATIENCE = 90  # seconds for the page to say how it went
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def find():
    """The browser's path; None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def install():
    """Why there is no browser; None when there is one."""
    if find():
        return None
    if not shutil.which("apt-get"):
        return "no chromium, and no apt-get to install it by"
    if os.geteuid() != 0:
        return "no chromium; apt-get install chromium"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", "-qq", *words], env=environment, capture_output=True,
                              text=True, timeout=900, check=False)
        if done.returncode != 0:
            return "chromium cannot be installed: " + (done.stderr.splitlines() or ["?"])[-1]
    return None if find() else "chromium was installed and is not there"


class Page(http.server.ThreadingHTTPServer):
    """Serves the page on a port of its own, which is an origin of its own, and hears its results."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Visit)
        self.results = ""
        self.done = threading.Event()
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Visit(http.server.BaseHTTPRequestHandler):
    """One request of the browser's."""

    def do_GET(self):  # pylint: disable=invalid-name
        """The page, at whatever path but the icon's."""
        if self.path.startswith("/favicon"):
            return self.send_error(404)
        body = (HERE / "browser" / "page.html").read_bytes()
        return self._answer(body, "text/html; charset=utf-8")

    def do_POST(self):  # pylint: disable=invalid-name
        """What the page has to say."""
        self.server.results = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(b"", "text/plain")
        self.server.done.set()

    def _answer(self, body, content_type):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


def visit(page, service, closed, folder):
    """Opens the page in the browser and waits for its results; what the browser said if there are
    none."""
    query = urllib.parse.urlencode({"service": f"http://{service}", "closed": f"http://{closed}"})
    log = folder / "chromium.log"
    # Processes of the browser's may outlive it by a moment, and write to its profile meanwhile.
    scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with scratch as profile, log.open("w") as out:
        command = [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-dev-shm-usage", "--disable-background-networking",
                   "--disable-component-update", "--no-proxy-server", f"--user-data-dir={profile}",
                   f"{page.origin}/?{query}"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                              env=ENVIRONMENT) as browser:
            page.done.wait(PATIENCE)
            browser.terminate()
            try:
                browser.wait(10)
            except subprocess.TimeoutExpired:
                browser.kill()
    return "" if page.done.is_set() else log.read_text(errors="replace")[-1000:]


def count(tally, results):
    """The page's lines."""
    for line in results.splitlines():
        word, _, rest = line.partition(" ")
        if word == "ok":
            tally.ok(f"Chromium: {rest}")
        else:
            tally.fail("Chromium", rest)
    if not results:
        tally.fail("Chromium", "the page had nothing to say")


def run_all(tally, binaries, folder):
    """Everything of this part."""
    missing = install()
    if missing:
        tally.skip("Chromium calls us", missing)
        return
    open_folder, closed_folder = folder / "open", folder / "closed"
    for one in (open_folder, closed_folder):
        one.mkdir(exist_ok=True)
    command = [binaries / "interop-web-service", "--registry=memory",
               "--server_address=127.0.0.1:0"]
    with Page() as page, \
            Server([*command, f"--cors_origins={page.origin}"], open_folder) as service, \
            Server(command, closed_folder) as closed:
        addresses = service.address(), closed.address()
        words = visit(page, *addresses, folder) if all(addresses) else service.words()
        if words:
            tally.fail("Chromium", f"no results within {PATIENCE} s: {words}")
        else:
            count(tally, page.results)
