"""CSV: what a spreadsheet would run or round stays text, and a million rows stream."""

import csv
import io
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import close_old_connections, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.admin import csv_export as exports
from config.admin.csv_export import text_cell
from config.server import request_queue
from conftest import ALICE, BORIS, CLARA, open_session, signed_in
from referrals.tests.test_list import invite_many
from users.models import User
from users.staff.admin_site import BY_PASSWORD

PEOPLE = "/admin/users/user/export/"
REFERRALS = "/admin/referrals/referral/export/"

FORMULAS = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "'=1"),
    *("%0A=1", '"=1', "\u200b=1", "\ufeff=1", "12E456", "000123", "3-4"),
]


@pytest.mark.parametrize("text", FORMULAS)
def test_cells_that_could_be_formulas_are_marked_as_text(text: str) -> None:
    assert text_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["Anna", "Żaneta", "李", "", "Анна-Мария =1"])
def test_names_stay_as_they_are(text: str) -> None:
    assert text_cell(text) == text


@pytest.mark.parametrize("mark", [";", "\t", "\n", "\r", "\u2028", "\x85"])
def test_no_cell_begins_inside_another(mark: str) -> None:
    """Where a semicolon separates, `a;=1` would be two cells."""
    assert mark not in text_cell(f"a{mark}=1")


def table(response: Any) -> list[list[str]]:
    assert response.status_code == 200
    assert response.streaming
    text = b"".join(response.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


@pytest.mark.django_db
def test_people_are_exported(
    admin: Client, alice: User, boris: User, staff: User, records: list[dict[str, Any]]
) -> None:
    formula = '=HYPERLINK("http://evil.example","Anna")'
    User.objects.filter(pk=boris.pk).update(first_name=formula, last_name="Ян;=1")
    signed_in(boris).post("/api/profile/", {"invite_code": alice.invite_code})
    response = admin.post(PEOPLE)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="people-')
    header, *rows = table(response)
    people = {int(row[0]): dict(zip(header, row, strict=True)) for row in rows}
    assert list(people) == sorted([alice.pk, boris.pk, staff.pk])
    row = people[boris.pk]
    assert row["phone_number"] == f"'{BORIS}"
    assert row["first_name"] == f"'{formula}"
    assert row["last_name"] == "Ян,=1"
    assert row["activated_invite_code"].lstrip("'") == alice.invite_code
    assert records[-1] == {"event": "people.exported", "by": staff.pk}


@pytest.mark.django_db
def test_an_exported_number_finds_its_person(admin: Client, alice: User) -> None:
    cell = table(admin.post(f"{PEOPLE}?is_staff__exact=0"))[1][1]
    body = admin.get("/admin/users/user/", {"q": cell}).content.decode()
    assert ALICE in body


@pytest.mark.django_db
def test_referrals_are_exported(
    admin: Client, alice: User, boris: User, clara: User, records: list[dict[str, Any]]
) -> None:
    for invitee, inviter in ((boris, alice), (alice, clara)):
        signed_in(invitee).post("/api/profile/", {"invite_code": inviter.invite_code})
    clara.delete()
    _, first, second = table(admin.post(REFERRALS))
    assert first[:2] == [f"'{ALICE}", ""]
    assert second[:2] == [f"'{BORIS}", f"'{ALICE}"]
    assert records[-1]["event"] == "referrals.exported"


@pytest.mark.django_db
def test_search_and_filters_of_the_list_apply(
    admin: Client, alice: User, boris: User, clara: User
) -> None:
    User.objects.filter(pk=boris.pk).update(is_active=False)
    rows = table(admin.post(f"{PEOPLE}?is_active__exact=0"))[1:]
    assert [row[1] for row in rows] == [f"'{BORIS}"]
    rows = table(admin.post(f"{PEOPLE}?q={clara.invite_code}"))[1:]
    assert [row[1] for row in rows] == [f"'{CLARA}"]
    page = admin.get("/admin/users/user/?is_active__exact=0").content.decode()
    assert 'action="export/?is_active__exact=0"' in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", [f"{PEOPLE}?date_joined__gte=x", f"{REFERRALS}?created_at__gte=x"]
)
def test_a_filter_that_means_nothing_is_refused(admin: Client, url: str) -> None:
    assert admin.post(url).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("url", [PEOPLE, REFERRALS])
def test_an_export_needs_its_right_and_a_post(
    client: Client, boris: User, admin: Client, url: str
) -> None:
    assert admin.get(url).status_code == 405
    boris.is_staff = True
    boris.save()
    rights = Permission.objects.exclude(codename__startswith="export_")
    boris.user_permissions.set(rights)
    open_session(client, boris, backend=BY_PASSWORD)
    assert client.post(url).status_code == 403
    assert "export/" not in client.get(url.replace("export/", "")).content.decode()


@pytest.mark.django_db
def test_a_forged_export_is_refused(staff: User) -> None:
    client = Client(enforce_csrf_checks=True)
    open_session(client, staff, backend=BY_PASSWORD)
    assert client.post(PEOPLE).status_code == 403


@pytest.mark.django_db
def test_rows_are_read_in_chunks(
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 20)
    invite_many(alice, 59)
    with django_assert_num_queries(4):  # three full ones, and one that ends it
        pks = [person.pk for person in exports.in_chunks(User.objects.all())]
    assert pks == sorted(User.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", [PEOPLE, REFERRALS])
def test_a_client_that_reads_slowly_holds_no_connection(
    admin: Client, alice: User, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(request_queue, "close_old_connections", close_old_connections)
    monkeypatch.setattr(exports, "CHUNK", 20)
    monkeypatch.setattr(exports, "LINES_AT_ONCE", 10)
    invite_many(alice, 59)
    response: Any = admin.post(url)
    held = [connection.connection is not None for _ in response.streaming_content]
    assert len(held) > 5
    assert not any(held)


@pytest.mark.django_db
@pytest.mark.parametrize("url", [PEOPLE, REFERRALS])
def test_an_export_queries_in_its_turn_only(
    admin: Client, alice: User, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Each turn has a connection, so no request that runs waits for one."""
    monkeypatch.setattr(exports, "CHUNK", 20)
    invite_many(alice, 59)
    free = request_queue._queue.free
    response: Any = admin.post(url)
    taken: list[int] = []

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        taken.append(free - request_queue._queue.free)
        return execute(*args)

    with connection.execute_wrapper(count):
        table(response)
    assert len(taken) > 2
    assert set(taken) == {1}
    assert request_queue._queue.free == free


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(number: int) -> int:
        rows = (["Anna", ALICE, n] for n in range(number))
        tracemalloc.start()
        for _ in exports.csv_response("people", ["a", "b", "c"], rows):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(50_000) < 2 * peak(5_000)
