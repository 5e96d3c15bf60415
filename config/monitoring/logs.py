"""How log lines look: JSON, or plain in DEBUG; both name the request."""

import json
import logging
import os
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# A database's refusal, for one, quotes the number that it refuses.
STDOUT, STDERR = 1, 2
_NUMBER = re.compile(r"(?:\+|%2B)\d{7,15}|\b\d{11,15}\b", re.ASCII)


def hide_numbers(text: str) -> str:
    """The text without whole phone numbers, masked ones stay."""
    return _NUMBER.sub("<number>", text)


def write_line(descriptor: int, text: str) -> None:
    """In one go, past the locks of Python's streams.

    A thread that holds such a lock while it writes has to wait for its turn to run
    again; with hundreds of threads that made them all wait for it, and a log line cost
    more than the request.
    """
    os.write(descriptor, f"{text}\n".encode(errors="backslashreplace"))


class StderrHandler(logging.Handler):
    def handle(self, record: logging.LogRecord) -> bool:
        """Without the lock that every handler has; see write_line."""
        if self.filter(record):
            self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            write_line(STDERR, self.format(record))
        except Exception:  # a log line must not end a request
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = getattr(record, "facts", {})
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "event": hide_numbers(record.getMessage()),
            "request_id": request_id.get(),
            **facts,
        }
        if record.exc_info:
            line["exception"] = hide_numbers(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class LineFormatter(logging.Formatter):
    """For people: facts and the request's id stand at the end of the line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's
        facts: dict[str, Any] = getattr(record, "facts", {})
        if (id_ := request_id.get()) != "-":
            facts = {**facts, "request_id": id_}
        tail = "".join(f" {name}={value}" for name, value in facts.items())
        return super().formatMessage(record) + tail
