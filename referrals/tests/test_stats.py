from datetime import datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from conftest import Clock, signed_in
from referrals.invite_codes import draw_invite_code
from referrals.models import Referral
from referrals.tests.test_list import invite_many
from users.models import User

pytestmark = pytest.mark.django_db

URL = "/api/profile/stats/"


def invite_at(inviter: User, *moments: str) -> None:
    for n, moment in enumerate(moments):
        invitee = User.objects.create(
            phone_number=f"+7999200{n:04}", invite_code=draw_invite_code()
        )
        Referral.objects.create(
            invitee=invitee,
            inviter=inviter,
            code_used=inviter.invite_code,
            created_at=datetime.fromisoformat(moment),
        )


def test_activations_are_counted_by_day(alice: User, clara: User, clock: Clock) -> None:
    invite_at(
        alice,
        "2026-11-21T00:00:00Z",
        "2026-11-21T11:59:59Z",
        "2026-11-20T23:59:59Z",
        "2026-11-15T00:00:00Z",  # the first of seven days
        "2026-11-14T23:59:59Z",
        "2026-10-23T00:00:00Z",  # the first of thirty
        "2026-10-22T23:59:59Z",
        "2020-01-01T00:00:00Z",
    )
    body = signed_in(alice).get(URL).json()
    per_day = body.pop("per_day")
    assert body == {"total": 8, "last_7_days": 4, "last_30_days": 6}
    assert len(per_day) == 30
    assert per_day[0] == {"date": "2026-10-23", "count": 1}
    assert per_day[-2:] == [
        {"date": "2026-11-20", "count": 1},
        {"date": "2026-11-21", "count": 2},
    ]
    nobody = signed_in(clara).get(URL).json()
    assert (nobody["total"], nobody["last_30_days"]) == (0, 0)


@pytest.mark.parametrize("number", [3, 300])
def test_the_stats_take_three_queries(
    alice: User, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    invite_many(alice, number)
    client = signed_in(alice)
    # Device with user and activation; the days; the total.
    with django_assert_num_queries(3):
        assert client.get(URL).json()["total"] == number
