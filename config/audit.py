"""The audit trail: one line of JSON for each thing that matters to security.

Event names and members are stable, so that programs may follow them. No code, no token
and no whole phone number ever stands in one.
"""

import json
import logging
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("audit")

HEADER = "X-Request-ID"
_request_id: ContextVar[str] = ContextVar("request_id", default="-")


def record(event: str, **facts: str | int | bool | None) -> None:
    logger.info(event, extra={"facts": facts})


class RequestIdMiddleware:
    """Gives each request an id: a proxy's of ours if there is one, else a new one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "") if settings.TRUSTED_PROXY_COUNT else ""
        is_sound = re.fullmatch(r"[\w-]{8,64}", given, re.ASCII)
        request_id = given if is_sound else secrets.token_hex(8)
        reset = _request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            _request_id.reset(reset)
        response[HEADER] = request_id
        return response


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = getattr(record, "facts", {})
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "event": record.getMessage(),
            "request_id": _request_id.get(),
            **facts,
        }
        return json.dumps(line, ensure_ascii=False)
