"""Accounts that are deleted while somebody else's request is under way."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import connection, connections
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, ask_for_code, error_of, signed_in
from referrals import services
from referrals.models import Referral
from referrals.services import activate_invite_code
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)

ON_POSTGRESQL = connection.vendor == "postgresql"


def delete_after_lookup(monkeypatch: pytest.MonkeyPatch, victim: User) -> None:
    find_inviter: Callable[[str], Any] = services.find_inviter

    def find_then_delete(code: str) -> Any:
        inviter = find_inviter(code)
        User.objects.filter(pk=victim.pk).delete()
        return inviter

    monkeypatch.setattr(services, "find_inviter", find_then_delete)


@pytest.mark.parametrize("victim", ["inviter", "invitee"])
def test_an_activation_is_refused(
    alice: User, boris: User, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    client = signed_in(boris)
    delete_after_lookup(monkeypatch, {"inviter": alice, "invitee": boris}[victim])
    response = client.post("/api/profile/", {"invite_code": alice.invite_code})
    assert response.status_code == 400
    assert error_of(response)["code"] == "invite_code_unknown"
    assert not Referral.objects.exists()


@pytest.mark.skipif(
    not ON_POSTGRESQL, reason="SQLite has one writer: nobody deletes meanwhile"
)
def test_a_sign_in_is_refused_and_its_code_lives(
    api: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = ask_for_code(api, BORIS)
    body = {"phone_number": BORIS, "code": code}
    with monkeypatch.context() as meanwhile:
        delete_after_lookup(meanwhile, alice)
        with_invite = {**body, "invite_code": alice.invite_code}
        response = api.post("/api/auth/verify-code/", with_invite)
    assert response.status_code == 400
    assert error_of(response)["code"] == "invite_code_unknown"
    assert not User.objects.filter(phone_number=BORIS).exists()
    assert api.post("/api/auth/verify-code/", body).status_code == 200


def test_an_edit_of_a_deleted_account_is_a_401(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(alice)

    def delete(*claims: object) -> None:
        User.objects.filter(pk=alice.pk).delete()

    monkeypatch.setattr("users.profile.services.reserve", delete)
    response = client.patch("/api/profile/", {"first_name": "A"})
    assert response.status_code == 401


def test_a_deleted_account_leaves_the_activated_code_and_a_free_number(
    api: APIClient, alice: User, boris: User
) -> None:
    activate_invite_code(invitee=boris, code=alice.invite_code, address="192.0.2.1")
    phone, laptop = signed_in(alice), signed_in(alice)
    response = phone.delete("/api/profile/")
    assert (response.status_code, response.content) == (204, b"")
    assert [c.get("/api/profile/").status_code for c in (phone, laptop)] == [401, 401]
    profile = signed_in(boris).get("/api/profile/").json()
    assert profile["activated_invite_code"] == alice.invite_code
    code = ask_for_code(api, ALICE)
    body = {"phone_number": ALICE, "code": code}
    answer = api.post("/api/auth/verify-code/", body).json()
    assert answer["is_new_user"]
    assert answer["user"]["invite_code"] != alice.invite_code


@pytest.mark.skipif(
    not ON_POSTGRESQL, reason="SQLite has one writer: nobody activates meanwhile"
)
def test_an_activation_during_the_deletion_waits_and_is_refused(
    alice: User, boris: User
) -> None:
    owner, invitee = signed_in(alice), signed_in(boris)
    body = {"invite_code": alice.invite_code}
    answers: list[Any] = []

    def activate() -> None:
        answers.append(invitee.post("/api/profile/", body))
        connections.close_all()

    activation = Thread(target=activate)

    def activate_after_unlinking(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if sql.startswith('UPDATE "referrals_referral"'):
            activation.start()
            activation.join(timeout=0.5)
        return result

    with connection.execute_wrapper(activate_after_unlinking):
        assert owner.delete("/api/profile/").status_code == 204
    activation.join()
    assert error_of(answers[0])["code"] == "invite_code_unknown"
    assert not Referral.objects.exists()
