"""For how long somebody has to wait, in words."""

import math

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from config.refusals import LimitReached, Refusal


def try_again_in(seconds: int) -> str:
    """A sentence, in the largest unit that still says it well; rounded up."""
    if seconds < 90:
        number, text = seconds, _seconds
    elif seconds < 90 * 60:
        number, text = math.ceil(seconds / 60), _minutes
    elif seconds < 36 * 3600:
        number, text = math.ceil(seconds / 3600), _hours
    else:
        number, text = math.ceil(seconds / 86_400), _days
    return text(number) % {"number": number}


def with_wait(refusal: Refusal) -> str:
    """What the refusal says, with the time to wait if its text leaves that open."""
    if isinstance(refusal, LimitReached) and refusal.text == LimitReached.text:
        reason = _("Too many requests.")
        return f"{reason} {try_again_in(refusal.retry_after)}"
    return str(refusal)


def _seconds(number: int) -> str:
    return ngettext(
        "Try again in %(number)d second.", "Try again in %(number)d seconds.", number
    )


def _minutes(number: int) -> str:
    return ngettext(
        "Try again in %(number)d minute.", "Try again in %(number)d minutes.", number
    )


def _hours(number: int) -> str:
    return ngettext(
        "Try again in %(number)d hour.", "Try again in %(number)d hours.", number
    )


def _days(number: int) -> str:
    return ngettext(
        "Try again in %(number)d day.", "Try again in %(number)d days.", number
    )


def clock(seconds: int) -> str:
    """4:05, or 1:02:03."""
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
