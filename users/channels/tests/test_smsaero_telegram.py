"""Codes in Telegram by SMS Aero, which itself falls back to SMS."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from conftest import ALICE, Clock, error_of
from users.channels.tests.providers import (
    EMAIL,
    KEY,
    LOST,
    REFUSALS,
    SECRET,
    SILENT,
    Provider,
)

URL = "/api/auth/request-code/"


@pytest.fixture
def hook(settings: LazySettings) -> Iterator[Provider]:
    """Sends SMS, after Telegram in the chain."""
    settings.SMS_WEBHOOK_SECRET = SECRET
    with Provider().running() as server:
        settings.SMS_WEBHOOK_URL = f"{server.url}/webhook"
        yield server


@pytest.fixture
def aero(settings: LazySettings, hook: Provider) -> Iterator[Provider]:
    settings.SMS_BACKEND = "users.channels.chain.ChainBackend"
    settings.SMS_CHAIN = [
        "users.channels.smsaero.SmsAeroTelegramBackend",
        "users.channels.webhook.WebhookBackend",
    ]
    settings.SMS_TIMEOUT_SECONDS = 1.6
    settings.SMS_AERO_EMAIL, settings.SMS_AERO_API_KEY = EMAIL, KEY
    with Provider().running() as server:
        settings.SMS_AERO_URL = f"{server.url}/v2"
        yield server


def ask() -> Any:
    return APIClient().post(URL, {"phone_number": ALICE})


def test_sms_aero_gets_the_code_and_the_text_for_its_own_fallback(
    aero: Provider, hook: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users.login.codes.random_digits", lambda *args: "0421")
    assert ask().json()["channel"] == "telegram"
    assert aero.paths == ["/v2/telegram/send"]
    assert aero.bodies == [
        {
            "number": 79990000001,
            "code": "0421",
            "text": "0421 is your sign-in code. Do not share it with anyone.",
            "sign": "SMS Aero",
        }
    ]
    assert hook.asked == []


@pytest.mark.parametrize("fault", [*REFUSALS, "other digits"])
def test_after_a_refusal_the_next_backend_sends(
    aero: Provider, hook: Provider, fault: str
) -> None:
    aero.faults[ALICE] = [fault]
    assert ask().json()["channel"] == "sms"
    assert (len(aero.asked), len(hook.accepted)) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*LOST, *SILENT])
def test_without_an_answer_nothing_is_sent_until_a_second_message_may_come(
    aero: Provider, hook: Provider, clock: Clock, fault: str
) -> None:
    aero.faults[ALICE] = [fault]
    detail = error_of(ask())["detail"]
    assert detail.startswith("We are not sure that the Telegram message")
    clock.pass_seconds(20)
    assert ask().status_code == 503
    assert len(aero.asked) == 1
    clock.pass_seconds(40)
    assert ask().json()["channel"] == "telegram"
    assert hook.asked == []


def test_its_status_is_asked_as_that_of_an_sms(aero: Provider, clock: Clock) -> None:
    delivery_id = ask().json()["delivery_id"]
    aero.status = 2
    clock.pass_seconds(5)
    response = APIClient().get(f"/api/auth/deliveries/{delivery_id}/")
    assert response.json() == {"channel": "telegram", "status": "failed"}
