"""Inviters whose code was activated unusually often within an hour.

It may be a popular post, or one person with many phone numbers: people decide. Nothing
is refused here.
"""

from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncHour

BURST = 20  # activations of one code within an hour of the clock


def bursts(rows: QuerySet[Any], since: datetime) -> list[tuple[int, datetime, int]]:
    """Inviter, hour and activations of the ten largest since then, largest first."""
    counted = (
        rows.filter(created_at__gte=since, inviter__isnull=False)
        .order_by()
        .values_list("inviter", TruncHour("created_at"))
        .annotate(count=Count("pk"))
        .filter(count__gte=BURST)
    )
    return list(counted.order_by("-count", "inviter")[:10])
