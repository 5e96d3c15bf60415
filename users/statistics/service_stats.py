"""What the whole service did in the last 30 days, for staff.

Bounded by the window, not by the data; only the number of people is counted whole. It
still takes some tenths of a second at a million people, so an answer serves everybody
for a minute. It names no phone numbers: it stands in the cache.
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
KEPT_FOR_SECONDS = 60

Stats = dict[str, Any]


def service_stats() -> Stats:
    """As JSON would have it, for that is how a cache may keep it."""
    stats: Stats | None = cache.get(CACHE_KEY)
    if stats is None:
        stats = _count()
        cache.set(CACHE_KEY, stats, KEPT_FOR_SECONDS)
    return stats


def _count() -> Stats:
    start = first_moment(DAYS)
    new_people = count_per_day(User.objects.all(), "date_joined", days=DAYS)
    activations = count_per_day(Referral.objects.all(), "created_at", days=DAYS)
    joined = sum(new_people.values())
    recent = Referral.objects.filter(created_at__gte=start)
    # Nobody activates before joining: the recent hold all of those who joined.
    invited = recent.filter(invitee__date_joined__gte=start).count()
    return {
        "people": User.objects.count(),
        "new_people": joined,
        "new_people_per_day": _rows(new_people),
        "activations": sum(activations.values()),
        "activations_per_day": _rows(activations),
        "activated_share": round(invited / joined, 4) if joined else None,
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
