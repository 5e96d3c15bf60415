"""One error shape for every answer of the API, by drf-standardized-errors.

`{"type": …, "errors": [{"code", "detail", "attr"}]}`; added here are refusals with a
name and members of their own, and outages.
"""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import (
    VALIDATION_ERROR,
    Error,
    ErrorResponse,
    ErrorType,
)
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.response import Response

from config.api.outages import is_outage
from config.refusals import Refusal, RequestTooLarge, ServiceUnavailable

logger = logging.getLogger(__name__)


class ErrorFormatter(ExceptionFormatter):
    def get_error_type(self) -> ErrorType:
        is_refusal = isinstance(self.exc, Refusal)
        if is_refusal and self.exc.status_code == status.HTTP_400_BAD_REQUEST:
            return VALIDATION_ERROR
        return super().get_error_type()

    def get_errors(self) -> list[Error]:
        errors = super().get_errors()
        if isinstance(self.exc, Refusal):
            errors[0].attr = self.exc.attr
        return errors

    def format_error_response(self, error_response: ErrorResponse) -> Any:
        data = super().format_error_response(error_response)
        if isinstance(self.exc, Refusal):
            data["errors"][0].update(self.exc.extras)
        return data


class ErrorHandler(ExceptionHandler):
    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if is_outage(exc):
            return ServiceUnavailable()
        if isinstance(exc, RequestDataTooBig):
            return RequestTooLarge()
        if isinstance(exc, SuspiciousOperation):
            return ParseError()
        return super().convert_known_exceptions(exc)

    def report_exception(self, exc: APIException, response: Response) -> None:
        if isinstance(exc, ServiceUnavailable):
            logger.error("service unavailable: %s", type(self.exc).__name__)
        elif not isinstance(exc, Refusal):
            super().report_exception(exc, response)
