from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import DatabaseError, connection
from django.db.models import Max
from django.utils import timezone

from users.login import fixed_codes
from users.login import takeover_risk as risk
from users.models import DayCount

BUSIEST_DAY_IN_DAYS = 30
# The busiest hour has four times the average load, as in docs/capacity.md.
BUSIEST_HOUR = 4 / 24


@register()
def test_numbers_are_sound(**kwargs: Any) -> list[CheckMessage]:
    try:
        live = fixed_codes.live()
    except ValueError as error:
        return [Error(str(error), id="config.E010")]
    if not live:
        return []
    text = (
        f"TEST_NUMBERS: {len(live)} sign in without an SMS, by a code that does not "
        f"change: {', '.join(map(str, live))}."
    )
    return [Warning(text, id="config.W004")]


@register()
def limits_keep_their_promises(**kwargs: Any) -> list[CheckMessage]:
    hint = "`manage.py check_limits` shows the arithmetic."
    return [Warning(f"{text} {hint}", id="config.W002") for text in risk.problems()]


@register("serving", deploy=True)
def sends_are_allowed_in_busy_hours(**kwargs: Any) -> list[CheckMessage]:
    limit = settings.LIMITS["sends"]
    if limit is None:
        return []
    busiest_hour = round(_sends_on_the_busiest_day() * BUSIEST_HOUR)
    allowed = limit.count * 3600 // limit.seconds
    if allowed >= 2 * busiest_hour:
        return []
    text = (
        f"LIMIT_SENDS allows {allowed} codes an hour. The busiest hour of the last"
        f" {BUSIEST_DAY_IN_DAYS} days had an estimated {busiest_hour}: allow twice as"
        f" many, {2 * busiest_hour}/3600 or more."
    )
    return [Warning(text, id="config.W006")]


def _sends_on_the_busiest_day() -> int:
    """Zero if the database cannot be asked: the start must not fail for that."""
    since = timezone.now().date() - timedelta(days=BUSIEST_DAY_IN_DAYS)
    sends = 0
    with suppress(DatabaseError):
        days = DayCount.objects.filter(day__gte=since)
        sends = days.aggregate(most=Max("codes_sent"))["most"] or 0
    if not connection.in_atomic_block:
        connection.close()  # a server may fork after the checks
    return sends
