"""The second step of the admin site's sign-in, in a browser."""

import re
import tempfile
from base64 import b32decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django_otp.oath import totp
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, Server
from tests.lab import servers

PASSWORD = "copper lantern 42 fjord"


@pytest.fixture(scope="module")
def settings() -> Iterator[servers.Env]:
    with tempfile.TemporaryDirectory() as folder:
        env = servers.zero_install(Path(folder))
        with servers.web(Path(folder), {**env, "ADMIN_SECOND_FACTOR": "on"}) as web:
            yield web.env


@pytest.fixture(scope="module")
def server(settings: servers.Env) -> Server:
    return Server(settings["BASE_URL"])


def check(page: Page) -> None:
    expect(page.locator("h1")).to_be_visible()  # of the page that a form leads to
    found = Axe().run(page, options={"preload": False})
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    overflow = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0, f"{page.url} is wider than the screen"


def give_password(page: Page, phone: str) -> None:
    page.goto("/admin/")
    page.locator("[name=username]").fill(phone)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[type=submit]").click()


@pytest.mark.parametrize(
    ("number", "scheme", "locale", "scripts"),
    [(1, "light", "en", True), (2, "dark", "ru", True), (3, "light", "ru", False)],
)
def test_staff_set_it_up_and_sign_in_with_it(
    settings: servers.Env,
    open_page: OpenPage,
    number: int,
    scheme: str,
    locale: str,
    scripts: bool,
) -> None:
    phone = f"+7999000000{number}"
    superuser = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DJANGO_SUPERUSER_PHONE_NUMBER": phone,
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    servers.manage({**settings, **superuser}, "createsuperuser", "--noinput")
    page = open_page(
        viewport={"width": 320, "height": 640},
        color_scheme=scheme,
        locale=locale,
        java_script_enabled=scripts,
    )
    give_password(page, phone)
    if scripts:
        check(page)
    expect(page.locator(".qr-code svg")).to_be_visible()
    secret = page.locator("code").inner_text()
    key = b32decode(secret.replace(" ", ""))
    page.locator("[name=code]").fill("000000")
    page.locator("[type=submit]").click()
    expect(page.locator(".errorlist")).to_be_visible()
    if scripts:
        check(page)
    page.locator("[name=code]").fill(f"{totp(key):06}")
    page.locator("[type=submit]").click()
    codes = re.findall(r"\S+", page.locator("textarea").input_value())
    assert len(codes) == 10
    if scripts:
        check(page)
        hidden = "e => e.scrollHeight - e.clientHeight"  # they are not shown again
        assert page.locator("textarea").evaluate(hidden) <= 0
    page.locator("a.button").click()
    expect(page.locator("#find")).to_be_visible()

    page = open_page(locale=locale, java_script_enabled=scripts)
    give_password(page, phone)
    if scripts:
        check(page)
    page.locator("[name=code]").fill(codes[0])
    page.locator("[type=submit]").click()
    expect(page.locator("#find")).to_be_visible()
