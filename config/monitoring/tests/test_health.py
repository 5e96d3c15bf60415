import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from django.db import OperationalError, connection
from redis.exceptions import RedisClusterException
from redis.exceptions import TimeoutError as RedisTimeoutError
from rest_framework.test import APIClient

from conftest import error_of, signed_in
from tests.lab import servers
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
        (cache, "set_many", RedisTimeoutError, "cache"),
        (cache, "set_many", RedisClusterException, "cache"),
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


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")
@pytest.mark.django_db
def test_readyz_refuses_a_node_of_a_redis_cluster(
    settings: LazySettings, tmp_path: Path
) -> None:
    """Even the only node of a cluster, which has all keys: nobody could sign in."""
    # The nodes talk to each other on the port 10,000 higher.
    port = next(port for port in iter(servers.free_port, 0) if port < 55_536)
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""]
    command += ["--dir", tmp_path, "--cluster-enabled", "yes"]
    with servers.spawn(command, tmp_path / "redis.log"):
        servers.wait_for_port(port)
        settings.CACHES = {
            "default": {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": f"redis://127.0.0.1:{port}/0",
                "KEY_PREFIX": "referral",
            }
        }
        redis: Any = cache
        node = redis.client.get_client()
        node.execute_command("CLUSTER ADDSLOTS", *range(16384))
        deadline = time.monotonic() + 10
        while node.cluster("INFO")["cluster_state"] != "ok":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        cache.set("one key", 1)
        response = APIClient().get("/readyz")
        node.close()
    assert response.status_code == 503
    assert response.json()["cache"] == "unavailable"
