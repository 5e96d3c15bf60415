import socket
from typing import Any

import pytest
from dj_db_conn_pool.core import (  # type: ignore[import-untyped]  # ships no types
    pool_container,
)
from django.conf import settings
from django.db import connection

pytestmark = [
    pytest.mark.skipif(settings.DATABASE_IS_EMBEDDED, reason="only for PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def kept_connection() -> Any:
    """The only connection in the pool, handed out."""
    connection.close()
    pool_container.dispose()
    connection.ensure_connection()
    return connection.connection.driver_connection


def test_a_vanished_machine_is_noticed_within_seconds(kept_connection: Any) -> None:
    with socket.socket(fileno=socket.dup(kept_connection.fileno())) as tcp:
        options = [
            tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
            tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
            tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
        ]
    assert options == [1, 1, 1, 3, 2500]
