"""A device that has signed in on a number keeps a token that makes it known there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, ask_for_code, signed_in
from users.devices.services import sign_out_everywhere
from users.login.clients import Client, issue_known_device_token
from users.models import User
from users.phone_change.services import move_account
from users.phones import PhoneNumber
from users.profile.services import close_account, delete_account

pytestmark = pytest.mark.django_db

NEW = PhoneNumber("+79990000077")


def sign_in(number: str, **body: Any) -> str:
    """The known-device token of a new sign-in."""
    api = APIClient()
    body |= {"phone_number": number, "code": ask_for_code(api, number, **body)}
    answer = api.post("/api/auth/verify-code/", body)
    assert answer.status_code == 200, answer.json()
    token: str = answer.json()["device_token"]
    return token


def known(token: str, number: PhoneNumber = ALICE) -> str | None:
    return Client("192.0.2.1", token).known_device(number)


def test_a_device_keeps_its_random_id_when_it_signs_in_again(clock: Clock) -> None:
    first = sign_in(ALICE)
    clock.pass_seconds(60)
    second = sign_in(ALICE, device_token=first)
    assert known(first) is not None
    assert known(second) == known(first)


def test_each_device_has_a_random_id_of_its_own(clock: Clock) -> None:
    first = sign_in(ALICE)
    clock.pass_seconds(60)
    second = sign_in(ALICE)
    assert known(second) is not None
    assert known(second) != known(first)


def test_a_token_is_valid_for_a_year(clock: Clock) -> None:
    token = sign_in(ALICE)
    clock.pass_seconds(365 * 24 * 3600)
    assert known(token)
    clock.pass_seconds(1)
    assert not known(token)


def test_a_token_fits_into_the_field_of_the_api(alice: User) -> None:
    assert len(issue_known_device_token(alice)) <= 300


ENDS: dict[str, Callable[[User], Any]] = {
    "sign-out everywhere": sign_out_everywhere,
    "logout-all": lambda alice: signed_in(alice).post("/api/auth/logout-all/"),
    "a change of number": lambda alice: move_account(alice, NEW),
    "closing": close_account,
    "deactivation": lambda alice: User.objects.update(is_active=False),
    "deletion": delete_account,
}


@pytest.mark.parametrize("end", ENDS)
def test_a_token_ends_with(alice: User, end: str) -> None:
    token = issue_known_device_token(alice)
    assert known(token)
    ENDS[end](alice)
    assert not known(token)
    assert not known(token, NEW)


def test_a_token_is_not_for_a_later_account_of_its_number(alice: User) -> None:
    token = issue_known_device_token(alice)
    delete_account(alice)
    User.objects.create_user(ALICE)
    assert not known(token)


def test_opening_an_account_again_revives_no_token(alice: User) -> None:
    token = issue_known_device_token(alice)
    close_account(alice)
    User.objects.update(is_active=True)
    assert not known(token)


def test_signing_out_one_device_ends_no_token(alice: User) -> None:
    token = issue_known_device_token(alice)
    signed_in(alice).post("/api/auth/logout/")
    assert known(token)


def test_the_token_of_a_sign_in_after_the_end_is_valid(alice: User) -> None:
    token = issue_known_device_token(alice)
    sign_out_everywhere(alice)
    again = sign_in(ALICE, device_token=token)
    assert known(again)


def test_a_token_from_before_random_ids_makes_a_stranger(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    old = signing.dumps(ALICE.pseudonym, salt="users.clients")
    with django_assert_num_queries(0):
        assert not known(old)


def test_an_account_from_before_the_key_gets_one_at_sign_in(alice: User) -> None:
    User.objects.update(known_devices_key=None)
    assert known(sign_in(ALICE))


def test_an_account_keeps_its_key_when_another_device_signs_in(
    alice: User,
) -> None:
    token = issue_known_device_token(alice)
    sign_in(ALICE)
    assert known(token)


def test_a_token_of_another_number_costs_no_query(
    alice: User, boris: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token = issue_known_device_token(alice)
    with django_assert_num_queries(0):
        assert not known(token, BORIS)
        assert not known(token[:-1])
        assert not known("forged")
        assert not known("")
    with django_assert_num_queries(1):  # the account
        assert known(token)
