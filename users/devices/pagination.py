from config.api.pagination import NewestFirstPagination


class DevicePagination(NewestFirstPagination):
    """The device that was used last comes first."""

    ordering = ("-last_used_at", "-pk")
