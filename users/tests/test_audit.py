"""The audit trail: what is recorded, when, and what never is."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import LazySettings
from django.db import DatabaseError
from rest_framework.test import APIClient

from config.monitoring.logs import JsonFormatter
from conftest import ALICE, BORIS, ask_for_code, signed_in
from tests.lab.shared import wrong
from users.devices.jwt_tokens import issue_refresh_token
from users.models import User
from users.profile.services import close_account, delete_account

pytestmark = pytest.mark.django_db(transaction=True)

Line = dict[str, Any]


class Trail(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record) + "\n"

    @property
    def lines(self) -> list[Line]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]


@pytest.fixture
def trail() -> Iterator[Trail]:
    handler = Trail()
    logger = logging.getLogger("audit")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


VERIFY = "/api/auth/verify-code/"


def test_a_sign_in_leaves_its_trail(api: APIClient, alice: User, trail: Trail) -> None:
    code = ask_for_code(api, BORIS)
    body = {"phone_number": BORIS, "code": wrong(code)}
    api.post(VERIFY, body)
    body = {"phone_number": BORIS, "code": code, "invite_code": alice.invite_code}
    token = api.post(VERIFY, body).json()["token"]
    api.post("/api/auth/request-code/", {"phone_number": BORIS})
    assert trail.events == [
        "code.sent",
        "code.wrong",
        "invite_code.activated",
        "signed_in",
        "code.refused",
    ]
    sent, wrong_, activated, entered, refused = trail.lines
    assert sent["phone"] == refused["phone"] == "+7999•••••02"
    assert (sent["digits"], wrong_["attempts_left"]) == (4, 4)
    assert activated["inviter"] == alice.pk
    assert entered["is_new_user"] is True
    assert refused["limit"] == "code_resend"
    for secret in (code, token, BORIS.strip("+")):
        assert f'"{secret}"' not in trail.text
        assert len(secret) == 4 or secret not in trail.text


def test_refused_guesses_name_the_limit(api: APIClient, trail: Trail) -> None:
    code = ask_for_code(api, ALICE)
    for _ in range(6):
        api.post(VERIFY, {"phone_number": ALICE, "code": wrong(code)})
    assert trail.events[-2:] == ["code.wrong", "guess.refused"]
    assert trail.lines[-1]["limit"] == "guesses_per_code"


def test_ends_leave_their_trail(alice: User, boris: User, trail: Trail) -> None:
    signed_in(alice).post("/api/auth/logout/")
    signed_in(alice).post("/api/auth/logout-all/")
    close_account(alice)
    delete_account(boris)
    assert trail.events == [
        "token.revoked",
        "token.all_revoked",
        "token.all_revoked",
        "account.closed",
        "account.deleted",
    ]


def test_a_copied_refresh_token_leaves_its_trail(
    api: APIClient, alice: User, trail: Trail
) -> None:
    device, token = issue_refresh_token(user=alice, user_agent="")
    for _ in range(3):
        answer = api.post("/api/auth/jwt/refresh/", {"refresh": token})
    assert answer.status_code == 401
    (line,) = trail.lines
    assert (line["event"], line["user"]) == ("token.reuse_detected", alice.pk)
    assert line["device"] == device.pk


def test_a_transaction_that_is_rolled_back_is_not_recorded(
    api: APIClient, alice: User, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise DatabaseError

    code = ask_for_code(api, BORIS)
    monkeypatch.setattr("users.login.codes.LoginCode.spend", fail)
    api.raise_request_exception = False
    body = {"phone_number": BORIS, "code": code, "invite_code": alice.invite_code}
    assert api.post(VERIFY, body).status_code == 500
    assert trail.events == ["code.sent"]


@pytest.mark.parametrize(
    ("proxies", "given", "is_kept"),
    [
        (1, "abc-DEF_12345678", True),
        (0, "abc-DEF_12345678", False),
        (1, "short", False),
        (1, "x" * 65, False),
        (1, "line\r\nbreak-1234", False),
        (1, '{"a": "12345678"}', False),
    ],
)
def test_each_request_has_an_id(
    settings: LazySettings, trail: Trail, proxies: int, given: str, is_kept: bool
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    client = APIClient(headers={"x-request-id": given, "x-forwarded-for": "10.0.0.1"})
    response = client.post("/api/auth/request-code/", {"phone_number": ALICE})
    assert (response["X-Request-ID"] == given) is is_kept
    assert trail.lines[0]["request_id"] == response["X-Request-ID"]
    assert len(trail.text.splitlines()) == 1


def test_a_count_that_fails_does_not_undo_a_sign_in(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Mock(side_effect=ZeroDivisionError)
    code = ask_for_code(api, BORIS)
    monkeypatch.setattr("users.statistics.daily_counts.counted", failing)
    response = api.post(VERIFY, {"phone_number": BORIS, "code": code})
    assert response.status_code == 200
    assert failing.called
