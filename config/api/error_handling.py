"""Every error of the API has one shape, made by drf-standardized-errors:

`{"type": …, "errors": [{"code", "detail", "attr"}]}`. This module adds refusals, which
may have more members, and outages.
"""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import VALIDATION_ERROR, Error, ErrorType
from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail, ParseError
from rest_framework.response import Response

from config.api.outages import is_outage
from config.refusals import (
    Conflict,
    LimitReached,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refusal,
    RequestTooLarge,
    ServiceUnavailable,
    Unavailable,
)

logger = logging.getLogger(__name__)

STATUS_OF_KIND: dict[type, int] = {
    Refusal: status.HTTP_400_BAD_REQUEST,
    NotSignedIn: status.HTTP_401_UNAUTHORIZED,
    NotAllowed: status.HTTP_403_FORBIDDEN,
    NotFound: status.HTTP_404_NOT_FOUND,
    Conflict: status.HTTP_409_CONFLICT,
    RequestTooLarge: status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    LimitReached: status.HTTP_429_TOO_MANY_REQUESTS,
    Unavailable: status.HTTP_503_SERVICE_UNAVAILABLE,
}


def status_of(refusal: Refusal | type[Refusal]) -> int:
    """The HTTP status of the refusal's kind: its nearest base class in the table."""
    kind = refusal if isinstance(refusal, type) else type(refusal)
    return next(STATUS_OF_KIND[base] for base in kind.__mro__ if base in STATUS_OF_KIND)


class RefusalAnswer(APIException):
    """A refusal, as DRF's handlers understand it."""

    def __init__(self, refusal: Refusal, auth_header: str | None = None) -> None:
        self.status_code = status_of(refusal)
        self.detail = ErrorDetail(str(refusal), refusal.code)
        self.refusal = refusal
        # Read by the handler for the headers Retry-After and WWW-Authenticate.
        self.wait = refusal.wait
        self.auth_header = auth_header


class ErrorFormatter(ExceptionFormatter):
    def get_error_type(self) -> ErrorType:
        is_refusal = isinstance(self.exc, RefusalAnswer)
        if is_refusal and self.exc.status_code == status.HTTP_400_BAD_REQUEST:
            return VALIDATION_ERROR
        return super().get_error_type()

    def get_errors(self) -> list[Error]:
        errors = super().get_errors()
        if isinstance(self.exc, RefusalAnswer):
            errors[0].attr = self.exc.refusal.attr
        return errors

    def format_error_response(self, error_response: Any) -> Any:
        data = super().format_error_response(error_response)
        if isinstance(self.exc, RefusalAnswer):
            data["errors"][0].update(self.exc.refusal.facts)
        return data


class ErrorHandler(ExceptionHandler):
    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if is_outage(exc):
            exc = ServiceUnavailable()
        elif isinstance(exc, RequestDataTooBig):
            exc = RequestTooLarge()
        elif isinstance(exc, SuspiciousOperation):
            return ParseError()
        if isinstance(exc, Refusal):
            return RefusalAnswer(exc, self._auth_header(exc))
        return super().convert_known_exceptions(exc)

    def _auth_header(self, refusal: Refusal) -> str | None:
        """RFC 9110: a 401 says how to sign in, also where no header is expected."""
        if not isinstance(refusal, NotSignedIn):
            return None
        view, request = self.context["view"], self.context["request"]
        header = view.get_authenticate_header(request) if request else None
        return header or 'Bearer realm="api"'

    def report_exception(self, exc: APIException, response: Response) -> None:
        if not isinstance(exc, RefusalAnswer):
            super().report_exception(exc, response)
        elif isinstance(exc.refusal, ServiceUnavailable):
            logger.error("service unavailable: %s", type(self.exc).__name__)
