import socket
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest
from dj_db_conn_pool.core import (  # type: ignore[import-untyped]  # ships no types
    pool_container,
)
from django.conf import settings
from django.db import (
    InternalError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
    transaction,
)

from tests.lab.dead_connections import terminate
from users.models import DayCount

DAY = "2026-11-21"

pytestmark = [
    pytest.mark.skipif(settings.DATABASE_IS_EMBEDDED, reason="only for PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def kept_connection() -> Iterator[Any]:
    """The only connection in the pool, handed out."""
    connection.close()
    pool_container.dispose()
    connection.ensure_connection()
    yield connection.connection.driver_connection
    connection.close()


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


def test_a_connection_that_died_in_the_pool_is_not_handed_out(
    kept_connection: Any,
) -> None:
    before = server_process()
    connection.close()
    terminate(before)
    connection.ensure_connection()
    assert connection.connection.driver_connection is not kept_connection


def test_a_read_on_a_dead_connection_is_repeated_on_a_new_one(
    kept_connection: Any,
) -> None:
    before = server_process()
    terminate(before)
    assert not DayCount.objects.exists()
    assert server_process() != before
    assert connection.connection.driver_connection.autocommit


def test_a_read_in_pieces_is_repeated_too(kept_connection: Any) -> None:
    terminate(server_process())
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT generate_series(1, 3)")
        assert cursor.cursor.name  # rows come in pieces, as before
        assert len(list(cursor)) == 3


def test_a_transaction_that_has_not_begun_is_repeated(kept_connection: Any) -> None:
    terminate(server_process())
    with transaction.atomic():
        DayCount.objects.create(day=DAY, sign_ins=1)
        DayCount.objects.update(sign_ins=2)
        assert not connection.get_autocommit()
    connection.close()
    assert DayCount.objects.get().sign_ins == 2


def test_a_repeated_transaction_is_still_one(kept_connection: Any) -> None:
    terminate(server_process())
    with transaction.atomic():
        DayCount.objects.create(day=DAY)
        transaction.set_rollback(True)
    assert not DayCount.objects.exists()


@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_thread_recovers_if_no_other_server_answers(
    kept_connection: Any, monkeypatch: pytest.MonkeyPatch, in_transaction: bool
) -> None:
    """Also after a transaction, which Django would roll back on the dead connection."""

    def fail(*args: Any) -> None:
        raise psycopg2.OperationalError("no server answers")

    terminate(server_process())
    with monkeypatch.context() as outage:
        outage.setattr(type(connections["default"]), "get_new_connection", fail)
        block = transaction.atomic() if in_transaction else nullcontext()
        with pytest.raises(OperationalError, match="no server answers"), block:
            DayCount.objects.exists()
    close_old_connections()  # as before the next request
    assert not DayCount.objects.exists()


def test_nothing_is_repeated_in_the_middle_of_a_transaction(
    kept_connection: Any,
) -> None:
    with transaction.atomic():
        DayCount.objects.create(day=DAY)
        terminate(server_process())
        with pytest.raises(OperationalError):
            DayCount.objects.exists()
        transaction.set_rollback(True)
    assert not DayCount.objects.exists()


def test_a_write_that_commits_at_once_is_not_repeated(kept_connection: Any) -> None:
    """It may have been committed before the connection died."""
    terminate(server_process())
    with pytest.raises(OperationalError):
        DayCount.objects.update(sign_ins=2)


def test_all_kept_connections_are_dropped_with_a_dead_one(
    kept_connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a machine vanishes without a word: the pool cannot see that they died."""
    pool = pool_container.get(connection.alias)
    other = pool.connect()
    processes = [server_process(), other.driver_connection.info.backend_pid]
    other.close()
    monkeypatch.setattr(pool._dialect, "do_ping", lambda _connection: True)
    for process in processes:
        terminate(process)
    assert server_process() not in processes


def test_an_error_of_a_living_connection_is_not_repeated(kept_connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 10")
        with pytest.raises(OperationalError):
            cursor.execute("SELECT pg_sleep(5)")
    assert connection.connection.driver_connection is kept_connection
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")


@pytest.fixture
def read_only_connection(kept_connection: Any) -> None:
    """Its server is a standby now. What it said last was that it takes writes."""
    with connection.cursor() as cursor:
        # Unlike default_transaction_read_only, the server does not report it.
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")


@pytest.mark.usefixtures("read_only_connection")
def test_a_write_that_a_standby_refuses_goes_to_the_new_primary() -> None:
    DayCount.objects.bulk_create([DayCount(day=DAY)])
    with transaction.atomic():
        DayCount.objects.update(sign_ins=2)
    assert DayCount.objects.get().sign_ins == 2


@pytest.mark.usefixtures("read_only_connection")
def test_a_refusal_in_the_middle_of_a_transaction_is_not_repeated() -> None:
    with transaction.atomic():
        DayCount.objects.exists()
        with pytest.raises(InternalError):
            DayCount.objects.create(day=DAY)
        transaction.set_rollback(True)


def test_a_write_is_refused_if_every_server_is_read_only(
    kept_connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**connection.settings_dict["OPTIONS"]}
    options["options"] = "-c default_transaction_read_only=on"
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    forget_pool()
    with pytest.raises(InternalError), transaction.atomic():
        DayCount.objects.create(day=DAY)
    forget_pool()


def forget_pool() -> None:
    """The next connection makes a pool with the options of then."""
    connection.close()
    pool_container.dispose()
    pool_container.pop(connection.alias)
