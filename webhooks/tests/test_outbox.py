"""What is written, when, and that it stands or falls with what it tells of."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, ask_for_code, signed_in
from referrals.ledger import person_key
from referrals.models import Referral
from referrals.services import activate_invite_code
from users.models import User
from webhooks.models import Event
from webhooks.services import record_event
from webhooks.tests.conftest import SECRET

pytestmark = pytest.mark.django_db

VERIFY = "/api/auth/verify-code/"


@pytest.fixture
def webhooks_are_on(settings: LazySettings) -> None:
    settings.WEBHOOK_URL = "https://receiver.example/hook"
    settings.WEBHOOK_SECRETS = [SECRET]


def test_a_first_sign_in_with_a_code_is_two_events(
    api: APIClient, alice: User, webhooks_are_on: None
) -> None:
    code = ask_for_code(api, BORIS)
    body = {"phone_number": BORIS, "code": code, "invite_code": alice.invite_code}
    user_id = api.post(VERIFY, body).json()["user"]["id"]
    boris = User.objects.get(pk=user_id)
    created, activated = Event.objects.order_by("-type")
    assert (created.type, activated.type) == ("user.created", "referral.activated")
    assert created.data == {
        "user_id": user_id,
        "user_key": activated.data["invitee_key"],
        "invite_code": boris.invite_code,
        "created_at": boris.date_joined.isoformat(),
    }
    key = activated.data["invitee_key"]
    assert BORIS.strip("+") not in key
    assert activated.data == {
        "invitee_id": user_id,
        "invitee_key": key,
        "inviter_id": alice.pk,
        "inviter_key": person_key(ALICE),
        "invite_code": alice.invite_code,
        "inviter_id_before": None,
        "inviter_key_before": None,
        "invite_code_before": None,
        "activated_at": Referral.objects.get().created_at.isoformat(),
    }


def test_a_number_that_comes_back_has_the_same_key(
    alice: User, clara: User, webhooks_are_on: None
) -> None:
    for person in (BORIS, BORIS):
        boris = User.objects.create_user(person)
        activate_invite_code(invitee=boris, code=alice.invite_code, address="192.0.2.1")
        boris.delete()
    activate_invite_code(invitee=clara, code=alice.invite_code, address="192.0.2.1")
    activated = Event.objects.filter(type="referral.activated").order_by("created_at")
    first, again, other = (event.data for event in activated)
    assert first["invitee_id"] != again["invitee_id"]
    assert first["invitee_key"] == again["invitee_key"] != other["invitee_key"]


def invitee_key(settings: LazySettings, number: str, code: str, **keys: str) -> str:
    for name, secret in keys.items():
        setattr(settings, name, secret)
    user = User.objects.create_user(number)
    activate_invite_code(invitee=user, code=code, address="192.0.2.1")
    user.delete()
    event = Event.objects.filter(type="referral.activated").latest("created_at")
    key: str = event.data["invitee_key"]
    return key


def test_invitee_keys_outlive_secret_key(
    alice: User, webhooks_are_on: None, settings: LazySettings
) -> None:
    before = invitee_key(settings, BORIS, alice.invite_code)
    own, new = settings.SECRET_KEY, "new" * 20
    kept = invitee_key(settings, BORIS, alice.invite_code, INVITEE_KEY_SECRET=own)
    after = invitee_key(settings, BORIS, alice.invite_code, SECRET_KEY=new)
    assert before == kept == after
    lost = invitee_key(settings, BORIS, alice.invite_code, INVITEE_KEY_SECRET="")
    assert lost != before


def test_an_activation_that_stands_already_is_no_event(
    api: APIClient, alice: User, boris: User, webhooks_are_on: None
) -> None:
    client = signed_in(boris)
    for _ in range(2):
        body = {"invite_code": alice.invite_code}
        assert client.post("/api/profile/", body).status_code == 200
    code = ask_for_code(api, ALICE)
    body = {"phone_number": ALICE, "code": code}
    assert api.post(VERIFY, body).json()["is_new_user"] is False
    assert [event.type for event in Event.objects.all()] == ["referral.activated"]


def test_a_sign_in_that_fails_is_no_event(
    api: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch, webhooks_are_on: None
) -> None:
    def fail(*args: object) -> None:
        raise DatabaseError

    code = ask_for_code(api, BORIS)
    monkeypatch.setattr("users.login.codes.LoginCode.spend", fail)
    api.raise_request_exception = False
    body = {"phone_number": BORIS, "code": code, "invite_code": alice.invite_code}
    assert api.post(VERIFY, body).status_code == 500
    assert not Event.objects.exists()


@pytest.mark.parametrize("failing", ["user.created", "referral.activated"])
def test_without_its_event_nothing_happens(
    api: APIClient,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    failing: str,
    webhooks_are_on: None,
) -> None:
    create = Event.objects.create

    def fail(*, type: str, **fields: Any) -> Event:
        if type == failing:
            raise DatabaseError
        return create(type=type, **fields)

    code = ask_for_code(api, BORIS)
    monkeypatch.setattr(Event.objects, "create", fail)
    api.raise_request_exception = False
    body = {"phone_number": BORIS, "code": code, "invite_code": alice.invite_code}
    assert api.post(VERIFY, body).status_code == 500
    assert not Event.objects.exists()
    assert not Referral.objects.exists()
    assert not User.objects.filter(phone_number=BORIS).exists()


def test_an_activation_without_its_event_is_undone(
    alice: User, boris: User, monkeypatch: pytest.MonkeyPatch, webhooks_are_on: None
) -> None:
    def fail(**fields: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(Event.objects, "create", fail)
    client = signed_in(boris)
    client.raise_request_exception = False
    body = {"invite_code": alice.invite_code}
    assert client.post("/api/profile/", body).status_code == 500
    assert not Referral.objects.exists()


def test_nothing_is_written_and_asked_while_no_url_is_set(
    settings: LazySettings, alice: User, boris: User
) -> None:
    def activate(invitee: User, inviter: User) -> int:
        body = {"invite_code": inviter.invite_code}
        client = signed_in(invitee)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.post("/api/profile/", body).status_code == 200
        return len(queries)

    off = activate(alice, boris)
    assert not Event.objects.exists()
    settings.WEBHOOK_URL = "https://receiver.example/hook"
    assert activate(boris, alice) == off + 1  # the insert
    assert Event.objects.count() == 1


@pytest.mark.usefixtures("webhooks_are_on")
@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_a_mistake() -> None:
    with pytest.raises(TransactionManagementError):
        record_event(type="user.created", data={})
