"""Changing the number in a browser: the same service as the API's."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from conftest import ALICE, BORIS, Clock, open_session, signed_in
from tests.lab.shared import wrong
from users.channels.memory import Message
from users.login import clients
from users.login.tests.test_request_code import FailingBackend
from users.models import User
from users.phone_change.tests.test_phone_change import NEW, UnsureForNew
from users.phones import PhoneNumber
from users.tests.pages import sign_in, text

pytestmark = pytest.mark.django_db

NUMBER = "/profile/phone/"
CODES = "/profile/phone/code/"


class UnsureForBoris(UnsureForNew):
    unsure_for = PhoneNumber(BORIS)


@pytest.fixture
def browser(boris_browser: Client, clock: Clock) -> Client:
    clock.pass_seconds(3600)  # the sign-in's SMS was long ago
    return boris_browser


def codes(outbox: list[Message]) -> dict[str, str]:
    """Of the last SMS to each number, as the form wants them."""
    found = {}
    for message in outbox:
        digits = re.search(r"\d{4,8}", message.text)
        assert digits
        name = "new_code" if message.phone_number == NEW else "old_code"
        found[name] = digits[0]
    return found


def test_in_two_steps(browser: Client, outbox: list[Message]) -> None:
    boris = User.objects.get(phone_number=BORIS)
    phone = signed_in(boris)
    assert NUMBER in browser.get("/profile/").content.decode()
    assert "+7 999 000-00-02" in text(browser.get(NUMBER))
    response = browser.post(NUMBER, {"phone_number": "8 999 000-00-77"})
    assert response["Location"] == CODES
    shown = text(browser.get(CODES))
    for words in ("+7 999 000-00-02", "+7 999 000-00-77", *codes(outbox).values()):
        assert words in shown
    thief = Client()
    thief.cookies["sessionid"] = browser.cookies["sessionid"].value
    assert thief.get("/profile/").status_code == 200
    page = browser.post(CODES, codes(outbox), follow=True)
    assert page.redirect_chain == [("/profile/", 302)]
    assert "Your number has been changed." in text(page)
    assert "+7 999 000-00-77" in text(page)
    boris.refresh_from_db()
    assert boris.phone_number == NEW
    assert thief.get("/profile/").status_code == 302
    assert "pending_new_phone_number" not in browser.session
    known = browser.cookies["known_device"].value
    assert clients.Client("", known).known_device(NEW)
    assert phone.get("/api/profile/").status_code == 401


def test_codes_are_shown_in_development_only(
    browser: Client, outbox: list[Message], settings: LazySettings
) -> None:
    settings.SHOW_LOGIN_CODES = False
    page = browser.post(NUMBER, {"phone_number": NEW}, follow=True)
    for code in codes(outbox).values():
        assert f">{code}<" not in page.content.decode()


@pytest.mark.parametrize("name", ["old_code", "new_code"])
def test_a_wrong_code_is_told_at_its_field(
    browser: Client, outbox: list[Message], name: str
) -> None:
    browser.post(NUMBER, {"phone_number": NEW})
    sent = codes(outbox)
    response = browser.post(CODES, {**sent, name: wrong(sent[name])})
    assert response.status_code == 400
    body = response.content.decode()
    assert re.search(rf'id="id_{name}_error" role="alert">The code is wrong\. 4', body)
    assert browser.post(CODES, sent).status_code == 302


@pytest.mark.parametrize("value", ["", "12", "abcd"])
def test_a_text_that_is_no_code_is_not_counted(
    browser: Client, outbox: list[Message], value: str
) -> None:
    browser.post(NUMBER, {"phone_number": NEW})
    for _ in range(6):
        response = browser.post(CODES, {**codes(outbox), "old_code": value})
        assert response.status_code == 400
    assert browser.post(CODES, codes(outbox)).status_code == 302


def test_a_taken_number_is_told_after_its_code(
    browser: Client, outbox: list[Message]
) -> None:
    User.objects.create_user(NEW)
    page = browser.post(NUMBER, {"phone_number": NEW}, follow=True)
    assert "already" not in text(page)
    response = browser.post(CODES, codes(outbox))
    assert response.status_code == 409
    assert "There is already an account with this number." in text(response)


def test_dead_codes_offer_new_ones(
    browser: Client, outbox: list[Message], clock: Clock
) -> None:
    browser.post(NUMBER, {"phone_number": NEW})
    clock.pass_seconds(301)
    assert "no valid codes" in text(browser.get(CODES))
    response = browser.post(CODES, codes(outbox))
    assert response.status_code == 400
    assert "no longer valid" in text(response)
    browser.post(NUMBER, {"phone_number": NEW})
    assert browser.post(CODES, codes(outbox)).status_code == 302


def use_up_guesses(browser: Client, outbox: list[Message], name: str) -> Any:
    sent = codes(outbox)
    form = {**sent, name: wrong(sent[name])}
    return [browser.post(CODES, form) for _ in range(5)][-1]


@pytest.mark.parametrize("name", ["old_code", "new_code"])
def test_after_the_last_guess_the_page_takes_no_codes_until_there_are_new_ones(
    browser: Client, outbox: list[Message], clock: Clock, name: str
) -> None:
    browser.post(NUMBER, {"phone_number": NEW})
    clock.pass_seconds(60)
    page = use_up_guesses(browser, outbox, name)
    assert "this was the last attempt" in text(page)
    refused = browser.post(CODES, codes(outbox))
    assert refused.status_code == 429
    assert "Too many wrong codes" in text(refused)
    again = browser.get(CODES)
    assert "You have no attempts left for these codes." in text(again)
    for shown in (page, refused, again):
        body = shown.content.decode()
        assert 'name="old_code"' not in body
        assert 'name="new_code"' not in body
        assert "Send again" not in text(shown)
        assert 'data-clock="240"' in body
        assert "No codes for this change work here until 13:05 (UTC)" in text(shown)
        assert "Use another number" in text(shown)
    # The number typed once more: the same codes would be sent, and be refused.
    sent = len(outbox)
    page = browser.post(NUMBER, {"phone_number": NEW}, follow=True)
    assert "no attempts left" in text(page)
    assert len(outbox) == sent
    clock.pass_seconds(240)
    assert "no valid codes" in text(browser.get(CODES))
    browser.post(NUMBER, {"phone_number": NEW})
    assert len(outbox) == sent + 2
    assert browser.post(CODES, codes(outbox))["Location"] == "/profile/"


def test_another_new_number_may_be_used_after_the_last_guess(
    browser: Client, outbox: list[Message], clock: Clock
) -> None:
    browser.post(NUMBER, {"phone_number": ALICE})
    clock.pass_seconds(60)  # the present number gets a code a minute
    sent = codes(outbox)
    for _ in range(5):
        browser.post(CODES, {"old_code": wrong(sent["old_code"]), "new_code": "1234"})
    assert "no attempts left" in text(browser.get(CODES))
    page = browser.post(NUMBER, {"phone_number": NEW}, follow=True)
    assert 'name="old_code"' in page.content.decode()
    assert browser.post(CODES, codes(outbox))["Location"] == "/profile/"


def test_the_time_without_guesses_is_in_the_zone_of_the_reader(
    browser: Client, outbox: list[Message]
) -> None:
    browser.cookies["timezone"] = "Europe/Moscow"
    browser.post(NUMBER, {"phone_number": NEW})
    assert "until 16:05 (MSK)" in text(use_up_guesses(browser, outbox, "old_code"))


def test_a_double_click_sends_two_sms_and_goes_on(
    browser: Client, outbox: list[Message]
) -> None:
    before = len(outbox)
    for _ in range(2):
        page = browser.post(NUMBER, {"phone_number": NEW}, follow=True)
        assert page.redirect_chain == [(CODES, 302)]
    assert len(outbox) == before + 2
    assert "sent a moment ago" in text(page)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("12", "not a valid phone number"),
        (BORIS, "already your number"),
        ("", "required"),
    ],
)
def test_a_bad_number_is_told(browser: Client, number: str, words: str) -> None:
    response = browser.post(NUMBER, {"phone_number": number})
    assert response.status_code == 400
    assert words in text(response)


def test_another_number_at_once_has_to_wait(browser: Client) -> None:
    browser.post(NUMBER, {"phone_number": NEW})
    response = browser.post(NUMBER, {"phone_number": ALICE})
    assert response.status_code == 429
    assert "Wait before asking again" in text(response)


def test_a_failed_sms_is_told(browser: Client, settings: LazySettings) -> None:
    settings.SMS_BACKEND = f"{FailingBackend.__module__}.FailingBackend"
    response = browser.post(NUMBER, {"phone_number": NEW})
    assert response.status_code == 503
    assert "SMS could not be sent" in text(response)


@pytest.mark.parametrize("backend", ["UnsureForBoris", "UnsureForNew"])
def test_after_an_unsure_sms_the_page_takes_the_codes_in_case_it_arrives(
    browser: Client, outbox: list[Message], settings: LazySettings, backend: str
) -> None:
    settings.SMS_BACKEND = f"{__name__}.{backend}"
    page = browser.post(NUMBER, {"phone_number": NEW}, follow=True)
    assert page.redirect_chain == [(CODES, 302)]
    assert "We are not sure that the SMS was sent. If it arrives, use" in text(page)
    for words in ('name="old_code"', 'name="new_code"', "Send again"):
        assert words in page.content.decode()
    assert browser.post(CODES, codes(outbox))["Location"] == "/profile/"


def test_without_a_number_there_is_no_page_of_codes(browser: Client) -> None:
    assert browser.get(CODES)["Location"] == NUMBER
    assert browser.post(CODES, {})["Location"] == NUMBER


def test_staff_do_not_change_their_number_here(
    client: Client, staff: User, outbox: list[Message]
) -> None:
    open_session(client, staff)
    response = client.post(NUMBER, {"phone_number": NEW})
    assert response.status_code == 403
    assert "Only a superuser can do this" in text(response)
    assert not outbox


@pytest.mark.parametrize("path", [NUMBER, CODES])
def test_pages_are_private_and_have_nothing_inline(browser: Client, path: str) -> None:
    browser.post(NUMBER, {"phone_number": NEW})
    response = browser.get(path)
    assert "no-store" in response["Cache-Control"]
    body = response.content.decode()
    assert not re.search(r"<style|<script(?! src)|\son\w+=|\sstyle=", body)
    assert browser.head(path).content == b""
    strict = Client(enforce_csrf_checks=True)
    open_session(strict, User.objects.get())
    assert strict.post(path, {}).status_code == 403


def test_the_next_sign_in_is_with_the_new_number(
    browser: Client, outbox: list[Message], clock: Clock
) -> None:
    boris = User.objects.get()
    browser.post(NUMBER, {"phone_number": NEW})
    browser.post(CODES, codes(outbox))
    browser.post("/logout/")
    clock.pass_seconds(3600)
    page = sign_in(browser, NEW, outbox)
    assert boris.invite_code in text(page)
    assert User.objects.count() == 1
