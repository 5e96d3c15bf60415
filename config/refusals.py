"""Refusals: every one has a status, a name, a text and maybe a field.

How they become `{"type": …, "errors": [{"code", "detail", "attr"}]}` is told in
`config.api.error_handling`.
"""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException


class Refusal(APIException):
    """A request that was understood and is refused, for a reason that has a name.

    `attr` is the field it concerns, `wait` the seconds to say in Retry-After, `extras`
    are members added beside code and detail.
    """

    status_code: int = status.HTTP_400_BAD_REQUEST
    attr: ClassVar[str | None] = None
    wait: int | None = None

    @property
    def extras(self) -> dict[str, int | str]:
        return {}

    @classmethod
    def sample(cls) -> "Refusal":
        """One to show in the documentation."""
        return cls()


class RequestTooLarge(Refusal):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "request_too_large"
    default_detail = _("The request is too large.")


class ServiceUnavailable(Refusal):
    """PostgreSQL or Redis does not answer."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "service_unavailable"
    default_detail = _("The service is not available right now. Try again shortly.")
    wait = 5


class LimitReached(Refusal):
    """Too much, too soon. `limit` names which limit, `wait` is in seconds."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "throttled"
    default_detail = _("Too many requests. Try again later.")

    def __init__(self, *, limit: str, wait: int) -> None:
        super().__init__()
        self.limit = limit
        self.retry_after = self.wait = max(wait, 1)

    @property
    def extras(self) -> dict[str, int | str]:
        return {"limit": self.limit, "retry_after": self.retry_after}

    @classmethod
    def sample(cls) -> Refusal:
        return cls(limit="sends_per_address", wait=42)
