"""Codes in Telegram, in good and bad days, and its signed callbacks."""

import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from rest_framework.test import APIClient

from config.monitoring.metrics import collected
from conftest import ALICE, Clock, clear_cache, error_of, signed_in
from limits.budgets import used
from users.channels import CodeMessage, Purpose
from users.channels.sending import send_message
from users.channels.tests.providers import SECRET, Provider
from users.channels.tests.telegram_gateway import (
    ABILITY,
    ERRORS,
    LOST,
    SEND,
    SILENT,
    STATUS,
    TOKEN,
    Gateway,
    signed,
)
from users.models import User

URL = "/api/auth/request-code/"
CALLBACK = "/api/providers/telegram/"
TIMEOUT_SECONDS = 1.8
TELEGRAM = "users.channels.telegram.TelegramBackend"
HOOK = "users.channels.webhook.WebhookBackend"


@pytest.fixture
def hook(settings: LazySettings) -> Iterator[Provider]:
    """Sends SMS, after Telegram in the chain."""
    settings.SMS_BACKEND = "users.channels.chain.ChainBackend"
    settings.SMS_CHAIN = [TELEGRAM, HOOK]
    settings.SMS_TIMEOUT_SECONDS = TIMEOUT_SECONDS
    settings.SMS_WEBHOOK_SECRET = SECRET
    with Provider().running() as server:
        settings.SMS_WEBHOOK_URL = f"{server.url}/webhook"
        yield server


@pytest.fixture
def gateway(settings: LazySettings, hook: Provider) -> Iterator[Gateway]:
    settings.TELEGRAM_GATEWAY_TOKEN = TOKEN
    with Gateway().running() as server:
        settings.TELEGRAM_GATEWAY_URL = server.url
        yield server


def ask(**body: Any) -> Any:
    return APIClient().post(URL, {"phone_number": ALICE, **body})


def call_back(
    said: Any, *, at: float | None = None, token: str = TOKEN, **headers: str
) -> Any:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    at = time.time() if at is None else at
    return Client().generic(
        "POST",
        CALLBACK,
        body,
        content_type="application/json",
        headers={**signed(body, at=at, token=token), **headers},
    )


def status_of_delivery(delivery_id: str) -> str:
    found: str = (
        APIClient().get(f"/api/auth/deliveries/{delivery_id}/").json()["status"]
    )
    return found


def test_the_code_comes_in_telegram_and_signs_in(
    gateway: Gateway, hook: Provider, db: None
) -> None:
    answer = ask().json()
    assert (answer["channel"], answer["channels"]) == (
        "telegram",
        ["telegram", "sms"],
    )
    assert answer["message"] == "The code has been sent to you on Telegram."
    (code,) = gateway.sent_to(ALICE)
    assert hook.asked == []
    body = {"phone_number": ALICE, "code": code}
    assert APIClient().post("/api/auth/verify-code/", body).status_code == 200


def test_telegram_gets_the_number_the_code_and_where_to_call_back(
    gateway: Gateway, settings: LazySettings
) -> None:
    settings.TELEGRAM_GATEWAY_CALLBACK_URL = "https://example.com" + CALLBACK
    delivery_id = ask().json()["delivery_id"]
    assert gateway.asked[0] == (ABILITY, {"phone_number": ALICE})
    method, body = gateway.asked[1]
    (code,) = gateway.sent_to(ALICE)
    assert method == SEND
    assert body == {
        "phone_number": ALICE,
        "request_id": "900000000000001",
        "code": code,
        "ttl": 60,
        "payload": delivery_id,
        "callback_url": settings.TELEGRAM_GATEWAY_CALLBACK_URL,
    }


@pytest.mark.parametrize("method", [ABILITY, SEND])
@pytest.mark.parametrize("fault", ERRORS)
def test_after_a_refusal_an_sms_follows(
    gateway: Gateway, hook: Provider, method: str, fault: str
) -> None:
    gateway.faults[method] = [fault]
    answer = ask(channel="telegram").json()
    assert answer["channel"] == "sms"
    assert answer["delivery_id"] is None
    assert (len(gateway.sent), len(hook.accepted)) == (0, 1)
    assert used("sends", "all") == 1


@pytest.mark.parametrize("fault", [*LOST, *SILENT])
def test_if_the_ability_stays_unknown_an_sms_follows(
    gateway: Gateway, hook: Provider, fault: str
) -> None:
    gateway.faults[ABILITY] = [fault]
    assert ask().json()["channel"] == "sms"
    assert (gateway.methods(), len(hook.accepted)) == ([ABILITY], 1)


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_is_looked_up_and_nothing_else_is_sent(
    gateway: Gateway, hook: Provider, fault: str
) -> None:
    gateway.faults[SEND] = [fault]
    assert ask().json()["channel"] == "telegram"
    assert gateway.methods() == [ABILITY, SEND, STATUS]
    assert (len(gateway.sent), hook.asked) == (1, [])


@pytest.mark.slow
@pytest.mark.parametrize("fault", SILENT)
def test_without_an_answer_nothing_is_sent_until_a_second_message_may_come(
    gateway: Gateway, hook: Provider, clock: Clock, fault: str
) -> None:
    gateway.faults[SEND] = [fault]
    response = ask()
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    detail = error_of(response)["detail"]
    assert detail.startswith("We are not sure that the Telegram message")
    clock.pass_seconds(20)
    assert ask().status_code == 503
    assert gateway.methods().count(SEND) == 1
    clock.pass_seconds(40)
    assert ask().json()["channel"] == "telegram"
    assert (len(gateway.sent), hook.asked) == (1, [])


def test_a_message_that_went_out_late_is_found_and_not_sent_again(
    gateway: Gateway, hook: Provider
) -> None:
    gateway.faults = {SEND: ["502"], STATUS: ["500"]}
    assert ask().status_code == 503
    assert ask().json()["channel"] == "telegram"
    assert (len(gateway.sent), hook.asked) == (1, [])


@pytest.mark.parametrize(
    ("wait", "lifetime", "ttl"), [(60, 300, 60), (1, 300, 30), (9999, 9999, 3600)]
)
def test_a_message_must_arrive_before_another_may_be_asked_for(
    gateway: Gateway, settings: LazySettings, wait: int, lifetime: int, ttl: int
) -> None:
    settings.LOGIN_CODE_RESEND_SECONDS = [wait]
    settings.LOGIN_CODE_TTL_SECONDS = lifetime
    ask()
    assert gateway.asked[1][1]["ttl"] == ttl


def test_a_last_code_may_arrive_later(gateway: Gateway) -> None:
    message = CodeMessage(
        phone_number=ALICE,
        code="123456",
        purpose=Purpose.SIGN_IN,
        expires_at=time.time() + 7200,
        is_last=True,
    )
    send_message(message)
    assert gateway.asked[1][1]["ttl"] == 3600


def test_a_code_to_change_a_number_goes_by_sms(
    gateway: Gateway, hook: Provider, alice: User
) -> None:
    body = {"phone_number": "+79990000009"}
    response = signed_in(alice).post("/api/profile/phone/request-code/", body)
    assert response.status_code == 200
    assert gateway.asked == []
    assert hook.accepted


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            "ACCESS_TOKEN_INVALID",
            "Telegram refuses TELEGRAM_GATEWAY_TOKEN: no messages go out",
        ),
        ("BALANCE_NOT_ENOUGH", "Telegram's balance is used up: no messages go out"),
    ],
)
def test_operators_are_told_in_one_line(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, fault: str, line: str
) -> None:
    gateway.faults[ABILITY] = [fault]
    ask()
    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert errors == [line]


def test_a_log_shows_no_number_no_code_and_no_token(
    gateway: Gateway,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nosy = f"PHONE_NUMBER_{ALICE[1:]}"
    monkeypatch.setattr(
        "users.channels.tests.telegram_gateway.ERRORS", [*ERRORS, nosy, f"x {ALICE}"]
    )
    caplog.set_level(logging.INFO)
    for fault in [*ERRORS, nosy, f"x {ALICE}", *LOST, "500", ""]:
        gateway.faults[SEND] = [fault]
        ask()
        clear_cache()
    lines = [r.getMessage() for r in caplog.records]
    assert any("+7999•••••01" in line for line in lines)
    secrets = [ALICE[1:], TOKEN, *gateway.sent_to(ALICE)]
    for line in lines:
        assert not any(secret in line for secret in secrets), line


# --- Callbacks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("expired", "failed"),
        ("revoked", "failed"),
        ("something new", "sent"),
        (7, "sent"),
    ],
)
def test_a_signed_callback_is_told_to_whoever_asks(
    gateway: Gateway, said: Any, status: str
) -> None:
    delivery_id = ask().json()["delivery_id"]
    (request_id,) = gateway.sent
    gateway.statuses[request_id] = said
    response = call_back(gateway.request_status(request_id))
    assert (response.status_code, response.json()) == (200, {})
    assert status_of_delivery(delivery_id) == status


def counted_deliveries() -> float:
    return sum(
        sample.value
        for metric in collected().collect()
        for sample in metric.samples
        if sample.name == "referral_deliveries_total"
    )


def test_replays_and_late_reports_change_and_count_nothing(gateway: Gateway) -> None:
    delivery_id = ask().json()["delivery_id"]
    (request_id,) = gateway.sent
    before = counted_deliveries()
    for said in ("expired", "delivered", "delivered", "sent", "expired"):
        gateway.statuses[request_id] = said
        assert call_back(gateway.request_status(request_id)).status_code == 200
    assert status_of_delivery(delivery_id) == "delivered"
    assert counted_deliveries() == before + 1


@pytest.mark.parametrize(
    "forged",
    [
        {"token": "another"},
        {"at": -301},
        {"at": 301},
        {"X-Request-Signature": ""},
        {"X-Request-Signature": "ф" * 64},
        {"X-Request-Timestamp": ""},
        {"X-Request-Timestamp": "١٧٩٩"},
        {"X-Request-Timestamp": "-1"},
    ],
)
def test_a_callback_that_telegram_did_not_just_sign_is_refused(
    gateway: Gateway, clock: Clock, forged: dict[str, Any]
) -> None:
    delivery_id = ask().json()["delivery_id"]
    (request_id,) = gateway.sent
    gateway.statuses[request_id] = "delivered"
    if "at" in forged:
        forged = {"at": time.time() + forged["at"]}
    response = call_back(gateway.request_status(request_id), **forged)
    gateway.statuses.clear()
    assert response.status_code == 403
    assert error_of(response)["code"] == "permission_denied"
    assert status_of_delivery(delivery_id) == "sent"


@pytest.mark.parametrize(
    "said",
    [b"", b"\xff", b"[1]", b"[" * 60_000, {"payload": 7}, {"payload": "x" * 999}],
)
def test_a_callback_about_nothing_known_is_ignored(gateway: Gateway, said: Any) -> None:
    assert call_back(said).status_code == 200


def test_a_callback_about_another_request_is_ignored(gateway: Gateway) -> None:
    delivery_id = ask().json()["delivery_id"]
    said = {"payload": delivery_id, "request_id": "another"}
    status = {"delivery_status": {"status": "delivered"}}
    assert call_back({**said, **status}).status_code == 200
    assert status_of_delivery(delivery_id) == "sent"


def test_without_a_token_there_is_no_callback(settings: LazySettings) -> None:
    settings.TELEGRAM_GATEWAY_TOKEN = ""
    assert call_back({}, token="").status_code == 404


@pytest.mark.slow
def test_100_sign_ins_with_20_faults_send_one_message_each(
    gateway: Gateway, hook: Provider, settings: LazySettings, db: None
) -> None:
    settings.LIMITS = dict.fromkeys(settings.LIMITS)
    numbers = [f"+7999000{place:04}" for place in range(100)]
    kinds = [*ERRORS, *LOST, *SILENT]
    for place, number in enumerate(numbers[::5]):
        method = SEND if place % 2 else ABILITY
        gateway.faults[f"{method} {number}"] = [kinds[place % len(kinds)]]
    gateway.faults[STATUS] = ["", "502", "", "cut off", "silent"]

    def sign_in(number: str) -> tuple[str, float]:
        """What the answer was, and how long it took."""
        started = time.perf_counter()
        response = ask(phone_number=number)
        seconds = time.perf_counter() - started
        if response.status_code == 503:
            assert "not sure" in error_of(response)["detail"]
            return "unsure", seconds
        return response.json()["channel"], seconds

    with ThreadPoolExecutor(6) as people:
        told = dict(zip(numbers, people.map(sign_in, numbers), strict=True))
    for number, (answer, _) in told.items():
        shown, written = len(gateway.sent_to(number)), len(hook.sent_to(number))
        assert shown + written <= 1
        if answer != "unsure":
            assert (shown, written) == ((1, 0) if answer == "telegram" else (0, 1))
    slowest = max(seconds for _, seconds in told.values())
    assert slowest < TIMEOUT_SECONDS + 3
    print(f"{Counter(a for a, _ in told.values())}, at most {slowest:.1f} s")  # noqa: T201


# --- Looking up what went out ---------------------------------------------------------


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_a_message_that_telegram_gave_up_does_not_count_as_sent(
    gateway: Gateway, hook: Provider, clock: Clock, status: str
) -> None:
    gateway.faults = {SEND: ["502"], STATUS: ["500"]}
    assert ask().status_code == 503
    (request_id,) = gateway.sent
    gateway.statuses[request_id] = status
    clock.pass_seconds(61)
    assert ask().status_code == 200
    assert len(gateway.sent) + len(hook.accepted) == 2


def test_while_telegram_cannot_be_asked_nothing_is_sent_again(
    gateway: Gateway, hook: Provider, clock: Clock
) -> None:
    gateway.faults = {SEND: ["502"], STATUS: ["500", "500"]}
    assert ask().status_code == 503
    clock.pass_seconds(61)
    assert ask().status_code == 503
    assert len(gateway.sent) + len(hook.accepted) == 1
