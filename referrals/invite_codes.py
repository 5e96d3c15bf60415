"""Invite codes: how they look, and in which spellings they are accepted.

The alphabet is Douglas Crockford's base32: digits and capital letters without I, L, O
and U, which are easily confused with others.
Source: https://www.crockford.com/base32.html
"""

import re
import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 6
PATTERN = rf"^[{ALPHABET}]{{{LENGTH}}}$"

# Longer than any share link. Longer texts are not parsed.
MAX_INPUT_LENGTH = 300

_IN_LINK = re.compile(r"/i/([^/?#\s]+)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s\-_.‐-―−]+")
_LOOK_ALIKES = str.maketrans(
    {
        "O": "0",
        "I": "1",
        "L": "1",
        # Cyrillic capitals that look like Latin ones. О, І and Ӏ become digits below.
        "А": "A",
        "В": "B",
        "С": "C",
        "Е": "E",
        "Н": "H",
        "К": "K",
        "М": "M",
        "Р": "P",
        "Ѕ": "S",
        "Т": "T",
        "Х": "X",
        "У": "Y",
        "Ј": "J",
        "О": "0",
        "І": "1",
        "Ӏ": "1",
    }
)


def draw_invite_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normalize_invite_code(text: str) -> str | None:
    """The code in a typed or pasted text, or None if there is none."""
    if len(text) > MAX_INPUT_LENGTH:
        return None
    text = unicodedata.normalize("NFKC", text)
    if link := _IN_LINK.search(text):
        text = link[1]
    code = _SEPARATORS.sub("", text).upper().translate(_LOOK_ALIKES)
    return code if re.fullmatch(PATTERN, code) else None
