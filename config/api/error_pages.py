"""Errors raised outside a REST view: JSON below /api/, a page elsewhere.

The pages are rendered without session and database, which may be what failed.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException, NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from config.api.error_handling import status_of
from config.api.outages import is_outage
from config.monitoring.logs import request_id
from config.refusals import Refusal, RequestTooLarge, ServiceUnavailable
from config.waits import try_again_in

# Names of the pages whose form signs in: the browser gets another CSRF cookie then.
SIGN_IN_FORMS = {"login", "login-code"}

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
    """Refusals and outages that a page does not handle itself, as pages.

    Django answers a method that a view does not know with an empty page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and not response.streaming:
            return response if response.content else _not_allowed(request, response)
        return response

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


def compressed_body(request: HttpRequest) -> HttpResponse:
    text = _(
        "Compressed bodies are not accepted. Send the body without Content-Encoding."
    )
    return _answer(request, 415, text, "unsupported_media_type")


def unknown_transfer_coding(request: HttpRequest) -> HttpResponse:
    text = _("Only Transfer-Encoding: chunked is understood.")
    return _answer(request, 400, text, "bad_request")


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


def service_unavailable(request: HttpRequest) -> HttpResponse:
    return _refuse(request, ServiceUnavailable())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Mostly an old tab, whose form was made before somebody signed in or out."""
    match = request.resolver_match
    signed_in = getattr(request, "user", None) and request.user.is_authenticated
    is_outdated = reason.startswith("CSRF token from POST")  # there was one
    if signed_in and is_outdated and match and match.url_name in SIGN_IN_FORMS:
        return redirect("profile")  # the form was sent twice, and the first one worked
    page = "errors/outdated.html"
    text = _("This is not allowed.")
    return _answer(request, 403, text, "permission_denied", page=page)


def _not_allowed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    text = _("This address does not accept this HTTP method.")
    page = _answer(request, 405, text, "method_not_allowed")
    page["Allow"] = response["Allow"]
    return page


def _unavailable(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    logger.error("service unavailable: %s", type(error).__name__)
    return service_unavailable(request)


def _refuse(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    status = status_of(refusal)
    return _answer(request, status, str(refusal), refusal.code, wait=refusal.wait)


def _context(request: HttpRequest, status: int, wait: int | None) -> dict[str, Any]:
    context: dict[str, Any] = {"status": status, "here": _way_back(request)}
    if wait:
        context["wait"] = try_again_in(wait)
    if status == 500 and (id_ := request_id.get()) != "-":
        context["request_id"] = id_
    if hasattr(request, "user"):  # the middleware that sets the CSRF cookie was reached
        context["csrf_token"] = get_token(request)
    return context


def _way_back(request: HttpRequest) -> str:
    """Where to try again: this page, or the one whose form was sent."""
    here = request.get_full_path()
    if request.method not in {"GET", "HEAD"}:
        here = _path_of_referer(request)
    # "//evil.example/" may be the path of a request, but in a link it is another site.
    is_ours = here.startswith("/") and url_has_allowed_host_and_scheme(here, None)
    return here if is_ours else reverse("front")


def _path_of_referer(request: HttpRequest) -> str:
    """Empty if the form was on no page of this site."""
    try:
        came_from = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # for example "http://["
        return ""
    if came_from.netloc != request.META.get("HTTP_HOST"):
        return ""
    return came_from._replace(scheme="", netloc="").geturl()


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
        context = _context(request, status, wait)
        html = render_to_string(template, {"text": text, **context})
        response = HttpResponse(html, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response
