"""Phone numbers: read in any spelling, kept in E.164, shown masked where others look.

E.164 is ITU-T's form: `+`, country code, number, at most 15 digits.
"""

import phonenumbers
from django.conf import settings
from django.utils.crypto import salted_hmac

PATTERN = r"^\+[1-9][0-9]{6,14}$"
MAX_LENGTH = 16

# Longer than any spelling of a number; what is longer still is not parsed.
MAX_INPUT_LENGTH = 40


class InvalidPhoneNumber(ValueError):
    """The text is no number that could be dialled."""


def normalize_phone_number(text: str) -> str:
    """The E.164 form; a number without a country code is read in PHONE_DEFAULT_REGION.

    Raises InvalidPhoneNumber.
    """
    if len(text) > MAX_INPUT_LENGTH:
        raise InvalidPhoneNumber
    try:
        number = phonenumbers.parse(text, settings.PHONE_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        raise InvalidPhoneNumber from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise InvalidPhoneNumber
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def spell_phone_number(phone_number: str) -> str:
    """`+7 999 123-45-67`, as people read it; for a number in E.164."""
    number = phonenumbers.parse(phone_number)
    spelling = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, spelling)


def is_served(phone_number: str) -> bool:
    """Whether SMS go to the number's country: SMS_COUNTRIES lists them, or all do."""
    if not settings.SMS_COUNTRIES:
        return True
    number = phonenumbers.parse(phone_number)
    return phonenumbers.region_code_for_number(number) in settings.SMS_COUNTRIES


def pseudonym(phone_number: str, secret: str | None = None) -> str:
    """Stands for the number where it must not be readable, such as in a cache key."""
    mac = salted_hmac("users.phone", phone_number, secret, algorithm="sha256")
    return mac.hexdigest()


def mask_phone_number(phone_number: str) -> str:
    """`+7999•••••67`: enough for its owner to recognise, too little to dial."""
    shown = max(2, min(5, len(phone_number) - 7))  # five digits hidden, if there are
    hidden = len(phone_number) - shown - 2
    return f"{phone_number[:shown]}{'•' * hidden}{phone_number[-2:]}"
