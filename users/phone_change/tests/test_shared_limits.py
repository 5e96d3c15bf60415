"""Changing the number uses up the same limits as signing in."""

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from config.env import Limit
from conftest import ALICE, Clock, ask_for_code, error_of, signed_in
from tests.lab.shared import wrong
from users.login import codes
from users.login.clients import issue_known_device_token
from users.models import User
from users.phone_change.tests.test_phone_change import (
    NEW,
    OTHER,
    REQUEST,
    ask,
    change,
    verify,
)

pytestmark = pytest.mark.django_db


def test_sends_are_shared_with_signing_in(
    alice: User, settings: LazySettings, clock: Clock
) -> None:
    settings.LIMITS = {**settings.LIMITS, "sends_per_phone_hour": Limit(4, 3600)}
    ask_for_code(APIClient(), ALICE)
    client = signed_in(alice)
    ask(client)  # without waiting for the code to sign in
    clock.pass_seconds(60)
    # Half of the number's sends are kept for signing in.
    response = client.post(REQUEST, {"phone_number": NEW})
    assert error_of(response)["limit"] == "sends_per_phone_hour"
    ask_for_code(APIClient(), ALICE)


@pytest.mark.parametrize(
    "limit", ["guesses_per_phone_day", "guesses_per_phone_month", "guesses_per_address"]
)
@pytest.mark.parametrize("name", ["old_code", "new_code"])
def test_guesses_are_shared_with_signing_in(
    alice: User, settings: LazySettings, limit: str, name: str
) -> None:
    settings.LIMITS = {**settings.LIMITS, limit: Limit(3, 30 * 24 * 3600)}
    settings.LOGIN_CODE_GROWTH_PER_CLIENT = []
    client = signed_in(alice)
    sent = ask(client)
    for _ in range(3):
        change(client, {**sent, name: wrong(sent[name])})
    number = {"old_code": ALICE, "new_code": NEW}[name]
    code = codes.issue(number, length=4).digits
    assert error_of(verify(number, wrong(code)))["limit"] == limit


@pytest.mark.parametrize("name", ["old_code", "new_code"])
def test_wrong_guesses_make_the_codes_of_the_number_longer(
    alice: User, settings: LazySettings, clock: Clock, name: str
) -> None:
    settings.LOGIN_CODE_GROWTH = [(3, 6)]
    client = signed_in(alice)
    sent = ask(client)
    for _ in range(3):
        change(client, {**sent, name: wrong(sent[name])})
    clock.pass_seconds(60)
    number = {"old_code": ALICE, "new_code": NEW}[name]
    assert len(ask_for_code(APIClient(), number)) == 6
    assert len(ask_for_code(APIClient(), OTHER)) == 4
    # The short code is not compared any more, even when it is right.
    assert error_of(change(client, sent))["code"] == "code_expired"


def test_a_device_that_the_old_number_knows_has_its_own_budgets(
    alice: User, settings: LazySettings, clock: Clock
) -> None:
    settings.LIMITS = {**settings.LIMITS, "guesses_per_phone_day": Limit(1, 86_400)}
    known = {"device_token": issue_known_device_token(alice)}
    code = ask_for_code(APIClient(), ALICE)
    for _ in range(2):  # strangers have used up the number's guesses
        verify(ALICE, wrong(code))
    client = signed_in(alice)
    sent = ask(client, **known)  # without waiting for the stranger's send, too
    refusal = change(client, sent)
    assert error_of(refusal)["limit"] == "guesses_per_phone_day"
    assert change(client, sent, **known).status_code == 200
