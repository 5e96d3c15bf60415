"""Numbers with a fixed code, for an app store's reviewers and for CI: TEST_NUMBERS.

They receive no SMS. Their code is guessed at and spent like any other; only its digits
are fixed. After its last day (UTC) the number is an ordinary one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.conf import settings

from users.login.digits import normalize_digits
from users.phones import PhoneNumber, normalize_phone_number

MOST = 10
_ENTRY = re.compile(r"(\+[0-9]+):([0-9]+):(\d{4}-\d\d-\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class FixedCode:
    phone_number: PhoneNumber
    digits: str = field(repr=False)
    last_day: date

    @property
    def is_live(self) -> bool:
        return datetime.now(UTC).date() <= self.last_day

    def __str__(self) -> str:
        return f"{self.phone_number.masked} until {self.last_day}"


def parse(entries: Sequence[str]) -> list[FixedCode]:
    """Raises ValueError with a sentence that shows no code."""
    if len(entries) > MOST:
        raise ValueError(f"TEST_NUMBERS: {len(entries)} are too many, {MOST} may be.")
    codes = [_parse(entry, place) for place, entry in enumerate(entries, 1)]
    if len({code.phone_number for code in codes}) < len(codes):
        raise ValueError("TEST_NUMBERS: a number stands there twice.")
    return codes


def live() -> list[FixedCode]:
    return [code for code in parse(settings.TEST_NUMBERS) if code.is_live]


def fixed_digits(phone_number: str) -> str | None:
    """None for an ordinary number, which a test number is after its last day."""
    for code in live():
        if code.phone_number == phone_number:
            return code.digits
    return None


def _parse(entry: str, place: int) -> FixedCode:
    try:
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError
        phone_number = normalize_phone_number(match[1])
        if phone_number != match[1]:
            raise ValueError
        digits, last_day = normalize_digits(match[2]), date.fromisoformat(match[3])
        return FixedCode(phone_number, digits, last_day)
    except ValueError:
        raise ValueError(
            f"TEST_NUMBERS: entry {place} is not like +79990000001:12345678:2027-01-31."
        ) from None
