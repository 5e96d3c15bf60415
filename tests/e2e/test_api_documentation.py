"""The documentation of the API in a real browser."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, check


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/redoc/", "h2:has-text('Send a sign-in code')"),
        ("/swagger/", "[data-path='/api/auth/request-code/']"),
    ],
)
def test_api_documentation_loads_nothing_from_other_hosts(
    open_page: OpenPage, path: str, shown: str
) -> None:
    page = open_page()
    hosts = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.goto(path, wait_until="networkidle")
    expect(page.locator(shown).first).to_be_visible(timeout=15_000)
    # None is the host of a web worker that the page creates from a blob.
    assert hosts - {None} == {"127.0.0.1"}
    # ReDoc gives its headings levels by their size.
    check(page, preload=False, rules={"heading-order": {"enabled": False}})


def test_redoc_shows_samples(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/redoc/")
    page.get_by_role("tab", name="Python").first.click(timeout=15_000)
    expect(page.get_by_text("import requests").first).to_be_visible()


def test_swagger_asks_for_the_token_first(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/swagger/")
    page.get_by_role("button", name="Authorize").first.click(timeout=15_000)
    field = page.locator(".dialog-ux input").first
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    expect(page.locator(".dialog-ux h4").first).to_contain_text("token")
