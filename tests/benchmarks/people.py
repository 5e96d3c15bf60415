"""The users in the database of a benchmark, computed from their ids.

Ids start at 1. The first three users have long lists of referrals. Six in ten of the
others were invited by an earlier user. Early users have invited more, as in reality.
"""

import hashlib
import secrets
from collections.abc import Iterator

from referrals.invite_codes import ALPHABET, LENGTHS

STAFF_PHONE_NUMBER = "+79119999999"
STAFF_PASSWORD = "only on a private database"

FIRST_NEW_NUMBER = 9_310_000_000  # without the country code 7; all numbers are valid
NEW_NUMBERS = 680_000_000
CODES = len(ALPHABET) ** LENGTHS[0]
FIRST_NAMES = ["Alice", "Boris", "Clara", "Daniil", "Elena", "Fyodor", "Galina"]
LAST_NAMES = ["Ivanova", "Petrov", "Smirnova", "Orlov", "Novak", "Volkov", "Fischer"]


def owners(users: int) -> dict[int, int]:
    """How many users each of the first three has invited."""
    return {1: min(100_000, users // 2), 2: 1000, 3: 10}


def phone_number(person: int) -> str:
    return f"+7900{person:07}"


def new_phone_number(number: int) -> str:
    """A number from a range that no user in the database has."""
    return f"+7{FIRST_NEW_NUMBER + number}"


def draw_new_numbers(count: int) -> int:
    """The first of `count` numbers that an earlier run has probably not used."""
    return secrets.randbelow(NEW_NUMBERS - count)


def invite_code(person: int) -> str:
    """Looks random. Codes differ, as the factor and 32**6 have no common divisor."""
    number = person * 684_531_173 % CODES
    letters = []
    for _ in range(LENGTHS[0]):
        number, digit = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(letters)


def token(person: int) -> str:
    return f"benchmark-{person}"


def token_digest(person: int) -> str:
    return hashlib.sha256(token(person).encode()).hexdigest()


def names(person: int) -> tuple[str, str]:
    first = FIRST_NAMES[person % len(FIRST_NAMES)]
    return first, LAST_NAMES[person // len(FIRST_NAMES) % len(LAST_NAMES)]


def referrals(users: int) -> Iterator[tuple[int, int]]:
    """Pairs of invitee and inviter, in the order in which they joined."""
    person = 4
    for owner, count in sorted(owners(users).items(), reverse=True):
        for invitee in range(person, person + count):
            yield invitee, owner
        person += count
    for invitee in range(person, users + 1):
        # A fixed hash of the id, so that each run has the same referrals.
        share = invitee * 2_654_435_761 % 2**32 / 2**32
        if share < 0.6:
            yield invitee, 4 + int((share / 0.6) ** 3 * (invitee - 5))
