"""Phone numbers: read in any spelling, stored in E.164, masked where others look.

E.164 is the form of ITU-T: `+`, country code, number; 15 digits at most.
"""

from __future__ import annotations

import phonenumbers
from django.conf import settings
from django.utils.crypto import salted_hmac

PATTERN = r"^\+[1-9][0-9]{6,14}$"
MAX_LENGTH = 16

# Longer than any spelling of a number. Longer texts are not parsed.
MAX_INPUT_LENGTH = 40


class NotAPhoneNumber(ValueError):
    """The text is not a phone number that can be dialled."""


class PhoneNumber(str):
    """A number in E.164, from `normalize_phone_number` or from the database.

    `masked` (`+7999•••••67`) is for logs. `pseudonym` stands for the number where it
    must not be readable, such as in a cache key.
    """

    masked: str
    pseudonym: str

    def __new__(cls, e164: str) -> PhoneNumber:
        number = super().__new__(cls, e164)
        # Hides five digits if it can: the owner recognises it, nobody can dial it.
        shown = max(2, min(5, len(e164) - 7))
        hidden = len(e164) - shown - 2
        number.masked = f"{e164[:shown]}{'•' * hidden}{e164[-2:]}"
        number.pseudonym = pseudonym(e164)
        return number


def normalize_phone_number(text: str) -> PhoneNumber:
    """A number without a country code is read in PHONE_DEFAULT_REGION.

    Raises NotAPhoneNumber.
    """
    if len(text) > MAX_INPUT_LENGTH:
        raise NotAPhoneNumber
    try:
        parsed = phonenumbers.parse(text, settings.PHONE_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        raise NotAPhoneNumber from None
    if parsed.extension or not phonenumbers.is_valid_number(parsed):
        raise NotAPhoneNumber
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return PhoneNumber(e164)


def country_of(phone_number: str) -> str | None:
    """The ISO 3166 code of a number in E.164. None: it belongs to no single country."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(phone_number))


def type_of(phone_number: str) -> str:
    """The kind of a number in E.164, such as `mobile`, `fixed_line`, `premium_rate`."""
    kind = phonenumbers.number_type(phonenumbers.parse(phone_number))
    return str(phonenumbers.PhoneNumberType.to_string(kind)).lower()


def spell_phone_number(phone_number: str) -> str:
    """`+7 999 123-45-67`, as people write it. Takes a number in E.164."""
    number = phonenumbers.parse(phone_number)
    spelling = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, spelling)


def pseudonym(phone_number: str, secret: str | None = None) -> str:
    """A keyed hash of the number; under PSEUDONYM_SECRET unless a secret is given."""
    secret = secret or settings.PSEUDONYM_SECRET or None  # None: SECRET_KEY
    mac = salted_hmac("users.phone", phone_number, secret, algorithm="sha256")
    return mac.hexdigest()
