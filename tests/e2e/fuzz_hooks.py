"""Hooks for schemathesis: requests to leave out, and a check of error codes."""

from typing import Any

import schemathesis

REQUEST_LINE = 2048  # bytes; gunicorn refuses longer ones, and the schema cannot say so


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    percent_encoded = 3 * len(str(query).encode(errors="replace"))
    return percent_encoded < REQUEST_LINE - 100


@schemathesis.check
def error_codes_are_documented(context: Any, response: Any, case: Any) -> None:
    """All errors have one type, so the type cannot say which codes an answer has."""
    answers = case.operation.definition.raw["responses"]
    documented = answers.get(str(response.status_code), {}).get("x-error-codes")
    if documented is not None:
        codes = {error["code"] for error in response.json()["errors"]}
        unknown = codes - {error["code"] for error in documented}
        assert not unknown, f"not in x-error-codes: {unknown}"
