"""Every limit over HTTP: what it lets through, what it refuses, and how it says so."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client as Browser
from rest_framework.test import APIClient

from config.env import Limit
from conftest import (
    ALICE,
    BORIS,
    Clock,
    ask_for_code,
    error_of,
    open_session,
    signed_in,
)
from tests.lab.shared import wrong
from users.challenges.proof_of_work import ProofOfWork
from users.challenges.tests.test_proof_of_work import solve
from users.channels.memory import Message
from users.login import codes
from users.login import takeover_risk as risk
from users.models import User

pytestmark = pytest.mark.django_db

SEND = "/api/auth/request-code/"
VERIFY = "/api/auth/verify-code/"


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: LazySettings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    settings.LIMITS = dict(settings.LIMITS)
    settings.CHALLENGE_BACKEND = ""


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
        ("sends_by_strangers", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ("sends_per_network", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
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


def test_sends_to_one_country(settings: LazySettings) -> None:
    settings.LIMITS["sends_per_country"] = Limit(1, 3600)
    assert send(at("192.0.2.1"), "+77012345678").status_code == 200
    response = send(at("198.51.100.1"), "+77012345679")
    assert refused_by(response) == "sends_per_country"
    for n in range(3):  # the country of PHONE_DEFAULT_REGION
        assert send(at("192.0.2.1"), number(n)).status_code == 200


@pytest.mark.parametrize(
    "phone_number",
    ["+74951234567", "+78001234567", "+78091234567", "+18002345678", "+34803123456"],
)
def test_numbers_that_cannot_receive_sms_cost_nothing(
    outbox: list[Message], phone_number: str
) -> None:
    response = send(at("192.0.2.1"), phone_number)
    assert response.status_code == 400
    assert error_of(response)["code"] == "number_cannot_receive_sms"
    assert outbox == []


def test_the_kinds_of_numbers_are_a_setting(settings: LazySettings) -> None:
    settings.SMS_NUMBER_TYPES = ["fixed_line"]
    assert send(at("192.0.2.1"), "+74951234567").status_code == 200


def test_half_of_the_sends_rings_an_alarm_once(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIMITS["sends"] = Limit(6, 3600)
    for n in range(2):
        send(at("192.0.2.1"), number(n))
    assert "LIMIT_SENDS" not in caplog.text
    for n in range(2, 6):
        send(at("192.0.2.1"), number(n))
    assert caplog.text.count("LIMIT_SENDS") == 1


def test_asking_while_a_code_lives_costs_the_address_a_send(
    settings: LazySettings,
) -> None:
    settings.LIMITS["sends_per_address"] = Limit(2, 3600)
    for n in range(3):
        send(at("192.0.2.1"), number(n)) if n < 2 else send(at("192.0.2.3"), number(n))
    for n in range(2):
        for _ in range(3):  # again during the same wait tells nothing new
            assert refused_by(send(at("192.0.2.2"), number(n))) == "code_resend"
    assert refused_by(send(at("192.0.2.2"), number(2))) == "sends_per_address"


@pytest.mark.parametrize(
    "limit",
    [
        "sends_per_address",
        "phones_per_address",
        "sends_per_network",
        "sends_by_strangers",
    ],
)
def test_strangers_are_challenged_before_a_shared_limit_refuses(
    settings: LazySettings, limit: str
) -> None:
    settings.CHALLENGE_BACKEND = "users.challenges.proof_of_work.ProofOfWork"
    settings.LIMITS[limit] = Limit(4, 3600)
    for n in range(2):
        assert send(at("192.0.2.1"), number(n)).status_code == 200
    for n in range(2, 4):
        task = error_of(send(at("192.0.2.1"), number(n)))
        assert (task["code"], task["limit"]) == ("challenge_required", limit)
        body = {"challenge": solve(task["challenge"])}
        assert send(at("192.0.2.1"), number(n), **body).status_code == 200
    refusal = send(at("192.0.2.1"), number(5), challenge=solve(ProofOfWork().task()))
    assert refused_by(refusal) == limit


def test_known_devices_are_not_challenged(settings: LazySettings) -> None:
    settings.CHALLENGE_BACKEND = "users.challenges.proof_of_work.ProofOfWork"
    client = at("192.0.2.1")
    answer = guess(client, ALICE, ask_for_code(client, ALICE)).json()
    settings.CHALLENGE_FROM_PERCENT = 0
    assert error_of(send(client, BORIS))["code"] == "challenge_required"
    response = send(client, ALICE, device_token=answer["device_token"])
    assert response.status_code == 200


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


@pytest.mark.parametrize(
    "limit",
    ["guesses_per_address", "guesses_per_address_day", "guesses_per_network_day"],
)
def test_wrong_guesses_from_one_address(settings: LazySettings, limit: str) -> None:
    settings.LIMITS[limit] = Limit(3, 3600)
    settings.LOGIN_CODE_GROWTH_PER_CLIENT = []
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for _ in range(3):
        assert guess(at("192.0.2.1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == limit
    # An address that is new to the number has two guesses whatever its network did.
    boris = ask_for_code(at("192.0.2.1"), BORIS)
    for _ in range(2):
        assert guess(at("192.0.2.1"), BORIS, wrong(boris)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), BORIS, boris)) == limit
    assert guess(at("198.51.100.2"), ALICE, code).status_code == 200


def test_right_codes_cost_an_address_nothing(settings: LazySettings) -> None:
    settings.LIMITS["guesses_per_address"] = Limit(1, 3600)
    for n in range(5):
        code = ask_for_code(at("192.0.2.1"), number(n))
        assert guess(at("192.0.2.1"), number(n), code).status_code == 200


@pytest.mark.parametrize("limit", ["guesses_per_phone_day", "guesses_per_phone_month"])
def test_wrong_guesses_at_one_number(settings: LazySettings, limit: str) -> None:
    settings.LIMITS[limit] = Limit(3, 86_400)
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for _ in range(3):
        assert guess(at("192.0.2.1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == limit
    # A network that is new to the number has two guesses of its own.
    assert guess(at("198.51.100.1"), ALICE, wrong(code)).status_code == 400
    assert guess(at("198.51.100.1"), ALICE, code).status_code == 200


@pytest.mark.parametrize(
    "limit", ["guesses_per_phone_and_address", "guesses_per_phone_and_network"]
)
def test_guesses_of_one_address_at_one_number(
    settings: LazySettings, limit: str
) -> None:
    settings.LIMITS[limit] = Limit(3, 86_400)
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for _ in range(3):
        assert guess(at("192.0.2.1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == limit
    assert guess(at("192.0.2.2"), ALICE, code).status_code == 200


def test_wrong_guesses_of_everybody(settings: LazySettings) -> None:
    settings.LIMITS["guesses"] = Limit(3, 86_400)
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for _ in range(3):
        assert guess(at("192.0.2.1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == "guesses"
    # A network that has guessed wrong less than twice today is not refused.
    assert guess(at("198.51.100.1"), ALICE, code).status_code == 200


def test_codes_grow_and_say_so(clock: Clock) -> None:
    for n, length in enumerate((4, 6, 6)):
        body = send(at(f"192.0.{n}.1"), ALICE).json()
        assert body["code_length"] == len(body["dev_code"]) == length
        for m in range(6):
            guess(at(f"198.{n}.{m}.1"), ALICE, wrong(body["dev_code"]))
        clock.pass_seconds(300)
    assert send(at("203.0.113.1"), BORIS).json()["code_length"] == 6  # of everybody


def test_growing_can_be_off(settings: LazySettings, clock: Clock) -> None:
    settings.LOGIN_CODE_GROWTH = settings.LOGIN_CODE_GROWTH_OVERALL = []
    settings.LOGIN_CODE_GROWTH_PER_CLIENT = []
    for n in range(4):
        code = ask_for_code(at("192.0.2.1"), ALICE)
        assert len(code) == 4
        for m in range(5):
            guess(at(f"198.51.{n}.{m}"), ALICE, wrong(code))
        clock.pass_seconds(300)


@pytest.mark.parametrize("setting", ["PER_CLIENT", "OVERALL"])
def test_codes_grow_with_wrong_guesses_at_other_numbers(
    settings: LazySettings, setting: str
) -> None:
    setattr(settings, f"LOGIN_CODE_GROWTH_{setting}", [(2, 6)])
    for n in range(2):
        code = ask_for_code(at("192.0.2.1"), number(n))
        guess(at("192.0.2.1"), number(n), wrong(code))
    assert len(ask_for_code(at("192.0.2.1"), ALICE)) == 6
    elsewhere = 6 if setting == "OVERALL" else 4
    assert len(ask_for_code(at("198.51.100.1"), BORIS)) == elsewhere


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


def test_the_alarm_rings_once(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LOGIN_CODE_GROWTH_OVERALL = [(2, 8)]
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


def test_invite_codes_tried_by_a_number_while_signing_in(
    settings: LazySettings, alice: User
) -> None:
    settings.LIMITS["activation_failures_per_user"] = Limit(4, 3600)
    code = ask_for_code(at("192.0.2.1"), BORIS)
    body = {"phone_number": BORIS, "code": code, "invite_code": "000000"}
    tries = [
        at(f"192.0.2.{n}").post(path, body)
        for n, path in enumerate([VERIFY, "/api/auth/jwt/create/"] * 3)
    ]
    assert [response.status_code for response in tries] == [400] * 4 + [429] * 2
    assert refused_by(tries[-1]) == "activation_failures_per_user"
    # Not even the right one is found now. Without one the sign-in goes on.
    right = {"invite_code": alice.invite_code}
    assert guess(at("192.0.2.9"), BORIS, code, **right).status_code == 429
    signed_in_now = guess(at("192.0.2.9"), BORIS, code)
    assert signed_in_now.status_code == 200
    # The account is the same subject as the number was before it existed.
    token = signed_in_now.json()["token"]
    owner = APIClient(headers={"authorization": f"Token {token}"})
    response = owner.post("/api/profile/", right)
    assert refused_by(response) == "activation_failures_per_user"


def test_invite_codes_tried_from_an_address_on_any_path(
    settings: LazySettings, alice: User, boris: User
) -> None:
    client, phone_number = at("192.0.2.1"), number(1)
    code = ask_for_code(client, phone_number)
    owner = signed_in(boris)
    there = {"x-forwarded-for": "192.0.2.1"}
    visitor, browser = Browser(headers=there), Browser(headers=there)
    open_session(browser, boris)
    body = {"phone_number": phone_number, "code": code, "invite_code": "000000"}
    one = {"invite_code": "000000"}
    paths: dict[str, Callable[[], Any]] = {
        "request-code": lambda: send(client, number(2), **one),
        "verify-code": lambda: client.post(VERIFY, body),
        "jwt/create": lambda: client.post("/api/auth/jwt/create/", body),
        "profile": lambda: owner.post("/api/profile/", one, headers=there),
        "look-up": lambda: client.get("/api/invite-codes/000000/"),
        "activate": lambda: browser.get("/profile/activate/", one),
        "activate, confirmed": lambda: browser.post("/profile/activate/", one),
        "link": lambda: browser.get("/i/000000/"),
        "link, accepted": lambda: visitor.post("/login/invite/", one),
    }
    settings.LIMITS["lookups_per_address"] = Limit(len(paths), 3600)
    first = {name: try_it().status_code for name, try_it in paths.items()}
    assert set(first.values()) == {400, 404}
    then = {name: try_it().status_code for name, try_it in paths.items()}
    assert set(then.values()) == {429}


def test_invited_sign_ins_at_one_address_cost_nothing(
    settings: LazySettings, alice: User
) -> None:
    settings.LIMITS["lookups_per_address"] = Limit(1, 3600)
    settings.LIMITS["lookups_per_user"] = Limit(1, 3600)
    for n in range(3):
        code = ask_for_code(at("192.0.2.1"), number(n))
        body = {"invite_code": alice.invite_code}
        response = guess(at("192.0.2.1"), number(n), code, **body)
        assert response.json()["invite_code_applied"] is True


def test_a_stranger_cannot_use_up_the_look_ups_of_a_number(
    settings: LazySettings, alice: User, boris: User
) -> None:
    settings.LIMITS["lookups_per_user"] = Limit(2, 3600)
    for _ in range(3):
        send(at("192.0.2.1"), BORIS, invite_code="000000")
    body = {"invite_code": alice.invite_code}
    assert signed_in(boris).post("/api/profile/", body).status_code == 200


def test_edits_of_a_profile(settings: LazySettings, alice: User) -> None:
    settings.LIMITS["profile_edits_per_user"] = Limit(2, 3600)
    client = signed_in(alice)
    for name in ("A", "B"):
        body = {"first_name": name}
        assert client.patch("/api/profile/", body).status_code == 200
    response = client.patch("/api/profile/", {"first_name": "C"})
    assert refused_by(response) == "profile_edits_per_user"


def test_the_default_limits_keep_the_promises() -> None:
    together = risk.takeover_chance() + risk.takeover_chance_by_known_devices()
    assert together <= 0.013
    assert risk.accounts_of_service() <= 1
    assert risk.accounts_per_network() < 0.5
    assert risk.longest_wait() <= settings.LOGIN_CODE_TTL_SECONDS
    assert risk.sms_a_day_to_a_number() == 20
    assert risk.sms_a_year() == 2000 * 24 * 365
    assert risk.sms_a_year_without_challenge() == 1600 * 24 * 365  # none is set here


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({}, 0),
        ({"LOGIN_CODE_GROWTH": []}, 1),
        ({"LOGIN_CODE_GROWTH": [(100, 6)]}, 1),
        ({"LOGIN_CODE_GROWTH_OVERALL": [(100, 6)]}, 1),
        ({"LOGIN_CODE_GROWTH": [], "LOGIN_CODE_LENGTH": 8}, 0),
        ({"LOGIN_CODE_RESEND_SECONDS": [60, 600]}, 1),
        ({"LIMITS": {"guesses_per_known_devices": Limit(20, 86_400)}}, 1),
        ({"LIMITS": {"guesses_per_known_devices": None}}, 1),
        ({"LIMITS": {"guesses": None}}, 1),
        ({"LIMITS": {"guesses_per_phone_month": None}}, 1),
        ({"LIMITS": {"sends_per_phone_day": Limit(16, 86_400)}}, 1),
    ],
)
def test_risky_limits_are_warned_of(
    settings: LazySettings, changes: dict[str, Any], warnings: int
) -> None:
    for name, value in changes.items():
        if name == "LIMITS":
            value = {**settings.LIMITS, **value}
        setattr(settings, name, value)
    assert [found.id for found in run_checks()].count("config.W002") == warnings


@pytest.mark.parametrize(("percent", "sms"), [(0, 0), (50, 800), (100, 1600)])
def test_sms_without_a_challenge_end_at_the_soft_limit(
    settings: LazySettings, percent: int, sms: int
) -> None:
    settings.CHALLENGE_BACKEND = "users.challenges.proof_of_work.ProofOfWork"
    settings.CHALLENGE_FROM_PERCENT = percent
    assert risk.sms_a_year_without_challenge() == sms * 24 * 365


def test_without_the_limit_per_month_the_risk_is_certain(
    settings: LazySettings,
) -> None:
    settings.LIMITS["guesses_per_phone_month"] = None
    assert risk.takeover_chance() == 1


def test_check_limits_shows_the_arithmetic(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_limits")
    shown = capsys.readouterr()
    assert "6 wrong guesses at 4 digits: 0.06000%" in shown.out
    assert re.search(r"together +1.24%", shown.out)
    assert re.search(r"wait for a new code for +300 s", shown.out)
    assert re.search(r"by all, networks: 10,000 +0.8", shown.out)
    assert shown.err == ""


def test_check_limits_warns(
    settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.LOGIN_CODE_GROWTH = []
    call_command("check_limits")
    assert "more than 1.3%" in capsys.readouterr().err
