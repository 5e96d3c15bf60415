"""How many codes were sent and how many people signed in, day by day (UTC).

A day is counted in the cache: one atomic step an event, on any number of processes.
The first event of a later day moves the days that are over into the table. Yesterday
stays in the cache: a process may still be counting in it. What the cache loses before
that, by a flush or a restart of the one process without Redis, is lost to the figures.
"""

from datetime import date, timedelta
from typing import Literal

from django.core.cache import cache
from django.utils import timezone

from limits.counters import NO_LIMIT, Counter, take
from users.models import DayCount

Event = Literal["codes_sent", "sign_ins"]
EVENTS: tuple[Event, ...] = ("codes_sent", "sign_ins")

KEPT_DAYS = 40


def count(event: Event) -> None:
    [number] = take([counter(event)])
    counted(number)


def counter(event: Event) -> Counter:
    """Today's, to be counted with others; `counted` is to be told."""
    return Counter(event, _key(_today(), event), NO_LIMIT, KEPT_DAYS * 24 * 3600)


def counted(number: int) -> None:
    """The so many-th of its day."""
    if number == 1:
        _move_finished_days(_today())


def count_sign_in(**kwargs: object) -> None:
    """Hears of it after the commit: no count can keep anybody out."""
    count("sign_ins")


def numbers(days: list[date]) -> dict[date, DayCount]:
    """What happened on each of the days, zeros included."""
    found = DayCount.objects.in_bulk(days)
    counted = _in_cache([day for day in days if day not in found])
    return {day: found.get(day) or counted.get(day) or DayCount(day) for day in days}


def _move_finished_days(today: date) -> None:
    days = [today - timedelta(days=n) for n in range(2, KEPT_DAYS)]
    if finished := _in_cache(days):
        DayCount.objects.bulk_create(finished.values(), ignore_conflicts=True)
        cache.delete_many([_key(day, event) for day in finished for event in EVENTS])


def _in_cache(days: list[date]) -> dict[date, DayCount]:
    """Those of the days that were counted and are not in the table yet."""
    keys = {_key(day, event): (day, event) for day in days for event in EVENTS}
    found: dict[date, DayCount] = {}
    for key, number in cache.get_many(keys).items():
        day, event = keys[key]
        setattr(found.setdefault(day, DayCount(day)), event, number)
    return found


def _today() -> date:
    return timezone.now().date()


def _key(day: date, event: Event) -> str:
    return f"daily:{day.isoformat()}:{event}"
