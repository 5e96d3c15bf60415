"""The code page in a browser learns whether the code arrived.

The server simulates its SMS, so the tests add to its page what it shows for real ones.
"""

from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import OpenPage, Server, ask_for_code
from tests.lab.shared import new_phone_number

DELIVERY = (
    '<p role="status" data-delivery="/api/auth/deliveries/0/" '
    'data-delivered="It came." data-failed="It did not."></p>'
)
MILLISECONDS = 20_000


def add_delivery(route: Route) -> None:
    response = route.fetch()
    body = response.text().replace('<p class="development">', f"{DELIVERY}<p>", 1)
    route.fulfill(response=response, body=body)


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (["sent", "delivered"], "It came."),
        (["sent", "failed"], "It did not."),
        (["sent", "404"], ""),
    ],
)
def test_the_page_says_what_became_of_the_code_and_stops_asking(
    open_page: OpenPage, server: Server, answers: list[str], text: str
) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        status = answers[len(asked)]
        asked.append(status)
        body: Any = {"channel": "sms", "status": status}
        route.fulfill(json=body, status=404 if status == "404" else 200)

    page = open_page()
    page.goto(f"{server.base_url}/login/")
    ask_for_code(page, new_phone_number())
    page.route("**/api/auth/deliveries/0/", answer)
    page.route("**/login/code/", add_delivery)
    page.reload()
    for _ in answers:
        with page.expect_response("**/api/auth/deliveries/0/", timeout=MILLISECONDS):
            pass
    expect(page.locator("[data-delivery]")).to_have_text(text)
    page.wait_for_timeout(5_000)
    assert asked == answers
