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


def server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row: tuple[int] = cursor.fetchone()
    return row[0]


@pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has this time-out"
)
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


def test_the_pool_keeps_a_connection_that_may_write(kept_connection: Any) -> None:
    before = server_process()
    connection.close()
    assert server_process() == before


def test_the_pool_drops_a_connection_that_became_read_only(
    kept_connection: Any,
) -> None:
    before = server_process()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    connection.close()
    assert server_process() != before
