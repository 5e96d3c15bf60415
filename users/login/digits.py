"""The digits of a login code, as people type and paste them."""

import re

from django.conf import settings

from config.characters import with_ascii_digits, without_invisible

# Longer than any SMS with a code. Longer texts are not read.
MAX_INPUT_LENGTH = 500

# Spaces, dashes, full stops, quotes and brackets: everything but letters, digits, signs
# of arithmetic and decimal commas, with which a text is no code.
_MARKS = re.compile(r"[\s\-‐-―−._·。．:#\"'`«»“”„()\[\]<>]+")
_RUN = re.compile("[0-9]+")


class InvalidDigits(ValueError):
    """The text cannot be a login code."""


def normalize_digits(text: str) -> str:
    """The ASCII digits of a code in any script, or of a text that contains one code.

    In a text with words, such as a pasted SMS, the code is the only run of digits that
    is as long as codes are. So one input is never two guesses. Raises InvalidDigits.
    """
    if len(text) > MAX_INPUT_LENGTH:
        raise InvalidDigits
    text = with_ascii_digits(without_invisible(text))
    digits = _MARKS.sub("", text)
    if not _RUN.fullmatch(digits):
        runs = set(filter(_is_long_enough, _RUN.findall(text)))
        has_words = any(character.isalpha() for character in text)
        digits = runs.pop() if has_words and len(runs) == 1 else ""
    if not _is_long_enough(digits):
        raise InvalidDigits
    return digits


def _is_long_enough(digits: str) -> bool:
    shortest, longest = settings.LOGIN_CODE_MIN_LENGTH, settings.LOGIN_CODE_MAX_LENGTH
    return shortest <= len(digits) <= longest
