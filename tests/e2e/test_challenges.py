"""Strangers past a soft limit, in a real browser and with the clients of the guide."""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESK, PHONE, OpenPage, Server, check, enter_code
from tests.e2e.test_docs import program, run
from tests.lab import servers
from tests.lab.shared import new_phone_number

CHALLENGED = 429
SOLVING = "Checking that you are not a robot"
WAITING = "Try again in 60 minutes."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        settings = {
            **running.enter_context(servers.postgresql(folder)).env,
            **running.enter_context(servers.redis(folder)).env,
            **servers.production(folder),
            "CHALLENGE_FROM_PERCENT": "0",
            "SMS_SIMULATED_DELAY": "0",
            "WEB_WORKERS": "1",
        }
        web = running.enter_context(servers.web(folder, settings))
        yield Server(web.env["BASE_URL"])


def ask(page: Page, phone_number: str) -> None:
    page.goto("/login/")
    page.locator("[name=phone_number]").fill(phone_number)
    page.get_by_role("button", name="Send the code").click()


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_page_solves_the_task_by_itself(
    open_page: OpenPage, device: dict[str, object]
) -> None:
    page = open_page(**device)
    with page.expect_response(lambda answer: answer.status == CHALLENGED):
        ask(page, new_phone_number())
    page.wait_for_url("**/login/code/")
    enter_code(page, page.locator("#dev-code").inner_text())
    page.wait_for_url("**/profile/")


def test_page_solves_a_task_for_the_new_number(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, new_phone_number())
    page.wait_for_url("**/login/code/")
    enter_code(page, page.locator("#dev-code").inner_text())
    page.wait_for_url("**/profile/")
    page.goto("/profile/phone/")
    page.locator("[name=phone_number]").fill(new_phone_number())
    with page.expect_response(lambda answer: answer.status == CHALLENGED):
        page.get_by_role("button", name="Send the codes").click()
    page.wait_for_url("**/profile/phone/code/")


def test_people_without_scripts_are_asked_to_wait(open_page: OpenPage) -> None:
    page = open_page(**PHONE, java_script_enabled=False)
    ask(page, new_phone_number())
    for _ in range(2):
        expect(page.locator("main")).to_contain_text(WAITING)
        expect(page.get_by_text(SOLVING)).to_be_hidden()
        page.get_by_role("button", name="Try again").click()
    page.get_by_role("link", name="Use another number").click()
    expect(page.locator("[name=phone_number]")).to_be_visible()


def test_people_on_plain_http_are_asked_to_wait(open_page: OpenPage) -> None:
    page = open_page()
    page.add_init_script("delete Crypto.prototype.subtle")  # as browsers do there
    ask(page, new_phone_number())
    expect(page.locator("main")).to_contain_text(WAITING)
    expect(page.get_by_text(SOLVING)).to_be_hidden()
    check(page)


def test_people_are_asked_to_wait_when_the_worker_fails(open_page: OpenPage) -> None:
    page = open_page()
    page.route("**/proof-of-work*.js", lambda route: route.fulfill(status=404))
    ask(page, new_phone_number())
    expect(page.get_by_text(SOLVING)).to_be_hidden()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_page_is_accessible_on_a_small_screen(open_page: OpenPage) -> None:
    for scheme in ("light", "dark"):
        page = open_page(**PHONE, color_scheme=scheme)
        # A worker that does not come to an end.
        page.route(
            "**/proof-of-work*.js",
            lambda route: route.fulfill(content_type="text/javascript", body=""),
        )
        ask(page, new_phone_number())
        expect(page.get_by_role("status")).to_contain_text(SOLVING)
        check(page)


def test_python_client_solves_the_task(server: Server) -> None:
    seen = run(server, program("docs/integration.md", "python"), sys.executable, "-")
    assert re.search(r"^throttled \d+\nTrue\n", seen)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_javascript_client_solves_the_task(server: Server) -> None:
    command = ["node", "--input-type=module", "-"]
    seen = run(server, program("docs/integration.md", "js"), *command)
    assert re.fullmatch(r"throttled \d+\ntrue\n", seen)
