"""What messages say, and how many segments an SMS is billed as."""

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# The alphabet of GSM 03.38; a character of the second row takes the room of two.
_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_ESCAPED = "^{}\\[~]|€\f"
_GSM_SEGMENT, _UCS2_SEGMENT = 160, 70


def login_code_text() -> str:
    """In the reader's language, with `%(code)s`; one segment, in Russian 70 characters.

    With SMS_WEBOTP_DOMAIN the last line is the one by which a browser knows whose code
    it is (https://wicg.github.io/sms-one-time-codes/).
    """
    domain = settings.SMS_WEBOTP_DOMAIN
    if not domain:
        return _("%(code)s is your sign-in code. Do not share it with anyone.")
    return _("%(code)s is your sign-in code.") + f"\n@{domain} #%(code)s"


def last_code_text(seconds: int) -> str:
    """As `login_code_text`, of a code that stays valid for hours."""
    minutes = max(round(seconds / 60), 1)
    if minutes < 100:
        return ngettext(
            "%(code)s is your sign-in code for the next %(number)d minute. Keep it: "
            "you may not get another one before it expires.",
            "%(code)s is your sign-in code for the next %(number)d minutes. Keep it: "
            "you may not get another one before it expires.",
            minutes,
        ) % {"code": "%(code)s", "number": minutes}
    hours = round(minutes / 60)
    return ngettext(
        "%(code)s is your sign-in code for the next %(number)d hour. Keep it: you may "
        "not get another one before it expires.",
        "%(code)s is your sign-in code for the next %(number)d hours. Keep it: you may "
        "not get another one before it expires.",
        hours,
    ) % {"code": "%(code)s", "number": hours}


def change_from_text(new_number_end: str) -> str:
    return _(
        "%(code)s is the code to change your number to the one ending in %(end)s. "
        "Do not share it with anyone."
    ) % {"code": "%(code)s", "end": new_number_end}


def change_to_text() -> str:
    return _(
        "%(code)s is the code to move an account to this number. Do not share it with "
        "anyone."
    )


def spoken_text(code: str, *, is_sign_in: bool) -> str:
    """For a voice: with commas it does not read the digits as one number."""
    digits = ", ".join(code)
    if is_sign_in:
        text = _(
            "Your sign-in code: %(digits)s. Once more: %(digits)s. Do not share it "
            "with anyone."
        )
    else:
        text = _(
            "Your code to change the phone number of an account: %(digits)s. "
            "Once more: %(digits)s. Do not share it with anyone."
        )
    return text % {"digits": digits}


def fits_one_segment(text: str) -> bool:
    if set(text) <= set(_GSM + _GSM_ESCAPED):
        escaped = sum(character in _GSM_ESCAPED for character in text)
        return len(text) + escaped <= _GSM_SEGMENT
    return len(text.encode("utf-16-be")) // 2 <= _UCS2_SEGMENT
