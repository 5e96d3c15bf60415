"""A refresh token works once, and once more if its answer is lost."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import Clock, error_of
from users.devices.tests.conftest import (
    REFRESH,
    claims_of,
    forged,
    new_pair,
    read,
    refresh,
    statuses,
)
from users.models import Device, User

pytestmark = pytest.mark.django_db


def test_a_refresh_gives_the_next_pair(
    alice: User, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = new_pair(alice)
    clock.pass_seconds(timedelta(days=60).total_seconds())
    with django_assert_num_queries(2):  # device; its next digest
        response = refresh(first["refresh"])
    assert response.status_code == 200
    second = response.json()
    assert set(second) == {
        *("access", "access_expires_in", "refresh", "refresh_expires_at")
    }
    assert statuses(second) == (200, 200)
    device = Device.objects.get()
    assert device.last_used_at == timezone.now()
    assert device.expires_at == timezone.now() + timedelta(days=90)
    assert second["refresh_expires_at"] == "2027-04-20T12:00:00Z"


def test_refreshing_keeps_a_device_for_a_year(alice: User, clock: Clock) -> None:
    pair = new_pair(alice)
    for _ in range(4):
        clock.pass_seconds(timedelta(days=89).total_seconds())
        pair = refresh(pair["refresh"]).json()
    assert pair["refresh_expires_at"] == "2027-11-21T12:00:00Z"
    clock.pass_seconds(timedelta(days=9).total_seconds())
    assert statuses(pair) == (401, 401)
    assert refresh(pair["refresh"]).status_code == 401


def test_devices_from_before_random_ids_stay_signed_in(
    alice: User, clock: Clock
) -> None:
    pair = new_pair(alice)
    Device.objects.update(random_id=None)
    assert statuses(pair) == (401, 401)
    assert read(forged(sub=None)).status_code == 200
    old = forged(sub=None, token_type="refresh", jti=claims_of(pair["refresh"])["jti"])
    second = refresh(old).json()
    assert statuses(second) == (200, 200)
    clock.pass_seconds(11)
    assert refresh(old).status_code == 401
    assert statuses(second) == (401, 401)


def test_a_refresh_token_sent_again_ends_the_device(alice: User, clock: Clock) -> None:
    other, first = new_pair(alice), new_pair(alice)
    second = refresh(first["refresh"]).json()
    clock.pass_seconds(11)
    response = refresh(first["refresh"])
    assert response.status_code == 401
    assert error_of(response)["code"] == "token_invalid"
    assert statuses(second) == (401, 401)
    assert refresh(second["refresh"]).status_code == 401
    assert statuses(other) == (200, 200)


def test_a_refresh_whose_answer_is_lost_may_be_repeated_once(
    alice: User, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = new_pair(alice)
    lost = refresh(first["refresh"]).json()
    clock.pass_seconds(10)
    with django_assert_num_queries(3):  # device; the digest was replaced; now it is
        response = refresh(first["refresh"])
    assert response.status_code == 200
    second = response.json()
    assert statuses(second) == (200, 200)
    assert second["refresh"] != lost["refresh"]
    assert refresh(second["refresh"]).status_code == 200
    assert Device.objects.count() == 1


def test_after_a_repeat_the_first_answer_signs_the_device_out(alice: User) -> None:
    """A thief who makes the repeat is found out when the owner refreshes."""
    first = new_pair(alice)
    owner = refresh(first["refresh"]).json()
    thief = refresh(first["refresh"]).json()
    assert statuses(owner) == (200, 401)
    assert refresh(owner["refresh"]).status_code == 401
    assert statuses(thief) == (401, 401)
    assert refresh(thief["refresh"]).status_code == 401


@pytest.mark.parametrize(
    ("first_to_last", "seconds_between"),
    [
        ("0 0 0", 0),  # twice repeated
        ("0 1 0", 0),  # the next one was used
        ("0 0 2 0", 0),  # that of the repeat was used
        ("0 0 2 1", 0),
        ("0 1 1 2", 0),
        ("0 0", 11),
        ("0 0 0", 6),  # a repeat does not begin another ten seconds
    ],
)
def test_any_other_repeat_signs_the_device_out(
    alice: User, clock: Clock, first_to_last: str, seconds_between: int
) -> None:
    """The numbers name refresh tokens in the order in which they were given."""
    other, pairs = new_pair(alice), [new_pair(alice)]
    *good, last = [int(number) for number in first_to_last.split()]
    for number in good:
        answer = refresh(pairs[number]["refresh"])
        assert answer.status_code == 200
        pairs.append(answer.json())
        clock.pass_seconds(seconds_between)
    assert refresh(pairs[last]["refresh"]).status_code == 401
    assert {statuses(pair) for pair in pairs} == {(401, 401)}
    assert statuses(other) == (200, 200)


def test_asking_for_codes_signs_nothing_out(alice: User) -> None:
    first = new_pair(alice)
    second = refresh(first["refresh"]).json()
    assert statuses(first) == (200, 401)
    assert statuses(second) == (200, 200)


def test_an_old_header_keeps_nobody_from_refreshing(alice: User) -> None:
    pair = new_pair(alice)
    client = APIClient(headers={"authorization": "Bearer expired"})
    assert client.post(REFRESH, {"refresh": pair["refresh"]}).status_code == 200
