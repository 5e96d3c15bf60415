"""Calls whose number ends in the code. Nobody has to answer them."""

from django.conf import settings

from users.channels import CodeMessage, Purpose
from users.phones import country_of, type_of

DIGITS = 4  # of the caller's number


def can_be_called(message: CodeMessage) -> bool:
    """Whether a call can carry it.

    Not a longer code. Not one to change a number: a call cannot say what the code is
    for, and somebody might be talked into telling it. Not to a landline, whose owner
    may not see who calls.
    """
    return (
        message.length == DIGITS
        and message.purpose == Purpose.SIGN_IN
        and country_of(message.phone_number) in settings.CALL_COUNTRIES
        and type_of(message.phone_number) != "fixed_line"
    )
