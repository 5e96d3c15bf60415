import re

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.test import Client
from rest_framework.test import APIClient

from conftest import ALICE, Clock, ask_for_code
from tests.lab.shared import wrong
from users.login.tests.test_request_code import FailingBackend
from users.models import User
from users.sms.memory import Message
from users.tests.pages import digits, sign_in, text

pytestmark = pytest.mark.django_db


def test_sign_in(client: Client, outbox: list[Message]) -> None:
    response = client.post("/login/", {"phone_number": "8 (999) 000-00-01"})
    assert response.status_code == 302
    page = client.get(response["Location"])
    assert "+7 999 000-00-01" in text(page)
    assert digits(outbox) in text(page)
    response = client.post("/login/code/", {"code": f" {digits(outbox)} "})
    assert response["Location"] == "/profile/"
    user = User.objects.get(phone_number=ALICE)
    assert user.invite_code in text(client.get("/profile/"))


def test_the_code_is_shown_in_development_only(
    client: Client, outbox: list[Message], settings: LazySettings
) -> None:
    settings.SHOW_LOGIN_CODES = False
    client.post("/login/", {"phone_number": ALICE})
    assert digits(outbox) not in text(client.get("/login/code/"))


def test_a_double_click_sends_one_sms_and_goes_on(
    client: Client, outbox: list[Message]
) -> None:
    for _ in range(2):
        response = client.post("/login/", {"phone_number": ALICE}, follow=True)
        assert response.redirect_chain == [("/login/code/", 302)]
    assert len(outbox) == 1
    assert "A code was sent a moment ago" in text(response)


def test_api_and_pages_share_code_and_wait(
    client: Client, api: APIClient, outbox: list[Message]
) -> None:
    code = ask_for_code(api, ALICE)
    client.post("/login/", {"phone_number": ALICE})
    assert len(outbox) == 1
    response = client.post("/login/code/", {"code": wrong(code)})
    assert response.status_code == 400
    assert "4 attempts left" in text(response)
    body = {"phone_number": ALICE, "code": wrong(code)}
    refusal = api.post("/api/auth/verify-code/", body).json()
    assert refusal["errors"][0]["attempts_left"] == 3


def test_a_bad_number_is_told_and_kept(client: Client) -> None:
    response = client.post("/login/", {"phone_number": "12"})
    assert response.status_code == 400
    assert "not a phone number" in text(response)
    body = response.content.decode()
    assert 'value="12"' in body
    assert 'aria-invalid="true"' in body
    described_by = re.search(r'aria-describedby="([^"]+)"', body)
    assert described_by
    assert f'id="{described_by[1]}"' in body


def test_a_failed_sms_is_told(client: Client, settings: LazySettings) -> None:
    settings.SMS_BACKEND = f"{FailingBackend.__module__}.FailingBackend"
    response = client.post("/login/", {"phone_number": ALICE})
    assert response.status_code == 503
    assert "SMS could not be sent" in text(response)
    assert ALICE in response.content.decode()


def test_without_a_number_there_is_no_code_page(client: Client) -> None:
    assert client.get("/login/code/")["Location"] == "/login/"


@pytest.mark.parametrize("code", ["", "12", "abcd", "١٢٣٤", "\x00" * 4])
def test_a_text_that_is_no_code_is_not_counted(
    client: Client, outbox: list[Message], code: str
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    for _ in range(6):
        assert client.post("/login/code/", {"code": code}).status_code == 400
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 302


def test_a_dead_code_offers_a_new_one(
    client: Client, outbox: list[Message], clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    clock.pass_seconds(301)
    assert "no valid code for" in text(client.get("/login/code/"))
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert "no longer valid" in text(response)
    client.post("/login/", {"phone_number": ALICE})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 302


def test_a_closed_account_is_told(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    User.objects.update(is_active=False)
    client.post("/login/", {"phone_number": ALICE})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 403
    assert "This account is closed" in text(response)
    assert client.get("/profile/").status_code == 302


def test_a_stolen_table_of_sessions_signs_nobody_in(boris_browser: Client) -> None:
    cookie = boris_browser.cookies["sessionid"].value
    kept = [session.session_key for session in Session.objects.all()]
    assert len(kept) == 1
    assert cookie not in kept
    thief = Client()
    thief.cookies["sessionid"] = kept[0]
    assert thief.get("/profile/").status_code == 302
    assert boris_browser.get("/profile/").status_code == 200
    boris_browser.post("/logout/")
    assert not Session.objects.filter(session_key__in=kept).exists()


def test_signing_in_changes_the_session_key(
    client: Client, outbox: list[Message]
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    before = client.session.session_key
    client.post("/login/code/", {"code": digits(outbox)})
    assert client.session.session_key != before
    assert "pending_phone_number" not in client.session


@pytest.mark.parametrize(
    ("next_url", "goes_to"),
    [
        ("/profile/edit/", "/profile/edit/"),
        ("https://evil.example/", "/profile/"),
        ("//evil.example/", "/profile/"),
        ("\\\\evil.example", "/profile/"),
        ("javascript:alert(1)", "/profile/"),
    ],
)
def test_after_signing_in_nobody_is_led_away(
    client: Client, outbox: list[Message], next_url: str, goes_to: str
) -> None:
    client.get("/login/", {"next": next_url})
    client.post("/login/", {"phone_number": ALICE})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response["Location"] == goes_to


def test_after_too_many_guesses_the_page_says_when(
    client: Client, outbox: list[Message], clock: Clock
) -> None:
    client.post("/login/", {"phone_number": ALICE})
    for _ in range(5):
        client.post("/login/code/", {"code": wrong(digits(outbox))})
    response = client.post("/login/code/", {"code": digits(outbox)})
    assert response.status_code == 429
    assert "Too many wrong codes" in text(response)


def test_an_old_destination_does_not_strike_later(
    client: Client, outbox: list[Message]
) -> None:
    client.get("/login/?next=/profile/edit/")
    client.get("/login/")
    assert sign_in(client, ALICE, outbox).redirect_chain[-1][0] == "/profile/"


def test_a_large_body_is_refused(client: Client) -> None:
    response = client.post("/login/", {"phone_number": "x" * 70_000})
    assert response.status_code == 413
