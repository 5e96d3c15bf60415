"""Invite codes: how they look, and in which spellings they are accepted.

The alphabet is Douglas Crockford's base32: digits and capital letters without I, L, O
and U, which are easily confused with others.
Source: https://www.crockford.com/base32.html
"""

import re
import secrets
import unicodedata
from urllib.parse import unquote

from django.conf import settings

from config.characters import with_ascii_digits, without_invisible

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# INVITE_CODE_LENGTH is one of these. The first codes had six characters.
LENGTHS = range(6, 11)
PATTERN = rf"^[{ALPHABET}]{{{LENGTHS[0]},{LENGTHS[-1]}}}$"

# Longer than a share text whose link is wrapped by a social network and tracked.
# Longer texts are not parsed.
MAX_INPUT_LENGTH = 2000

# Networks wrap a link in theirs, where it is encoded once or more.
_WRAPPED = 3
# The patterns have bounded repetitions: strangers send texts that would take long.
# The code is the last part of the path: `/i/events/123` is of another site. It may also
# be in a parameter of the sign-in or activation page.
_IN_LINK = re.compile(
    r"(?:/i/([^/?#&\s]{1,60})/?(?=[?#&\s]|\W{,9}(?:\s|$))"
    r"|[?&;]invite(?:_code)?=([^&#\s]{1,60}))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?<![^\W_])"  # `Zip code:` is read as a label, `Barcode:` is not
    r"(?:(?:invite|promo|referral)?code|(?:промо)?код(?:у|ом|а)?"
    r"|invite|приглашени[еяю]|referral)"
    r"(?:\s{1,3}(?:приглашения|is))?\s{,3}[:：=]",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://\S*", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s\-_.‐-―−]+")
_AROUND = re.compile(r"^(?:[^\w<>]|_)+|(?:[^\w<>]|_)+$")
# With all marks in and around it. A longer text is not one code.
_LONGEST_CODE = 60
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
    length = settings.INVITE_CODE_LENGTH
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def normalize_invite_code(text: str) -> str | None:
    """The code in a typed or pasted text. None: there is none, or more than one."""
    if _is_code(text):
        return text
    if len(text) > MAX_INPUT_LENGTH:
        return None
    text = unicodedata.normalize("NFKC", with_ascii_digits(without_invisible(text)))
    if len(text) > MAX_INPUT_LENGTH:  # one character may have become four
        return None
    if code := _read(text):
        return code
    codes = _codes_in_links(text) | _codes_after_labels(text)
    return codes.pop() if len(codes) == 1 else None


def _read(text: str) -> str | None:
    """The text as one code, whatever marks stand in and around it."""
    text = text.strip()
    if len(text) > _LONGEST_CODE:
        return None
    code = _SEPARATORS.sub("", _AROUND.sub("", text)).upper().translate(_LOOK_ALIKES)
    return code if _is_code(code) else None


def _is_code(text: str) -> bool:
    # No code is longer. If longer texts were read, more words would look like codes.
    return len(text) <= settings.INVITE_CODE_LENGTH and bool(
        re.fullmatch(PATTERN, text)
    )


def _codes_in_links(text: str) -> set[str]:
    codes = set()
    for _ in range(_WRAPPED + 1):
        codes |= {_read(path or query) for path, query in _IN_LINK.findall(text)}
        text = unquote(text)
    return {code for code in codes if code}


def _codes_after_labels(text: str) -> set[str]:
    """`Code: 7K9QXT` and our own share text, whose link may follow without a space."""
    texts = re.split(_LABEL, _ADDRESS.sub(" ", text.replace("http", " http")))[1:]
    codes = {
        _read_labelled(rest) or _read_labelled(rest.split(maxsplit=1)[0])
        for rest in texts
        if rest.strip()
    }
    return {code for code in codes if code}


def _read_labelled(text: str) -> str | None:
    """None for ordinary words: `Code: please` contains no code.

    Our texts show codes in capitals. People who type one in small letters after a label
    have to have a digit in it.
    """
    has_digit = any(character.isdigit() for character in text)
    return _read(text) if has_digit or text == text.upper() else None
