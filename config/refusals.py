"""Refusals: plain exceptions that say why a request cannot be done.

They know nothing of HTTP: `config.api.error_handling` knows the status of each kind and
turns them into answers of the API. Pages show their text.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise  # Promise: translated when it is shown
Fact = int | str | dict[str, Any]


class Refusal(Exception):
    """A request that was understood and is refused.

    `code` names the reason for programs, `text` says it to people. `attr` is the field
    that it concerns, `facts` are members added beside code and text, `wait` is the
    number of seconds after which to try again.
    """

    code: ClassVar[str]
    text: Text
    attr: ClassVar[str | None] = None
    wait: int | None = None
    # What each fact means, for the documentation.
    fact_texts: ClassVar[Mapping[str, Text]] = {}

    def __str__(self) -> str:
        return str(self.text)

    @property
    def facts(self) -> Mapping[str, Fact]:
        return {}

    @classmethod
    def sample(cls) -> "Refusal":
        """An example for the documentation."""
        return cls()


class NotSignedIn(Refusal):
    code = "not_authenticated"
    text = _("Sign in first.")


class NotAllowed(Refusal):
    """Base class of refusals for lack of permission; never raised itself."""


class NotFound(Refusal):
    code = "not_found"
    text = _("Not found.")


class Conflict(Refusal):
    """Base class: the request contradicts what is stored. Never raised itself."""


class RequestTooLarge(Refusal):
    code = "request_too_large"
    text = _("The request is too large.")


class Unavailable(Refusal):
    """Base class: the fault is not the client's, and it may try again."""

    wait = 5


class ServiceUnavailable(Unavailable):
    """PostgreSQL or Redis does not answer."""

    code = "service_unavailable"
    text = _("The service is not available right now. Try again shortly.")


class LimitReached(Refusal):
    """`limit` names the limit, `wait` is in seconds."""

    code = "throttled"
    text = _("Too many requests. Try again later.")
    fact_texts: ClassVar[Mapping[str, Text]] = {
        "limit": _("The name of the limit. There may be new ones."),
        "retry_after": _("Seconds to wait, as in the header Retry-After."),
    }

    def __init__(self, *, limit: str, wait: int) -> None:
        super().__init__()
        self.limit = limit
        self.retry_after = self.wait = max(wait, 1)

    @property
    def facts(self) -> dict[str, Fact]:
        return {"limit": self.limit, "retry_after": self.retry_after}

    @classmethod
    def sample(cls) -> Refusal:
        return cls(limit="sends_per_address", wait=42)
