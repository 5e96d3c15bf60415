"""What the dashboard counts, from where, and at what cost."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from conftest import ALICE, BORIS, Clock, ask_for_code, open_session, signed_in
from referrals.tests.test_list import invite_many
from users.models import DayCount, User
from users.staff.admin_site import BY_PASSWORD
from users.statistics import daily_counts as daily
from users.statistics.dashboard import dashboard

pytestmark = pytest.mark.django_db

URL = "/admin/dashboard/"
DAY = 24 * 3600


def sign_in(phone_number: str) -> None:
    client = APIClient()
    body = {"phone_number": phone_number, "code": ask_for_code(client, phone_number)}
    assert client.post("/api/auth/verify-code/", body).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_codes_and_sign_ins_of_today(clock: Clock) -> None:
    ask_for_code(APIClient(), ALICE)
    sign_in(BORIS)
    today = dashboard().days[-1]
    assert today.day == date(2026, 11, 21)
    assert (today.codes_sent, today.sign_ins, today.new_people) == (2, 1, 1)
    assert today.sign_in_share == 0.5


def test_days_that_are_over_move_into_the_table(clock: Clock) -> None:
    for _ in range(3):
        daily.count("codes_sent")
    clock.pass_seconds(DAY)
    daily.count("codes_sent")
    daily.count("sign_ins")
    assert not DayCount.objects.exists()  # yesterday may still be counted in
    clock.pass_seconds(DAY)
    daily.count("codes_sent")
    moved = DayCount.objects.get()
    assert (moved.day, moved.codes_sent, moved.sign_ins) == (date(2026, 11, 21), 3, 0)
    shown = [(day.codes_sent, day.sign_ins) for day in dashboard().days[-4:]]
    assert shown == [(0, 0), (3, 0), (1, 1), (1, 0)]


def test_a_day_is_moved_once(clock: Clock) -> None:
    day = date(2026, 11, 19)
    cache.set(f"daily:{day}:codes_sent", 5)
    DayCount.objects.create(day=day, codes_sent=7)
    daily.count("codes_sent")
    daily.count("sign_ins")
    assert DayCount.objects.get().codes_sent == 7


def test_counting_asks_the_database_nothing(
    clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        daily.count("codes_sent")
        daily.count("codes_sent")


def test_people_activations_and_who_invited_most(
    clock: Clock, alice: User, boris: User
) -> None:
    invite_many(alice, 3)
    signed_in(alice).post("/api/profile/", {"invite_code": boris.invite_code})
    User.objects.filter(pk=boris.pk).update(
        date_joined=datetime(2026, 10, 23, tzinfo=UTC)
    )
    User.objects.filter(pk=alice.pk).update(
        date_joined=datetime(2026, 10, 22, 23, 59, tzinfo=UTC)  # too long ago
    )
    found = dashboard()
    assert len(found.days) == 30
    assert found.days[0].new_people == 1
    assert found.days[-1].new_people == 3
    assert [day.activations for day in found.days[-2:]] == [3, 1]
    assert found.total.activations == 4
    assert found.top_inviters == [(alice.pk, ALICE, 3), (boris.pk, BORIS, 1)]


def test_a_day_without_codes_has_no_share(clock: Clock) -> None:
    daily.count("sign_ins")
    assert dashboard().days[-1].sign_in_share is None


@pytest.mark.parametrize("number", [3, 40])
def test_the_dashboard_takes_a_fixed_number_of_queries(
    admin: Client,
    alice: User,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    invite_many(alice, number)
    # Session; staff user; device; people and activations by day; how many of them
    # activated; everybody; top inviters; how codes came; bursts; phone numbers;
    # finished days.
    with django_assert_num_queries(12):
        body = admin.get(URL).content.decode()
    assert f"<td>{number}</td>" in body
    # The rest is cached for a minute.
    with django_assert_num_queries(5):
        admin.get(URL)


@pytest.mark.parametrize(("language", "shown"), [("en", "50.0%"), ("ru", "50,0 %")])
def test_percentages_are_written_as_the_language_wants(
    admin: Client, clock: Clock, language: str, shown: str
) -> None:
    for name in ("codes_sent", "codes_sent", "sign_ins"):
        daily.count(name)
    body = admin.get(URL, headers={"Accept-Language": language}).content.decode()
    assert f"<dd>{shown}</dd>" in body
    assert f'<data value="50.0">{shown}</data>' in body


def test_the_cache_stores_no_phone_number(
    alice: User, boris: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(cache, "set", lambda key, value, ttl: kept.append(value))
    invite_many(alice, 3)
    assert dashboard().top_inviters
    assert ALICE not in str(kept)


def test_the_dashboard_needs_its_permission(client: Client, boris: User) -> None:
    boris.is_staff = True
    boris.save()
    open_session(client, boris, backend=BY_PASSWORD)
    assert client.get(URL).status_code == 403
    right = Permission.objects.get(codename="view_dashboard")
    boris.user_permissions.add(right)
    assert client.get(URL).status_code == 200
    assert URL in client.get("/admin/").content.decode()


def test_demo_fills_the_dashboard() -> None:
    call_command("demo", stdout=StringIO())
    found = dashboard()
    assert all(day.codes_sent >= day.sign_ins > 0 for day in found.days[:-1])
    assert found.total.new_people >= 50
    assert len(found.top_inviters) > 3


def test_without_scripts_the_tables_are_there(admin: Client) -> None:
    body = admin.get(URL).content.decode()
    table = body.split('id="days"')[1].split("</table>")[0]
    assert table.count("<tr>") == 31
    assert 'src="/static/vendor/chart.js/' in body
    assert (datetime.now(UTC) - timedelta(days=29)).strftime("%d.%m") in body


def test_inviters_with_equal_counts_are_in_the_order_of_their_ids(
    alice: User, boris: User, clara: User
) -> None:
    for invitee, inviter in ((alice, clara), (clara, boris)):
        client = signed_in(invitee)
        client.post("/api/profile/", {"invite_code": inviter.invite_code})
    assert [pk for pk, _, _ in dashboard().top_inviters] == [boris.pk, clara.pk]
