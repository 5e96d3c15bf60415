"""Errors raised outside a REST view: JSON below /api/, a page elsewhere.

The pages are rendered without request and session, which may be what failed.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from config.api.error_handling import status_of
from config.api.outages import is_outage
from config.refusals import Refusal, RequestTooLarge, ServiceUnavailable

logger = logging.getLogger(__name__)


@extend_schema(exclude=True)
class NoSuchEndpoint(APIView):
    """Whatever no other pattern below /api/ matches, whatever the method."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound(
            _("There is nothing at this address. API addresses end with a slash.")
        )


class PageErrorMiddleware:
    """Refusals and outages that a page does not handle itself, as pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if is_outage(exception):
            return _unavailable(request, exception)
        if isinstance(exception, Refusal):
            return _refuse(request, exception)
        if isinstance(exception, APIException):
            return _answer(request, exception.status_code, str(exception.detail))
        return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _refuse(request, RequestTooLarge())
    return _answer(request, 400, _("Bad request."), "bad_request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, _("This is not allowed."), "permission_denied")


def https_required(request: HttpRequest) -> HttpResponse:
    text = _("Use HTTPS. What was sent over HTTP could be read on the way.")
    return _answer(request, 403, text, "https_required")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, _("There is nothing at this address."), "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    """Also for what fails in middleware, before any view: an outage is still a 503."""
    error = sys.exc_info()[1]
    if is_outage(error):
        return _unavailable(request, error)
    return _answer(request, 500, _("Something went wrong on our side."), "error")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Mostly an old tab, whose form was made before somebody signed in or out."""
    page = "errors/outdated.html"
    text = _("This is not allowed.")
    return _answer(request, 403, text, "permission_denied", page=page)


def _unavailable(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    logger.error("service unavailable: %s", type(error).__name__)
    return _refuse(request, ServiceUnavailable())


def _refuse(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    status = status_of(refusal)
    return _answer(request, status, str(refusal), refusal.code, wait=refusal.wait)


def _answer(
    request: HttpRequest,
    status: int,
    text: str,
    code: str = "error",
    *,
    wait: int | None = None,
    page: str = "",
) -> HttpResponse:
    response: HttpResponse
    if request.path_info.startswith("/api/"):
        kind = "server_error" if status >= 500 else "client_error"
        error = {"code": code, "detail": text, "attr": None}
        response = JsonResponse({"type": kind, "errors": [error]}, status=status)
    else:
        template = [page or f"errors/{status}.html", "errors/error.html"]
        html = render_to_string(template, {"status": status, "text": text})
        response = HttpResponse(html, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response
