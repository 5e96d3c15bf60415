import json

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, error_of
from users.channels import Backend, CodeMessage
from users.channels.exceptions import SmsUnavailable
from users.channels.memory import MemoryBackend, Message
from users.models import User

URL = "/api/auth/request-code/"


class FailingBackend(Backend):
    simulated = True

    def send(self, message: CodeMessage) -> None:
        raise SmsUnavailable


class RealBackend(Backend):
    def send(self, message: CodeMessage) -> None:
        """Accepted."""


def test_a_code_is_sent(api: APIClient, outbox: list[Message], clock: Clock) -> None:
    response = api.post(URL, {"phone_number": "8 (999) 000-00-01"})
    assert response.status_code == 200
    body = response.json()
    code = body.pop("dev_code")
    assert body == {
        "success": True,
        "message": "The code has been sent.",
        "phone_number": ALICE,
        "expires_in": 300,
        "resend_in": 60,
        "code_length": 4,
        "channel": "sms",
        "channels": ["sms"],
        "delivery_id": None,
        "was_sent_before": False,
    }
    assert outbox == [
        Message(ALICE, f"{code} is your sign-in code. Do not share it with anyone.")
    ]


def test_the_sms_is_in_the_language_of_the_client(
    api: APIClient, outbox: list[Message]
) -> None:
    api.post(URL, {"phone_number": ALICE}, headers={"Accept-Language": "ru"})
    assert "код для входа" in outbox[0].text


def test_the_code_is_hidden_unless_codes_are_shown(
    api: APIClient, settings: LazySettings
) -> None:
    settings.SHOW_LOGIN_CODES = False
    assert "dev_code" not in api.post(URL, {"phone_number": ALICE}).json()


def test_the_code_is_hidden_when_the_sms_is_real(
    api: APIClient, settings: LazySettings
) -> None:
    settings.SMS_BACKEND = f"{__name__}.RealBackend"
    response = api.post(URL, {"phone_number": ALICE})
    assert response.status_code == 200
    assert "dev_code" not in response.json()


@pytest.mark.django_db
def test_the_answer_does_not_tell_whether_there_is_an_account(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        known = api.post(URL, {"phone_number": ALICE})
        unknown = api.post(URL, {"phone_number": BORIS})
    assert known.status_code == unknown.status_code
    assert len(known.content) == len(unknown.content)
    assert list(known.json()) == list(unknown.json())
    of_its_own = {"X-Request-ID"}
    assert set(known.headers) == set(unknown.headers)
    for name in set(known.headers) - of_its_own:
        assert known.headers[name] == unknown.headers[name]


def test_a_second_request_at_once_is_refused(
    api: APIClient, outbox: list[Message], clock: Clock
) -> None:
    api.post(URL, {"phone_number": ALICE})
    clock.pass_seconds(15)
    response = api.post(URL, {"phone_number": "8 999 000-00-01"})
    assert response.status_code == 429
    assert response["Retry-After"] == "45"
    assert error_of(response) == {
        "code": "throttled",
        "detail": "A code was sent a moment ago. Wait before asking again.",
        "attr": None,
        "limit": "code_resend",
        "retry_after": 45,
    }
    assert len(outbox) == 1


def test_the_wait_that_is_told_is_kept_however_long_the_sms_takes(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    def send_slowly(self: Backend, message: CodeMessage) -> None:
        clock.pass_seconds(7)

    monkeypatch.setattr(MemoryBackend, "send", send_slowly)
    for wait in (60, 120, 300):
        answer = api.post(URL, {"phone_number": ALICE}).json()
        assert answer["resend_in"] == wait - 7
        clock.pass_seconds(wait - 8)
        assert api.post(URL, {"phone_number": ALICE}).status_code == 429
        clock.pass_seconds(1)


def test_no_sms_goes_out_beside_one_that_takes_longer_than_the_wait(
    api: APIClient,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
) -> None:
    settings.LOGIN_CODE_RESEND_SECONDS = [5, 60]
    beside: list[int] = []

    def send_slowly(self: Backend, message: CodeMessage) -> None:
        clock.pass_seconds(7)
        beside.append(APIClient().post(URL, {"phone_number": ALICE}).status_code)

    monkeypatch.setattr(MemoryBackend, "send", send_slowly)
    for _ in range(2):
        assert api.post(URL, {"phone_number": ALICE}).status_code == 200
    assert beside == [429, 429]


def test_the_same_code_is_sent_again(
    api: APIClient, outbox: list[Message], clock: Clock
) -> None:
    first = api.post(URL, {"phone_number": ALICE}).json()
    clock.pass_seconds(60)
    second = api.post(URL, {"phone_number": ALICE}).json()
    assert second["dev_code"] == first["dev_code"]
    assert second["expires_in"] == 240
    assert len(outbox) == 2


def test_a_failed_sms_is_told_and_costs_nothing(
    api: APIClient, settings: LazySettings, outbox: list[Message]
) -> None:
    settings.SMS_BACKEND = f"{__name__}.FailingBackend"
    response = api.post(URL, {"phone_number": ALICE})
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert error_of(response)["code"] == "sms_unavailable"

    settings.SMS_BACKEND = "users.channels.memory.MemoryBackend"
    assert api.post(URL, {"phone_number": ALICE}).status_code == 200
    assert len(outbox) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("invite_code", ["000000", "not a code", "UUUUUU"])
def test_an_unknown_invite_code_is_refused_before_sending(
    api: APIClient, outbox: list[Message], invite_code: str
) -> None:
    response = api.post(URL, {"phone_number": ALICE, "invite_code": invite_code})
    assert response.status_code == 400
    assert error_of(response) == {
        "code": "invite_code_unknown",
        "detail": "There is no such invite code.",
        "attr": "invite_code",
    }
    assert outbox == []
    assert api.post(URL, {"phone_number": ALICE}).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"phone_number": ""}, "blank"),
        ({"phone_number": None}, "null"),
        ({"phone_number": "12"}, "phone_number_invalid"),
        ({"phone_number": "\ud800"}, "phone_number_invalid"),
        ({"phone_number": "+7999\x000000001"}, "phone_number_invalid"),
        ({"phone_number": ["+79990000001"]}, "invalid"),
        ({"phone_number": True}, "invalid"),
    ],
)
def test_a_bad_number_is_refused_by_name(
    api: APIClient, outbox: list[Message], body: dict[str, object], code: str
) -> None:
    response = api.post(URL, json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    assert response.json()["type"] == "validation_error"
    error = error_of(response)
    assert (error["code"], error["attr"]) == (code, "phone_number")
    assert outbox == []


@pytest.mark.django_db(transaction=True)
def test_waiting_for_an_sms_holds_no_connection(
    api: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    def send(self: MemoryBackend, message: CodeMessage) -> None:
        held.append(connection.connection is not None)

    monkeypatch.setattr(MemoryBackend, "send", send)
    # The look-up of the invite code has used one.
    body = {"phone_number": BORIS, "invite_code": alice.invite_code}
    assert api.post(URL, body).status_code == 200
    assert held == [False]


def test_a_count_that_fails_does_not_unsay_the_sms(
    api: APIClient, outbox: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int) -> None:
        raise OperationalError

    monkeypatch.setattr("users.statistics.daily_counts.counted", fail)
    assert api.post(URL, {"phone_number": ALICE}).status_code == 200
    assert len(outbox) == 1
