from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2  # type: ignore[import-untyped]  # ships no types
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.commands import migrate
from django.db import OperationalError, connection, transaction

pytestmark = [
    pytest.mark.skipif(settings.DATABASE_IS_EMBEDDED, reason="only for PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


def lock_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        row: tuple[str] = cursor.fetchone()
    return row[0]


@pytest.fixture
def dump() -> Iterator[None]:
    """Another connection reads a table, as a dump does, until the test ends."""
    parameters = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    other = psycopg2.connect(**{n: parameters[n] for n in names if n in parameters})
    with closing(other), other.cursor() as cursor:
        cursor.execute("LOCK TABLE users_user IN ACCESS SHARE MODE")
        yield


def run(monkeypatch: pytest.MonkeyPatch, migration: Any, **options: str) -> None:
    monkeypatch.setattr(migrate.Command, "handle", lambda *args, **opts: migration())
    call_command("migrate", **options)


def alter() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE users_user IN ACCESS EXCLUSIVE MODE")


def test_migrations_wait_two_seconds_for_a_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    run(monkeypatch, lambda: seen.append(lock_timeout()))
    assert seen == ["2s"]
    assert lock_timeout() == "0"


def test_a_migration_behind_a_dump_gives_up_and_says_why(
    monkeypatch: pytest.MonkeyPatch, dump: None
) -> None:
    with pytest.raises(CommandError, match="locked for more than 50ms"):
        run(monkeypatch, alter, lock_timeout="50ms")
    assert lock_timeout() == "0"


def test_another_error_is_not_taken_for_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError

    with pytest.raises(OperationalError):
        run(monkeypatch, fail)
