"""No browser or proxy keeps an answer, but for the few that say that it may."""

import re
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from conftest import open_session
from users.channels import memory
from users.models import Device, User
from users.staff.admin_site import BY_PASSWORD
from users.tests.pages import sign_in

MAY_BE_KEPT = {"/api/schema/", "/favicon.ico"}
VALUES = {
    "<str:code>": "7K9QXT",
    "^(?P<app_label>auth|users|referrals|webhooks)/$": "users/",
    "^api/": "api/nothing/",
    "(?P<url>.*)$": "nothing/",
}


def addresses(resolver: URLResolver, prefix: str = "/") -> set[str]:
    """One address of each route."""
    found: set[str] = set()
    for entry in resolver.url_patterns:
        route = str(entry.pattern)
        for pattern, value in VALUES.items():
            route = route.replace(pattern, value)
        path = prefix + route
        if isinstance(entry, URLPattern):
            found.add(re.sub(r"<[\w:]+>", "1", path))
        else:
            found |= addresses(entry, path)
    return found


PATHS = sorted(addresses(get_resolver()))


def test_the_addresses_are_those_of_the_service() -> None:
    assert {"/", "/login/code/", "/api/users/1/", "/healthz"} <= set(PATHS)
    assert {"/admin/users/user/1/change/", "/admin/jsi18n/"} <= set(PATHS)
    assert not [path for path in PATHS if set("<>^$") & set(path)]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["nobody", "person", "staff"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PROPFIND"])
@pytest.mark.filterwarnings("ignore:No directory at")
def test_no_answer_may_be_kept(alice: User, staff: User, who: str, method: str) -> None:
    kept = set()
    for path in PATHS:
        client = Client(raise_request_exception=False)
        if who == "person":
            open_session(client, alice)
        elif who == "staff":
            open_session(client, staff, backend=BY_PASSWORD)
        response = client.generic(method, path)
        assert response.status_code < 500, path
        if "no-store" not in response["Cache-Control"]:
            kept.add(path)
    assert kept <= MAY_BE_KEPT


@pytest.mark.parametrize(
    "path",
    [
        "/favicon.ico",
        "/.well-known/assetlinks.json",
        "/.well-known/apple-app-site-association",
    ],
)
def test_an_answer_that_sets_cookies_may_not_be_kept(
    client: Client, alice: User, settings: LazySettings, path: str
) -> None:
    """Once a day any answer sends the session's cookie again."""
    settings.ANDROID_APP_LINKS = {"com.example.app": ["AA"]}
    settings.APPLE_APP_LINKS = ["TEAM.com.example.app"]
    sign_in(client, alice.phone_number, memory.outbox)
    assert "public" in client.get(path)["Cache-Control"]
    Device.objects.update(last_used_at=timezone.now() - timedelta(days=2))
    response = client.get(path)
    assert settings.SESSION_COOKIE_NAME in response.cookies
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_errors_outside_of_views_may_not_be_kept(settings: LazySettings) -> None:
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    wrong_host = Client().get("/", headers={"Host": "evil.example"})
    assert (wrong_host.status_code, wrong_host["Cache-Control"]) == (400, "no-store")
    settings.SECURE_SSL_REDIRECT = True
    redirected = Client().get("/profile/")
    assert (redirected.status_code, redirected["Cache-Control"]) == (301, "no-store")
