"""Hooks for schemathesis: which generated requests to leave out."""

from typing import Any

import schemathesis

REQUEST_LINE = 2048  # bytes; gunicorn refuses longer ones, and the schema cannot say so


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    percent_encoded = 3 * len(str(query).encode(errors="replace"))
    return percent_encoded < REQUEST_LINE - 100
