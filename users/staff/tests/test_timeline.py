"""What a person's page says about their number."""

import json
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from redis.exceptions import RedisError
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, ask_for_code
from limits import histories
from limits.command_types import AddToHistory
from tests.lab.shared import wrong
from users import number_history
from users.channels import Channel, CodeMessage, DeliveryStatus, Purpose, deliveries
from users.channels.exceptions import SmsUnavailable, SmsUnsure
from users.models import User

pytestmark = pytest.mark.django_db


def page_of(client: Client, person: User) -> str:
    return client.get(f"/admin/users/user/{person.pk}/change/").content.decode()


def events(number: str = ALICE.pseudonym) -> list[tuple[str, str]]:
    """Oldest first."""
    found = number_history.history(number)
    return [(entry.event, entry.about) for entry in reversed(found)]


def verify(code: str) -> int:
    body = {"phone_number": ALICE, "code": code}
    return APIClient().post("/api/auth/verify-code/", body).status_code


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_is_told_step_by_step(
    clock: Clock, admin: Client, alice: User
) -> None:
    code = ask_for_code(APIClient(), ALICE)
    clock.pass_seconds(1)
    ask = {"phone_number": ALICE}
    assert APIClient().post("/api/auth/request-code/", ask).status_code == 429
    clock.pass_seconds(1)
    assert verify(wrong(code)) == 400
    clock.pass_seconds(1)
    assert verify(code) == 200
    assert [event for event, _ in events()] == [
        "sent",
        "send_refused",
        "wrong_code",
        "signed_in",
    ]
    body = page_of(admin, alice)
    assert "A request for a code was refused" in body
    assert "the wait for the next code" in body
    order = ["summary", "timeline", "devices", "limits", "details"]
    places = [body.index(f'<h2 id="{name}">') for name in order]
    assert places == sorted(places)
    assert places[-1] < body.index('name="first_name"')
    for name in order[1:]:  # the summary leads to each
        assert body.index(f'href="#{name}"') < places[1]


def test_a_number_without_an_account_has_the_same_history(alice: User) -> None:
    for number in (ALICE, BORIS):
        ask_for_code(APIClient(), number)
    assert events() == events(BORIS.pseudonym) == [("sent", "sms")]


def test_recording_asks_the_database_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        ask_for_code(APIClient(), ALICE)
    assert events()


def test_no_number_and_no_code_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[AddToHistory] = []
    add_command = histories.add_command

    def record(*args: Any, **options: Any) -> AddToHistory:
        stored.append(add_command(*args, **options))
        return stored[-1]

    monkeypatch.setattr(histories, "add_command", record)
    ask_for_code(APIClient(), ALICE)
    [command] = stored
    assert ALICE[1:] not in command.key
    assert json.loads(command.entry) == [ANY, "sent", "sms"]


def test_refusals_by_strangers_push_out_nothing(clock: Clock) -> None:
    number_history.record("n", number_history.SENT, "sms")
    for _ in range(3 * number_history.MOST):
        number_history.record("n", number_history.SEND_REFUSED, "x")
        clock.pass_seconds(number_history.REPEAT_SECONDS + 1)
    found = events("n")
    assert found[0] == ("sent", "sms")
    assert len(found) == 1 + number_history.MOST


def test_the_same_refusal_is_kept_once_in_ten_minutes(clock: Clock) -> None:
    for seconds in (0, 599, 2):
        clock.pass_seconds(seconds)
        number_history.record("n", number_history.WRONG_CODE)
    assert len(events("n")) == 2


def test_refusals_of_numbers_that_strangers_make_up_are_bounded(clock: Clock) -> None:
    number_history.record("sent", number_history.SENT, "sms")
    made_up = [f"n{n}" for n in range(number_history.UNKNOWN_PER_HOUR + 50)]
    for number in (*made_up, "sent"):
        number_history.record(number, number_history.SEND_REFUSED, "x")
    kept = [number for number in made_up if events(number)]
    assert kept == made_up[: number_history.UNKNOWN_PER_HOUR]
    assert ("send_refused", "x") in events("sent")
    number_history.record(made_up[-1], number_history.NOT_SENT)
    assert events(made_up[-1]) == [("not_sent", "")]
    clock.pass_seconds(3600 + 300)
    number_history.record(made_up[-1], number_history.SEND_REFUSED, "x")
    assert events(made_up[-1])


def test_an_entry_is_shown_for_30_days(clock: Clock) -> None:
    number_history.record("n", number_history.SENT, "sms")
    clock.pass_seconds(29 * 24 * 3600)
    number_history.record("n", number_history.SENT, "call")
    assert len(events("n")) == 2
    clock.pass_seconds(24 * 3600)
    assert events("n") == [("sent", "call")]


def test_a_request_goes_on_when_its_entry_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RedisError

    monkeypatch.setattr(number_history, "commands", SimpleNamespace(run=fail))
    assert ask_for_code(APIClient(), ALICE)


@pytest.mark.parametrize(
    ("failure", "event"), [(SmsUnavailable, "not_sent"), (SmsUnsure, "unsure")]
)
def test_a_failed_sms_is_on_record(
    failure: type[SmsUnavailable], event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(*_: Any) -> None:
        raise failure

    monkeypatch.setattr("users.channels.memory.MemoryBackend.send", send)
    ask = {"phone_number": ALICE}
    assert APIClient().post("/api/auth/request-code/", ask).status_code == 503
    assert events() == [(event, "")]


def test_what_became_of_a_message_is_on_record(
    clock: Clock, admin: Client, alice: User
) -> None:
    ask_for_code(APIClient(), ALICE)
    clock.pass_seconds(1)
    message = CodeMessage(
        phone_number=ALICE,
        code="0000",
        purpose=Purpose.SIGN_IN,
        expires_at=time.time() + 60,
    )
    path = settings.SMS_BACKEND
    id_ = deliveries.record(message, channel=Channel.SMS, by=path, provider_id="1")
    assert id_
    for status in (DeliveryStatus.FAILED, *[DeliveryStatus.DELIVERED] * 2):
        deliveries.update(deliveries.get(id_), status)
    assert events()[1:] == [("not_delivered", "sms"), ("delivered", "sms")]
    assert "SMS. The message was delivered." in page_of(admin, alice)


def test_a_message_of_the_version_before_has_no_number() -> None:
    facts = {"id": "a" * 32, "channel": "sms", "by": "x", "provider_id": "1"}
    facts |= {"country": "RU", "sent_at": 0, "expires_at": 2**40}  # type: ignore[dict-item]
    cache.set(f"delivery:{'a' * 32}", facts, 60)
    deliveries.update(deliveries.get("a" * 32), DeliveryStatus.DELIVERED)
    assert events("") == []


def test_the_page_says_that_the_account_is_closed(admin: Client, alice: User) -> None:
    assert "this person cannot sign in" not in page_of(admin, alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert "this person cannot sign in" in page_of(admin, alice)
