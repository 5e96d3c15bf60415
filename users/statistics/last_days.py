"""What the service did in the last days, for the staff API and the dashboard.

The queries read no more than the window, except the one that counts all people. They
take some tenths of a second with a million people, so one result serves everybody for a
minute. The result contains no phone numbers, because it is stored in the cache.
"""

from datetime import date
from typing import Any

from django.core.cache import cache
from django.db.models import Count, QuerySet

from config.server.replica import alias_for_long_reads
from referrals.came_by import CameBy
from referrals.models import Referral
from referrals.statistics.bursts import bursts
from referrals.statistics.per_day import count_per_day, first_moment
from users.models import User

DAYS = 30
BURST_DAYS = 7
TOP = 10
CACHE_KEY = "service-stats"
CACHE_SECONDS = 60

Stats = dict[str, Any]


def last_days(days: int = DAYS) -> Stats:
    """The answer of the staff API, in JSON's types, as caches can store it.

    `…_before` has `days` + 1 days before the window: today is not over, so a
    comparison takes the `days` whole days before today, and those before them.
    """
    key = f"{CACHE_KEY}:{days}"
    stats: Stats | None = cache.get(key)
    if stats is None:
        stats = _count(days)
        cache.set(key, stats, CACHE_SECONDS)
    return stats


def share(part: int, whole: int) -> float | None:
    """From 0 to 1. None if there is no whole, or if the part is larger than it."""
    return round(part / whole, 4) if whole and part <= whole else None


def _count(days: int) -> Stats:
    start, counted = first_moment(days), 2 * days + 1
    alias = alias_for_long_reads()
    people, referrals = User.objects.using(alias), Referral.objects.using(alias)
    all_people = count_per_day(people, "date_joined", days=counted)
    all_activations = count_per_day(referrals, "created_at", days=counted)
    new_people = _rows(all_people)[-days:]
    activations = _rows(all_activations)[-days:]
    joined = sum(row["count"] for row in new_people)
    recent = referrals.filter(created_at__gte=start)
    # Nobody activates before joining, so these are all activations of the new people.
    activated = recent.filter(invitee__date_joined__gte=start).count()
    return {
        "people": people.count(),
        "new_people": joined,
        "new_people_per_day": new_people,
        "new_people_before": _rows(all_people)[:-days],
        "activations": sum(row["count"] for row in activations),
        "activations_per_day": activations,
        "activations_before": _rows(all_activations)[:-days],
        "came_by": _came_by(recent),
        "activated_share": share(activated, joined),
        "top_inviters": [
            {"id": pk, "invite_code": code, "count": count}
            for pk, code, count in recent.filter(inviter__isnull=False)
            .values_list("inviter", "inviter__invite_code")
            .annotate(count=Count("pk"))
            .order_by("-count", "inviter")[:TOP]
        ],
        "bursts": [
            {"id": pk, "hour": hour.isoformat(), "count": count}
            for pk, hour, count in bursts(referrals, first_moment(BURST_DAYS))
        ],
    }


def _rows(per_day: dict[date, int]) -> list[dict[str, Any]]:
    return [{"date": day.isoformat(), "count": n} for day, n in per_day.items()]


def _came_by(recent: QuerySet[Referral]) -> list[dict[str, Any]]:
    counted = recent.order_by().values_list("came_by").annotate(Count("pk"))
    numbers: dict[str | None, int] = dict(counted)
    return [{"came_by": way, "count": numbers.get(way, 0)} for way in [*CameBy, None]]
