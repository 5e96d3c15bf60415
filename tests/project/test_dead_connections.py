"""What clients see when PostgreSQL ends a connection while their request runs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from rest_framework.test import APIClient

from conftest import ALICE, ask_for_code, error_of
from tests.lab.dead_connections import terminate
from users.devices.token_authentication import issue_token
from users.models import Device, User

pytestmark = [
    pytest.mark.skipif(settings.DATABASE_IS_EMBEDDED, reason="only for PostgreSQL"),
    pytest.mark.django_db(transaction=True),
]


def ended_before(beginning: str) -> Callable[..., Any]:
    """Ends the connection before the first statement that begins like this."""
    ended: list[int] = []

    def run(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(beginning) and not ended:
            ended.append(connection.connection.driver_connection.info.backend_pid)
            terminate(ended[0])
        return execute(sql, *rest)

    return run


def test_a_profile_is_answered_on_another_connection(alice: User) -> None:
    _device, token = issue_token(user=alice, user_agent="")
    api = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    with connection.execute_wrapper(ended_before("")):
        assert api.get("/api/profile/").status_code == 200


def test_a_sign_in_that_has_not_begun_succeeds(alice: User) -> None:
    body = {"phone_number": ALICE, "code": ask_for_code(APIClient(), ALICE)}
    with connection.execute_wrapper(ended_before("")):
        assert APIClient().post("/api/auth/verify-code/", body).status_code == 200
    assert Device.objects.count() == 1


def test_a_sign_in_that_has_begun_is_refused_and_can_be_repeated(alice: User) -> None:
    body = {"phone_number": ALICE, "code": ask_for_code(APIClient(), ALICE)}
    with connection.execute_wrapper(ended_before("INSERT")):
        response = APIClient().post("/api/auth/verify-code/", body)
    assert (response.status_code, error_of(response)["code"]) == (
        503,
        "service_unavailable",
    )
    assert not Device.objects.exists()
    assert APIClient().post("/api/auth/verify-code/", body).status_code == 200
