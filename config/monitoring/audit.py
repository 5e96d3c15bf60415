"""The audit trail: one line of JSON for each thing that matters to security.

Event names and members are stable, so that programs may follow them. No code, no token
and no whole phone number ever stands in one.
"""

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.monitoring.logs import hide_numbers, request_id
from config.monitoring.metrics import count_event

logger = logging.getLogger("audit")

HEADER = "X-Request-ID"
# Facts by which /metrics tells events apart; each has few values.
COUNTED_BY = ("limit", "is_new_user")

Fact = str | int | bool | None

_shared: ContextVar[dict[str, Fact]] = ContextVar("shared", default={})  # noqa: B039


@contextmanager
def always_with(**facts: Fact) -> Iterator[None]:
    """Add these facts to every event, such as who acts and from which address."""
    reset = _shared.set({**_shared.get(), **facts})
    try:
        yield
    finally:
        _shared.reset(reset)


def record(event: str, **facts: Fact) -> None:
    facts = {**_shared.get(), **facts}
    logger.info(event, extra={"facts": facts})
    count_event(event, **{name: facts.get(name, "") for name in COUNTED_BY})


class RequestIdMiddleware:
    """Gives each request an id: a proxy's of ours if there is one, else a new one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "") if settings.TRUSTED_PROXY_COUNT else ""
        is_sound = re.fullmatch(r"[\w-]{8,64}", hide_numbers(given), re.ASCII)
        id_ = given if is_sound else secrets.token_hex(8)
        reset = request_id.set(id_)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(reset)
        response[HEADER] = id_
        return response
