from referrals.pagination import ReferralPagination


class DevicePagination(ReferralPagination):
    """The device used last comes first; what has no time in its cursor is refused."""

    ordering = ("-last_used_at", "-pk")
