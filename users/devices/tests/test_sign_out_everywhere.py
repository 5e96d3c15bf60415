"""Signing out everywhere during a sign-in."""

from threading import Thread
from typing import Any

import pytest
from django.db import connection, connections
from rest_framework.test import APIClient

from conftest import ALICE, ask_for_code
from users.devices.services import sign_out_everywhere
from users.login.clients import Client
from users.models import Device, User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql",
        reason="SQLite has one writer: nobody signs in meanwhile",
    ),
]


def test_a_sign_in_that_is_not_finished_is_signed_out_too(
    api: APIClient, alice: User
) -> None:
    code = ask_for_code(api, ALICE)

    def sign_out() -> None:
        sign_out_everywhere(User.objects.get(pk=alice.pk))
        connections.close_all()

    meanwhile = Thread(target=sign_out)

    def sign_out_before_the_commit(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if sql.startswith('INSERT INTO "users_token"'):
            meanwhile.start()
            meanwhile.join(timeout=0.5)
        return result

    with connection.execute_wrapper(sign_out_before_the_commit):
        body = {"phone_number": ALICE, "code": code}
        answer = api.post("/api/auth/verify-code/", body)
    assert answer.status_code == 200
    meanwhile.join(timeout=10)
    assert not Device.objects.exists()
    assert not Client("", answer.json()["device_token"]).known_device(ALICE)
