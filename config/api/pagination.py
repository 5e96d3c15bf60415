from datetime import UTC
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from config.public_url import public_url


class NewestFirstPagination(CursorPagination):
    """Subclasses set `ordering`: a time, the newest first, and what decides a tie."""

    page_size = 50

    def paginate_queryset(
        self, queryset: Any, request: Request, view: Any = None
    ) -> Any:
        page: Any = super().paginate_queryset(queryset, request, view)
        self.base_url = public_url(request._request, request.get_full_path())
        return page

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if (
            cursor
            and cursor.position is not None
            and not _is_time(str(cursor.position))
        ):
            # DRF would pass any text to the database, and answer 500.
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_time(text: str) -> bool:
    try:
        moment = parse_datetime(text)
        return moment is not None and bool(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return False
