from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from users.devices.services import sign_out
from users.devices.token_authentication import issue_token, renew_token
from users.models import Token, User

# The session keeps the token's number; the token itself never reaches a browser.
SESSION_KEY = "device_id"


class DeviceMiddleware:
    """A browser that is signed in is a device like any other, and ends with its token.

    So signing out everywhere, closing an account or ending one device means browsers,
    too, at their next request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_probe = request.path_info in {"/healthz", "/readyz"}
        if is_probe or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        self._check_device(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            # Nobody's data stays behind in the cache of a shared computer.
            add_never_cache_headers(response)
        return response

    def _check_device(self, request: HttpRequest) -> None:
        user = request.user
        if not isinstance(user, User):
            return
        device_id = request.session.get(SESSION_KEY)
        if device_id is None:  # staff, signed in by password
            remember_device(request, issue_token(user=user, device=device(request))[0])
            return
        token = Token.objects.live().filter(pk=device_id, user=user).first()
        if token is None:
            logout(request)
        elif renew_token(token):
            request.session.modified = True  # the cookie lives on with it


def remember_device(request: HttpRequest, token: Token) -> None:
    request.session[SESSION_KEY] = token.pk


def sign_out_browser(request: HttpRequest) -> None:
    """End its device; the session is ended by whoever calls."""
    device_id = request.session.get(SESSION_KEY)
    if device_id and (token := Token.objects.filter(pk=device_id).first()):
        sign_out(token)


def device(request: HttpRequest) -> str:
    """The client's own word for itself, for people to recognise their devices by."""
    return request.headers.get("User-Agent", "")
