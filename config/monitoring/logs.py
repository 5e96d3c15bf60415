"""Log lines are JSON, or plain text in DEBUG. Both contain the id of the request.

What clients choose does not get into a line: Django and gunicorn write paths, hosts and
request lines, and a path or a query may contain a phone number or an invite code.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from http.client import responses
from pathlib import Path
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# Between the digits of a number as people write it, plain or in a URL.
_GAP = r"(?:[\s().-]|%20|%28|%29)"
# For example, the database quotes the value that violates a constraint.
_NUMBER = re.compile(
    rf"(?:\+|%2B)\d(?:{_GAP}{{0,3}}\d){{6,14}}"
    rf"|\b[78]{_GAP}{{1,3}}\d(?:{_GAP}{{0,3}}\d){{9}}\b"
    r"|\b\d{11,15}\b",
    re.ASCII | re.IGNORECASE,
)
# What gunicorn's errors say before they quote the request.
_BEFORE_THE_REQUEST = re.compile(
    r"Invalid request from ip=[\w.:]*(?=: )|Error handling request\b"
)


def hide_numbers(text: str) -> str:
    """The text without whole phone numbers. Masked ones stay."""
    return _NUMBER.sub("<number>", text)


def text_of(record: logging.LogRecord) -> str:
    """What the record says, with the route in place of what the client chose."""
    text = hide_numbers(record.getMessage())
    request = getattr(record, "request", None)
    if record.name.startswith("django.security."):
        what = record.name.rpartition(".")[2]
        if what == "csrf" and record.args:
            # For example: "Origin checking failed - https://… does not match …".
            what = f"csrf: {str(record.args[0]).partition(' - ')[0]}"  # type: ignore[index]
        return f"{what}: {_route(request)}"
    if record.name == "django.request" and hasattr(record, "status_code"):
        status = record.status_code
        return f"{responses.get(status, status)}: {_route(request)}"
    if record.name == "gunicorn.error":
        begins = _BEFORE_THE_REQUEST.match(text)
        return begins[0] if begins else text
    return text


def _route(request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    return match.route if match else "-"


def quotes_the_client(record: logging.LogRecord) -> bool:
    """Whether the text of its exception is about what the client sent, such as a host.

    For errors of ours the text of the exception stays, without phone numbers.
    """
    is_refusal = getattr(record, "status_code", 500) < 500
    by_django = record.name == "django.request" and is_refusal
    return by_django or record.name.startswith("django.security.")


class SafeFormatter(logging.Formatter):
    """A record that cannot be formatted becomes a line that says where it was logged.

    Otherwise `logging` would print its arguments as they are, with what clients sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        try:
            return self._line(record)
        except Exception:  # whatever it was, the arguments may not be printed
            return self._line(_stand_in(record))

    def _line(self, record: logging.LogRecord) -> str:
        return super().format(record)


def _stand_in(record: logging.LogRecord) -> logging.LogRecord:
    place = f"{Path(record.pathname).name}:{record.lineno}"
    facts = {
        "name": record.name,
        "levelname": record.levelname,
        "created": record.created,
        "msg": f"a line of the log could not be written: {place}",
    }
    return logging.makeLogRecord(facts)


# `json.dumps` would make an encoder for each line.
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


class JsonFormatter(SafeFormatter):
    def _line(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = getattr(record, "facts", {})
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "event": text_of(record),
            "request_id": request_id.get(),
            **facts,
        }
        if record.exc_info and not quotes_the_client(record):
            line["exception"] = hide_numbers(self.formatException(record.exc_info))
        return _encode(line)


class LineFormatter(SafeFormatter):
    """For people: facts and the request's id are at the end of the line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def _line(self, record: logging.LogRecord) -> str:
        if quotes_the_client(record):
            without = {"exc_info": None, "exc_text": None}
            record = logging.makeLogRecord({**vars(record), **without})
        return super()._line(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's
        return hide_numbers(super().formatException(ei))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's
        record.message = text_of(record)
        facts: dict[str, Any] = getattr(record, "facts", {})
        if (id_ := request_id.get()) != "-":
            facts = {**facts, "request_id": id_}
        tail = "".join(f" {name}={value}" for name, value in facts.items())
        return super().formatMessage(record) + tail
