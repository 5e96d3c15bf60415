"""How many statements PostgreSQL gets, as it tells itself: pings and BEGIN included.

`assertNumQueries` does not count what the pool and the driver send on their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from dj_db_conn_pool.core import (  # type: ignore[import-untyped]  # ships no types
    pool_container,
)
from django.conf import settings
from django.db import connection
from rest_framework.test import APIClient

from conftest import ALICE, ask_for_code
from users.devices.token_authentication import issue_token
from users.models import User

pytestmark = [
    pytest.mark.skipif(settings.DATABASE_IS_EMBEDDED, reason="only for PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


@contextmanager
def recorded_statements() -> Iterator[list[str]]:
    """The statements on the only connection of the pool, filled in at the end.

    The server sends its log to the client, too.
    """
    connection.close()
    pool_container.dispose()
    with connection.cursor() as cursor:
        cursor.execute("SET client_min_messages = log; SET log_statement = 'all'")
    driver = connection.connection.driver_connection
    driver.notices.clear()
    connection.close()
    statements: list[str] = []
    yield statements
    connection.ensure_connection()
    assert connection.connection.driver_connection is driver
    assert len(driver.notices) < 50  # the driver keeps no more
    statements += [notice.partition("statement: ")[2] for notice in driver.notices]
    connection.close()
    pool_container.dispose()


def test_a_profile_takes_two_statements(alice: User) -> None:
    _device, token = issue_token(user=alice, user_agent="")
    api = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    with recorded_statements() as statements:
        assert api.get("/api/profile/").status_code == 200
    # The token with its person and activation; the referrals.
    assert len(statements) == 2, statements


def test_a_sign_in_of_somebody_who_returns_takes_five_statements(alice: User) -> None:
    body = {"phone_number": ALICE, "code": ask_for_code(APIClient(), ALICE)}
    with recorded_statements() as statements:
        assert APIClient().post("/api/auth/verify-code/", body).status_code == 200
    # BEGIN; the account, locked; its last sign-in; the new device; COMMIT.
    assert len(statements) == 5, statements


def test_an_activation_takes_eleven_statements(alice: User, boris: User) -> None:
    _device, token = issue_token(user=boris, user_agent="")
    api = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    body = {"invite_code": alice.invite_code}
    with recorded_statements() as statements:
        assert api.post("/api/profile/", body).status_code == 200
    # The token with its person; the activation; the inviter; BEGIN; the new activation;
    # the foreign keys, checked and deferred again; both numbers; the entry of the
    # ledger; COMMIT; the referrals.
    assert len(statements) == 11, statements
