"""Middleware that pages need and the API does not: it has no cookies and no HTML.

All of it together would cost an answer of the API as much as one of its queries.
"""

from collections.abc import Callable
from typing import Any

from csp import middleware as csp
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.http import HttpRequest, HttpResponse
from django_otp import middleware as otp

API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def is_for_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def for_pages(middleware: type[Any]) -> type[Any]:
    """The middleware, which passes requests of the API on without doing anything."""

    class ForPages(middleware):  # type: ignore[misc]  # a base that is only known here
        async_capable = False

        def __call__(self, request: HttpRequest) -> HttpResponse:
            if is_for_api(request):
                return self.get_response(request)  # type: ignore[no-any-return]
            return super().__call__(request)  # type: ignore[no-any-return]

    return ForPages


AuthenticationMiddleware = for_pages(auth.AuthenticationMiddleware)
MessageMiddleware = for_pages(messages.MessageMiddleware)
OTPMiddleware = for_pages(otp.OTPMiddleware)


class CSPMiddleware:
    """The policy of the API is always the same."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.answer_page: Any = csp.CSPMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_for_api(request):
            return self.answer_page(request)  # type: ignore[no-any-return]
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = API_POLICY
        return response
