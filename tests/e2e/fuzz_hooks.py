"""Loaded by schemathesis: what not to try."""

from typing import Any

import schemathesis

REQUEST_LINE = 2048  # bytes; gunicorn refuses longer ones, as no schema says


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    percent_encoded = 3 * len(str(query).encode(errors="replace"))
    return percent_encoded < REQUEST_LINE - 100
