"""The SQL by hand against the ORM."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conftest import ALICE, Clock
from referrals.models import Referral
from users.devices.live_device import QUERIES, find_live_device
from users.models import Device, User

pytestmark = pytest.mark.django_db


def make_device(user: User, **fields: Any) -> Device:
    return Device.objects.create(
        **{"user": user, "digest": "d", "expires_at": in_days(1), **fields}
    )


def in_days(days: float) -> datetime:
    return timezone.now() + timedelta(days=days)


def values_of(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.fields}


@pytest.mark.parametrize("expires_in", [-1, 0, 1])
@pytest.mark.parametrize("age", [9, 10, 11])
def test_it_finds_what_the_orm_finds(
    alice: User, clock: Clock, settings: LazySettings, expires_in: int, age: int
) -> None:
    settings.SESSION_MAX_DAYS = 10
    found = set()
    for is_active, is_for_staff in product([True, False], repeat=2):
        User.objects.update(is_active=is_active)
        device = make_device(
            alice,
            digest=f"{is_active} {is_for_staff}",
            is_for_staff=is_for_staff,
            created_at=in_days(-age),
            expires_at=in_days(expires_in),
        )
        is_live = Device.objects.live().filter(pk=device.pk).exists()
        assert (find_live_device("id", device.pk) == device) == is_live
        assert (find_live_device("digest", device.digest) == device) == is_live
        found.add(is_live)
    assert found == ({True, False} if expires_in > 0 else {False})


def test_all_columns_are_as_the_orm_reads_them(
    alice: User, boris: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    User.objects.update(
        first_name="Alice", email="a@example.com", last_login=in_days(0)
    )
    Referral.objects.create(invitee=alice, inviter=boris, code_used=boris.invite_code)
    make_device(alice, user_agent="Phone")
    read = Device.objects.select_related("user__activation").get()
    with django_assert_num_queries(1):
        device = find_live_device("digest", "d")
        assert device is not None
        rows = (device, device.user, device.user.activation)
        assert [type(row) for row in rows] == list(QUERIES["digest"].models)
        assert device.user.activation.invitee is device.user
    for row, same in zip(rows, (read, read.user, read.user.activation), strict=True):
        assert values_of(row) == values_of(same)
        assert row._state.db == same._state.db
        assert not row._state.adding


def test_a_person_without_an_activation_is_one_query_too(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_device(alice)
    with django_assert_num_queries(1):
        device = find_live_device("digest", "d")
        assert device is not None
        assert device.user.phone_number == ALICE
        assert device.user.activated_invite_code is None


def test_nothing_is_found_for_an_unknown_digest(alice: User) -> None:
    make_device(alice)
    assert find_live_device("digest", "another") is None
