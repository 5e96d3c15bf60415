"""LIMIT_SENDS bounds the bill for SMS, and must grow with the number of people."""

import pytest
from django.conf import LazySettings
from django.db import DatabaseError

from config.env import Limit
from conftest import Clock
from users.login.checks import sends_are_allowed_in_busy_hours
from users.models import DayCount


@pytest.fixture
def november(db: None, clock: Clock) -> None:
    """The clock says the 21st."""
    DayCount.objects.create(day="2026-11-20", codes_sent=1200)
    DayCount.objects.create(day="2026-11-03", codes_sent=6000)
    DayCount.objects.create(day="2026-10-20", codes_sent=90_000)


def test_a_limit_below_twice_the_busiest_hour_is_warned_of(
    november: None, settings: LazySettings
) -> None:
    settings.LIMITS = {**settings.LIMITS, "sends": Limit(1999, 3600)}
    (warning,) = sends_are_allowed_in_busy_hours()
    assert warning.id == "config.W006"
    assert "allows 1999 codes an hour" in warning.msg
    assert "an estimated 1000" in warning.msg
    assert "2000/3600 or more" in warning.msg


@pytest.mark.parametrize("limit", [Limit(2000, 3600), Limit(48_000, 86_400), None])
def test_a_limit_of_twice_the_busiest_hour_is_enough(
    november: None, settings: LazySettings, limit: Limit | None
) -> None:
    settings.LIMITS = {**settings.LIMITS, "sends": limit}
    assert sends_are_allowed_in_busy_hours() == []


def test_the_service_starts_without_its_database(
    monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    def fail(**kwargs: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(DayCount.objects, "filter", fail)
    assert sends_are_allowed_in_busy_hours() == []
