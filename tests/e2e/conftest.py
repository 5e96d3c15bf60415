import os
import secrets
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.lab.servers import ROOT
from tests.lab.shared import new_phone_number

Answer = requests.Response
TIMEOUT_SECONDS = 60


class Server:
    """HTTP client of the live server at BASE_URL."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def post(self, path: str, body: Any, token: str = "") -> Answer:
        headers = {"Authorization": f"Token {token}"} if token else {}
        url = self.base_url + path
        return requests.post(url, json=body, headers=headers, timeout=TIMEOUT_SECONDS)

    def get(self, path: str, token: str = "") -> Answer:
        headers = {"Authorization": f"Token {token}"} if token else {}
        url = self.base_url + path
        return requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS)

    def ask_for_code(self, phone_number: str) -> str:
        answer = self.post("/api/auth/request-code/", {"phone_number": phone_number})
        assert answer.status_code == 200, answer.text
        code: str = answer.json()["dev_code"]
        return code

    def verify(self, phone_number: str, code: str, **body: Any) -> Answer:
        body = {"phone_number": phone_number, "code": code, **body}
        return self.post("/api/auth/verify-code/", body)

    def sign_in(self, phone_number: str) -> dict[str, Any]:
        answer = self.verify(phone_number, self.ask_for_code(phone_number))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture(scope="session")
def server() -> Server:
    base_url = os.environ.get("BASE_URL")
    assert base_url, "Start it with `make e2e`, or set BASE_URL to a running server."
    return Server(base_url)


@pytest.fixture(scope="session")
def staff(server: Server) -> tuple[str, str]:
    """Phone number and password of a new superuser in the database of the server."""
    phone, password = new_phone_number(), secrets.token_urlsafe(12)
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "DJANGO_SUPERUSER_PHONE_NUMBER": phone,
        "DJANGO_SUPERUSER_PASSWORD": password,
    }
    command = [sys.executable, "manage.py", "createsuperuser", "--noinput"]
    subprocess.run(command, check=True, cwd=ROOT, env=env, capture_output=True)
    return phone, password


def outcomes(answers: Iterable[Answer]) -> Counter[str]:
    """Counts of each result: "200", or the error code."""
    return Counter(
        str(a.status_code) if a.ok else a.json()["errors"][0]["code"] for a in answers
    )


CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


def chromium_path() -> str:
    """Debian's Chromium, or the one that CHROMIUM names."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert path, "Install Debian's chromium, or set CHROMIUM to a browser."
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
        )
        yield browser
        browser.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, server: Server) -> Iterator[OpenPage]:
    """Open a page in a new browser context. Fails if the console has messages."""
    said: list[str] = []
    contexts = []

    def open_page(**options: Any) -> Page:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        options.setdefault("locale", "en")
        context = chromium.new_context(base_url=server.base_url, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in said if not is_expected(text)] == []


def is_expected(text: str) -> bool:
    """Chromium writes a message for each answer with a 4xx status.

    It also gives advice on the password forms of Django's admin site.
    """
    advice = ("[DOM]", "Autofocus processing was blocked")
    is_advice = "/admin/" in text and any(words in text for words in advice)
    return is_advice or "the server responded with a status of 4" in text


PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "has_touch": True}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}

WORDS = {
    "en": {
        "send": "Send the code",
        "sign_in": "Sign in",
        "accept": "Accept and sign in",
        "shown": "see your full phone number",
        "counted": "You have accepted the invitation",
        "one": "1 person",
        "wrong": "4 attempts left",
        "sign_out": "Sign out",
    },
    "ru": {
        "send": "Отправить код",
        "sign_in": "Войти",
        "accept": "Принять и войти",
        "shown": "увидит ваш номер телефона полностью",
        "counted": "Вы приняли приглашение",
        "one": "1 человек",
        "wrong": "Осталось 4 попытки",
        "sign_out": "Выйти",
    },
}


def ask_for_code(page: Page, phone_number: str, language: str = "en") -> str:
    """Fill in the login page; return the code that DEBUG shows on the next page."""
    page.locator("[name=phone_number]").fill(phone_number)
    page.get_by_role("button", name=WORDS[language]["send"]).click()
    page.wait_for_url("**/login/code/")
    return page.locator("#dev-code").inner_text()


def enter_code(page: Page, code: str, language: str = "en") -> None:
    """Type the code. Without JavaScript also press the button."""
    has_scripts = page.locator("html[data-scripts]").count() > 0
    page.locator("[name=code]").press_sequentially(code)
    if not has_scripts:
        page.get_by_role("button", name=WORDS[language]["sign_in"]).click()


def sign_in(page: Page, phone_number: str, language: str = "en") -> None:
    page.goto("/login/")
    enter_code(page, ask_for_code(page, phone_number, language), language)
    page.wait_for_url("**/profile/")


def sign_up_with_code(server: Server, invite_code: str, phone_number: str) -> None:
    code = server.ask_for_code(phone_number)
    server.verify(phone_number, code, invite_code=invite_code)


def check(page: Page, **options: Any) -> None:
    found = Axe().run(page, options=options or None)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    overflow = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0, f"{page.url} is wider than the screen"
