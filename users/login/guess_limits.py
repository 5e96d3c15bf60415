"""What a wrong guess costs, and how many are left: the limits that make a code safe.

All is reserved before a code is compared and given back when it was right.

A stranger's guesses count per code and address, per address, and per number over a day
and a month; after some in a month the number's codes grow (LOGIN_CODE_GROWTH), and
shorter ones are no longer compared. A device that the number knows has its own budget
instead, which no stranger can use up.
"""

import logging
import time

from django.conf import settings
from django.core.cache import cache

from config.monitoring import audit
from config.refusals import LimitReached
from limits.budgets import Claim, Reservation, look, reserve, used
from limits.counters import Counter
from users.login import codes
from users.login.clients import Client
from users.login.codes import LoginCode
from users.login.exceptions import CodeExpired, CodeIncorrect, GuessesUsedUp
from users.phones import mask_phone_number, pseudonym

logger = logging.getLogger(__name__)


def compare(code: LoginCode, digits: str, client: Client) -> None:
    """Return if the code is right.

    Raises CodeIncorrect; and, without having compared, GuessesUsedUp, LimitReached and
    CodeExpired, when the code has been spent or outgrown.
    """
    phone = mask_phone_number(code.phone_number)
    try:
        _compare(code, digits, client)
    except CodeIncorrect as refusal:
        audit.record("code.wrong", phone=phone, attempts_left=refusal.attempts_left)
        raise
    except LimitReached as refusal:
        audit.record("guess.refused", phone=phone, limit=refusal.limit)
        raise


def _compare(code: LoginCode, digits: str, client: Client) -> None:
    reservation = _reserve_for_device(code, client)
    if reservation is None:
        reservation = _reserve_for_stranger(code, client)
    left = _left(code, reservation)
    if left < 0:
        reservation.give_back()
        raise CodeExpired
    if not codes.is_right(code, digits):
        _raise_alarm()
        raise CodeIncorrect(attempts_left=left)
    reservation.give_back()


def _reserve_for_device(code: LoginCode, client: Client) -> Reservation | None:
    """None for devices that the number does not know, or that have guessed too often.

    The budget is small, for a number's former owner has such a device, too.
    """
    if not client.knows(code.phone_number):
        return None
    try:
        return _reserve(code, client, Claim("guesses_per_device", code.phone_number))
    except GuessesUsedUp:
        raise
    except LimitReached:
        return None


def _reserve_for_stranger(code: LoginCode, client: Client) -> Reservation:
    return _reserve(
        code,
        client,
        Claim("guesses_per_address", client.address),
        Claim("guesses_per_address_day", client.address),
        Claim("guesses_per_phone_day", code.phone_number),
        _in_month(code.phone_number),
    )


def _in_month(phone_number: str) -> Claim:
    return Claim("guesses_per_phone_month", phone_number)


def _reserve(code: LoginCode, client: Client, *claims: Claim) -> Reservation:
    """Also one of the guesses at this code that this client has, and all have."""
    source = "device" if client.knows(code.phone_number) else client.address
    at_code = Counter(
        "guesses_per_code",
        f"login-code-guesses:{code.nonce}:{pseudonym(source)}",
        settings.LOGIN_CODE_MAX_ATTEMPTS,
        code.expires_at - time.time(),
    )
    try:
        return reserve(at_code, *claims, codes.life_counter(code))
    except LimitReached as refusal:
        if refusal.limit == at_code.name:
            raise GuessesUsedUp(wait=code.seconds_left) from None
        if refusal.limit == codes.LIFE:
            raise CodeExpired from None
        raise


def _left(code: LoginCode, reservation: Reservation) -> int:
    """Guesses after this one; below zero if the code is too short for this one.

    How much a number's month bears at codes of this length is no matter of its devices.
    """
    counts = reservation.counts
    left: int = settings.LOGIN_CODE_MAX_ATTEMPTS - counts["guesses_per_code"]
    wrong_in_month = counts.get("guesses_per_phone_month")
    if wrong_in_month is None:
        return left
    return min(left, _bearable(code.length) - wrong_in_month)


def _raise_alarm() -> None:
    """One line in the log when the wrong guesses of a window become too many."""
    alarm = Claim("guesses_alarm", "all")
    try:
        reserve(alarm)
    except LimitReached as reached:
        if cache.add("guesses-alarm", 1, reached.retry_after):
            logger.error("wrong guesses have passed %s: an attack?", alarm.limit)


def wrong_in_month(phone_number: str) -> Counter | None:
    """To look at while something is reserved; None where none are counted."""
    return look(_in_month(phone_number))


def code_length(phone_number: str) -> int:
    """Digits of the number's next code: more after wrong guesses in this month."""
    return code_length_after(used(_in_month(phone_number)))


def code_length_after(wrong: int) -> int:
    """The same, where the wrong guesses of the month are known."""
    grown = [digits for at, digits in settings.LOGIN_CODE_GROWTH if wrong >= at]
    return max([settings.LOGIN_CODE_LENGTH, *grown])


def _bearable(length: int) -> int:
    """Wrong guesses in a month up to which a code of this length is compared."""
    outgrown_at = [at for at, digits in settings.LOGIN_CODE_GROWTH if digits > length]
    return min(outgrown_at, default=10**9)
