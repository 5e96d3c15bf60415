"""Errors to Sentry, without what people told us.

Loaded only where SENTRY_DSN is set.
"""

from typing import Any, cast

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.types import Event, Hint

from config.monitoring.logs import (
    hide_numbers,
    quotes_the_client,
    request_id,
    text_of,
)


def start() -> None:
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,  # commands to Redis and lines of the log
        auto_session_tracking=False,
        # Nothing is added to requests that we send to others.
        auto_enabling_integrations=False,
        trace_propagation_targets=[],
        integrations=[DjangoIntegration(middleware_spans=False, signals_spans=False)],
        before_send=_clean,
    )


def _clean(event: Event, hint: Hint) -> Event:
    """Of the request only method and route; no numbers in any text."""
    request = event.get("request", {})
    event["request"] = {k: request[k] for k in ("method",) if k in request}
    if event.get("transaction_info", {}).get("source") != "route":
        event.pop("transaction", None)  # the path, if it is none of ours
    event.pop("user", None)
    event.get("extra", {}).pop("request", None)  # its path and its query
    if record := hint.get("log_record"):
        text = text_of(record)
        if text != hide_numbers(record.getMessage()):
            event["logentry"] = {"message": text}
        if quotes_the_client(record):
            event.pop("exception", None)
    event.setdefault("tags", {})["request_id"] = request_id.get()
    return cast(Event, _without_numbers(event))


def _without_numbers(value: Any) -> Any:
    if isinstance(value, str):
        return hide_numbers(value)
    if isinstance(value, dict):
        return {key: _without_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_numbers(item) for item in value]
    return value
