"""A token signs in one device, until it is ended or idles too long."""

import hashlib
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import Clock, error_of, open_session, signed_in, signed_in_as_staff
from users.devices.token_authentication import issue_token
from users.models import Device, User

pytestmark = pytest.mark.django_db

URL = "/api/profile/referrals/"


def status(client: APIClient) -> int:
    return client.get(URL).status_code


def test_only_a_digest_is_kept(alice: User) -> None:
    _, secret = issue_token(user=alice, user_agent="Phone")
    kept = Device.objects.values().get()
    assert kept["digest"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(kept)


def test_token_user_and_activation_come_in_one_query(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)
    with django_assert_num_queries(1):  # the same query finds that it is a 404
        assert client.get(URL, {"cursor": "cD14"}).status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token wrong",
        "Token two words",
        "Token t\xf6ken",
        "Token \xff\xfe",
        "Bearer wrong",
        "Basic dXNlcjpwYXNz",
        "",
    ],
)
def test_without_a_token_that_fits_nobody_is_signed_in(
    api: APIClient, alice: User, header: str
) -> None:
    signed_in(alice)
    response = api.get(URL, HTTP_AUTHORIZATION=header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Token, Bearer realm="api"'
    assert error_of(response)["code"] in {"not_authenticated", "authentication_failed"}


def test_logout_ends_this_device_only(alice: User) -> None:
    phone, laptop = signed_in(alice), signed_in(alice)
    response = phone.post("/api/auth/logout/")
    assert (response.status_code, response.content) == (204, b"")
    assert (status(phone), status(laptop)) == (401, 200)


def test_logout_all_ends_every_device_of_this_person(alice: User, boris: User) -> None:
    phone, laptop, other = signed_in(alice), signed_in(alice), signed_in(boris)
    assert phone.post("/api/auth/logout-all/").status_code == 204
    assert [status(c) for c in (phone, laptop, other)] == [401, 401, 200]


def test_closing_the_account_ends_its_tokens(alice: User) -> None:
    client = signed_in(alice)
    User.objects.update(is_active=False)
    assert status(client) == 401


def test_deleting_the_account_ends_its_tokens(alice: User) -> None:
    client = signed_in(alice)
    alice.delete()
    assert status(client) == 401


def test_an_idle_token_ends_after_90_days(alice: User, clock: Clock) -> None:
    client = signed_in(alice)
    clock.pass_seconds(timedelta(days=90).total_seconds())
    assert status(client) == 401


def test_use_renews_a_token(alice: User, clock: Clock) -> None:
    client = signed_in(alice)
    for _ in range(3):
        clock.pass_seconds(timedelta(days=60).total_seconds())
        assert status(client) == 200
    token = Device.objects.get()
    assert token.last_used_at == timezone.now()
    assert token.expires_at == timezone.now() + timedelta(days=90)


@pytest.mark.parametrize("days", [30, 300])
def test_another_lifetime_counts_from_the_next_use(
    alice: User, clock: Clock, settings: LazySettings, days: int
) -> None:
    client = signed_in(alice)
    settings.TOKEN_IDLE_DAYS = days
    clock.pass_seconds(timedelta(days=2).total_seconds())
    assert status(client) == 200
    token = Device.objects.get()
    assert token.last_used_at == timezone.now()
    assert token.expires_at == timezone.now() + timedelta(days=days)


def test_use_keeps_a_token_for_a_year(alice: User, clock: Clock) -> None:
    client = signed_in(alice)
    for _ in range(6):
        clock.pass_seconds(timedelta(days=60).total_seconds())
        assert status(client) == 200
    (device,) = client.get("/api/auth/sessions/").json()["results"]
    assert device["expires_at"] == "2027-11-21T12:00:00Z"
    clock.pass_seconds(timedelta(days=5).total_seconds() - 1)
    assert status(client) == 200
    clock.pass_seconds(1)
    assert status(client) == 401


def test_a_shorter_session_than_the_idle_time_ends_first(
    alice: User, clock: Clock, settings: LazySettings
) -> None:
    settings.SESSION_MAX_DAYS = 1
    client = signed_in(alice)
    clock.pass_seconds(timedelta(days=1).total_seconds())
    assert status(client) == 401


def test_a_lower_limit_of_the_session_ends_devices_at_once(
    alice: User, staff: User, clock: Clock, settings: LazySettings
) -> None:
    app, staff_tool = signed_in(alice), signed_in_as_staff(staff)
    clock.pass_seconds(timedelta(days=2).total_seconds())
    settings.SESSION_MAX_DAYS = 3
    assert (status(app), status(staff_tool)) == (200, 200)
    settings.SESSION_MAX_DAYS = 2
    assert (status(app), status(staff_tool)) == (401, 200)


def test_use_writes_once_a_day_at_most(
    alice: User, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)
    clock.pass_seconds(timedelta(days=1).total_seconds())
    with django_assert_num_queries(2):  # token; page
        client.get(URL)
    clock.pass_seconds(1)
    with django_assert_num_queries(3):  # token; its renewal; page
        client.get(URL)


def test_expired_devices_are_pruned(
    alice: User, client: Client, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    open_session(client, alice)
    clock.pass_seconds(80 * 24 * 3600)
    current = signed_in(alice)
    clock.pass_seconds(10 * 24 * 3600 + 1)
    call_command("prune")
    assert capsys.readouterr().out.split("\n")[:2] == [
        "devices: 1 expired, deleted",
        "sessions: 1 expired, deleted",
    ]
    assert status(current) == 200
