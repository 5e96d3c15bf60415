"""Scripts of allowed origins may use the API, and read how it refuses."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import OperationalError
from rest_framework.test import APIClient

from config.tests.test_settings import read_settings
from conftest import ALICE, error_of, signed_in
from users.channels.memory import Message
from users.models import User

pytestmark = pytest.mark.django_db

APP = "https://app.example.com"
CORS = "corsheaders.middleware.CorsMiddleware"
REQUEST_CODE = "/api/auth/request-code/"
BODY = {"phone_number": ALICE}


@pytest.fixture(autouse=True)
def allowed(settings: LazySettings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]
    settings.MIDDLEWARE = read_settings(
        ["MIDDLEWARE"], CORS_ALLOWED_ORIGINS=APP, DEBUG="on"
    )["MIDDLEWARE"]


@pytest.fixture
def page() -> APIClient:
    """A script of a page of the allowed origin."""
    return APIClient(headers={"Origin": APP})


def preflight(client: APIClient, path: str, method: str = "POST") -> Any:
    return client.options(path, headers={"Access-Control-Request-Method": method})


def listed(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


def test_the_middleware_is_there_only_with_the_setting() -> None:
    assert CORS not in read_settings(["MIDDLEWARE"], DEBUG="on")["MIDDLEWARE"]


def test_an_allowed_origin_may_read_answers(page: APIClient) -> None:
    response = page.post(REQUEST_CODE, BODY)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == APP
    assert not response.has_header("Access-Control-Allow-Credentials")
    assert "origin" in listed(response["Vary"])
    exposed = listed(response["Access-Control-Expose-Headers"])
    assert exposed == {"etag", "retry-after", "x-request-id"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "https://sub.app.example.com",
        "null",
        "https://[",
    ],
)
def test_other_origins_may_not(origin: str) -> None:
    client = APIClient(headers={"Origin": origin})
    for response in (client.post(REQUEST_CODE, BODY), preflight(client, REQUEST_CODE)):
        assert not response.has_header("Access-Control-Allow-Origin")


@pytest.mark.parametrize("path", ["/", "/login/", "/healthz", "/i/7K9QXT/", "/admin/"])
def test_pages_are_not_opened_to_other_origins(page: APIClient, path: str) -> None:
    for response in (page.get(path), preflight(page, path)):
        assert not response.has_header("Access-Control-Allow-Origin")


def test_a_preflight_is_answered_before_authentication(page: APIClient) -> None:
    response = preflight(page, "/api/profile/", "PATCH")
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == APP
    assert response["Access-Control-Max-Age"] == "7200"
    methods = listed(response["Access-Control-Allow-Methods"])
    assert methods == {"delete", "get", "patch", "post"}
    headers = listed(response["Access-Control-Allow-Headers"])
    assert {"authorization", "content-type", "accept-language"} <= headers
    assert response["Cache-Control"] == "no-store"
    assert response.has_header("X-Request-ID")


def test_preflights_cost_no_limit(
    page: APIClient, monkeypatch: pytest.MonkeyPatch, outbox: list[Message]
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patched:
        for name in ("get", "add", "set", "incr"):
            patched.setattr(cache, name, fail)
        for _ in range(20):
            assert preflight(page, REQUEST_CODE).status_code == 200
    assert not outbox
    assert page.post(REQUEST_CODE, BODY).status_code == 200


def test_a_page_can_read_how_long_to_wait(page: APIClient) -> None:
    page.post(REQUEST_CODE, BODY)
    response = page.post(REQUEST_CODE, BODY)
    assert (response.status_code, error_of(response)["code"]) == (429, "throttled")
    assert response["Access-Control-Allow-Origin"] == APP
    assert response.has_header("Retry-After")


def test_a_page_can_read_its_task(page: APIClient, settings: LazySettings) -> None:
    settings.CHALLENGE_FROM_PERCENT = 0
    response = page.post(REQUEST_CODE, BODY)
    assert error_of(response)["code"] == "challenge_required"
    assert "challenge" in error_of(response)
    assert response["Access-Control-Allow-Origin"] == APP


def test_a_page_can_read_that_https_is_required(
    page: APIClient, settings: LazySettings
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = page.post(REQUEST_CODE, BODY)
    assert error_of(response)["code"] == "https_required"
    assert response["Access-Control-Allow-Origin"] == APP


def test_a_page_can_read_every_other_refusal(
    page: APIClient, alice: User, settings: LazySettings
) -> None:
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    large = {"phone_number": "1" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE}
    refused = {
        400: page.post(REQUEST_CODE, BODY, headers={"Host": "evil.example"}),
        401: page.get("/api/profile/"),
        403: signed_in(alice).get("/api/users/", headers={"Origin": APP}),
        404: page.get("/api/nothing/"),
        405: page.delete(REQUEST_CODE),
        413: page.post(REQUEST_CODE, large),
        415: page.post(REQUEST_CODE, "x", content_type="text/plain"),
    }
    for status, response in refused.items():
        assert response.status_code == status
        assert response["Access-Control-Allow-Origin"] == APP


def test_a_page_can_read_that_the_service_is_down(
    page: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError

    for place in (
        "users.login.requesting.request_code",
        "django.middleware.locale.LocaleMiddleware.process_request",
    ):
        with monkeypatch.context() as patched:
            patched.setattr(place, fail)
            page.raise_request_exception = False
            response = page.post(REQUEST_CODE, BODY)
        assert response.status_code == 503
        assert response["Access-Control-Allow-Origin"] == APP
        assert response["Retry-After"] == "5"
