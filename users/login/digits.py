"""The digits of a login code, as people type and paste them."""

import re

from django.conf import settings


class InvalidDigits(ValueError):
    """The text cannot be a login code."""


def normalize_digits(text: str) -> str:
    """The ASCII digits, without spaces and dashes. Raises InvalidDigits."""
    digits = re.sub(r"[\s-]", "", text)
    shortest, longest = settings.LOGIN_CODE_MIN_LENGTH, settings.LOGIN_CODE_MAX_LENGTH
    if not re.fullmatch(f"[0-9]{{{shortest},{longest}}}", digits):
        raise InvalidDigits
    return digits
