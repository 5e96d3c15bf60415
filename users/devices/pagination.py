from referrals.pagination import ReferralPagination


class DevicePagination(ReferralPagination):
    """The device that was used last comes first."""

    ordering = ("-last_used_at", "-pk")
