"""What staff read over the API, and who is kept out."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import (
    ALICE,
    BORIS,
    STAFF,
    Clock,
    ask_for_code,
    error_of,
    signed_in,
    signed_in_as_staff,
)
from referrals.models import Referral
from referrals.services import activate_invite_code
from referrals.tests.test_list import invite_many
from users.models import Device, User
from users.tests.test_audit import Trail, trail

__all__ = ["trail"]

pytestmark = pytest.mark.django_db

URL = "/api/users/"
STATS = "/api/stats/"


def found(client: APIClient, **query: Any) -> list[str]:
    response = client.get(URL, query)
    assert response.status_code == 200, response.json()
    return [row["phone_number"] for row in response.json()["results"]]


def test_a_code_by_sms_does_not_open_it(api: APIClient, staff: User) -> None:
    body = {"phone_number": STAFF, "code": ask_for_code(api, STAFF)}
    token = api.post("/api/auth/verify-code/", body).json()["token"]
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    for path in (URL, f"{URL}{staff.pk}/", STATS):
        response = api.get(path)
        assert response.status_code == 403
        assert error_of(response)["code"] == "staff_only"
    assert api.get("/api/profile/").status_code == 200


def test_the_staff_api_is_closed_to_former_staff(staff: User) -> None:
    client = signed_in_as_staff(staff)
    assert client.get(URL).status_code == 200
    User.objects.update(is_staff=False)
    assert client.get(URL).status_code == 403
    User.objects.update(is_staff=True, is_active=False)
    assert client.get(URL).status_code == 401


def test_signing_out_everywhere_ends_it(staff: User) -> None:
    client = signed_in_as_staff(staff)
    signed_in(staff).post("/api/auth/logout-all/")
    assert client.get(URL).status_code == 401


def test_a_staff_token_ends_on_its_day_however_much_it_is_used(
    staff: User, clock: Clock
) -> None:
    client = signed_in_as_staff(staff)
    for _ in range(3):
        clock.pass_seconds(9.9 * 24 * 3600)
        assert client.get(URL).status_code == 200
    clock.pass_seconds(24 * 3600)
    assert client.get(URL).status_code == 401


def test_the_command_makes_a_token(staff: User, clock: Clock) -> None:
    out = StringIO()
    call_command("staff_token", "8 999 000-00-09", "--days=1", stdout=out)
    api = APIClient(headers={"authorization": f"Token {out.getvalue().strip()}"})
    assert api.get(URL).status_code == 200
    assert Device.objects.get().expires_at.isoformat() == "2026-11-22T12:00:00+00:00"


@pytest.mark.parametrize("number", [ALICE, BORIS, "nonsense"])
def test_the_command_makes_none_for_others(alice: User, number: str) -> None:
    with pytest.raises(CommandError):
        call_command("staff_token", number)
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_active=False)
    with pytest.raises(CommandError):
        call_command("staff_token", number)
    assert not Device.objects.exists()


def test_one_person(
    alice: User,
    boris: User,
    clara: User,
    staff: User,
    clock: Clock,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in_as_staff(staff)
    for invitee, inviter in ((boris, alice), (clara, boris)):
        activate_invite_code(
            invitee=invitee, code=inviter.invite_code, address="192.0.2.1"
        )
    signed_in(boris)
    User.objects.update(date_joined=timezone.now())
    # Device; person with inviter and counts.
    with django_assert_num_queries(2):
        response = client.get(f"{URL}{boris.pk}/")
    assert response.json() == {
        "id": boris.pk,
        "phone_number": BORIS,
        "first_name": "",
        "last_name": "",
        "email": "",
        "invite_code": boris.invite_code,
        "activated_invite_code": alice.invite_code,
        "is_active": True,
        "is_staff": False,
        "joined_at": "2026-11-21T12:00:00Z",
        "last_login_at": None,
        "inviter": {"id": alice.pk, "phone_number": ALICE},
        "referrals_count": 1,
        "referrals_count_is_exact": True,
        "devices_count": 1,
    }
    alone = client.get(f"{URL}{alice.pk}/").json()
    assert (alone["inviter"], alone["activated_invite_code"]) == (None, None)
    alice.delete()
    assert client.get(f"{URL}{boris.pk}/").json()["inviter"] is None


def test_referrals_are_counted_up_to_a_bound(
    alice: User, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users.staff.views.MOST_COUNTED", 2)
    monkeypatch.setattr("referrals.models.MOST_COUNTED", 2)
    client = signed_in_as_staff(staff)
    for number, expected in ((2, (2, True)), (3, (2, False))):
        Referral.objects.all().delete()
        User.objects.filter(phone_number__startswith="+7999100").delete()
        invite_many(alice, number)
        body = client.get(f"{URL}{alice.pk}/").json()
        counted = (body["referrals_count"], body["referrals_count_is_exact"])
        assert counted == expected


@pytest.mark.parametrize("user_id", ["0", "9" * 30])
def test_nobody_is_a_404(staff: User, user_id: str) -> None:
    response = signed_in_as_staff(staff).get(f"{URL}{user_id}/")
    assert response.status_code == 404
    assert error_of(response)["code"] == "not_found"


@pytest.mark.parametrize(
    "text", ["+7 999 000-00-01", "8(999)0000001", "79990000001", "９990000001"]
)
def test_a_number_is_found_in_any_spelling(
    alice: User, boris: User, staff: User, text: str
) -> None:
    assert found(signed_in_as_staff(staff), search=text) == [ALICE]


def test_an_invite_code_is_found_in_any_spelling(alice: User, staff: User) -> None:
    User.objects.filter(pk=alice.pk).update(invite_code="10ABCE")
    client = signed_in_as_staff(staff)
    for text in ("10abce", "lo-abce", "1O АВСЕ", "https://example.com/i/10abce/"):
        assert found(client, search=text) == [ALICE]


@pytest.mark.parametrize("text", ["999000", "+7999000000", "000000", "%", "\x00", "ы"])
def test_a_text_that_is_neither_number_nor_code_finds_nobody(
    alice: User, staff: User, text: str
) -> None:
    response = signed_in_as_staff(staff).get(URL, {"search": text})
    if "\x00" in text:
        assert response.status_code == 400
    else:
        assert response.json()["results"] == []


def test_filters(alice: User, boris: User, clara: User, staff: User) -> None:
    activate_invite_code(invitee=boris, code=alice.invite_code, address="192.0.2.1")
    for user, moment in (
        (clara, "2026-01-31T23:59:59Z"),
        (boris, "2026-02-01T00:00:00Z"),
        (alice, "2026-02-28T12:00:00Z"),
        (staff, "2026-03-01T00:00:00Z"),
    ):
        User.objects.filter(pk=user.pk).update(date_joined=moment)
    User.objects.filter(pk=clara.pk).update(is_active=False)
    names = {
        u.phone_number: n for u, n in zip((alice, boris, clara), "abc", strict=True)
    }
    names[STAFF] = "s"
    client = signed_in_as_staff(staff)
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "sabc"),
        ({"is_active": "true"}, "sab"),
        ({"is_active": "false"}, "c"),
        ({"is_active": ""}, "sabc"),
        ({"is_staff": "true"}, "s"),
        ({"is_staff": "false"}, "abc"),
        ({"has_activated": "true"}, "b"),
        ({"has_activated": "false"}, "sac"),
        ({"inviter": alice.pk}, "b"),
        ({"inviter": boris.pk}, ""),
        ({"joined_after": "2026-02-01"}, "sab"),
        ({"joined_before": "2026-02-01"}, "c"),
        ({"joined_after": "2026-02-01", "joined_before": "2026-03-01"}, "ab"),
        ({"joined_after": "0001-01-01", "joined_before": "9999-12-31"}, "sabc"),
        ({"search": ALICE, "is_active": "true"}, "a"),
        ({"search": ALICE, "is_active": "false"}, ""),
    ]
    for query, expected in cases:
        seen = "".join(names[number] for number in found(client, **query))
        assert seen == expected, query


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("is_active", "maybe"),
        ("has_activated", "1"),
        ("inviter", "alice"),
        ("inviter", "1.5"),
        ("inviter", "0"),
        ("inviter", "9" * 30),
        ("joined_after", "yesterday"),
        ("joined_before", "2026-02-30"),
    ],
)
def test_bad_filters_are_refused_by_name(staff: User, name: str, value: str) -> None:
    response = signed_in_as_staff(staff).get(URL, {name: value})
    assert response.status_code == 400
    assert error_of(response)["attr"] == name


def test_pages_go_on_newest_first(alice: User, staff: User) -> None:
    invite_many(alice, 120)
    client = signed_in_as_staff(staff)
    seen, url = [], f"{URL}?inviter={alice.pk}"
    while url:
        page = client.get(url).json()
        assert len(page["results"]) <= 50
        seen += [row["phone_number"] for row in page["results"]]
        url = page["next"]
    assert seen == [f"+7999100{n:04}" for n in reversed(range(120))]


@pytest.mark.parametrize("number", [3, 300])
def test_the_list_takes_two_queries(
    alice: User,
    staff: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    invite_many(alice, number)
    client = signed_in_as_staff(staff)
    with django_assert_num_queries(2):  # token; the page with activations
        client.get(URL)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans are PostgreSQL's")
@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        ({}, {"user_newest_first"}),
        ({"search": ALICE}, {"user_phone_number_is_unique"}),
        ({"search": "7K9QXT"}, {"user_invite_code_is_unique"}),
        ({"is_active": "false"}, {"user_closed_newest_first"}),
        ({"is_staff": "true"}, {"user_staff_newest_first"}),
        ({"joined_after": "2026-01-01"}, {"user_newest_first"}),
        ({"inviter": "1"}, {"referral_newest_first", "user_newest_first"}),
    ],
)
def test_lists_are_read_by_an_index(
    staff: User, query: dict[str, str], indexes: set[str]
) -> None:
    client = signed_in_as_staff(staff)
    # The planner chooses by the statistics, which other tests leave behind.
    User.objects.bulk_create(
        User(phone_number=f"+7998000{n:04}", invite_code=f"{n:06}") for n in range(500)
    )
    with CaptureQueriesContext(connection) as captured:
        client.get(URL, query)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE users_user")
        # A few rows are read as fast without; so make that dear.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            f"SET LOCAL enable_sort = {'on' if 'search' in query else 'off'}"
        )
        cursor.execute(f"EXPLAIN {captured.captured_queries[-1]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert any(index in plan for index in indexes), plan
    assert "Seq Scan on users_user" not in plan


def test_no_token_and_no_password_is_answered(alice: User, staff: User) -> None:
    client = signed_in_as_staff(staff)
    body = client.get(URL).content.decode()
    body += client.get(f"{URL}{staff.pk}/").content.decode()
    for secret in [*Device.objects.values_list("digest", flat=True), staff.password]:
        assert secret not in body
    assert "password" not in body


def test_every_read_of_a_person_is_on_the_trail(
    alice: User, staff: User, trail: Trail
) -> None:
    client = signed_in_as_staff(staff)
    client.get(f"{URL}{alice.pk}/")
    client.get(URL, {"search": ALICE})
    client.get(URL, {"search": BORIS})
    client.get(f"{URL}0/")
    reads = [line for line in trail.lines if line["event"] == "people.read"]
    assert [(line["staff"], line["users"]) for line in reads] == [
        (staff.pk, str(alice.pk)),
        (staff.pk, str(alice.pk)),
        (staff.pk, ""),
    ]
    assert ALICE not in trail.text


def test_statistics_of_the_service(
    alice: User, boris: User, clara: User, staff: User, clock: Clock
) -> None:
    for invitee in (boris, clara):
        activate_invite_code(
            invitee=invitee, code=alice.invite_code, address="192.0.2.1"
        )
    User.objects.update(date_joined=timezone.now())
    Referral.objects.update(created_at=timezone.now())
    User.objects.filter(pk=clara.pk).update(date_joined="2026-10-22T23:59:59Z")
    client = signed_in_as_staff(staff)
    body = client.get(STATS).json()
    for name in ("new_people_per_day", "activations_per_day"):
        per_day = body.pop(name)
        assert len(per_day) == 30
        assert per_day[0] == {"date": "2026-10-23", "count": 0}
        count = 3 if name == "new_people_per_day" else 2
        assert per_day[-1] == {"date": "2026-11-21", "count": count}
    assert len(body.pop("funnel_per_day")) == 30
    ways = {row["came_by"]: row["count"] for row in body.pop("activations_by_way")}
    assert ways == {"link": 0, "qr": 0, "typed": 0, "api": 0, None: 2}
    assert body == {
        "people": 4,
        "new_people": 3,
        "activations": 2,
        "activated_share": 0.3333,
        "top_inviters": [
            {"id": alice.pk, "invite_code": alice.invite_code, "count": 2}
        ],
    }


def test_figures_of_an_empty_month(staff: User) -> None:
    User.objects.update(date_joined="2020-01-01T00:00:00Z")
    body = signed_in_as_staff(staff).get(STATS).json()
    assert (body["new_people"], body["activated_share"]) == (0, None)


def test_figures_are_counted_once_a_minute(
    alice: User,
    staff: User,
    clock: Clock,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in_as_staff(staff)
    # Device; people and activations by day; how many of them activated; everybody; top;
    # how codes came; bursts; finished days.
    with django_assert_num_queries(9):
        first = client.get(STATS).json()
    alice.delete()
    with django_assert_num_queries(2):  # device, finished days
        assert client.get(STATS).json() == first
    clock.pass_seconds(61)
    assert client.get(STATS).json()["people"] == first["people"] - 1
