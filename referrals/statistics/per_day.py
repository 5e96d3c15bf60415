from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone


def first_moment(days: int) -> datetime:
    """The start of the last `days` days, today included, in the current time zone."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1)


def count_per_day(rows: QuerySet[Any], moment: str, *, days: int) -> dict[date, int]:
    """The rows of each of the last `days` days, by their `moment`; today last.

    Days are those of the current time zone: UTC, except on pages in the reader's zone.
    """
    start = first_moment(days)
    counted = (
        rows.filter(**{f"{moment}__gte": start})
        .order_by()
        .values_list(TruncDate(moment))
        .annotate(number=Count("pk"))
    )
    first = start.date()
    numbers = dict.fromkeys((first + timedelta(days=n) for n in range(days)), 0)
    return numbers | {day: number for day, number in counted if day in numbers}
