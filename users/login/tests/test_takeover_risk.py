"""What the limits promise: the chance of a takeover, and the bill for SMS."""

import re
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.checks import run_checks
from django.core.management import call_command

from config.env import Limit
from users.login import takeover_risk as risk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("changeable_limits")]


def test_the_default_limits_keep_the_promises() -> None:
    together = risk.takeover_chance() + risk.takeover_chance_by_known_devices()
    assert together <= 0.013
    assert risk.accounts_of_service() <= 1
    assert risk.accounts_per_network() < 0.5
    assert risk.longest_wait() <= settings.LOGIN_CODE_TTL_SECONDS
    assert risk.sms_a_day_to_a_number() == 20
    assert risk.sms_a_year() == 2000 * 24 * 365
    assert risk.sms_a_year_without_challenge() == 1600 * 24 * 365  # none is set here


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({}, 0),
        ({"LOGIN_CODE_GROWTH": []}, 1),
        ({"LOGIN_CODE_GROWTH": [(100, 6)]}, 1),
        ({"LOGIN_CODE_GROWTH_OVERALL": [(100, 6)]}, 1),
        ({"LOGIN_CODE_GROWTH": [], "LOGIN_CODE_LENGTH": 8}, 0),
        ({"LOGIN_CODE_RESEND_SECONDS": [60, 600]}, 1),
        ({"LIMITS": {"guesses_per_known_devices": Limit(20, 86_400)}}, 1),
        ({"LIMITS": {"guesses_per_known_devices": None}}, 1),
        ({"LIMITS": {"guesses": None}}, 1),
        ({"LIMITS": {"guesses_per_phone_month": None}}, 1),
        ({"LIMITS": {"sends_per_phone_day": Limit(16, 86_400)}}, 1),
    ],
)
def test_risky_limits_are_warned_of(
    settings: LazySettings, changes: dict[str, Any], warnings: int
) -> None:
    for name, value in changes.items():
        if name == "LIMITS":
            value = {**settings.LIMITS, **value}
        setattr(settings, name, value)
    assert [found.id for found in run_checks()].count("config.W002") == warnings


@pytest.mark.parametrize(("percent", "sms"), [(0, 0), (50, 800), (100, 1600)])
def test_sms_without_a_challenge_end_at_the_soft_limit(
    settings: LazySettings, percent: int, sms: int
) -> None:
    settings.CHALLENGE_BACKEND = "users.challenges.proof_of_work.ProofOfWork"
    settings.CHALLENGE_FROM_PERCENT = percent
    assert risk.sms_a_year_without_challenge() == sms * 24 * 365


def test_without_the_limit_per_month_the_risk_is_certain(
    settings: LazySettings,
) -> None:
    settings.LIMITS["guesses_per_phone_month"] = None
    assert risk.takeover_chance() == 1


def test_check_limits_shows_the_arithmetic(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_limits")
    shown = capsys.readouterr()
    assert "6 wrong guesses at 4 digits: 0.06000%" in shown.out
    assert re.search(r"together +1.24%", shown.out)
    assert re.search(r"wait for a new code for +300 s", shown.out)
    assert re.search(r"by all, networks: 10,000 +0.8", shown.out)
    assert shown.err == ""


def test_check_limits_warns(
    settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.LOGIN_CODE_GROWTH = []
    call_command("check_limits")
    assert "more than 1.3%" in capsys.readouterr().err
