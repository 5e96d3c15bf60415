"""The API over plain HTTP is refused, not redirected.

A redirect would come after a token, a code or a phone number has crossed the network in
clear, and clients follow it without a word. A refusal shows the mistake at the first
request. Pages are redirected by Django's SecurityMiddleware.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from config.api.error_pages import https_required


class HttpsRequiredMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_api = request.path_info.startswith("/api/")
        if is_api and settings.SECURE_SSL_REDIRECT and not request.is_secure():
            # LocaleMiddleware comes later.
            with translation.override(translation.get_language_from_request(request)):
                return https_required(request)
        return self.get_response(request)
