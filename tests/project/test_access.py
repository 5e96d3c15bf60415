"""Every endpoint with nobody, a person and staff: one table, and nothing left out."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from conftest import signed_in, signed_in_as_staff
from users.models import User

# Status without a token, for a person, for staff (a person with the staff status and a
# staff token); all with an empty body.
TABLE = {
    ("POST", "/api/auth/request-code/"): (400, 400, 400),
    ("GET", "/api/auth/deliveries/0/"): (404, 404, 404),  # no such message
    # Until TELEGRAM_GATEWAY_TOKEN is set.
    ("POST", "/api/providers/telegram/"): (404, 404, 404),
    ("POST", "/api/auth/verify-code/"): (400, 400, 400),
    ("POST", "/api/auth/logout/"): (401, 204, 204),
    ("POST", "/api/auth/logout-all/"): (401, 204, 204),
    ("POST", "/api/auth/jwt/create/"): (400, 400, 400),
    ("POST", "/api/auth/jwt/refresh/"): (400, 400, 400),
    ("POST", "/api/auth/jwt/verify/"): (400, 400, 400),
    ("GET", "/api/auth/jwt/verify/"): (401, 401, 401),  # for JWTs only
    ("GET", "/api/auth/sessions/"): (401, 200, 200),
    ("DELETE", "/api/auth/sessions/0/"): (401, 404, 404),
    ("GET", "/api/profile/"): (401, 200, 200),
    ("POST", "/api/profile/"): (401, 400, 400),
    ("PATCH", "/api/profile/"): (401, 200, 200),
    ("DELETE", "/api/profile/"): (401, 204, 403),  # staff are deleted in /admin/
    ("GET", "/api/profile/referrals/"): (401, 200, 200),
    ("POST", "/api/profile/phone/request-code/"): (401, 400, 400),
    ("POST", "/api/profile/phone/"): (401, 400, 400),
    ("GET", "/api/profile/stats/"): (401, 200, 200),
    # Until EMAIL_NOTICES is on.
    ("POST", "/api/profile/email/"): (401, 404, 404),
    ("POST", "/api/profile/email/verify/"): (401, 400, 400),
    ("GET", "/api/profile/export/"): (401, 404, 404),  # until DATA_EXPORT is on
    ("POST", "/api/profile/terms/"): (401, 400, 400),
    ("GET", "/api/users/"): (401, 403, 200),
    ("GET", "/api/users/0/"): (401, 403, 404),  # nobody
    ("GET", "/api/referrals/"): (401, 403, 200),
    ("GET", "/api/stats/"): (401, 403, 200),
    ("GET", "/api/invite-codes/7K9QXT/"): (404, 404, 404),  # nobody's code
    ("GET", "/api/schema/"): (200, 200, 200),
    ("GET", "/healthz"): (200, 200, 200),
    ("GET", "/readyz"): (200, 200, 200),
    ("GET", "/metrics"): (404, 404, 404),  # until METRICS_TOKEN is set
    ("GET", "/.well-known/jwks.json"): (404, 404, 404),  # until JWT_PRIVATE_KEY is set
    ("GET", "/redoc/"): (200, 200, 200),
    ("GET", "/swagger/"): (200, 200, 200),
    ("GET", "/"): (200, 200, 200),
    ("GET", "/favicon.ico"): (302, 302, 302),
    ("GET", "/robots.txt"): (200, 200, 200),
    # Until ANDROID_APP_LINKS and APPLE_APP_LINKS are set.
    ("GET", "/.well-known/assetlinks.json"): (404, 404, 404),
    ("GET", "/.well-known/apple-app-site-association"): (404, 404, 404),
    ("GET", "/i/"): (404, 404, 404),
    ("GET", "/i/7K9QXT/"): (404, 404, 404),  # nobody's code
    # Pages know sessions only: a token of the API opens none of them.
    ("GET", "/login/"): (200, 200, 200),
    ("GET", "/login/code/"): (302, 302, 302),
    ("POST", "/login/invite/"): (302, 302, 302),
    ("POST", "/logout/"): (302, 302, 302),
    ("POST", "/logout/everywhere/"): (302, 302, 302),
    ("GET", "/profile/"): (302, 302, 302),
    ("GET", "/profile/activate/"): (302, 302, 302),
    ("GET", "/profile/edit/"): (302, 302, 302),
    ("POST", "/profile/email/"): (302, 302, 302),
    ("GET", "/profile/email/confirm/"): (302, 302, 302),
    ("POST", "/profile/export/"): (302, 302, 302),
    ("POST", "/profile/terms/"): (302, 302, 302),
    ("GET", "/profile/delete/"): (302, 302, 302),
    ("GET", "/profile/qr-code.png"): (302, 302, 302),
    ("GET", "/profile/devices/"): (302, 302, 302),
    ("POST", "/profile/devices/0/sign-out/"): (302, 302, 302),
    ("GET", "/profile/phone/"): (302, 302, 302),
    ("GET", "/profile/phone/code/"): (302, 302, 302),
    ("POST", "/language/setlang/"): (302, 302, 302),
    ("GET", "/admin/"): (302, 302, 302),  # staff sign in there with a password
}


@pytest.mark.parametrize(("method", "path"), TABLE)
@pytest.mark.parametrize("who", ["nobody", "person", "staff"])
@pytest.mark.filterwarnings("ignore:No directory at")
def test_access(alice: User, staff: User, method: str, path: str, who: str) -> None:
    clients = {
        "nobody": APIClient(),
        "person": signed_in(alice),
        "staff": signed_in_as_staff(staff),
    }
    expected = dict(zip(clients, TABLE[method, path], strict=True))[who]
    assert clients[who].generic(method, path).status_code == expected


def test_every_address_is_in_the_table() -> None:
    parameters = {
        "7K9QXT": "<str:code>",
        "deliveries/0/": "deliveries/<str:delivery_id>/",
        "sessions/0/": "sessions/<int:device_id>/",
        "devices/0/": "devices/<int:device_id>/",
        "users/0/": "users/<int:user_id>/",
    }
    tested = {path for _, path in TABLE}
    for value, parameter in parameters.items():
        tested = {path.replace(value, parameter) for path in tested}
    served = {
        path
        for path in _paths(get_resolver())
        if not path.startswith("/admin/") and "^" not in path
    }
    assert served == tested - {"/admin/"}


def _paths(resolver: URLResolver, prefix: str = "/") -> set[str]:
    found: set[str] = set()
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            found.add(path)
        else:
            found |= _paths(entry, path)
    return found
