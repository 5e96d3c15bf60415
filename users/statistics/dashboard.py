"""The figures of the last weeks: all read by index, in a fixed number of queries."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from referrals.models import Referral
from users.models import User
from users.statistics import daily_counts as daily

DAYS = 30
TOP = 10
KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    new_people: int
    activations: int
    codes_sent: int
    sign_ins: int

    @property
    def conversion(self) -> float | None:
        return _share(self.sign_ins, self.codes_sent)


@dataclass(frozen=True, slots=True)
class Dashboard:
    days: list[Day]  # today last
    top: list[tuple[int, str, int]]  # person, number, how many came

    @property
    def total(self) -> Day:
        """The figures of all days together, under the first one's date."""
        names = ("new_people", "activations", "codes_sent", "sign_ins")
        sums = {name: sum(getattr(day, name) for day in self.days) for name in names}
        return Day(day=self.days[0].day, **sums)


def dashboard() -> Dashboard:
    days = _last_days()
    found = _aggregate_kept(days)
    people, activations = found["people"], found["activations"]
    counts = daily.numbers(days)
    inviters = User.objects.filter(pk__in=[pk for pk, _ in found["top"]])
    numbers = dict(inviters.values_list("pk", "phone_number"))
    return Dashboard(
        days=[
            Day(
                day=day,
                new_people=people.get(day.isoformat(), 0),
                activations=activations.get(day.isoformat(), 0),
                codes_sent=counts[day].codes_sent,
                sign_ins=counts[day].sign_ins,
            )
            for day in days
        ],
        top=[(pk, numbers[pk], count) for pk, count in found["top"] if pk in numbers],
    )


def _aggregate_kept(days: list[date]) -> dict[str, Any]:
    key = f"dashboard:{days[-1].isoformat()}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = _aggregate(days)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _aggregate(days: list[date]) -> dict[str, Any]:
    """In JSON's types, for the cache, which sees no numbers of people."""
    start = datetime.combine(days[0], time.min, UTC)
    joined = User.objects.filter(date_joined__gte=start)
    activated = Referral.objects.filter(created_at__gte=start)
    top = activated.exclude(inviter=None).values_list("inviter_id")
    return {
        "people": _by_day(joined, "date_joined"),
        "activations": _by_day(activated, "created_at"),
        "top": list(top.annotate(number=Count("pk")).order_by("-number")[:TOP]),
    }


def _last_days() -> list[date]:
    today = timezone.now().date()
    return [today - timedelta(days=n) for n in reversed(range(DAYS))]


def _by_day(rows: QuerySet[Any], column: str) -> dict[str, int]:
    days = rows.order_by().values_list(TruncDate(column)).annotate(Count("pk"))
    return {day.isoformat(): number for day, number in days}


def _share(part: int, whole: int) -> float | None:
    """In per cent; None where there is no whole, or more came than were counted."""
    return round(100 * part / whole, 1) if whole >= part and whole else None
