"""The chance of a takeover by guessing codes, computed from the limits.

One number: an attacker uses all wrong guesses of the month's limit, first those at
short codes, then the rest at the longest. Many numbers: an address uses its own limit
of wrong guesses, spread over numbers whose codes are still short.
"""

from dataclasses import dataclass

from django.conf import settings

from config.env import Limit
from users.login.codes import guess_allowance

YEAR_SECONDS = 365 * 24 * 3600
HIGH_TAKEOVER_CHANCE = 0.02


@dataclass(frozen=True, slots=True)
class Stage:
    """A number of guesses at codes of one length, in one window."""

    guesses: int
    digits: int

    @property
    def chance(self) -> float:
        return self.guesses / float(10**self.digits)


def stages() -> list[Stage]:
    """The guesses of an attacker on one number in one window of the month's limit."""
    month, _ = _month()
    found, done, digits = [], 0, settings.LOGIN_CODE_LENGTH
    for at, grown in settings.LOGIN_CODE_GROWTH:
        if grown > digits:
            found.append(Stage(min(at, month) - done, digits))
            done, digits = min(at, month), grown
    return [*found, Stage(month - done, digits)]


def takeover_chance_in_a_year() -> float:
    _, seconds = _month()
    return min(sum(s.chance for s in stages()) * YEAR_SECONDS / seconds, 1.0)


def takeover_chance_in_a_year_by_a_known_device() -> float:
    """The extra chance of a device that has signed in on the number before.

    For example, the device of the number's former owner.
    """
    limit: Limit | None = settings.LIMITS["guesses_per_device"]
    count, seconds = settings.LOGIN_CODE_MAX_ATTEMPTS, settings.LOGIN_CODE_TTL_SECONDS
    if limit:
        count, seconds = limit.count, limit.seconds
    chance = Stage(count, settings.LOGIN_CODE_LENGTH).chance
    return float(min(chance * YEAR_SECONDS / seconds, 1))


def accounts_in_a_year_per_address() -> float:
    """Accounts that one address can expect to take over, guessing at many numbers."""
    limits = [
        limit
        for name in ("guesses_per_address", "guesses_per_address_day")
        if (limit := settings.LIMITS[name])
    ]
    if not limits:
        return float("inf")
    guesses = min(limit.count * YEAR_SECONDS / limit.seconds for limit in limits)
    return guesses / float(10**settings.LOGIN_CODE_LENGTH)


def _month() -> tuple[int, int]:
    """Wrong guesses at one number, and the seconds in which they are allowed.

    Without the limit, one code after the other can be guessed at.
    """
    month: Limit | None = settings.LIMITS["guesses_per_phone_month"]
    if month:
        return month.count, month.seconds
    allowance = guess_allowance(settings.LOGIN_CODE_LENGTH)
    seconds = settings.LOGIN_CODE_TTL_SECONDS
    return allowance * YEAR_SECONDS // seconds, YEAR_SECONDS
