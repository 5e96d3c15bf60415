"""Every limit on wrong guesses over HTTP, and how codes grow with them."""

import logging

import pytest
from django.conf import LazySettings

from config.env import Limit
from conftest import ALICE, BORIS, Clock, ask_for_code
from tests.lab.shared import wrong
from users.login.tests.conftest import at, guess, number, refused_by, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("changeable_limits")]


@pytest.mark.parametrize(
    "limit",
    ["guesses_per_address", "guesses_per_address_day", "guesses_per_network_day"],
)
def test_wrong_guesses_from_one_address(settings: LazySettings, limit: str) -> None:
    settings.LIMITS[limit] = Limit(3, 3600)
    settings.LOGIN_CODE_GROWTH_PER_CLIENT = []
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for _ in range(3):
        assert guess(at("192.0.2.1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == limit
    # An address that is new to the number has two guesses whatever its network did.
    boris = ask_for_code(at("192.0.2.1"), BORIS)
    for _ in range(2):
        assert guess(at("192.0.2.1"), BORIS, wrong(boris)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), BORIS, boris)) == limit
    assert guess(at("198.51.100.2"), ALICE, code).status_code == 200


def test_right_codes_cost_an_address_nothing(settings: LazySettings) -> None:
    settings.LIMITS["guesses_per_address"] = Limit(1, 3600)
    for n in range(5):
        code = ask_for_code(at("192.0.2.1"), number(n))
        assert guess(at("192.0.2.1"), number(n), code).status_code == 200


@pytest.mark.parametrize("limit", ["guesses_per_phone_day", "guesses_per_phone_month"])
def test_wrong_guesses_at_one_number(settings: LazySettings, limit: str) -> None:
    settings.LIMITS[limit] = Limit(3, 86_400)
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for _ in range(3):
        assert guess(at("192.0.2.1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == limit
    # A network that is new to the number has two guesses of its own.
    assert guess(at("198.51.100.1"), ALICE, wrong(code)).status_code == 400
    assert guess(at("198.51.100.1"), ALICE, code).status_code == 200


@pytest.mark.parametrize(
    "limit", ["guesses_per_phone_and_address", "guesses_per_phone_and_network"]
)
def test_guesses_of_one_address_at_one_number(
    settings: LazySettings, limit: str
) -> None:
    settings.LIMITS[limit] = Limit(3, 86_400)
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for _ in range(3):
        assert guess(at("192.0.2.1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == limit
    assert guess(at("192.0.2.2"), ALICE, code).status_code == 200


def test_wrong_guesses_of_everybody(settings: LazySettings) -> None:
    settings.LIMITS["guesses"] = Limit(3, 86_400)
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for _ in range(3):
        assert guess(at("192.0.2.1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("192.0.2.1"), ALICE, code)) == "guesses"
    # A network that has guessed wrong less than twice today is not refused.
    assert guess(at("198.51.100.1"), ALICE, code).status_code == 200


@pytest.mark.parametrize(
    ("limit", "of_isp"),
    [
        ("guesses_per_phone_month", "guesses_per_phone_and_isp"),
        ("guesses", "guesses_per_isp_day"),
    ],
)
def test_networks_of_one_internet_provider_are_new_only_so_often(
    settings: LazySettings, limit: str, of_isp: str
) -> None:
    """As long as the other limit is not used up, this one does not refuse."""
    settings.LIMITS[limit] = Limit(8, 86_400)
    settings.LIMITS[of_isp] = Limit(5, 86_400)
    settings.LOGIN_CODE_LENGTH = 8  # such codes are always compared
    code = ask_for_code(at("192.0.2.1"), ALICE)
    for n in range(8):
        assert guess(at(f"2001:db8:{n}::1"), ALICE, wrong(code)).status_code == 400
    assert refused_by(guess(at("2001:db8:9::1"), ALICE, code)) == of_isp
    assert guess(at("2001:db9::1"), ALICE, wrong(code)).status_code == 400
    assert guess(at("198.51.100.1"), ALICE, code).status_code == 200


def test_codes_grow_and_say_so(clock: Clock) -> None:
    for n, length in enumerate((4, 6, 6)):
        body = send(at(f"192.0.{n}.1"), ALICE).json()
        assert body["code_length"] == len(body["dev_code"]) == length
        for m in range(6):
            guess(at(f"198.{n}.{m}.1"), ALICE, wrong(body["dev_code"]))
        clock.pass_seconds(300)
    assert send(at("203.0.113.1"), BORIS).json()["code_length"] == 6  # of everybody


def test_growing_can_be_off(settings: LazySettings, clock: Clock) -> None:
    settings.LOGIN_CODE_GROWTH = settings.LOGIN_CODE_GROWTH_OVERALL = []
    settings.LOGIN_CODE_GROWTH_PER_CLIENT = []
    for n in range(4):
        code = ask_for_code(at("192.0.2.1"), ALICE)
        assert len(code) == 4
        for m in range(5):
            guess(at(f"198.51.{n}.{m}"), ALICE, wrong(code))
        clock.pass_seconds(300)


@pytest.mark.parametrize("setting", ["PER_CLIENT", "OVERALL"])
def test_codes_grow_with_wrong_guesses_at_other_numbers(
    settings: LazySettings, setting: str
) -> None:
    setattr(settings, f"LOGIN_CODE_GROWTH_{setting}", [(2, 6)])
    for n in range(2):
        code = ask_for_code(at("192.0.2.1"), number(n))
        guess(at("192.0.2.1"), number(n), wrong(code))
    assert len(ask_for_code(at("192.0.2.1"), ALICE)) == 6
    elsewhere = 6 if setting == "OVERALL" else 4
    assert len(ask_for_code(at("198.51.100.1"), BORIS)) == elsewhere


def test_the_alarm_rings_once(
    settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LOGIN_CODE_GROWTH_OVERALL = [(2, 8)]
    with caplog.at_level(logging.ERROR, "users.login.guess_limits"):
        for n in range(4):
            code = ask_for_code(at("192.0.2.1"), number(n))
            guess(at("192.0.2.1"), number(n), wrong(code))
    assert caplog.text.count("an attack?") == 1
