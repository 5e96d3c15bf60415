"""What attackers can reach under the limits that are set, at worst.

A guess at a code of n digits is right with a chance of 10**-n. An attacker makes all
wrong guesses that a limit allows in its period: first those at short codes, then the
rest at the longest ones. A burst of guesses can be made at the start of a year, and
then once in each period.

Beyond a limit every network still has a few guesses (`budgets.FRESH`), so the
figures depend on how many networks an attacker has: a /24 of IPv4 or a /48 of IPv6.
Of one /32 of IPv6 not all networks have these (`guesses_per_phone_and_isp`), so the
figures are for networks of many internet providers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from config.env import Limit
from limits.budgets import FRESH

YEAR_SECONDS = 365 * 24 * 3600
# A large botnet.
NETWORKS = 10_000
MOST_TAKEOVER_CHANCE = 0.013  # of one number in a year
MOST_ACCOUNTS = 1.0  # of the whole service in a year
MOST_SMS_A_DAY = 20  # to one number


@dataclass(frozen=True, slots=True)
class Stage:
    """A number of guesses at codes of one length, in one period."""

    guesses: float
    digits: int

    @property
    def chance(self) -> float:
        """Of several numbers: how many of them are guessed right on average."""
        return self.guesses / float(10**self.digits)


def stages_of_number(networks: int = NETWORKS) -> list[Stage]:
    """The guesses of strangers at one number in a month."""
    limit = settings.LIMITS["guesses_per_phone_month"]
    return _stages(settings.LOGIN_CODE_GROWTH, limit, networks)


def takeover_chance(networks: int = NETWORKS) -> float:
    """Of one number in a year, by strangers."""
    limit = settings.LIMITS["guesses_per_phone_month"]
    return min(_in_a_year(stages_of_number(networks), limit), 1.0)


def takeover_chance_by_known_devices() -> float:
    """Of one number in a year, by devices that signed in on it before.

    For example those of the number's former owner. This comes on top of the chance of
    strangers, because the limits of known devices are separate.
    """
    limit = settings.LIMITS["guesses_per_known_devices"]
    return min(_in_a_year(_stages([], limit, 0), limit), 1.0)


def accounts_per_network() -> float:
    """Accounts that one network can expect to take over in a year."""
    return _in_a_year(
        _stages(settings.LOGIN_CODE_GROWTH_PER_CLIENT, settings.LIMITS["guesses"], 0),
        settings.LIMITS["guesses_per_network_day"],
    )


def accounts_of_service(networks: int = NETWORKS) -> float:
    """Accounts that all attackers together can expect to take over in a year."""
    limit = settings.LIMITS["guesses"]
    stages = _stages(settings.LOGIN_CODE_GROWTH_OVERALL, limit, networks)
    return _in_a_year(stages, limit)


def longest_wait() -> int:
    """Seconds for which strangers can make an owner wait for a new code.

    The code that the strangers asked for arrives at the owner, and is valid meanwhile.
    """
    return max(settings.LOGIN_CODE_RESEND_SECONDS)


def sms_a_day_to_a_number() -> float:
    """At most, known devices included."""
    return _a_day("sends_per_phone_day") + _a_day("sends_per_known_devices")


def sms_a_year() -> float:
    """Of the whole service, at most."""
    return _a_day("sends") * 365


def sms_a_year_without_challenge() -> float:
    """To strangers who do not solve one, at most."""
    percent = settings.CHALLENGE_FROM_PERCENT if settings.CHALLENGE_BACKEND else 100
    return _a_day("sends_by_strangers") * 365 * percent / 100 if percent else 0.0


def problems() -> list[str]:
    """A sentence for each figure that is higher than it should be."""
    found = []
    chance = takeover_chance() + takeover_chance_by_known_devices()
    if chance > MOST_TAKEOVER_CHANCE:
        found.append(
            f"One number is taken over in a year with a chance of {chance:.1%}, more "
            f"than {MOST_TAKEOVER_CHANCE:.1%}."
        )
    if (accounts := accounts_of_service()) > MOST_ACCOUNTS:
        found.append(
            f"Attackers can expect {accounts:.1f} accounts in a year, more than "
            f"{MOST_ACCOUNTS:.0f}."
        )
    if (wait := longest_wait()) > settings.LOGIN_CODE_TTL_SECONDS:
        found.append(
            f"An owner may have to wait {wait} s for a new code, longer than the code "
            f"before it lives: see LOGIN_CODE_RESEND_SECONDS."
        )
    if (sms := sms_a_day_to_a_number()) > MOST_SMS_A_DAY:
        found.append(
            f"One number may get {sms:,.0f} SMS in a day, more than {MOST_SMS_A_DAY}."
        )
    return found


def _a_day(name: str) -> float:
    limit: Limit | None = settings.LIMITS[name]
    return limit.count * 86_400 / limit.seconds if limit else math.inf


def _stages(
    growth: Sequence[tuple[int, int]], limit: Limit | None, networks: int
) -> list[Stage]:
    """Without the limit nothing is counted, so no code grows."""
    if limit is None:
        return [Stage(math.inf, settings.LOGIN_CODE_LENGTH)]
    found, done, digits = [], 0, settings.LOGIN_CODE_LENGTH
    for at, grown in growth:
        if grown > digits:
            found.append(Stage(min(at, limit.count) - done, digits))
            done, digits = min(at, limit.count), grown
    return [*found, Stage(limit.count - done + FRESH * networks, digits)]


def _in_a_year(stages: list[Stage], limit: Limit | None) -> float:
    periods = math.ceil(YEAR_SECONDS / limit.seconds) if limit else 1
    return sum(stage.chance for stage in stages) * periods
