import pytest
from django.db import DataError, InterfaceError, InternalError, OperationalError
from redis import exceptions as redis

from config.api.outages import is_outage


@pytest.mark.parametrize(
    "error",
    [
        OperationalError(),
        InterfaceError(),
        redis.ConnectionError(),
        redis.TimeoutError(),
        redis.ReadOnlyError(),
        redis.ClusterDownError("CLUSTERDOWN"),
        redis.MovedError("7001 127.0.0.1:6379"),
        redis.ResponseError("CROSSSLOT"),
        redis.RedisClusterException(),
        redis.SlotNotCoveredError(),
    ],
)
def test_is_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize("error", [None, ValueError(), DataError(), InternalError()])
def test_is_not_an_outage(error: Exception | None) -> None:
    assert not is_outage(error)
