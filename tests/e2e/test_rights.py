"""Terms, the download of one's own data, and e-mails, which are off by default."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.conftest import (
    DESK,
    PHONE,
    OpenPage,
    Server,
    ask_for_code,
    check,
    enter_code,
)
from tests.e2e.mail_server import MailServer, mail_server
from tests.lab import servers
from tests.lab.shared import new_phone_number

EMAIL = "alice@example.com"


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as started:
        yield started


@pytest.fixture(scope="module")
def service(mail: MailServer) -> Iterator[servers.Service]:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        port = str(servers.free_port())
        settings = {
            **running.enter_context(servers.postgresql(folder)).env,
            **running.enter_context(servers.redis(folder)).env,
            **servers.production(folder),
            "SMS_SIMULATED_DELAY": "0",
            "WEB_WORKERS": "1",
            "PORT": port,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "TERMS_VERSION": "2026-11",
            "TERMS_URL": "https://www.example.com/terms",
            "PRIVACY_URL": "https://www.example.com/privacy",
            "DATA_EXPORT": "on",
            "EMAIL_NOTICES": "on",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mail.port),
            "EMAIL_USE_TLS": "off",
            "DEFAULT_FROM_EMAIL": "Referral <service@example.com>",
        }
        yield running.enter_context(servers.web(folder, settings))


@pytest.fixture(scope="module")
def server(service: servers.Service) -> Server:
    return Server(service.env["BASE_URL"])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["320", "1280"])
def test_terms_email_and_export_in_a_browser(
    open_page: OpenPage,
    mail: MailServer,
    service: servers.Service,
    size: dict[str, Any],
    scripts: bool,
) -> None:
    phone = new_phone_number()
    page = open_page(**size, java_script_enabled=scripts)
    accept_terms_by_signing_in(page, phone)
    link = confirm_email(page, mail)
    data = download_data(page)
    assert data["account"]["phone_number"] == phone
    assert data["account"]["email_verified_at"]
    assert data["terms"][0]["version"] == "2026-11"
    log = service.log.read_text(encoding="utf-8")
    assert link.partition("key=")[2] not in log
    assert EMAIL not in log


def accept_terms_by_signing_in(page: Page, phone_number: str) -> None:
    said = "By signing in, you accept the terms."
    page.goto("/login/")
    expect(page.locator("main")).to_contain_text(said)
    check_if_scripted(page)
    code = ask_for_code(page, phone_number)
    expect(page.locator("main")).to_contain_text(said)
    enter_code(page, code)
    page.wait_for_url("**/profile/")
    expect(page.locator("#terms")).to_have_count(0)


def confirm_email(page: Page, mail: MailServer) -> str:
    """Enter the e-mail, open the link that was sent and confirm. Return the link."""
    page.goto("/profile/edit/")
    page.locator("[name=email]").fill(EMAIL)
    page.locator("main form button").click()
    page.wait_for_url("**/profile/")
    expect(page.locator("main")).to_contain_text("Not confirmed yet")
    check_if_scripted(page)
    message = mail.next()
    assert (message["To"], message["Subject"]) == (EMAIL, "Confirm your e-mail")
    link = re.search(r"http://\S+", message.get_content())
    assert link
    page.goto(link[0])
    check_if_scripted(page)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/profile/")
    expect(page.locator("main")).to_contain_text("Your e-mail has been confirmed.")
    return link[0]


def download_data(page: Page) -> dict[str, Any]:
    with page.expect_download() as started:
        page.get_by_role("button", name="Download my data").click()
    data: dict[str, Any] = json.loads(started.value.path().read_text(encoding="utf-8"))
    return data


def check_if_scripted(page: Page) -> None:
    """The accessibility check is a script itself."""
    if page.locator("html[data-scripts]").count():
        check(page)


def test_a_person_who_is_signed_in_accepts_later(
    open_page: OpenPage, server: Server
) -> None:
    phone = new_phone_number()
    page = open_page()
    page.goto("/login/")
    code = ask_for_code(page, phone)
    # As a page from before the terms.
    page.evaluate("document.querySelector('[name=terms_version]').value = '2025-01'")
    enter_code(page, code)
    page.wait_for_url("**/profile/")
    check(page)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status").first).to_contain_text("You have accepted")
    expect(page.locator("#terms")).to_have_count(0)
    token = server.sign_in(new_phone_number())["token"]
    terms = server.get("/api/profile/", token).json()["terms"]
    assert (terms["version"], terms["accepted_version"]) == ("2026-11", None)


def test_inviter_gets_a_notice(server: Server, mail: MailServer) -> None:
    inviter = server.sign_in(new_phone_number())
    body = {"email": EMAIL}
    headers = {"Authorization": f"Token {inviter['token']}"}
    url = server.base_url + "/api/profile/"
    assert requests.patch(url, json=body, headers=headers, timeout=10).ok
    key = re.search(r"key=(\S+)", mail.next().get_content())
    assert key
    answer = server.post(
        "/api/profile/email/verify/",
        {"key": key[1].replace("%3A", ":")},
        inviter["token"],
    )
    assert answer.json() == {"email": EMAIL, "email_verified": True}
    phone = new_phone_number()
    invite_code = inviter["user"]["invite_code"]
    server.verify(phone, server.ask_for_code(phone), invite_code=invite_code)
    message = mail.next()
    assert message["Subject"] == "Somebody has activated your invite code"
    assert phone not in message.get_content()
