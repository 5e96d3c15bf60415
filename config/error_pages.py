"""Errors raised outside a REST view: JSON below /api/, a page elsewhere."""

from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


@extend_schema(exclude=True)
class NoSuchEndpoint(APIView):
    """Whatever no other pattern below /api/ matches, whatever the method."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound(
            _("There is nothing at this address. API addresses end with a slash.")
        )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_api(request):
        return _json(400, "bad_request", _("Bad request."))
    return defaults.bad_request(request, exception, "errors/400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_api(request):
        return _json(403, "permission_denied", _("This is not allowed."))
    return defaults.permission_denied(request, exception, "errors/403.html")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_api(request):
        return _json(404, "not_found", _("There is nothing at this address."))
    return defaults.page_not_found(request, exception, "errors/404.html")


def server_error(request: HttpRequest) -> HttpResponseBase:
    if _is_api(request):
        return _json(500, "error", _("Something went wrong on our side."))
    return defaults.server_error(request, "errors/500.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return defaults.permission_denied(request, Exception(), "errors/403.html")


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _json(status: int, code: str, detail: str) -> JsonResponse:
    kind = "server_error" if status >= 500 else "client_error"
    error: dict[str, Any] = {"code": code, "detail": detail, "attr": None}
    return JsonResponse({"type": kind, "errors": [error]}, status=status)
