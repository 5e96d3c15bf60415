"""Every limit over HTTP: what it lets through, what it refuses, and how it says so."""

import logging
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client as Browser
from django.test import RequestFactory
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, BORIS, Clock, ask_for_code, error_of, signed_in
from tests.lab.shared import wrong
from users.login import clients, codes
from users.login import takeover_risk as risk
from users.models import User
from users.sms.memory import Message

pytestmark = pytest.mark.django_db

SEND = "/api/auth/request-code/"
VERIFY = "/api/auth/verify-code/"


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: LazySettings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    settings.LIMITS = dict(settings.LIMITS)


def at(address: str) -> APIClient:
    """A client at this address."""
    return APIClient(headers={"x-forwarded-for": address})


def number(n: int) -> str:
    return f"+7999300{n:04}"


def send(client: APIClient, phone_number: str, **body: Any) -> Any:
    return client.post(SEND, {"phone_number": phone_number, **body})


def guess(client: APIClient, phone_number: str, code: str, **body: Any) -> Any:
    return client.post(VERIFY, {"phone_number": phone_number, "code": code, **body})


def refused_by(response: Any) -> str:
    """The name of the limit; that it says how long to wait is checked on the way."""
    assert response.status_code == 429
    error = error_of(response)
    assert error["code"] == "throttled"
    assert int(response["Retry-After"]) == error["retry_after"] > 0
    limit: str = error["limit"]
    return limit


def test_sends_from_one_address(settings: LazySettings, outbox: list[Message]) -> None:
    settings.LIMITS["sends_per_address"] = Limit(3, 3600)
    client = at("192.0.2.1")
    for n in range(3):
        assert send(client, number(n)).status_code == 200
    assert refused_by(send(client, number(4))) == "sends_per_address"
    assert send(at("192.0.2.2"), number(4)).status_code == 200
    assert len(outbox) == 4


def test_different_numbers_from_one_address(settings: LazySettings) -> None:
    settings.LIMITS["phones_per_address"] = Limit(3, 3600)
    for n in range(3):
        assert send(at("192.0.2.1"), number(n)).status_code == 200
    assert refused_by(send(at("192.0.2.1"), number(3))) == "phones_per_address"


@pytest.mark.parametrize(
    ("limit", "addresses"),
    [
        ("sends_per_phone_hour", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ("sends_per_phone_day", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ("sends_per_phone_and_address", ["192.0.2.1", "192.0.2.1", "192.0.2.1"]),
        ("sends", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    ],
)
def test_sends_to_one_number(
    settings: LazySettings, clock: Clock, limit: str, addresses: list[str]
) -> None:
    settings.LIMITS[limit] = Limit(2, 86_400)
    settings.LOGIN_CODE_RESEND_SECONDS = [1]
    for address in addresses[:2]:
        assert send(at(address), ALICE).status_code == 200
        clock.pass_seconds(1)
    assert refused_by(send(at(addresses[2]), ALICE)) == limit


def test_a_refused_send_does_not_make_the_number_wait(settings: LazySettings) -> None:
    settings.LIMITS["sends_per_address"] = Limit(1, 3600)
    send(at("192.0.2.1"), BORIS)
    assert refused_by(send(at("192.0.2.1"), ALICE)) == "sends_per_address"
    assert send(at("192.0.2.2"), ALICE).status_code == 200


def test_waits_between_sends_grow(clock: Clock) -> None:
    for wait in (60, 120, 300, 300):
        assert send(at("192.0.2.1"), ALICE).json()["resend_in"] == wait
        clock.pass_seconds(wait)


def test_countries_that_are_not_served(
    settings: LazySettings, outbox: list[Message], alice: User
) -> None:
    settings.SMS_COUNTRIES = ["KZ"]
    for phone_number in (ALICE, BORIS):
        response = send(at("192.0.2.1"), phone_number)
        assert response.status_code == 400
        assert error_of(response)["code"] == "country_not_served"
    assert send(at("192.0.2.1"), "+77012345678").status_code == 200
    assert len(outbox) == 1


def test_the_kill_switch(outbox: list[Message]) -> None:
    call_command("sending", "stop")
    response = send(at("192.0.2.1"), ALICE)
    assert response.status_code == 503
    assert error_of(response)["code"] == "sms_unavailable"
    call_command("sending", "start")
    call_command("sending", "status")
    assert send(at("192.0.2.1"), ALICE).status_code == 200
    assert len(outbox) == 1


@pytest.mark.parametrize("limit", ["guesses_per_address", "guesses_per_address_day"])
def test_wrong_guesses_from_one_address(settings: LazySettings, limit: str) -> None:
    settings.LIMITS[limit] = Limit(3, 3600)
    for n in range(3):
        code = ask_for_code(at("192.0.2.1"), number(n))
        assert guess(at("192.0.2.1"), number(n), wrong(code)).status_code == 400
    code = ask_for_code(at("192.0.2.1"), ALICE)
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == limit
    assert guess(at("192.0.2.2"), ALICE, code).status_code == 200


def test_right_codes_cost_an_address_nothing(settings: LazySettings) -> None:
    settings.LIMITS["guesses_per_address"] = Limit(1, 3600)
    for n in range(5):
        code = ask_for_code(at("192.0.2.1"), number(n))
        assert guess(at("192.0.2.1"), number(n), code).status_code == 200


@pytest.mark.parametrize("limit", ["guesses_per_phone_day", "guesses_per_phone_month"])
def test_wrong_guesses_at_one_number(settings: LazySettings, limit: str) -> None:
    settings.LIMITS[limit] = Limit(3, 86_400)
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for n in range(3):
        assert guess(at(f"192.0.2.{n}"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.9"), ALICE, code)) == limit


def test_codes_grow_and_say_so(clock: Clock) -> None:
    for n, length in enumerate((4, 4, 6)):
        body = send(at("192.0.2.1"), ALICE).json()
        assert body["code_length"] == len(body["dev_code"]) == length
        for m in range(5):
            guess(at(f"192.0.{n}.{m}"), ALICE, wrong(body["dev_code"]))
        clock.pass_seconds(300)
    assert send(at("192.0.2.1"), BORIS).json()["code_length"] == 4


def test_growing_can_be_off(settings: LazySettings, clock: Clock) -> None:
    settings.LOGIN_CODE_GROWTH = []
    for n in range(4):
        code = ask_for_code(at("192.0.2.1"), ALICE)
        assert len(code) == 4
        for m in range(5):
            guess(at(f"192.0.{n}.{m}"), ALICE, wrong(code))
        clock.pass_seconds(300)


def test_one_stranger_does_not_keep_the_owner_out(clock: Clock) -> None:
    """An hour of a stranger's requests and guesses; the owner comes once in between."""
    stranger, owner = at("198.51.100.7"), at("192.0.2.1")
    for _ in range(3600 // 60):
        response = send(stranger, ALICE)
        if response.status_code == 200:
            for _ in range(6):
                guess(stranger, ALICE, wrong(response.json()["dev_code"]))
        clock.pass_seconds(60)
    waited = 0
    while (response := send(owner, ALICE)).status_code == 429:
        wait = int(response["Retry-After"])
        clock.pass_seconds(wait)
        waited += wait
    assert waited <= settings.LOGIN_CODE_TTL_SECONDS
    assert guess(owner, ALICE, response.json()["dev_code"]).status_code == 200


def test_a_known_device_is_not_kept_out_by_any_number_of_strangers(
    settings: LazySettings, clock: Clock
) -> None:
    settings.LIMITS["sends_per_phone_hour"] = Limit(2, 3600)
    settings.LIMITS["guesses_per_phone_day"] = Limit(3, 86_400)
    owner = at("192.0.2.1")
    answer = guess(owner, ALICE, ask_for_code(owner, ALICE)).json()
    clock.pass_seconds(301)
    code = ask_for_code(at("198.51.100.1"), ALICE)
    for n in range(9):
        guess(at(f"198.51.100.{n}"), ALICE, wrong(code))
    assert send(owner, ALICE).status_code == 429
    known = {"device_token": answer["device_token"]}
    response = send(owner, ALICE, **known)
    assert response.status_code == 200
    assert refused_by(guess(owner, ALICE, response.json()["dev_code"]))
    response = guess(owner, ALICE, response.json()["dev_code"], **known)
    assert response.status_code == 200


def test_a_browser_is_a_known_device_by_its_cookie(settings: LazySettings) -> None:
    settings.LIMITS["sends_per_address"] = Limit(1, 3600)
    browser = Browser(headers={"x-forwarded-for": "192.0.2.1"})
    browser.post("/login/", {"phone_number": ALICE})
    browser.post("/login/code/", {"code": ask_for_known_code()})
    browser.post("/logout/")
    response = browser.post("/login/", {"phone_number": ALICE})
    assert response.status_code == 302
    other = Browser(headers={"x-forwarded-for": "192.0.2.1"})
    assert other.post("/login/", {"phone_number": BORIS}).status_code == 429


@pytest.mark.parametrize(("kept", "status"), [(True, 302), (False, 429)])
def test_a_known_device_stays_known_while_its_secret_key_is_believed(
    settings: LazySettings, kept: bool, status: int
) -> None:
    settings.LIMITS["sends_per_address"] = Limit(1, 3600)
    browser = Browser(headers={"x-forwarded-for": "192.0.2.1"})
    browser.post("/login/", {"phone_number": ALICE})
    browser.post("/login/code/", {"code": ask_for_known_code()})
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if kept else []
    settings.SECRET_KEY = "new" * 20
    assert (browser.get("/profile/").status_code == 200) is kept
    browser.post("/logout/")
    other = Browser(headers={"x-forwarded-for": "192.0.2.1"})
    assert other.post("/login/", {"phone_number": BORIS}).status_code == 302
    response = browser.post("/login/", {"phone_number": ALICE})
    assert response.status_code == status


def test_limits_and_known_devices_outlive_secret_key(settings: LazySettings) -> None:
    settings.LIMITS["sends_per_address"] = Limit(1, 3600)
    browser = Browser(headers={"x-forwarded-for": "192.0.2.1"})
    browser.post("/login/", {"phone_number": ALICE})
    browser.post("/login/code/", {"code": ask_for_known_code()})
    browser.post("/logout/")
    # First the number's key becomes one of its own, then SECRET_KEY changes.
    settings.PSEUDONYM_SECRET = settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new" * 20
    other = Browser(headers={"x-forwarded-for": "192.0.2.1"})
    assert other.post("/login/", {"phone_number": BORIS}).status_code == 429
    assert browser.post("/login/", {"phone_number": ALICE}).status_code == 302


@pytest.mark.parametrize("name", ["known_device", "__Host-known_device"])
def test_a_device_stays_known_by_either_name_of_its_cookie(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(clients, "KNOWN_DEVICE_COOKIE", "__Host-known_device")
    request = RequestFactory().get("/")
    request.COOKIES = {name: clients.issue_known_device_token(ALICE.pseudonym)}
    assert clients.Client.of(request).has_signed_in_on(ALICE)


def ask_for_known_code() -> str:
    """What the SMS would show."""
    return codes.get(ALICE).digits


def test_the_alarm_rings_once(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIMITS["guesses_alarm"] = Limit(2, 3600)
    with caplog.at_level(logging.ERROR, "users.login.guess_limits"):
        for n in range(4):
            code = ask_for_code(at("192.0.2.1"), number(n))
            guess(at("192.0.2.1"), number(n), wrong(code))
    assert caplog.text.count("an attack?") == 1


def test_failed_activations(settings: LazySettings, alice: User, boris: User) -> None:
    settings.LIMITS["activation_failures_per_user"] = Limit(3, 3600)
    client = signed_in(boris)
    for _ in range(3):
        body = {"invite_code": "000000"}
        assert client.post("/api/profile/", body).status_code == 400
    body = {"invite_code": alice.invite_code}
    response = client.post("/api/profile/", body)
    assert refused_by(response) == "activation_failures_per_user"


def test_activations_that_succeed_cost_nothing(
    settings: LazySettings, alice: User, boris: User
) -> None:
    settings.LIMITS["activation_failures_per_user"] = Limit(1, 3600)
    for _ in range(5):
        body = {"invite_code": alice.invite_code}
        assert signed_in(boris).post("/api/profile/", body).status_code == 200


def test_lookups_of_invite_codes(settings: LazySettings, alice: User) -> None:
    settings.LIMITS["lookups_per_address"] = Limit(2, 3600)
    page = f"/i/{alice.invite_code}/"
    assert at("192.0.2.1").get(page).status_code == 200
    response = send(at("192.0.2.1"), ALICE, invite_code=alice.invite_code)
    assert response.status_code == 200
    response = at("192.0.2.1").get(page)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    response = send(at("192.0.2.1"), BORIS, invite_code=alice.invite_code)
    assert refused_by(response) == "lookups_per_address"
    assert at("192.0.2.2").get(page).status_code == 200


def test_edits_of_a_profile(settings: LazySettings, alice: User) -> None:
    settings.LIMITS["profile_edits_per_user"] = Limit(2, 3600)
    client = signed_in(alice)
    for name in ("A", "B"):
        body = {"first_name": name}
        assert client.patch("/api/profile/", body).status_code == 200
    response = client.patch("/api/profile/", {"first_name": "C"})
    assert refused_by(response) == "profile_edits_per_user"


def test_the_default_limits_bear_little_risk() -> None:
    assert risk.takeover_chance_in_a_year() <= 0.013
    assert risk.takeover_chance_in_a_year_by_a_known_device() <= 0.013
    assert risk.accounts_in_a_year_per_address() < 10


@pytest.mark.parametrize(
    ("changes", "is_warned"),
    [
        ({}, False),
        ({"LOGIN_CODE_GROWTH": []}, True),
        ({"LOGIN_CODE_GROWTH": [(100, 6)]}, True),
        ({"LOGIN_CODE_GROWTH": [], "LOGIN_CODE_LENGTH": 6}, False),
        (
            {"LIMITS": {**settings.LIMITS, "guesses_per_device": Limit(20, 86_400)}},
            True,
        ),
        ({"LIMITS": {**settings.LIMITS, "guesses_per_device": None}}, True),
    ],
)
def test_risky_limits_are_warned_of(
    settings: LazySettings, changes: dict[str, Any], is_warned: bool
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert ("config.W002" in [found.id for found in run_checks()]) is is_warned


def test_without_the_limit_per_month_the_risk_is_higher(settings: LazySettings) -> None:
    settings.LIMITS["guesses_per_phone_month"] = None
    settings.LOGIN_CODE_GROWTH = []
    assert risk.takeover_chance_in_a_year() == 1


def test_check_limits_shows_the_arithmetic(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_limits")
    shown = capsys.readouterr().out
    assert "10 wrong guesses at 4 digits: 0.10000%" in shown
    assert "One number, in a year: 1.25%" in shown
    assert "by a device that signed in on it once: 1.22% more" in shown
    assert "7.3 accounts an address" in shown


def test_check_limits_warns(
    settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.LOGIN_CODE_GROWTH = []
    call_command("check_limits")
    assert "more than 2%" in capsys.readouterr().err
