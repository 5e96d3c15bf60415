"""How many digits a login code needs: more, after many wrong guesses.

Wrong guesses are counted at the number, from the address, from its network, and by
everybody. Past the counts of the settings LOGIN_CODE_GROWTH… the next codes of the
number, those asked for from the address or network, and those of everybody are longer.
Codes that are too short by then are no longer compared (`guess_limits`).
"""

from collections.abc import Mapping
from dataclasses import replace

from django.conf import settings

from limits.addresses import network_of
from limits.budgets import attempt, read
from limits.command_types import AttemptLimit, Command
from limits.slots import SERVICE
from users.login.clients import Client
from users.login.codes import LoginCode

# The limits on guesses whose counts make codes longer.
PER_MONTH = "guesses_per_phone_month"
PER_ADDRESS_DAY = "guesses_per_address_day"
PER_NETWORK_DAY = "guesses_per_network_day"
ALL = "guesses"


def _growth() -> dict[str, list[tuple[int, int]]]:
    """By limit: pairs of wrong guesses and the digits of the codes after them."""
    return {
        PER_MONTH: settings.LOGIN_CODE_GROWTH,
        PER_ADDRESS_DAY: settings.LOGIN_CODE_GROWTH_PER_CLIENT,
        PER_NETWORK_DAY: settings.LOGIN_CODE_GROWTH_PER_CLIENT,
        ALL: settings.LOGIN_CODE_GROWTH_OVERALL,
    }


def _subjects(pseudonym: str, address: str) -> dict[str, str]:
    """By limit: whose wrong guesses make codes longer."""
    return {
        PER_MONTH: pseudonym,
        PER_ADDRESS_DAY: address,
        PER_NETWORK_DAY: network_of(address),
        ALL: SERVICE,
    }


def outgrown_limits(
    code: LoginCode, pseudonym: str, address: str
) -> list[AttemptLimit]:
    """The limits after whose wrong guesses the code is too short. They only check."""
    found = []
    for name, subject in _subjects(pseudonym, address).items():
        if code.is_fixed and name != PER_MONTH:
            continue  # the number of an app store's reviewers cannot get a longer one
        outgrown_at = [at for at, digits in _growth()[name] if digits > code.length]
        if outgrown_at and (limit := attempt(name, subject)):
            found.append(replace(limit, limit=min(outgrown_at), amount=0))
    return found


def wrong_guesses(pseudonym: str, client: Client) -> list[Command | None]:
    """Commands that read what `length_of_next_code` needs."""
    subjects = _subjects(pseudonym, client.address)
    return [read(name, subject) for name, subject in subjects.items()]


def length_of_next_code(wrong_guesses: Mapping[str, int]) -> int:
    """Digits, after the wrong guesses that these limits have counted."""
    grown = [
        digits
        for name, steps in _growth().items()
        for at, digits in steps
        if wrong_guesses.get(name, 0) >= at
    ]
    return max([settings.LOGIN_CODE_LENGTH, *grown])
