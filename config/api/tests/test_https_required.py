"""Plain HTTP where HTTPS_ONLY is on: refused by the API, redirected by pages."""

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext
from rest_framework.test import APIClient

SCHEMA = "/api/schema/"


@pytest.mark.parametrize("header", [{}, {"X-Forwarded-Proto": "https"}])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_api_over_plain_http_is_refused(
    settings: LazySettings, header: dict[str, str], language: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    text = "Use HTTPS. What was sent over HTTP could be read on the way."
    client = APIClient(headers={**header, "Accept-Language": language})
    for path in ("/api/profile/", "/api/auth/request-code/", SCHEMA, "/api/nothing"):
        response = client.post(path, {"phone_number": "+79990000001"})
        assert response.status_code == 403
        assert response["Cache-Control"] == "no-store"
        error = response.json()["errors"][0]
        assert error["code"] == "https_required"
        with translation.override(language):
            assert error["detail"] == gettext(text)


def test_pages_over_plain_http_are_redirected_and_probes_answered(
    settings: LazySettings,
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get("/login/?next=/profile/")
    assert response.status_code == 301
    assert response["Location"] == "https://testserver/login/?next=/profile/"
    assert Client().get("/healthz").status_code == 200


@pytest.mark.django_db
def test_the_api_over_https_is_served(settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/api/profile/", secure=True).status_code == 401
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = {"X-Forwarded-Proto": "https"}
    assert Client().get("/api/profile/", headers=headers).status_code == 401
