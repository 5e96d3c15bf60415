"""Pages of another origin use the API in Chromium: an example, a client."""

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from playwright.sync_api import Browser

from tests.e2e import proxy
from tests.e2e.test_docs import program
from tests.lab import servers

CLIENT = Path(servers.ROOT) / "clients" / "typescript"
PAGE_OF_THE_CLIENT = """<!doctype html>
<script type="importmap">
{"imports": {"openapi-fetch": "/node_modules/openapi-fetch/dist/index.mjs"}}
</script>
<script type="module" src="/dist/main_job.js"></script>
"""


class Site(SimpleHTTPRequestHandler):
    """Serves the files of the client, and one page, which is a member of its server."""

    server: Any
    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, directory=str(CLIENT))

    def do_GET(self) -> None:
        if urlsplit(self.path).path != "/":
            super().do_GET()
            return
        page = self.server.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    """The page's server at `origin`, and nginx and our server, `api`, that allow it."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        pages: Any = ThreadingHTTPServer(("127.0.0.1", 0), Site)
        running.enter_context(pages)
        thread = threading.Thread(target=pages.serve_forever, args=[0.05])
        thread.start()
        running.callback(thread.join)
        running.callback(pages.shutdown)
        pages.origin = f"http://localhost:{pages.server_port}"
        env = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
        env |= servers.production(folder)
        env |= {"CORS_ALLOWED_ORIGINS": pages.origin, "TRUSTED_PROXY_COUNT": "1"}
        env |= {"SMS_SIMULATED_DELAY": "0", "SHOW_LOGIN_CODES": "on"}
        env = servers.prepare(env)
        running.enter_context(servers.serve(folder, env))
        front = proxy.nginx(folder, ["127.0.0.1"], int(env["PORT"]))
        pages.api = running.enter_context(front).env["BASE_URL"]
        yield pages


def test_the_page_of_the_documentation_works(site: Any, chromium: Browser) -> None:
    example = program("docs/integration.md", "html")
    address = '"http://127.0.0.1:8000"'
    assert example.count(address) == 1
    site.page = example.replace(address, f'"{site.api}"')
    context = chromium.new_context()
    page = context.new_page()
    page.goto(site.origin)
    page.wait_for_function(
        "document.querySelector('#log').textContent.includes('done')"
    )
    seen = page.inner_text("#log")
    context.close()
    expected = r"throttled \d+\nThe invite code has been activated\.\n"
    expected += r"authentication_failed ?\ndone\s*"
    assert re.fullmatch(expected, seen), seen


@pytest.mark.skipif(
    not shutil.which("node"),
    reason="no node on this machine, so the TypeScript client cannot be built",
)
def test_the_typescript_client_does_the_main_job(site: Any, chromium: Browser) -> None:
    built = (CLIENT / "dist" / "main_job.js").exists()
    assert built, "the TypeScript client is not built: run make clients first"
    site.page = PAGE_OF_THE_CLIENT
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site.origin}/?{urlencode({'server': site.api})}")
    page.wait_for_function("document.title.startsWith('signed out')")
    assert page.title() == "signed out: authentication_failed"
    context.close()


def test_the_page_can_read_errors_of_nginx(site: Any) -> None:
    headers = {"Origin": site.origin, "Content-Type": "application/json"}
    url = f"{site.api}/api/auth/request-code/"
    answer = requests.post(url, b"1" * 2_000_000, headers=headers, timeout=30)
    assert answer.status_code == 413
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    answer = requests.post(url, b"{}", headers=headers, timeout=30)
    assert answer.headers["Access-Control-Allow-Origin"] == site.origin
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    page = requests.get(f"{site.api}/login/", headers=headers, timeout=30)
    assert "Access-Control-Allow-Origin" not in page.headers
