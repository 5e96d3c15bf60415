"""Characters that people send without seeing them, and digits of every script."""

import re
import unicodedata

# Unicode's Default_Ignorable_Code_Point: zero-width characters, marks of direction,
# soft hyphens, variation selectors, tags, Hangul fillers. Also U+2800, a blank in
# Braille, and U+FFF9 to U+FFFC: phones leave U+FFFC where a picture was copied.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Names may contain what joins letters and emoji (Persian and Indic names need it),
# marks of direction for one place, and variation selectors (Japanese names).
_INVISIBLE_IN_NAMES = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u200b\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufeff\uffa0\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")  # U+0000 is refused


def without_invisible(text: str) -> str:
    return text if text.isascii() else _INVISIBLE.sub("", text)


def with_ascii_digits(text: str) -> str:
    """`٤`, `۴`, `४` and `４` become `4`. Superscripts and circled digits stay."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in text
    )


def tidy_name(text: str) -> str:
    """A name on one line, composed (NFC), empty if nothing in it can be seen.

    Overrides of direction and hidden tags go: they could change the text around it.
    """
    name = _CONTROL.sub("", _INVISIBLE_IN_NAMES.sub("", text))
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    return name if _can_be_seen(name) else ""


def _can_be_seen(name: str) -> bool:
    """Whether anything is left without accents that stand on no letter."""
    return any(
        not character.isspace() and unicodedata.category(character)[0] != "M"
        for character in without_invisible(name)
    )


def tidy_email(text: str) -> str:
    return without_invisible(text).strip()
