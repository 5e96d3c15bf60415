"""Which reads go to a standby. tests/e2e/test_failover.py has a real one."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connections
from django.test import Client
from rest_framework.test import APIClient

from config.server import replica
from config.server.replica import alias_for_long_reads
from conftest import signed_in, signed_in_as_staff
from users.models import User
from users.statistics.last_days import last_days

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A second alias for the same connection, and the queries that it was asked."""
    primary: Any = connections["default"]
    standby = copy.copy(primary)
    standby.alias = "replica"
    queries: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        queries.append(sql)
        return execute(sql, *args)

    standby.execute_wrappers = [note]
    monkeypatch.setitem(connections.settings, "replica", settings.DATABASES["default"])
    monkeypatch.setattr(replica, "_is_recent", lambda: True)
    monkeypatch.setattr(replica, "_away_until", 0.0)
    connections["replica"] = standby
    yield queries
    del connections["replica"]


def people(client: APIClient) -> None:
    assert client.get("/api/users/").json()["results"]


def figures(client: APIClient) -> None:
    assert client.get("/api/stats/").json()["people"]


def feed(client: APIClient) -> None:
    assert client.get("/api/referrals/").json()["results"]


@pytest.mark.parametrize("read", [people, figures, feed])
def test_long_reads_go_to_the_standby(
    alice: User,
    boris: User,
    staff: User,
    asked: list[str],
    read: Callable[[APIClient], None],
) -> None:
    body = {"invite_code": alice.invite_code}
    assert signed_in(boris).post("/api/profile/", body).status_code == 200
    client = signed_in_as_staff(staff)
    assert asked == []
    read(client)
    assert asked


def test_no_figure_of_the_last_days_is_read_from_the_primary(asked: list[str]) -> None:
    on_primary: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        on_primary.append(sql)
        return execute(sql, *args)

    with connections["default"].execute_wrapper(note):
        last_days()
    assert asked
    assert on_primary == []


@pytest.mark.parametrize("table", ["users/user", "referrals/referral"])
def test_exports_read_from_the_standby(
    admin: Client, asked: list[str], table: str
) -> None:
    response: Any = admin.post(f"/admin/{table}/export/")
    assert b"".join(response.streaming_content)
    assert asked


def test_people_s_own_reads_stay_on_the_primary(
    alice: User, staff: User, asked: list[str]
) -> None:
    client = signed_in(alice)
    for path in ("/api/profile/", "/api/profile/referrals/", "/api/auth/sessions/"):
        assert client.get(path).status_code == 200
    staff_client = signed_in_as_staff(staff)
    assert staff_client.get(f"/api/users/{alice.pk}/").status_code == 200
    assert asked == []


def test_the_primary_says_where_the_ledger_ends(
    alice: User,
    boris: User,
    staff: User,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A standby may lack the last entries, or have some that the primary may lose."""
    for invitee, inviter in ((boris, alice), (alice, boris)):
        body = {"invite_code": inviter.invite_code}
        signed_in(invitee).post("/api/profile/", body)
    client = signed_in_as_staff(staff)
    feed(client)
    assert not any("MAX(" in sql for sql in asked)
    monkeypatch.setattr("users.staff.ledger.last_position", lambda: 1)
    response = client.get("/api/referrals/")
    assert [entry["position"] for entry in response.json()["results"]] == [1]


def test_a_standby_that_is_behind_is_not_read(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert alias_for_long_reads() == "replica"
    monkeypatch.setattr(replica, "_is_recent", lambda: False)
    assert alias_for_long_reads() == "default"


def test_a_standby_that_failed_is_left_alone_for_ten_seconds(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = []

    def fail() -> bool:
        asks.append(1)
        raise OperationalError

    monkeypatch.setattr(replica, "_is_recent", fail)
    assert [alias_for_long_reads() for _ in range(3)] == ["default"] * 3
    assert len(asks) == 1
    ten_seconds_ago = replica._away_until - 10
    monkeypatch.setattr(replica, "_away_until", ten_seconds_ago)
    monkeypatch.setattr(replica, "_is_recent", lambda: True)
    assert alias_for_long_reads() == "replica"


def test_without_the_setting_the_primary_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "replica" not in settings.DATABASES
    assert alias_for_long_reads() == "default"
