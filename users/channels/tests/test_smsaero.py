"""SMS Aero in good and bad days: what people are told, and what went out to them."""

import logging
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from unittest.mock import Mock

import pytest
import redis
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client as Browser
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, BORIS, Clock, clear_cache, error_of
from limits.budgets import used
from users.channels import http
from users.channels.tests.providers import (
    EMAIL,
    KEY,
    LOST,
    REFUSALS,
    SILENT,
    Provider,
)

URL = "/api/auth/request-code/"
TIMEOUT_SECONDS = 1.6
BEARABLE_SECONDS = 10  # on a busy machine; the provider would take longer


@pytest.fixture
def aero(settings: LazySettings) -> Iterator[Provider]:
    settings.SMS_BACKEND = "users.channels.smsaero.SmsAeroBackend"
    settings.SMS_AERO_EMAIL = EMAIL
    settings.SMS_AERO_API_KEY = KEY
    settings.SMS_TIMEOUT_SECONDS = TIMEOUT_SECONDS
    with Provider().running() as server:
        settings.SMS_AERO_URL = f"{server.url}/v2"
        yield server


def ask(api: APIClient, phone_number: str = ALICE) -> Any:
    started = time.perf_counter()
    response = api.post(URL, {"phone_number": phone_number})
    assert time.perf_counter() - started < BEARABLE_SECONDS
    if response.status_code != 200:
        assert response.status_code == 503
        assert int(response["Retry-After"]) > 0
        assert error_of(response)["code"] == "sms_unavailable"
    return response


def sends_counted() -> int:
    return used("sends", "all")


def test_the_provider_gets_number_text_and_sign(
    api: APIClient, aero: Provider, settings: LazySettings
) -> None:
    settings.SMS_AERO_SIGN = "Referral"
    response = ask(api)
    assert response.status_code == 200
    assert "dev_code" not in response.json()
    (text,) = aero.sent_to(ALICE)
    assert re.fullmatch(
        r"\d{4} is your sign-in code\. Do not share it with anyone\.", text
    )
    assert aero.bodies == [{"number": 79990000001, "text": text, "sign": "Referral"}]


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_is_told_and_spends_nothing(
    api: APIClient, aero: Provider, fault: str
) -> None:
    aero.faults[ALICE] = [fault]
    response = ask(api)
    assert response["Retry-After"] == "5"
    assert error_of(response)["detail"].startswith("The SMS could not be sent")
    assert len(aero.asked) == 1  # to ask again would not help
    assert sends_counted() == 0

    again = ask(api).json()
    assert again["resend_in"] in {59, 60}  # a first wait
    assert len(aero.accepted) == sends_counted() == 1


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_looked_up_and_not_sent_again(
    api: APIClient, aero: Provider, fault: str
) -> None:
    aero.faults[ALICE] = [fault]
    assert ask(api).status_code == 200
    assert len(aero.accepted) == len(aero.asked) == sends_counted() == 1


@pytest.mark.parametrize("fault", SILENT)
def test_without_an_answer_nothing_is_sent_until_a_second_sms_may_come(
    api: APIClient, aero: Provider, clock: Clock, fault: str
) -> None:
    aero.faults[ALICE] = [fault]
    response = ask(api)
    assert response["Retry-After"] == "60"
    assert error_of(response)["detail"].startswith("We are not sure")
    clock.pass_seconds(20)
    response = ask(api)
    assert response["Retry-After"] == "40"
    assert error_of(response)["detail"].startswith("We are not sure")
    assert len(aero.asked) == 1
    assert sends_counted() == 1  # for it may be on somebody's bill

    clock.pass_seconds(40)
    assert ask(api).json()["resend_in"] == 60  # the number's wait has not grown
    assert len(aero.accepted) == 1


def test_an_sms_accepted_too_late_is_not_sent_again(
    api: APIClient, aero: Provider
) -> None:
    aero.faults[ALICE], aero.slow_seconds = ["late"], TIMEOUT_SECONDS + 0.2
    assert ask(api).status_code == 503
    deadline = time.monotonic() + 5
    while not aero.accepted and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ask(api).status_code == 200
    assert len(aero.accepted) == len(aero.asked) == 1


def test_while_nothing_can_be_looked_up_nothing_is_sent_again(
    api: APIClient, aero: Provider
) -> None:
    aero.faults[ALICE], aero.list_is_down = ["502"], True
    assert [ask(api).status_code for _ in range(3)] == [503] * 3
    assert len(aero.asked) == 1

    aero.list_is_down = False
    assert ask(api).status_code == 200
    assert len(aero.accepted) == 1


def test_an_older_sms_with_the_same_code_is_not_mistaken_for_it(
    api: APIClient, aero: Provider, clock: Clock
) -> None:
    ask(api)
    aero.accepted[0].at = time.time()
    clock.pass_seconds(60)
    aero.faults[ALICE] = ["500"]
    assert ask(api).status_code == 503


def test_the_code_of_an_sms_that_came_all_the_same_signs_in(
    api: APIClient, aero: Provider, db: None
) -> None:
    aero.faults[ALICE], aero.list_is_down = ["502"], True
    assert ask(api).status_code == 503
    code = aero.sent_to(ALICE)[0][:4]
    body = {"phone_number": ALICE, "code": code}
    assert api.post("/api/auth/verify-code/", body).status_code == 200


def test_in_a_browser_it_can_be_entered_at_once(
    client: Browser, aero: Provider, db: None
) -> None:
    aero.faults[ALICE], aero.list_is_down = ["502"], True
    page = client.post("/login/", {"phone_number": ALICE}, follow=True)
    assert page.redirect_chain[-1][0] == "/login/code/"
    assert "We are not sure that the SMS was sent" in page.content.decode()


def test_a_provider_that_is_down_is_told_and_spends_nothing(
    api: APIClient, aero: Provider, settings: LazySettings
) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        working = settings.SMS_AERO_URL
        settings.SMS_AERO_URL = f"http://127.0.0.1:{taken.getsockname()[1]}/v2"
        assert ask(api)["Retry-After"] == "5"
    assert sends_counted() == 0
    settings.SMS_AERO_URL = working
    assert ask(api).status_code == 200


def test_a_name_that_does_not_resolve_takes_no_longer(
    api: APIClient,
    aero: Provider,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = Event()
    settings.SMS_AERO_URL = "http://provider.invalid/v2"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: over.wait(10) or [])
    response = ask(api)
    over.set()
    assert response["Retry-After"] == "5"  # so nothing has left


def test_an_sms_that_was_not_sent_is_tried_once_more(
    api: APIClient, aero: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def flaky(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise http.NotSent("ConnectError")
        return real(*args, **kwargs)

    real = http.post
    monkeypatch.setattr("users.channels.smsaero.post", flaky)
    assert ask(api).status_code == 200
    assert (len(calls), len(aero.accepted)) == (2, 1)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            "401",
            "SMS Aero refuses SMS_AERO_EMAIL and SMS_AERO_API_KEY: no SMS go out",
        ),
        ("402", "SMS Aero's balance is used up: no SMS go out"),
        ("no money", "SMS Aero's balance is used up: no SMS go out"),
    ],
)
def test_operators_are_told_in_one_line(
    api: APIClient,
    aero: Provider,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    line: str,
) -> None:
    aero.faults[ALICE] = [fault]
    ask(api)
    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert [e for e in errors if "SMS" in e] == [line]


def test_a_log_shows_no_number_no_code_and_no_secret(
    api: APIClient,
    aero: Provider,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nosy = {"success": False, "message": f"no {ALICE} 1234\nforged line"}
    monkeypatch.setitem(REFUSALS, "400", (400, nosy))
    caplog.set_level(logging.INFO)
    for fault in [*REFUSALS, "500", ""]:
        aero.faults[ALICE] = [fault]
        ask(api)
        clear_cache()
    ours = [r.getMessage() for r in caplog.records if "SMS" in r.getMessage()]
    assert any("+7999•••••01" in line for line in ours)
    for line in (r.getMessage() for r in caplog.records):
        assert "\n" not in line
        assert not any(secret in line for secret in (ALICE[1:], "1234", KEY, EMAIL))
        assert not any(sms.text[:4] in line for sms in aero.accepted)


@pytest.mark.slow
def test_100_sign_ins_with_20_faults(
    api: APIClient, aero: Provider, settings: LazySettings, db: None
) -> None:
    """Who is told that it failed asks again after a wait, as people do."""
    settings.LIMITS = dict.fromkeys(settings.LIMITS)
    settings.LOGIN_CODE_RESEND_SECONDS = [1]
    aero.slow_seconds = TIMEOUT_SECONDS + 0.1
    numbers = [f"+7999000{place:04}" for place in range(100)]
    kinds = [*REFUSALS, *LOST, *SILENT, "late"] * 2
    faults = dict(zip(numbers[::5], kinds, strict=False))
    aero.faults = {number: [fault] for number, fault in faults.items()}

    def ask_until_sent(number: str) -> int:
        """How often the answer was that it failed."""
        for failures in range(4):
            answer = ask(APIClient(), number)
            if answer.status_code == 200:
                return failures
            if "not sure" in error_of(answer)["detail"]:
                time.sleep(1)
        return 4

    with ThreadPoolExecutor(6) as people:
        failures = dict(zip(numbers, people.map(ask_until_sent, numbers), strict=True))
    assert max(failures.values()) < 4
    # Of the lost ones the look-up may have said that they had gone out.
    assert all(failures[n] for n, fault in faults.items() if fault not in LOST)

    assert len(aero.accepted) == 100
    for number in numbers:
        (text,) = aero.sent_to(number)
        body = {"phone_number": number, "code": text[:4]}
        assert api.post("/api/auth/verify-code/", body).status_code == 200


def test_another_number_has_nothing_to_do_with_it(
    api: APIClient, aero: Provider
) -> None:
    aero.faults[ALICE] = ["500"]
    assert ask(api).status_code == 503
    assert ask(api, BORIS).status_code == 200


def ask_in(language: str) -> Any:
    headers = {"Accept-Language": language}
    return APIClient().post(URL, {"phone_number": ALICE}, headers=headers)


def test_an_sms_is_found_by_somebody_who_asks_again_in_another_language(
    aero: Provider, clock: Clock
) -> None:
    aero.faults[ALICE], aero.list_is_down = ["502"], True
    assert ask_in("ru").status_code == 503
    aero.list_is_down = False
    clock.pass_seconds(61)
    assert ask_in("en").status_code == 200
    assert len(aero.accepted) == 1


def test_a_last_code_is_found_although_its_minutes_have_changed(
    api: APIClient, aero: Provider, clock: Clock, settings: LazySettings
) -> None:
    settings.LIMITS = {**settings.LIMITS, "sends_per_phone_hour": Limit(4, 3600)}
    aero.faults[ALICE] = ["", "", "502"]
    for _ in range(2):
        assert ask(api).status_code == 200
        clock.pass_seconds(121)
    aero.list_is_down = True
    assert ask(api).status_code == 503
    aero.list_is_down = False
    clock.pass_seconds(61)
    assert ask(api).status_code == 200
    assert len(aero.accepted) == 3


def test_an_sms_that_could_not_be_delivered_does_not_count_as_sent(
    api: APIClient, aero: Provider, clock: Clock
) -> None:
    aero.faults[ALICE], aero.list_is_down = ["502"], True
    assert ask(api).status_code == 503
    aero.list_is_down, aero.status = False, 2
    clock.pass_seconds(61)
    assert ask(api).status_code == 200
    assert len(aero.accepted) == 2


def test_the_wait_holds_if_nobody_will_know_of_an_unsure_sms(
    api: APIClient, aero: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(key: str, *args: Any) -> None:
        assert key.startswith("sms-tried:")
        raise redis.ConnectionError

    aero.faults[ALICE], aero.list_is_down = ["502"], True
    with monkeypatch.context() as patch:
        patch.setattr("users.channels.sending.cache", Mock(get=cache.get, set=fail))
        assert ask(api).status_code == 503
    assert error_of(api.post(URL, {"phone_number": ALICE}))["limit"] == "code_resend"
    assert len(aero.accepted) == 1
