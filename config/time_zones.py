"""The time zone of whoever reads a page: a script puts it into a cookie.

Without scripts, pages show times in UTC and say so.
"""

from collections.abc import Callable
from datetime import UTC, tzinfo
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "timezone"


def zone_of_reader(request: HttpRequest) -> tzinfo:
    try:
        return ZoneInfo(request.COOKIES[COOKIE])
    except (KeyError, ValueError, OSError, ZoneInfoNotFoundError):
        return UTC


def in_zone_of_reader(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Days and times of the view's page are those of the reader."""

    @wraps(view)
    def in_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with timezone.override(zone_of_reader(request)):
            return view(request, *args, **kwargs)

    return in_zone
