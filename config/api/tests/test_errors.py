"""One error shape everywhere, in the client's language, and never a stack trace."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework.test import APIClient

from conftest import ALICE, error_of, signed_in
from users.models import User

CODE = "/api/auth/request-code/"
JSON = "application/json"
BODY = '{"phone_number": "+79990000001"}'


@pytest.mark.parametrize(
    ("method", "path", "kind", "body", "status", "code"),
    [
        ("post", CODE, JSON, "{", 400, "parse_error"),
        ("post", CODE, JSON, "", 400, "required"),
        ("post", CODE, JSON, "[]", 400, "invalid"),
        ("post", CODE, JSON, "null", 400, "null"),
        ("post", CODE, JSON, '{"phone_number": NaN}', 400, "parse_error"),
        ("post", CODE, JSON, "9" * 5000, 400, "parse_error"),
        ("post", CODE, JSON, "[" * 30_000, 400, "parse_error"),
        ("post", CODE, JSON, b"\xff\xfe", 400, "parse_error"),
        ("post", CODE, JSON, " " * 70_000 + BODY, 413, "request_too_large"),
        ("post", CODE, "text/plain", BODY, 415, "unsupported_media_type"),
        ("post", CODE, "multipart/form-data", BODY, 415, "unsupported_media_type"),
        ("get", CODE, JSON, "", 405, "method_not_allowed"),
        ("delete", "/api/auth/verify-code/", JSON, "", 405, "method_not_allowed"),
        ("get", "/api/nothing/", JSON, "", 404, "not_found"),
        ("post", "/api/profile", JSON, "{}", 404, "not_found"),
        ("put", "/api/", JSON, "{}", 404, "not_found"),
        ("get", "/api/profile/", JSON, "", 401, "not_authenticated"),
    ],
)
@pytest.mark.parametrize("debug", [True, False])
def test_every_error_has_the_shape(
    settings: LazySettings,
    debug: bool,
    method: str,
    path: str,
    kind: str,
    body: Any,
    status: int,
    code: str,
) -> None:
    settings.DEBUG = debug
    response = APIClient().generic(method.upper(), path, body, content_type=kind)
    assert response.status_code == status
    assert response["Content-Type"] == JSON
    assert error_of(response)["code"] == code


def test_json_only_is_served() -> None:
    response = APIClient().get("/api/profile/", headers={"Accept": "text/html"})
    assert response.status_code == 406
    assert error_of(response)["code"] == "not_acceptable"


@pytest.mark.parametrize(
    ("language", "detail"),
    [
        ("en", "There is no such invite code."),
        ("ru", "Такого кода приглашения нет."),
        ("ru-RU,ru;q=0.9,en;q=0.8", "Такого кода приглашения нет."),
        ("de", "There is no such invite code."),
        ("", "There is no such invite code."),
    ],
)
@pytest.mark.django_db
def test_details_are_in_the_language_of_the_client(language: str, detail: str) -> None:
    response = APIClient().post(
        CODE,
        {"phone_number": ALICE, "invite_code": "000000"},
        headers={"Accept-Language": language},
    )
    assert error_of(response)["detail"] == detail


@pytest.mark.parametrize(
    ("number", "detail"),
    [
        (6, "Неверный код. Осталось 5 попыток."),
        (3, "Неверный код. Осталось 2 попытки."),
        (2, "Неверный код. Осталась 1 попытка."),
    ],
)
@pytest.mark.django_db
def test_russian_plurals_are_right(
    settings: LazySettings, number: int, detail: str
) -> None:
    settings.LOGIN_CODE_MAX_ATTEMPTS = number
    settings.LOGIN_CODE_GROWTH_PER_CLIENT = []
    client = APIClient(headers={"Accept-Language": "ru"})
    code = client.post(CODE, {"phone_number": ALICE}).json()["dev_code"]
    wrong = f"{(int(code) + 1) % 10_000:04}"
    response = client.post(
        "/api/auth/verify-code/", {"phone_number": ALICE, "code": wrong}
    )
    assert error_of(response)["detail"] == detail


@pytest.mark.parametrize("path", [CODE, "/api/auth/verify-code/"])
@pytest.mark.django_db
def test_without_the_cache_the_api_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RedisConnectionError

    for name in ("get", "add", "set", "incr", "delete"):
        monkeypatch.setattr(cache, name, fail)
    with monkeypatch.context():
        response = APIClient().post(path, {"phone_number": ALICE, "code": "1234"})
    monkeypatch.undo()
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert error_of(response)["code"] == "service_unavailable"
    assert not User.objects.exists()


def test_without_the_database_the_api_is_unavailable(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError

    client = signed_in(alice)
    monkeypatch.setattr("users.devices.token_authentication.find_live_device", fail)
    response = client.get("/api/profile/")
    assert response.status_code == 503
    assert error_of(response)["code"] == "service_unavailable"


def test_the_unexpected_is_a_500_that_tells_nothing(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("secret")

    client = signed_in(alice)
    client.raise_request_exception = False
    monkeypatch.setattr("users.profile.views.first_referrals", fail)
    response = client.get("/api/profile/")
    assert response.status_code == 500
    assert response.json()["type"] == "server_error"
    assert error_of(response)["code"] == "error"
    assert "secret" not in response.content.decode()
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(("path", "is_json"), [("/api/x/", True), ("/x/", False)])
def test_a_wrong_host_is_refused(
    settings: LazySettings, path: str, is_json: bool
) -> None:
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["example.com"]
    response = Client().get(path, headers={"host": "evil.example"})
    assert response.status_code == 400
    assert response["Content-Type"].startswith(JSON if is_json else "text/html")


@pytest.mark.parametrize(
    ("path", "status", "text"), [("/nothing/", 404, "Not found"), ("/", 200, "Sign in")]
)
def test_pages(settings: LazySettings, path: str, status: int, text: str) -> None:
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    response = Client().get(path)
    assert response.status_code == status
    assert text in response.content.decode()
