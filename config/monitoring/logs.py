"""Log lines are JSON, or plain text in DEBUG. Both contain the id of the request."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# For example, the database quotes the value that violates a constraint.
_NUMBER = re.compile(r"(?:\+|%2B)\d{7,15}|\b\d{11,15}\b", re.ASCII)


def hide_numbers(text: str) -> str:
    """The text without whole phone numbers. Masked ones stay."""
    return _NUMBER.sub("<number>", text)


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
    """For people: facts and the request's id are at the end of the line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's
        facts: dict[str, Any] = getattr(record, "facts", {})
        if (id_ := request_id.get()) != "-":
            facts = {**facts, "request_id": id_}
        tail = "".join(f" {name}={value}" for name, value in facts.items())
        return super().formatMessage(record) + tail
