"""What the service did in the last 30 days, for the staff API and the dashboard.

The queries read no more than the window, except the one that counts all people. They
take some tenths of a second with a million people, so one result serves everybody for a
minute. The result contains no phone numbers, because it is stored in the cache.
"""

from datetime import date
from typing import Any

from django.core.cache import cache
from django.db.models import Count

from referrals.models import Referral
from referrals.statistics.per_day import count_per_day, first_moment
from users.models import User

DAYS = 30
TOP = 10
CACHE_KEY = "service-stats"
CACHE_SECONDS = 60

Stats = dict[str, Any]


def last_days() -> Stats:
    """The answer of the staff API, in JSON's types, as caches can store it."""
    stats: Stats | None = cache.get(CACHE_KEY)
    if stats is None:
        stats = _count()
        cache.set(CACHE_KEY, stats, CACHE_SECONDS)
    return stats


def share(part: int, whole: int) -> float | None:
    """From 0 to 1. None if there is no whole, or if the part is larger than it."""
    return round(part / whole, 4) if whole and part <= whole else None


def _count() -> Stats:
    start = first_moment(DAYS)
    new_people = count_per_day(User.objects.all(), "date_joined", days=DAYS)
    activations = count_per_day(Referral.objects.all(), "created_at", days=DAYS)
    joined = sum(new_people.values())
    recent = Referral.objects.filter(created_at__gte=start)
    # Nobody activates before joining, so these are all activations of the new people.
    activated = recent.filter(invitee__date_joined__gte=start).count()
    return {
        "people": User.objects.count(),
        "new_people": joined,
        "new_people_per_day": _rows(new_people),
        "activations": sum(activations.values()),
        "activations_per_day": _rows(activations),
        "activated_share": share(activated, joined),
        "top_inviters": [
            {"id": pk, "invite_code": code, "count": count}
            for pk, code, count in recent.filter(inviter__isnull=False)
            .values_list("inviter", "inviter__invite_code")
            .annotate(count=Count("pk"))
            .order_by("-count", "inviter")[:TOP]
        ],
    }


def _rows(per_day: dict[date, int]) -> list[dict[str, Any]]:
    return [{"date": day.isoformat(), "count": n} for day, n in per_day.items()]
