"""Counts of the current day (UTC) in the cache, by the name of an event."""

from datetime import date

from django.utils import timezone

from limits.command_types import Tally
from limits.slots import SERVICE, beside

KEPT_DAYS = 40


def tally(event: str) -> Tally:
    """Key: day and event. Value: events so far. TTL: KEPT_DAYS."""
    day_key = key(timezone.now().date(), event)
    return Tally(name=event, key=day_key, seconds=KEPT_DAYS * 24 * 3600)


def key(day: date, event: str) -> str:
    return beside(SERVICE, f"daily:{day.isoformat()}:{event}")
