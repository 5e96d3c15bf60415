"""What tests of limits share."""

from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from conftest import error_of

SEND = "/api/auth/request-code/"
VERIFY = "/api/auth/verify-code/"


@pytest.fixture
def changeable_limits(settings: LazySettings) -> None:
    """A test may change LIMITS and have clients at any address; no challenges."""
    settings.TRUSTED_PROXY_COUNT = 1
    settings.LIMITS = dict(settings.LIMITS)
    settings.CHALLENGE_BACKEND = ""


def at(address: str) -> APIClient:
    """A client at this address."""
    return APIClient(headers={"x-forwarded-for": address})


def number(n: int) -> str:
    return f"+7999300{n:04}"


def send(client: APIClient, phone_number: str, **body: Any) -> Any:
    return client.post(SEND, {"phone_number": phone_number, **body})


def guess(client: APIClient, phone_number: str, code: str, **body: Any) -> Any:
    return client.post(VERIFY, {"phone_number": phone_number, "code": code, **body})


def refused_by(response: Any) -> str:
    """The name of the limit; that it says how long to wait is checked on the way."""
    assert response.status_code == 429
    error = error_of(response)
    assert error["code"] == "throttled"
    assert int(response["Retry-After"]) == error["retry_after"] > 0
    limit: str = error["limit"]
    return limit
