"""The query that nearly every request of an app begins with."""

from datetime import timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import connections
from django.utils import timezone

from referrals.models import Referral
from users.fixed_queries import FixedQuery, with_activation
from users.models import Device, User

COLUMNS = ("id", "digest")
QUERIES = {
    column: FixedQuery(
        (Device, User, Referral),
        f"""
        FROM users_token
        JOIN users_user ON users_user.id = users_token.user_id
        LEFT JOIN referrals_referral ON referrals_referral.invitee_id = users_user.id
        WHERE users_token.{column} = %s
            AND users_token.expires_at > %s
            AND (users_token.is_for_staff OR users_token.created_at > %s)
            AND users_user.is_active
        """,
    )
    for column in COLUMNS
}


def find_live_device(column: Literal["id", "digest"], value: Any) -> Device | None:
    """As `Device.objects.live().select_related("user__activation")` finds it.

    Tests compare the two.
    """
    alias = Device.objects.db
    now = timezone.now()
    earliest_sign_in = now - timedelta(days=settings.SESSION_MAX_DAYS)
    adapt = connections[alias].ops.adapt_datetimefield_value
    values = [value, adapt(now), adapt(earliest_sign_in)]
    found = QUERIES[column].first(values, using=alias)
    if found is None:
        return None
    device: Device
    device, user, activation = found
    device.user = with_activation(user, activation)
    return device
