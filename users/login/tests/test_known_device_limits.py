"""Limits that strangers use up leave the owner of a number and known devices theirs."""

import pytest
from django.conf import LazySettings, settings
from django.test import Client as Browser

from config.env import Limit
from conftest import ALICE, BORIS, Clock, ask_for_code, error_of
from tests.lab.shared import wrong
from users.channels.memory import Message
from users.login import codes
from users.login.tests.conftest import at, guess, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("changeable_limits")]


def test_known_devices_are_not_challenged(settings: LazySettings) -> None:
    settings.CHALLENGE_BACKEND = "users.challenges.proof_of_work.ProofOfWork"
    client = at("192.0.2.1")
    answer = guess(client, ALICE, ask_for_code(client, ALICE)).json()
    settings.CHALLENGE_FROM_PERCENT = 0
    assert error_of(send(client, BORIS))["code"] == "challenge_required"
    response = send(client, ALICE, device_token=answer["device_token"])
    assert response.status_code == 200


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
    settings.LIMITS["sends_by_strangers"] = Limit(2, 3600)
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
    response = guess(owner, ALICE, response.json()["dev_code"], **known)
    assert response.status_code == 200


def test_a_known_device_without_sends_counts_as_a_stranger(
    settings: LazySettings, clock: Clock
) -> None:
    settings.LIMITS["sends_per_device"] = Limit(1, 86_400)
    owner = at("192.0.2.1")
    answer = guess(owner, ALICE, ask_for_code(owner, ALICE)).json()
    known = {"device_token": answer["device_token"]}
    for _ in range(3):
        clock.pass_seconds(300)
        assert send(owner, ALICE, **known).status_code == 200


def test_known_devices_share_the_sends_of_their_number(
    settings: LazySettings, clock: Clock, outbox: list[Message]
) -> None:
    settings.LIMITS["sends_per_phone_day"] = Limit(2, 86_400)
    tokens = []
    for _ in range(2):
        owner = at("192.0.2.1")
        answer = guess(owner, ALICE, ask_for_code(owner, ALICE)).json()
        tokens.append(answer["device_token"])
        clock.pass_seconds(300)
    for token in tokens * 5:
        send(at("192.0.2.1"), ALICE, device_token=token)
        clock.pass_seconds(300)
    assert len(outbox) == 2 + 5


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


def ask_for_known_code() -> str:
    """What the SMS would show."""
    return codes.get(ALICE).digits
