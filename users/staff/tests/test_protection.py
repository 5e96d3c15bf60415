"""Accounts of staff: a sign-in code neither deletes nor moves nor closes them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from conftest import BORIS, CLARA, STAFF, error_of, signed_in, signed_in_as_staff
from users.channels.memory import Message
from users.exceptions import StaffAccountProtected
from users.models import User
from users.phone_change.services import move_account
from users.phones import PhoneNumber
from users.profile.services import close_account, delete_account
from users.tests.pages import sign_in

pytestmark = pytest.mark.django_db

NEW = PhoneNumber("+79990000077")
RIGHTS = [{"is_staff": True}, {"is_superuser": True}]
CODE_BACKEND = "users.authentication.CodeBackend"


@pytest.fixture(params=RIGHTS, ids=["is_staff", "is_superuser"])
def of_staff(db: None, request: pytest.FixtureRequest) -> User:
    return User.objects.create_user(CLARA, **request.param)


def protected(response: Any) -> bool:
    return response.status_code == 403 and error_of(response) == {
        "code": "staff_account_protected",
        "detail": "This is a staff account. Only a superuser can do this, on the "
        "admin site.",
        "attr": None,
    }


def test_a_token_does_not_delete_staff(of_staff: User) -> None:
    assert protected(signed_in(of_staff).delete("/api/profile/"))
    assert User.objects.filter(pk=of_staff.pk).exists()


def test_a_staff_token_does_not_delete_staff(staff: User) -> None:
    assert protected(signed_in_as_staff(staff).delete("/api/profile/"))
    assert User.objects.filter(pk=staff.pk).exists()


def test_no_codes_are_sent_to_move_staff(of_staff: User, outbox: list[Message]) -> None:
    body = {"phone_number": NEW}
    client = signed_in(of_staff)
    assert protected(client.post("/api/profile/phone/request-code/", body))
    assert not outbox


def test_who_became_staff_meanwhile_is_not_moved(
    boris: User, outbox: list[Message]
) -> None:
    client = signed_in(boris)
    body = {"phone_number": NEW}
    sent = client.post("/api/profile/phone/request-code/", body).json()
    User.objects.filter(pk=boris.pk).update(is_staff=True)
    codes = {name: sent[name]["dev_code"] for name in ("old_code", "new_code")}
    assert protected(client.post("/api/profile/phone/", {**body, **codes}))
    assert User.objects.get(pk=boris.pk).phone_number == BORIS


@pytest.mark.parametrize(
    "do",
    [
        delete_account,
        close_account,
        lambda user, **by: move_account(user, NEW, **by),
    ],
    ids=["delete", "close", "move"],
)
def test_only_a_superuser_does_it(
    of_staff: User, boris: User, staff: User, do: Callable[..., None]
) -> None:
    boris.is_staff = True
    boris.save()
    for by in (None, boris):
        with pytest.raises(StaffAccountProtected):
            do(of_staff, by=by)
    same = User.objects.get(pk=of_staff.pk)
    assert (same.is_active, same.phone_number) == (True, CLARA)
    do(of_staff, by=staff)


def test_the_row_decides_and_not_what_was_read_before(boris: User) -> None:
    User.objects.filter(pk=boris.pk).update(is_staff=True)
    for do in (delete_account, close_account):
        with pytest.raises(StaffAccountProtected):
            do(boris)


def test_the_page_refuses_to_delete_staff(
    client: Client, staff: User, outbox: list[Message]
) -> None:
    sign_in(client, STAFF, outbox)
    response = client.post("/profile/delete/", {"last_digits": STAFF[-4:]})
    assert response.status_code == 403
    assert "Only a superuser can do this" in response.content.decode()
    assert User.objects.filter(pk=staff.pk).exists()


def test_staff_still_change_their_name(staff: User, api: APIClient) -> None:
    client = signed_in(staff)
    assert client.patch("/api/profile/", {"first_name": "Olga"}).status_code == 200
