"""Phone numbers: read in any spelling, stored in E.164, masked where others look.

E.164 is the form of ITU-T: `+`, country code, number; 15 digits at most.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from django.conf import settings
from django.utils.crypto import salted_hmac

from config.characters import with_ascii_digits, without_invisible

PATTERN = r"^\+[1-9][0-9]{6,14}$"
MAX_LENGTH = 16

# Longer than any spelling of a number with marks at each digit. Longer texts are not
# parsed.
MAX_INPUT_LENGTH = 200

# The usual spellings. They need none of the rules below.
_PLAIN = re.compile(r"\+?[0-9](?:[0-9 )]|\((?! *\))|\.(?!\.)|-(?! *-)){4,30}")
_PLUS = re.compile("[+＋﹢⁺➕]+")
_DASHES = "".join(
    chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == "Pd"
)
# What may stand between digits; U+20E3 is the box of a keycap emoji. Bullets, stars and
# ellipses hide digits, and so are not among them.
_MARKS = re.compile(rf"[\s().\[\]（）［］．。·․‧/／⁄_−⁃˗\u20e3{re.escape(_DASHES)}]+")
# `__`, `...`, `--` and `( )` stand for digits that are missing. The last digits after a
# slash are often those of a second number.
_DIGITS_MISSING = re.compile(
    r"_\W*_|_\W*$|[.．。]{2}|[·․‧]\s*[·․‧]|[(\[（［]\s*[)\]）］]"
    rf"|[−⁃˗{re.escape(_DASHES)}]\s*[−⁃˗{re.escape(_DASHES)}]"
    r"|[/／⁄]\D*(?:[0-9]\D*){,4}$"
)
_AROUND = "'\"`«»“”„‘’‹›<>,;:. \t\r\n"
_LABEL = re.compile(
    r"\W*(?:tel|phone|mobile|mob|cell|тел|телефон|моб|мобильный)\b\.?\s*[:.]",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"[(\[（]\s*(?:whats\s?app|telegram|viber|signal|mobile|mob\.?|cell|home|work|"
    r"ватсап|вотсап|вацап|телеграмм?|тг|вайбер|мобильный|моб\.?|сотовый|дом\.?|"
    r"домашний|раб\.?|рабочий)\s*[)\]）]\W*$",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    # Bounded repetitions: otherwise a long text of marks takes a long time.
    r"[\s.,;(\[-]{,5}(?:;\s?ext\s?=|ext[a-z]{,9}\b|int[a-z]{,9}\b|anexo|ramal|"
    r"доб[а-я]{,9}|вн[а-я]{,9}|x|х|#|~|[,;])[\s.:,#№]{,5}[0-9]{1,9}\s?[)\]]?$",
    re.IGNORECASE,
)


class NotAPhoneNumber(ValueError):
    """The text is not a phone number that can be dialled."""


class HasExtension(NotAPhoneNumber):
    """A number with an extension behind a switchboard, which no SMS reaches."""


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

    Marks and spaces are ignored. Letters are refused, because a keypad would turn them
    into the digits of a stranger's number. Raises NotAPhoneNumber.
    """
    if len(text) > MAX_INPUT_LENGTH:
        raise NotAPhoneNumber
    if _PLAIN.fullmatch(text):
        return _read(text)
    text = _without_labels(with_ascii_digits(without_invisible(text)))
    if extension := _EXTENSION.search(text):
        _read(_dialled(text[: extension.start()]))
        raise HasExtension
    return _read(_dialled(text))


def _without_labels(text: str) -> str:
    text = text.strip(_AROUND)
    if label := _LABEL.match(text):
        text = with_ascii_digits(without_invisible(unquote(text[label.end() :])))
    return _NOTE.sub("", text).strip(_AROUND)


def _dialled(text: str) -> str:
    """Only a leading plus sign and ASCII digits. Raises NotAPhoneNumber."""
    if _DIGITS_MISSING.search(text):
        raise NotAPhoneNumber
    dialled = _PLUS.sub("+", _MARKS.sub("", text))
    if not re.fullmatch(r"\+?[0-9]+", dialled):
        raise NotAPhoneNumber
    return dialled


def _read(dialled: str) -> PhoneNumber:
    parsed = _parse(dialled)
    if parsed is None and dialled.startswith("00"):
        # In many countries 00 is dialled for `+`, but not in PHONE_DEFAULT_REGION.
        parsed = _parse(f"+{dialled[2:]}")
    if parsed is None:
        raise NotAPhoneNumber
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return PhoneNumber(e164)


def _parse(dialled: str) -> phonenumbers.PhoneNumber | None:
    """None: not a valid number."""
    try:
        parsed = phonenumbers.parse(dialled, settings.PHONE_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    return _with_one_form(parsed)


def _with_one_form(
    number: phonenumbers.PhoneNumber,
) -> phonenumbers.PhoneNumber | None:
    """One form for a SIM card that answers to several: the one that is in force now.

    SMS reach mobile phones only, so an Argentine number without the 9 of mobiles gets
    it. Mexico dropped the 1 of mobiles in 2019, and Benin put 01 before every number in
    2024. None: not a valid number.
    """
    national = str(number.national_number)
    if number.country_code == 54 and len(national) == 10:
        with_mobile_prefix = phonenumbers.PhoneNumber(54, int(f"9{national}"))
        if phonenumbers.is_valid_number(with_mobile_prefix):
            return with_mobile_prefix
    elif number.country_code == 52 and len(national) == 11 and national[0] == "1":
        number = phonenumbers.PhoneNumber(52, int(national[1:]))
    elif number.country_code == 229 and len(national) == 8:
        number = phonenumbers.parse(f"+22901{national}")
    return number if phonenumbers.is_valid_number(number) else None


# One request needs the country and the type of its number several times.
@lru_cache(maxsize=64)
def country_of(phone_number: str) -> str | None:
    """The ISO 3166 code of a number in E.164. None: it belongs to no single country."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(phone_number))


@lru_cache(maxsize=64)
def type_of(phone_number: str) -> str:
    """The kind of a number in E.164, such as `mobile`, `fixed_line`, `premium_rate`."""
    kind = phonenumbers.number_type(phonenumbers.parse(phone_number))
    return str(phonenumbers.PhoneNumberType.to_string(kind)).lower()


def spell_phone_number(phone_number: str) -> str:
    """`+7 999 123-45-67`, as people write it. Takes a number in E.164."""
    number = phonenumbers.parse(phone_number)
    spelling = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, spelling)


def example_number() -> str:
    """A mobile number of PHONE_DEFAULT_REGION as people write it; empty if none."""
    number = _example()
    spelling = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, spelling) if number else ""


def typing_formats() -> list[str]:
    """How mobile numbers of PHONE_DEFAULT_REGION are written, with `#` for digits.

    Abroad and at home: `+7 ### ###-##-##`, `8 (###) ###-##-##`.
    """
    number = _example()
    if number is None:
        return []
    spellings = phonenumbers.PhoneNumberFormat
    code, _, rest = example_number().partition(" ")
    at_home = phonenumbers.format_number(number, spellings.NATIONAL)
    region = phonenumbers.PhoneMetadata.metadata_for_region(
        settings.PHONE_DEFAULT_REGION
    )
    prefix = (region and region.national_prefix) or ""
    if not at_home.startswith(prefix):
        prefix = ""
    masked = re.sub("[0-9]", "#", at_home.removeprefix(prefix))
    return [f"{code} {re.sub('[0-9]', '#', rest)}", f"{prefix}{masked}"]


def _example() -> phonenumbers.PhoneNumber | None:
    return phonenumbers.example_number_for_type(
        settings.PHONE_DEFAULT_REGION, phonenumbers.PhoneNumberType.MOBILE
    )


def pseudonym(phone_number: str, secret: str | None = None) -> str:
    """A keyed hash of the number; under PSEUDONYM_SECRET unless a secret is given."""
    secret = secret or settings.PSEUDONYM_SECRET or None  # None: SECRET_KEY
    mac = salted_hmac("users.phone", phone_number, secret, algorithm="sha256")
    return mac.hexdigest()
