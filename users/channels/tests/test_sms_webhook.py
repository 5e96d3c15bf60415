"""The HTTP webhook, and backends in a chain."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.core.cache import cache
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, Clock, error_of
from users.channels import http
from users.channels.tests.providers import EMAIL, KEY, SECRET, Provider
from users.channels.tests.test_smsaero import TIMEOUT_SECONDS, ask, sends_counted


@pytest.fixture
def hook(settings: LazySettings) -> Iterator[Provider]:
    settings.SMS_BACKEND = "users.channels.webhook.WebhookBackend"
    settings.SMS_WEBHOOK_SECRET = SECRET
    settings.SMS_TIMEOUT_SECONDS = TIMEOUT_SECONDS
    with Provider().running() as server:
        settings.SMS_WEBHOOK_URL = f"{server.url}/webhook"
        yield server


@pytest.fixture
def aero(settings: LazySettings, hook: Provider) -> Iterator[Provider]:
    """The first of a chain whose second is the hook."""
    settings.SMS_BACKEND = "users.channels.chain.ChainBackend"
    settings.SMS_CHAIN = [
        "users.channels.smsaero.SmsAeroBackend",
        "users.channels.webhook.WebhookBackend",
    ]
    settings.SMS_AERO_EMAIL, settings.SMS_AERO_API_KEY = EMAIL, KEY
    with Provider().running() as server:
        settings.SMS_AERO_URL = f"{server.url}/v2"
        yield server


def test_the_webhook_gets_code_and_text_with_the_secret(
    api: APIClient, hook: Provider, clock: Clock
) -> None:
    assert ask(api).status_code == 200
    (text,) = hook.sent_to(ALICE)
    assert hook.bodies == [
        {
            "phone_number": ALICE,
            "text": text,
            "channel": "sms",
            "code": text[:4],
            "length": 4,
            "purpose": "sign_in",
            "language": "en",
            "expires_at": "2026-11-21T12:05:00Z",
        }
    ]


@pytest.mark.parametrize("fault", ["400", "401", "429"])
def test_a_refusal_is_told_and_spends_nothing(
    api: APIClient, hook: Provider, fault: str
) -> None:
    hook.faults[ALICE] = [fault]
    response = ask(api)
    assert error_of(response)["detail"].startswith("The SMS could not be sent")
    assert len(hook.asked) == 1
    assert sends_counted() == 0
    assert ask(api).status_code == 200


def test_a_wrong_secret_is_one_line_for_operators(
    api: APIClient,
    hook: Provider,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.SMS_WEBHOOK_SECRET = "old-secret"
    ask(api)
    assert (
        "the SMS webhook refuses SMS_WEBHOOK_SECRET: nothing goes out by it"
        in caplog.text
    )
    assert "old-secret" not in caplog.text


@pytest.mark.parametrize("fault", ["500", "502", "hung up", "cut off", "silent"])
def test_a_repeated_request_has_the_same_key(
    api: APIClient, hook: Provider, fault: str
) -> None:
    hook.faults[ALICE] = [fault]
    assert ask(api).status_code == 200
    assert len(hook.asked) == 2
    assert len(set(hook.asked)) == len(hook.accepted) == 1


def test_people_who_ask_again_keep_the_key(api: APIClient, hook: Provider) -> None:
    hook.faults[ALICE] = ["502", "500", "500", "400"]
    for _ in range(2):
        assert error_of(ask(api))["detail"].startswith("We are not sure")
    assert sends_counted() == 1
    assert ask(api).status_code == 200
    assert len(set(hook.asked)) == len(hook.accepted) == 1


class LosesMarks:
    """A cache that Redis leaves when the mark of an unsure message is written."""

    def __init__(self, method: str) -> None:
        self.method = method

    def __getattr__(self, name: str) -> Any:
        return self._lose if name == self.method else getattr(cache, name)

    def _lose(self, key: str, *args: Any) -> None:
        assert key.startswith("sms-tried:")
        raise redis.ConnectionError


def test_limits_stay_charged_if_redis_fails_after_an_unsure_message(
    api: APIClient, hook: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.faults[ALICE] = ["502", "500"]
    monkeypatch.setattr("users.channels.sending.cache", LosesMarks("set"))
    assert error_of(ask(api))["detail"].startswith("We are not sure")
    assert sends_counted() == 1


def test_an_accepted_message_is_no_error_if_redis_fails_afterwards(
    api: APIClient, hook: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.faults[ALICE] = ["502", "500"]
    ask(api)
    monkeypatch.setattr("users.channels.sending.cache", LosesMarks("delete"))
    assert ask(api).status_code == 200
    assert len(hook.accepted) == 1


def test_the_next_sms_has_another_key(
    api: APIClient, hook: Provider, clock: Clock
) -> None:
    ask(api)
    clock.pass_seconds(60)
    assert ask(api).status_code == 200
    assert len(set(hook.asked)) == len(hook.accepted) == 2


def test_where_nobody_listens_it_is_tried_twice_and_told(
    api: APIClient, hook: Provider, settings: LazySettings
) -> None:
    settings.SMS_WEBHOOK_URL = "http://127.0.0.1:1/webhook"
    assert ask(api)["Retry-After"] == "5"
    assert sends_counted() == 0


def test_the_chain_goes_on_after_a_refusal(
    api: APIClient, aero: Provider, hook: Provider
) -> None:
    aero.faults[ALICE] = ["402"]
    assert ask(api).status_code == 200
    assert (len(aero.accepted), len(hook.accepted)) == (0, 1)


def test_the_chain_goes_on_where_nobody_listens(
    api: APIClient, aero: Provider, hook: Provider, settings: LazySettings
) -> None:
    settings.SMS_AERO_URL = "http://127.0.0.1:1/v2"
    assert ask(api).status_code == 200
    assert len(hook.accepted) == 1


def test_the_chain_ends_when_all_refuse(
    api: APIClient, aero: Provider, hook: Provider
) -> None:
    aero.faults[ALICE], hook.faults[ALICE] = ["402"], ["400"]
    assert ask(api).status_code == 503
    assert sends_counted() == 0


@pytest.mark.parametrize("fault", ["502", "500", "silent"])
def test_the_chain_does_not_go_on_after_no_answer(
    api: APIClient, aero: Provider, hook: Provider, clock: Clock, fault: str
) -> None:
    aero.faults[ALICE], aero.list_is_down = [fault], True
    assert ask(api).status_code == 503
    clock.pass_seconds(30)
    assert ask(api).status_code == 503
    assert len(aero.asked) == 1
    assert hook.asked == []

    aero.list_is_down = False
    clock.pass_seconds(30)
    assert ask(api).status_code == 200
    assert len(aero.accepted) + len(hook.accepted) == 1


def test_the_chain_goes_on_when_a_second_sms_would_have_been_due(
    api: APIClient, aero: Provider, hook: Provider, clock: Clock
) -> None:
    aero.faults[ALICE] = ["500", "402"]
    assert ask(api).status_code == 503
    clock.pass_seconds(60)
    assert ask(api).status_code == 200
    assert (len(aero.accepted), len(hook.accepted)) == (0, 1)


def test_the_chain_remembers_who_may_have_sent_last(
    api: APIClient, aero: Provider, hook: Provider, clock: Clock
) -> None:
    aero.faults[ALICE], hook.faults[ALICE] = ["500", "402"], ["502", "500"]
    assert ask(api).status_code == 503
    clock.pass_seconds(60)
    assert ask(api).status_code == 503
    assert ask(api).status_code == 200
    assert (len(aero.accepted), len(hook.accepted)) == (0, 1)
    assert sends_counted() == 3  # two that might have gone out, one that did


def test_a_secret_in_a_url_is_not_logged_by_the_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Provider().running() as server:
        body = {"number": 0, "text": ""}
        http.post(f"{server.url}/sms?token=abc", body, seconds=2)
    assert "abc" not in caplog.text


@pytest.mark.slow
def test_time_runs_out_for_the_chain_as_a_whole(
    api: APIClient, aero: Provider, hook: Provider
) -> None:
    aero.faults[ALICE], hook.faults[ALICE] = ["400"], ["silent", "silent"]
    assert ask(api).status_code == 503


def test_a_key_is_never_sent_with_another_body(
    hook: Provider, settings: LazySettings, clock: Clock
) -> None:
    hook.faults[ALICE] = ["502", "502"]
    for language in ("ru", "en"):
        headers = {"Accept-Language": language}
        APIClient().post(
            "/api/auth/request-code/", {"phone_number": ALICE}, headers=headers
        )
        clock.pass_seconds(61)
    assert len(hook.bodies) == 3
    assert hook.bodies[0] == hook.bodies[1] == hook.bodies[2]
    assert len(set(hook.asked)) == 1


def test_the_key_of_a_last_code_is_kept_as_long_as_the_code(
    api: APIClient, hook: Provider, settings: LazySettings, clock: Clock
) -> None:
    settings.LIMITS = {**settings.LIMITS, "sends_per_phone_hour": Limit(4, 3600)}
    for _ in range(2):
        assert ask(api).status_code == 200
        clock.pass_seconds(121)
    hook.faults[ALICE] = ["502", "502"]
    assert ask(api).status_code == 503
    clock.pass_seconds(301)
    ask(api)
    assert len(hook.accepted) == 3
