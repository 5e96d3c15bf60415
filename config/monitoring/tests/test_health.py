import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection
from redis.exceptions import TimeoutError as RedisTimeoutError
from rest_framework.test import APIClient

from conftest import error_of, signed_in
from users.models import User


def test_healthz_asks_nobody() -> None:
    response = APIClient().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_asks_database_and_cache() -> None:
    response = APIClient().get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "cache": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("target", "name", "error", "down"),
    [
        (connection, "cursor", OperationalError, "database"),
        (cache, "set", RedisTimeoutError, "cache"),
    ],
)
def test_readyz_names_what_is_down(
    monkeypatch: pytest.MonkeyPatch,
    target: object,
    name: str,
    error: type[Exception],
    down: str,
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(target, name, fail)
        response = APIClient().get("/readyz")
    assert response.status_code == 503
    parts = {"database": "ok", "cache": "ok", down: "unavailable"}
    assert response.json() == {"status": "unavailable", **parts}


@pytest.mark.skipif(settings.DATABASE_IS_EMBEDDED, reason="SQLite has no standby")
def test_a_database_that_takes_no_writes_is_an_outage(alice: User) -> None:
    client = signed_in(alice)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
    assert APIClient().get("/readyz").json()["database"] == "unavailable"
    response = client.patch("/api/profile/", {"first_name": "Alice"})
    assert response.status_code == 503
    assert error_of(response)["code"] == "service_unavailable"
