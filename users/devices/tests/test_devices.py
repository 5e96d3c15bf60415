"""Where somebody is signed in, and signing out one of these places."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, Clock, error_of, signed_in
from users.channels.memory import Message
from users.devices.jwt_tokens import access_token, issue_refresh_token
from users.devices.token_authentication import issue_token
from users.models import Device, User
from users.tests.pages import sign_in
from users.user_agents import device_name

pytestmark = pytest.mark.django_db

URL = "/api/auth/sessions/"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Mobile Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
)


def other_device(user: User, device: str = IPHONE) -> Device:
    return issue_token(user=user, user_agent=device)[0]


def listed(client: APIClient) -> list[dict[str, Any]]:
    response = client.get(URL)
    assert response.status_code == 200
    results: list[dict[str, Any]] = response.json()["results"]
    return results


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (ANDROID, "Chrome Mobile, Android"),
        (IPHONE, "Mobile Safari, iOS"),
        (WINDOWS, "Firefox, Windows"),
        ("okhttp/4.12.0", "okhttp"),
        ("Referral/3.1", "Referral/3.1"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("(" * 200, "(" * 200),
        # The parser's tables of device models, which we do not ask, fail on this one.
        ("Mozilla/5.0 (Linux; Android 10; " + " )" * 80, "Android"),
        ("", ""),
    ],
)
def test_a_device_has_a_name_for_people(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


def test_a_parser_that_fails_costs_no_list(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(text: str) -> None:
        raise ValueError

    monkeypatch.setattr("users.user_agents.parse_os", fail)
    assert [row["name"] for row in listed(signed_in(alice))] == ["test"]


@given(st.text(max_size=200))
def test_every_text_has_a_name(text: str) -> None:
    assert isinstance(device_name(text), str)


def test_devices_are_listed_the_one_used_last_first(
    alice: User, boris: User, clock: Clock
) -> None:
    other_device(boris)
    other = other_device(alice, ANDROID)
    clock.pass_seconds(timedelta(days=2).total_seconds())
    client = signed_in(alice)
    response = client.get(URL)
    own = Device.objects.latest("pk")
    assert response.json() == {
        "next": None,
        "previous": None,
        "results": [
            {
                "id": own.pk,
                "name": "test",
                "device": "test",
                "created_at": "2026-11-23T12:00:00Z",
                "last_used_at": "2026-11-23T12:00:00Z",
                "expires_at": "2027-02-21T12:00:00Z",
                "is_current": True,
            },
            {
                "id": other.pk,
                "name": "Chrome Mobile, Android",
                "device": ANDROID,
                "created_at": "2026-11-21T12:00:00Z",
                "last_used_at": "2026-11-21T12:00:00Z",
                "expires_at": "2027-02-19T12:00:00Z",
                "is_current": False,
            },
        ],
    }


def test_apps_with_jwts_and_browsers_are_devices_too(
    client: Client, alice: User, outbox: list[Message]
) -> None:
    sign_in(client, ALICE, outbox)
    device, _ = issue_refresh_token(user=alice, user_agent=IPHONE)
    api = APIClient(headers={"authorization": f"Bearer {access_token(device)}"})
    current = {row["id"]: row["is_current"] for row in listed(api)}
    browser = client.session["device_id"]
    assert current == {device.pk: True, browser: False}


def test_dead_devices_are_not_listed(alice: User) -> None:
    other_device(alice)
    Device.objects.update(expires_at=timezone.now())
    assert len(listed(signed_in(alice))) == 1


def test_the_list_costs_the_same_however_long(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)
    for number in (1, 60):
        for _ in range(number):
            other_device(alice)
        with django_assert_num_queries(2):  # token; page
            client.get(URL)


def test_a_long_list_comes_in_pages(alice: User) -> None:
    client = signed_in(alice)
    for _ in range(120):
        other_device(alice)
    Device.objects.update(last_used_at=timezone.now())  # all at one moment
    seen, url, pages = [], URL, 0
    while url:
        body = client.get(url).json()
        seen += [row["id"] for row in body["results"]]
        url, pages = body["next"], pages + 1
    assert pages == 3
    assert seen == sorted(Device.objects.values_list("pk", flat=True), reverse=True)


@pytest.mark.parametrize("cursor", ["cD14", "cD0x", "cD0lMDA=", "%00", "x" * 5000])
def test_a_made_up_page_is_not_found(alice: User, cursor: str) -> None:
    assert signed_in(alice).get(URL, {"cursor": cursor}).status_code == 404


def test_one_device_is_signed_out(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    phone, laptop = signed_in(alice), signed_in(alice)
    (device,) = [row for row in listed(laptop) if not row["is_current"]]
    with django_assert_num_queries(2):  # token; its end
        response = laptop.delete(f"{URL}{device['id']}/")
    assert (response.status_code, response.content) == (204, b"")
    assert phone.get(URL).status_code == 401
    assert len(listed(laptop)) == 1
    assert laptop.delete(f"{URL}{device['id']}/").status_code == 404


def test_signing_out_the_current_device_is_a_logout(alice: User) -> None:
    phone, laptop = signed_in(alice), signed_in(alice)
    (own,) = [row for row in listed(phone) if row["is_current"]]
    assert phone.delete(f"{URL}{own['id']}/").status_code == 204
    assert phone.get(URL).status_code == 401
    assert laptop.get(URL).status_code == 200


def test_a_device_of_another_user_is_not_found(alice: User, boris: User) -> None:
    device = other_device(boris)
    response = signed_in(alice).delete(f"{URL}{device.pk}/")
    assert response.status_code == 404
    assert error_of(response)["code"] == "not_found"
    assert Device.objects.filter(pk=device.pk).exists()


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 40, "9223372036854775808"])
def test_an_unknown_device_is_not_found(alice: User, number: str) -> None:
    response = signed_in(alice).delete(f"{URL}{number}/")
    assert response.status_code == 404
    assert error_of(response)["code"] == "not_found"
