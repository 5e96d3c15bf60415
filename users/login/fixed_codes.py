"""Numbers with a fixed code, for an app store's reviewers and for CI: TEST_NUMBERS.

No SMS is sent to them. Their code lives, is guessed at and is spent like any other;
only its digits are fixed. After the last day, in UTC, the number is an ordinary one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.conf import settings

from users.phones import InvalidPhoneNumber, mask_phone_number, normalize_phone_number

MOST = 10
_ENTRY = re.compile(r"(\+[0-9]+):([0-9]{4,8}):(\d{4}-\d\d-\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class TestNumber:
    __test__ = False  # pytest takes the name for a test's

    phone_number: str
    code: str
    last_day: date

    @property
    def is_live(self) -> bool:
        return datetime.now(UTC).date() <= self.last_day

    def __str__(self) -> str:
        return f"{mask_phone_number(self.phone_number)} until {self.last_day}"


def parse(entries: Sequence[str]) -> list[TestNumber]:
    """Raises ValueError with a sentence that shows no code."""
    if len(entries) > MOST:
        raise ValueError(f"TEST_NUMBERS: {len(entries)} are too many, {MOST} may be.")
    numbers = [_parse(entry, place) for place, entry in enumerate(entries, 1)]
    if len({number.phone_number for number in numbers}) < len(numbers):
        raise ValueError("TEST_NUMBERS: a number stands there twice.")
    return numbers


def live() -> list[TestNumber]:
    return [number for number in parse(settings.TEST_NUMBERS) if number.is_live]


def code_of(phone_number: str) -> str | None:
    """The fixed code; None for an ordinary number, as one is after its last day."""
    for number in live():
        if number.phone_number == phone_number:
            return number.code
    return None


def _parse(entry: str, place: int) -> TestNumber:
    try:
        match = _ENTRY.fullmatch(entry)
        if match is None or normalize_phone_number(match[1]) != match[1]:
            raise ValueError
        return TestNumber(match[1], match[2], date.fromisoformat(match[3]))
    except (ValueError, InvalidPhoneNumber):
        raise ValueError(
            f"TEST_NUMBERS: entry {place} is not like +79990000001:12345678:2027-01-31."
        ) from None
