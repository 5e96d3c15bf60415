"""What a wrong guess costs, and how many are left: the limits that make a code safe.

All is reserved before a code is compared and given back when it was right.

A stranger's guesses count per code and address, per address, and per number over a day
and a month; after some in a month the number's codes grow (LOGIN_CODE_GROWTH), and
shorter ones are no longer compared. A device that the number knows has its own budget
instead, which no stranger can use up.
"""

import logging
import time
from contextlib import suppress

from django.conf import settings
from django.core.cache import cache

from config import audit
from config.exceptions import LimitReached
from limits.budgets import Claim, Reservation, reserve, used
from users import codes
from users.clients import Client
from users.codes import LoginCode
from users.exceptions import CodeExpired, CodeIncorrect, GuessesUsedUp
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
    left = _count_at_code(code, _source(code, client))
    reservation = _reserve_for_device(code, client)
    if reservation is None:
        reservation, left_of_length = _reserve_for_stranger(code, client)
        left = min(left, left_of_length)
    try:
        right = codes.is_right(code, digits)
    except Exception:
        reservation.give_back()
        raise
    if not right:
        _raise_alarm()
        raise CodeIncorrect(attempts_left=left)
    reservation.give_back()


def forgive(code: LoginCode, client: Client) -> None:
    """Give back a guess that was right but refused for something else."""
    codes.forgive(code)
    with suppress(ValueError):  # the code ended meanwhile
        cache.decr(_source_key(code, _source(code, client)))


def _reserve_for_device(code: LoginCode, client: Client) -> Reservation | None:
    """None for devices that the number does not know, or that have guessed too often.

    The budget is small, for a number's former owner has such a device, too.
    """
    if not client.knows(code.phone_number):
        return None
    try:
        return reserve(Claim("guesses_per_device", code.phone_number))
    except LimitReached:
        return None


def _reserve_for_stranger(code: LoginCode, client: Client) -> tuple[Reservation, int]:
    """Also how many guesses the number's month leaves to codes of this length."""
    number = code.phone_number
    reservation = reserve(
        Claim("guesses_per_address", client.address),
        Claim("guesses_per_address_day", client.address),
        Claim("guesses_per_phone_day", number),
    )
    try:
        wrong_so_far = reservation.take(Claim("guesses_per_phone_month", number))
        left = _bearable(code.length) - wrong_so_far
        if left < 0:
            raise CodeExpired
    except Exception:
        reservation.give_back()
        raise
    return reservation, left


def _raise_alarm() -> None:
    """One line in the log when the wrong guesses of a window become too many."""
    alarm = Claim("guesses_alarm", "all")
    try:
        reserve(alarm)
    except LimitReached as reached:
        if cache.add("guesses-alarm", 1, reached.retry_after):
            logger.error("wrong guesses have passed %s: an attack?", alarm.limit)


def code_length(phone_number: str) -> int:
    """Digits of the number's next code: more after wrong guesses in this month."""
    wrong = used(Claim("guesses_per_phone_month", phone_number))
    grown = [digits for at, digits in settings.LOGIN_CODE_GROWTH if wrong >= at]
    return max([settings.LOGIN_CODE_LENGTH, *grown])


def _bearable(length: int) -> int:
    """Wrong guesses in a month up to which a code of this length is compared."""
    outgrown_at = [at for at, digits in settings.LOGIN_CODE_GROWTH if digits > length]
    return min(outgrown_at, default=10**9)


def _source(code: LoginCode, client: Client) -> str:
    return "device" if client.knows(code.phone_number) else client.address


def _source_key(code: LoginCode, source: str) -> str:
    return f"login-code-guesses:{code.nonce}:{pseudonym(source)}"


def _count_at_code(code: LoginCode, source: str) -> int:
    """Count a guess of this source at this code; how many it has left after it."""
    key = _source_key(code, source)
    cache.add(key, 0, max(code.expires_at - time.time(), 1))
    try:
        guesses = cache.incr(key)
    except ValueError:  # it ended meanwhile
        raise CodeExpired from None
    left = settings.LOGIN_CODE_MAX_ATTEMPTS - guesses
    if left < 0:
        raise GuessesUsedUp(wait=code.seconds_left)
    return int(left)
