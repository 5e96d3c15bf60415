from base64 import b64encode
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, signed_in
from referrals.models import Referral
from users.models import User

pytestmark = pytest.mark.django_db

URL = "/api/profile/referrals/"


def invite_many(inviter: User, number: int) -> None:
    """A second apart, the last number newest; every tenth shares a moment."""
    start = timezone.now() - timedelta(days=1)
    people = User.objects.bulk_create(
        User(phone_number=f"+7999100{n:04}", invite_code=f"T{n:05}")
        for n in range(number)
    )
    Referral.objects.bulk_create(
        Referral(
            invitee=person,
            inviter=inviter,
            code_used=inviter.invite_code,
            created_at=start + timedelta(seconds=n - n % 10 // 9),
        )
        for n, person in enumerate(people)
    )


def follow(client: APIClient, url: str | None) -> list[str]:
    numbers: list[str] = []
    while url:
        page = client.get(url).json()
        assert len(page["results"]) <= 50
        numbers += [row["phone_number"] for row in page["results"]]
        url = page["next"]
    return numbers


def test_newest_first_and_everyone_once(alice: User, boris: User) -> None:
    invite_many(alice, 120)
    expected = [f"+7999100{n:04}" for n in reversed(range(120))]
    assert follow(signed_in(alice), URL) == expected
    assert follow(signed_in(boris), URL) == []


def test_the_profile_shows_the_newest_and_where_to_go_on(alice: User) -> None:
    invite_many(alice, 120)
    client = signed_in(alice)
    profile = client.get("/api/profile/").json()
    first = [row["phone_number"] for row in profile["referrals"]]
    assert len(first) == 50
    assert profile["referrals_count"] == 120
    assert first + follow(client, profile["referrals_next"]) == follow(client, URL)


def test_a_row_is_a_number_and_a_time(alice: User) -> None:
    invite_many(alice, 1)
    (row,) = signed_in(alice).get(URL).json()["results"]
    moment = Referral.objects.get().created_at.isoformat().replace("+00:00", "Z")
    assert row == {"phone_number": "+79991000000", "activated_at": moment}


@pytest.mark.parametrize("number", [3, 300])
def test_the_list_takes_two_queries(
    alice: User, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    invite_many(alice, number)
    client = signed_in(alice)
    # Device with user and activation; the page with its invitees.
    with django_assert_num_queries(2):
        client.get(URL)


@pytest.mark.parametrize("number", [3, 300])
def test_the_profile_takes_two_queries(
    alice: User, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    invite_many(alice, number)
    client = signed_in(alice)
    # Device with user and activation; the newest page with the count.
    with django_assert_num_queries(2):
        profile = client.get("/api/profile/").json()
    assert (profile["phone_number"], profile["referrals_count"]) == (ALICE, number)


@pytest.mark.parametrize(
    ("number", "counted", "is_exact"),
    [(0, 0, True), (999, 999, True), (1000, 999, False)],
)
def test_the_count_is_bounded_and_says_so(
    alice: User, number: int, counted: int, is_exact: bool
) -> None:
    invite_many(alice, number)
    profile = signed_in(alice).get("/api/profile/").json()
    assert profile["referrals_count"] == counted
    assert profile["referrals_count_is_exact"] is is_exact


@pytest.mark.parametrize(
    "cursor",
    [
        "garbage",
        b64encode(b"p=garbage").decode(),
        b64encode(b"p=0001-01-01T00:00:00+23:59").decode(),
        b64encode(b"p=2026-99-99T00:00:00Z").decode(),
        b64encode(b"o=1001&p=2026-01-01T00:00:00Z").decode(),
        b64encode(b"o=-1").decode(),
        b64encode(b"\xff\x00").decode(),
    ],
)
def test_a_forged_cursor_is_a_404_or_an_answer(alice: User, cursor: str) -> None:
    assert signed_in(alice).get(URL, {"cursor": cursor}).status_code in {200, 404}
