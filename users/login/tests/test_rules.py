"""Signing in and activating, in any order, against a model of a few lines.

Hypothesis plays; whatever it finds, it shows as the shortest play that does it.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as play
from rest_framework.test import APIClient

from conftest import NOW, Clock, error_of
from referrals.models import Referral
from tests.lab.shared import wrong
from users.devices.token_authentication import issue_token
from users.models import User

PEOPLE = ["Alice", "Boris", "Clara"]
numbers = count(1)

people = st.sampled_from(PEOPLE)


@dataclass
class Person:
    """What must be true of somebody, by the rules alone."""

    phone_number: str
    has_account: bool = False
    invited_by: str | None = None
    code: str = ""
    code_ends: float = 0
    # At this code, and at those that it replaced because they ended soon.
    wrong_at: list[float] = field(default_factory=list)
    may_ask_at: float = 0

    def has_code(self, now: float) -> bool:
        return bool(self.code) and now < self.code_ends and len(self.wrong_at) < 10

    def guesses_left(self, now: float) -> int:
        """Five in 300 seconds, which are counted in twelve slices."""
        return 5 - sum(at // 25 >= now // 25 - 12 for at in self.wrong_at)


class SignInAndActivate(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.api = APIClient()
        self.time = time_machine.travel(NOW, tick=False)
        self.clock = Clock(self.time.start().shift)
        self.now = 0.0
        self.people = {name: Person(f"+7999{next(numbers):07}") for name in PEOPLE}

    def teardown(self) -> None:
        self.time.stop()

    @rule(seconds=st.sampled_from([1, 30, 61, 130, 301]))
    def wait(self, seconds: int) -> None:
        self.clock.pass_seconds(seconds)
        self.now += seconds

    @rule(name=people)
    def ask_for_a_code(self, name: str) -> None:
        person = self.people[name]
        body = {"phone_number": person.phone_number}
        response = self.api.post("/api/auth/request-code/", body)
        if self.now < person.may_ask_at:
            assert error_of(response)["limit"] == "code_resend"
            return
        assert response.status_code == 200
        if not person.has_code(self.now):
            person.code_ends, person.wrong_at = self.now + 300, []
        elif person.code_ends - self.now < 90:
            person.code_ends = self.now + 300
        else:
            assert response.json()["dev_code"] == person.code
        person.code = response.json()["dev_code"]
        person.may_ask_at = self.now + 60

    @rule(name=people, right=st.booleans())
    def enter_a_code(self, name: str, right: bool) -> None:
        person = self.people[name]
        code = person.code or "0000"
        response = self._verify(person, code if right else wrong(code))
        left = person.guesses_left(self.now)
        if not person.has_code(self.now):
            code = error_of(response)["code"]
            assert code == "code_expired" or (code == "throttled" and not left)
        elif not left:
            assert error_of(response)["limit"] == "guesses_per_code"
        elif not right:
            person.wrong_at.append(self.now)
            assert error_of(response)["attempts_left"] == left - 1
        else:
            assert response.json()["is_new_user"] is not person.has_account
            person.has_account, person.code, person.wrong_at = True, "", []

    @rule(name=people, inviter=people)
    def activate(self, name: str, inviter: str) -> None:
        person, other = self.people[name], self.people[inviter]
        if not (person.has_account and other.has_account):
            return
        user = User.objects.get(phone_number=person.phone_number)
        code = User.objects.get(phone_number=other.phone_number).invite_code
        _, token = issue_token(user=user, user_agent="")
        client = APIClient(headers={"authorization": f"Token {token}"})
        response = client.post("/api/profile/", {"invite_code": code})
        if person.invited_by == inviter:
            assert response.status_code == 200
        elif person.invited_by:
            assert error_of(response)["code"] == "invite_code_already_activated"
        elif inviter == name:
            assert error_of(response)["code"] == "invite_code_own"
        else:
            assert response.status_code == 200
            person.invited_by = inviter

    @invariant()
    def the_database_agrees(self) -> None:
        for person in self.people.values():
            users = User.objects.filter(phone_number=person.phone_number)
            assert users.count() == person.has_account
            referrals = Referral.objects.filter(invitee__in=users)
            inviters = [r.inviter.phone_number for r in referrals if r.inviter]
            expected = [self.people[person.invited_by]] if person.invited_by else []
            assert inviters == [other.phone_number for other in expected]

    def _verify(self, person: Person, code: str) -> Any:
        body = {"phone_number": person.phone_number, "code": code}
        return self.api.post("/api/auth/verify-code/", body)


@pytest.mark.django_db
def test_the_rules_hold_in_any_order() -> None:
    off = {
        "LOGIN_CODE_RESEND_SECONDS": [60],
        "LOGIN_CODE_GROWTH": [],
        "LIMITS": dict.fromkeys(settings.LIMITS),
    }
    with override_settings(**off):
        play(
            SignInAndActivate,
            settings=hypothesis_settings(
                max_examples=30,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
