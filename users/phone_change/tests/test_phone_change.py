"""Changing the number: a code to the old one, a code to the new one, both right."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, Clock, ask_for_code, error_of, signed_in
from tests.lab.shared import wrong
from users.channels import Backend, CodeMessage
from users.channels.exceptions import SmsUnavailable, SmsUnsure
from users.channels.memory import MemoryBackend, Message
from users.login import codes
from users.login.clients import Client
from users.models import Device, User
from users.phones import PhoneNumber

pytestmark = pytest.mark.django_db

REQUEST = "/api/profile/phone/request-code/"
CHANGE = "/api/profile/phone/"
VERIFY = "/api/auth/verify-code/"
NEW = PhoneNumber("+79990000077")
OTHER = PhoneNumber("+79990000088")


def ask(client: APIClient, phone_number: str = NEW, **body: Any) -> dict[str, str]:
    """The digits of both codes, as the change wants them."""
    response = client.post(REQUEST, {"phone_number": phone_number, **body})
    assert response.status_code == 200, response.json()
    answer = response.json()
    return {name: answer[name]["dev_code"] for name in ("old_code", "new_code")}


def change(
    client: APIClient, sent: dict[str, str], phone_number: str = NEW, **body: Any
) -> Any:
    return client.post(CHANGE, {"phone_number": phone_number, **sent, **body})


def verify(phone_number: str, code: str) -> Any:
    return APIClient().post(VERIFY, {"phone_number": phone_number, "code": code})


class FailsForNew(Backend):
    simulated = True

    def send(self, message: CodeMessage) -> None:
        if message.phone_number == NEW:
            raise SmsUnavailable
        MemoryBackend().send(message)


class UnsureForNew(Backend):
    """The message arrives, but the provider does not say so."""

    simulated = True
    unsure_for = NEW

    def send(self, message: CodeMessage) -> None:
        if message.tried is None:
            MemoryBackend().send(message)
        if message.phone_number == self.unsure_for:
            raise SmsUnsure(is_new=message.tried is None)


class UnsureForOld(UnsureForNew):
    unsure_for = ALICE


def test_both_numbers_get_a_code(
    alice: User, outbox: list[Message], clock: Clock
) -> None:
    body = {"phone_number": "8 (999) 000-00-77"}
    answer = signed_in(alice).post(REQUEST, body).json()
    assert answer["message"] == "The codes have been sent."
    for name, number in (("old_code", ALICE), ("new_code", NEW)):
        code = answer[name].pop("dev_code")
        assert answer[name] == {
            "phone_number": number,
            "expires_in": 300,
            "resend_in": 60,
            "code_length": 4,
            "channel": "sms",
            "channels": ["sms"],
            "delivery_id": None,
            "was_sent_before": False,
        }
        (message,) = [m for m in outbox if m.phone_number == number]
        assert code in message.text
    assert "change your number to the one ending in 77" in outbox[0].text
    assert "move an account to this number" in outbox[1].text


def test_the_number_changes_and_nothing_else(
    alice: User, clock: Clock, outbox: list[Message]
) -> None:
    client = signed_in(alice)
    before = client.get("/api/profile/").json()
    response = change(client, ask(client), "+7 (999) 000-00-77")
    assert response.status_code == 200
    answer = response.json()
    token = answer.pop("token")
    assert Client("", answer.pop("device_token")).known_device(NEW)
    user = {
        name: value
        for name, value in before.items()
        if not name.startswith("referrals")
    }
    assert answer == {
        "expires_at": "2027-02-19T12:00:00Z",
        "user": {**user, "phone_number": NEW},
    }
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/profile/").json() == {**before, "phone_number": NEW}


def test_all_earlier_devices_end(alice: User) -> None:
    phone, laptop = signed_in(alice), signed_in(alice)
    assert change(phone, ask(phone)).status_code == 200
    for client in (phone, laptop):
        assert client.get("/api/profile/").status_code == 401
    assert Device.objects.count() == 1


def test_the_old_number_is_free_and_the_new_one_signs_in(
    alice: User, clock: Clock
) -> None:
    client = signed_in(alice)
    change(client, ask(client))
    clock.pass_seconds(60)
    for number, is_new in ((NEW, False), (ALICE, True)):
        answer = verify(number, ask_for_code(APIClient(), number)).json()
        assert answer["is_new_user"] is is_new
        assert (answer["user"]["id"] == alice.pk) is not is_new


@pytest.mark.parametrize("name", ["old_code", "new_code"])
def test_a_wrong_code_is_told_and_the_right_one_still_works(
    alice: User, name: str
) -> None:
    client = signed_in(alice)
    sent = ask(client)
    response = change(client, {**sent, name: wrong(sent[name])})
    assert response.status_code == 400
    assert error_of(response) == {
        "code": "code_incorrect",
        "detail": "The code is wrong. 4 attempts left.",
        "attr": name,
        "attempts_left": 4,
    }
    alice.refresh_from_db()
    assert alice.phone_number == ALICE
    assert change(client, sent).status_code == 200


@pytest.mark.parametrize("name", ["old_code", "new_code"])
def test_a_code_that_was_replaced_is_told(alice: User, name: str) -> None:
    client = signed_in(alice)
    sent = ask(client)
    number = ALICE if name == "old_code" else NEW
    scope = f"change:{alice.pk}:{NEW.pseudonym}"
    codes.issue(number, length=8, scope=scope, last_for=3600)
    error = error_of(change(client, sent))
    assert (error["code"], error["attr"]) == ("code_expired", name)
    assert "replaced by a newer one" in error["detail"]


@pytest.mark.parametrize("name", ["old_code", "new_code"])
def test_guesses_at_each_code_are_counted(
    alice: User, settings: LazySettings, name: str
) -> None:
    settings.LOGIN_CODE_GROWTH_PER_CLIENT = []
    client = signed_in(alice)
    sent = ask(client)
    guesses = {**sent, name: wrong(sent[name])}
    left = [error_of(change(client, guesses))["attempts_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert error_of(change(client, sent))["limit"] == "guesses_per_code"
    # The other code was right each time: that costs it nothing.
    other = ({"old_code", "new_code"} - {name}).pop()
    refusal = change(client, {**sent, other: wrong(sent[other])})
    if other == "old_code":  # compared first
        assert error_of(refusal)["attempts_left"] == 4


def test_codes_end(alice: User, clock: Clock) -> None:
    client = signed_in(alice)
    never = change(client, {"old_code": "1234", "new_code": "1234"})
    sent = ask(client)
    clock.pass_seconds(301)
    late = change(client, sent)
    for response in (never, late):
        assert response.status_code == 400
        error = error_of(response)
        assert (error["code"], error["attr"]) == ("code_expired", "old_code")


def test_codes_serve_once(alice: User) -> None:
    client = signed_in(alice)
    sent = ask(client)
    token = change(client, sent).json()["token"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert error_of(change(client, sent, ALICE))["code"] == "code_expired"
    assert error_of(change(client, sent))["code"] == "code_expired"


def test_its_codes_do_not_sign_in(alice: User) -> None:
    client = signed_in(alice)
    sent = ask(client)
    for number, code in ((ALICE, sent["old_code"]), (NEW, sent["new_code"])):
        assert error_of(verify(number, code))["code"] == "code_expired"
    assert User.objects.count() == 1


def test_sign_in_codes_do_not_change_a_number(
    alice: User, clock: Clock, settings: LazySettings
) -> None:
    settings.LOGIN_CODE_LENGTH = 8  # two codes are never equal
    sent = {
        "old_code": ask_for_code(APIClient(), ALICE),
        "new_code": ask_for_code(APIClient(), NEW),
    }
    client = signed_in(alice)
    assert error_of(change(client, sent))["code"] == "code_expired"
    clock.pass_seconds(120)
    ours = ask(client)
    assert error_of(change(client, {**ours, **sent}))["code"] == "code_incorrect"
    assert verify(ALICE, sent["old_code"]).status_code == 200


def test_codes_of_one_scope_have_digits_of_their_own(alice: User) -> None:
    code = codes.issue(ALICE, length=8)
    others = [
        codes.random_digits(ALICE.pseudonym, code.nonce, 8, scope)
        for scope in (f"change:1:{NEW.pseudonym}", f"change:2:{NEW.pseudonym}")
    ]
    assert len({code.digits, *others}) == 3


def test_codes_are_valid_for_one_person_and_one_number(
    alice: User, boris: User, clock: Clock, settings: LazySettings
) -> None:
    settings.LOGIN_CODE_LENGTH = 8  # so that none is another's by chance
    owner, thief = signed_in(alice), signed_in(boris)
    sent = ask(owner)
    for refusal in (change(owner, sent, OTHER), change(thief, sent)):
        error = error_of(refusal)
        assert (error["code"], error["attr"]) == ("code_expired", "old_code")
    clock.pass_seconds(60)
    ours = ask(thief)
    clock.pass_seconds(60)
    stolen = {**ours, "new_code": sent["new_code"]}
    error = error_of(change(thief, stolen))
    assert (error["code"], error["attr"]) == ("code_incorrect", "new_code")
    assert change(owner, sent).status_code == 200  # nobody's request ended them


@pytest.mark.parametrize("is_taken", [False, True])
def test_a_taken_number_is_told_only_to_who_holds_it(
    alice: User, is_taken: bool, django_assert_num_queries: Any, clock: Clock
) -> None:
    if is_taken:
        User.objects.create_user(NEW)
    client = signed_in(alice)
    with django_assert_num_queries(1):  # token: nobody looks at who has the number
        response = client.post(REQUEST, {"phone_number": NEW})
    answer = response.json()
    sent = {name: answer[name].pop("dev_code") for name in ("old_code", "new_code")}
    seen: dict[str, Any] = {"expires_in": 300, "resend_in": 60, "code_length": 4}
    seen |= {"was_sent_before": False, "channel": "sms", "channels": ["sms"]}
    seen["delivery_id"] = None
    assert answer["new_code"] == {"phone_number": NEW, **seen}
    with django_assert_num_queries(1):  # token
        response = change(client, {**sent, "new_code": wrong(sent["new_code"])})
    assert error_of(response)["detail"] == "The code is wrong. 4 attempts left."
    for _ in range(3 if is_taken else 0):
        response = change(client, sent)
        assert response.status_code == 409
        assert error_of(response) == {
            "code": "phone_number_taken",
            "detail": "There is already an account with this number.",
            "attr": "phone_number",
        }
        assert client.get("/api/profile/").json()["phone_number"] == ALICE
    User.objects.filter(phone_number=NEW).delete()
    assert change(client, sent).status_code == 200  # the codes were not spent


def test_a_failure_leaves_nothing_and_keeps_the_codes(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise DatabaseError

    client = signed_in(alice)
    client.raise_request_exception = False
    sent = ask(client)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("users.phone_change.services.issue_token", fail)
        for _ in range(6):
            assert change(client, sent).status_code == 500
    alice.refresh_from_db()
    assert alice.phone_number == ALICE
    assert Device.objects.count() == 1
    assert change(client, sent).status_code == 200


@pytest.mark.parametrize("ends", ["deleted", "closed", "moved"])
def test_an_account_that_ends_or_moves_meanwhile(
    alice: User, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    client = signed_in(alice)
    sent = ask(client)
    matches = codes.LoginCode.matches

    def compare_late(*args: Any) -> bool:
        people = User.objects.filter(pk=alice.pk)
        if ends == "deleted":
            people.delete()
        elif ends == "closed":
            people.update(is_active=False)
        else:
            people.update(phone_number=OTHER)
        return matches(*args)

    monkeypatch.setattr(codes.LoginCode, "matches", compare_late)
    response = change(client, sent)
    assert response.status_code == (400 if ends == "moved" else 401)
    assert not User.objects.filter(phone_number=NEW).exists()


def test_the_same_number_is_refused_as_unchanged(
    alice: User, outbox: list[Message]
) -> None:
    response = signed_in(alice).post(REQUEST, {"phone_number": ALICE})
    assert response.status_code == 400
    assert error_of(response)["code"] == "phone_number_unchanged"
    assert outbox == []


def test_countries_that_are_not_served(
    alice: User, outbox: list[Message], settings: LazySettings
) -> None:
    settings.SMS_COUNTRIES = ["RU"]
    response = signed_in(alice).post(REQUEST, {"phone_number": "+77012345678"})
    assert error_of(response)["code"] == "country_not_served"
    assert outbox == []


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({}, "phone_number"),
        (
            {"phone_number": "12", "old_code": "1234", "new_code": "1234"},
            "phone_number",
        ),
        ({"phone_number": NEW, "new_code": "1234", "old_code": 1234}, "old_code"),
        ({"phone_number": NEW, "old_code": "1234", "new_code": "12"}, "new_code"),
    ],
)
def test_bad_values_are_refused_by_name(
    alice: User, body: dict[str, object], attr: str
) -> None:
    response = signed_in(alice).post(CHANGE, body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["attr"] == attr


def test_asking_again_at_once_is_refused(alice: User, outbox: list[Message]) -> None:
    client = signed_in(alice)
    ask(client)
    response = client.post(REQUEST, {"phone_number": NEW})
    assert response.status_code == 429
    error = error_of(response)
    assert error["limit"] == "code_resend"
    assert int(response["Retry-After"]) == error["retry_after"]
    assert len(outbox) == 2


def test_after_a_failed_sms_only_the_missing_one_is_sent(
    alice: User, settings: LazySettings, outbox: list[Message]
) -> None:
    client = signed_in(alice)
    working = settings.SMS_BACKEND
    settings.SMS_BACKEND = f"{__name__}.FailsForNew"
    response = client.post(REQUEST, {"phone_number": NEW})
    settings.SMS_BACKEND = working
    assert response.status_code == 503
    assert error_of(response)["code"] == "sms_unavailable"
    sent = ask(client)
    assert [message.phone_number for message in outbox] == [ALICE, NEW]
    assert change(client, sent).status_code == 200


@pytest.mark.parametrize("backend", ["UnsureForOld", "UnsureForNew"])
def test_both_codes_work_if_it_is_unknown_whether_one_was_sent(
    alice: User,
    settings: LazySettings,
    outbox: list[Message],
    clock: Clock,
    backend: str,
) -> None:
    client = signed_in(alice)
    settings.SMS_BACKEND = f"{__name__}.{backend}"
    for _ in range(2):
        response = client.post(REQUEST, {"phone_number": NEW})
        assert response.status_code == 503
        error = error_of(response)
        assert error["code"] == "sms_unavailable"
        assert error["detail"].startswith("We are not sure that the SMS was sent.")
    assert [message.phone_number for message in outbox] == [ALICE, NEW]
    sent = {
        name: re.findall(r"\d{4}", message.text)[0]
        for name, message in zip(("old_code", "new_code"), outbox, strict=True)
    }
    assert change(client, sent).status_code == 200


def test_a_limit_is_told_before_an_unsure_message(
    alice: User, settings: LazySettings, outbox: list[Message]
) -> None:
    settings.CHALLENGE_BACKEND = None
    settings.LIMITS = settings.LIMITS | {"phones_per_address": Limit(1, 3600)}
    settings.SMS_BACKEND = f"{__name__}.UnsureForOld"
    response = signed_in(alice).post(REQUEST, {"phone_number": NEW})
    assert response.status_code == 429
    assert error_of(response)["limit"] == "phones_per_address"
