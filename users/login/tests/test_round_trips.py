"""How often a request waits for Redis: each time costs about as much as a query."""

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from conftest import ALICE, ask_for_code
from users.models import User
from users.statistics import daily_counts

pytestmark = pytest.mark.django_db


def test_a_code_request_asks_redis_four_times(round_trips: list[bytes]) -> None:
    ask_for_code(APIClient(), ALICE)  # loads the script
    round_trips.clear()
    ask_for_code(APIClient(), "+79990000011")
    # The limits; the living code; the new code; the history.
    assert len(round_trips) == 4


def test_a_sign_in_asks_redis_four_times(
    round_trips: list[bytes],
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    code = ask_for_code(APIClient(), ALICE)
    daily_counts.count(daily_counts.SIGN_INS)  # the day's first costs more
    round_trips.clear()
    body = {"phone_number": ALICE, "code": code}
    with django_capture_on_commit_callbacks(execute=True):
        assert APIClient().post("/api/auth/verify-code/", body).status_code == 200
    # The code; the guess; the code's end; the history with today's count.
    assert len(round_trips) == 4


def test_a_code_request_asks_a_cluster_six_times(
    round_trips: list[bytes], redis_cluster: None
) -> None:
    """Run on one Redis, split into steps as in a cluster."""
    ask_for_code(APIClient(), ALICE)
    round_trips.clear()
    ask_for_code(APIClient(), "+79990000011")
    assert len(round_trips) == 6
