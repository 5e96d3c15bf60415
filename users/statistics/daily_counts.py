"""How often the events of EVENTS happened, day by day (UTC).

The cache counts the current day. The first event of a day moves the finished days into
the table, except yesterday, in which another process may still be counting. Whatever
the cache loses before that (a flush; a restart without Redis) is missing in the
figures.
"""

from datetime import date, timedelta
from typing import Literal

from django.core.cache import cache
from django.utils import timezone

from limits import commands
from limits.command_types import Tally
from limits.daily import KEPT_DAYS, key, tally
from referrals.statistics.link_opens import LINK_OPENS
from users.models import DayCount

Event = Literal["codes_sent", "sign_ins", "sms_failures", "link_opens"]
CODES_SENT: Event = "codes_sent"
SIGN_INS: Event = "sign_ins"
SMS_FAILURES: Event = "sms_failures"
EVENTS = (CODES_SENT, SIGN_INS, SMS_FAILURES, LINK_OPENS)


def count(event: Event) -> None:
    [number] = commands.run([count_command(event)])
    counted(number)


def count_command(event: Event) -> Tally:
    """A command that counts one event today. Pass its result to `counted`."""
    return tally(event)


def counted(number: int) -> None:
    """Call this with the count of the day after each event."""
    if number == 1:
        _move_finished_days(_today())


def numbers(days: list[date]) -> dict[date, DayCount]:
    """The counts of each of the days, zeros included."""
    found = DayCount.objects.in_bulk(days)
    counted = _in_cache([day for day in days if day not in found])
    return {day: found.get(day) or counted.get(day) or DayCount(day) for day in days}


def _move_finished_days(today: date) -> None:
    days = [today - timedelta(days=n) for n in range(2, KEPT_DAYS)]
    if finished := _in_cache(days):
        DayCount.objects.bulk_create(finished.values(), ignore_conflicts=True)
        cache.delete_many([key(day, event) for day in finished for event in EVENTS])


def _in_cache(days: list[date]) -> dict[date, DayCount]:
    """The days that the cache has counts of."""
    keys = {key(day, event): (day, event) for day in days for event in EVENTS}
    found: dict[date, DayCount] = {}
    for stored, number in cache.get_many(keys).items():
        day, event = keys[stored]
        setattr(found.setdefault(day, DayCount(day)), event, number)
    return found


def _today() -> date:
    return timezone.now().date()
