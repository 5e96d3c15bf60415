"""The limits that make a short code safe: how many wrong guesses there may be.

Every guess is counted before the code is compared, and refunded if it was right.

Guesses of strangers count at the code per address, and per address and per number over
longer windows. After some wrong guesses in a month the number's next codes are longer
(LOGIN_CODE_GROWTH), and shorter ones are no longer compared. A device that has signed
in on the number before has a small limit of its own, which no stranger can use up.
"""

import logging
import time

from django.conf import settings
from django.core.cache import cache

from config.monitoring import audit
from config.refusals import LimitReached
from limits.budgets import Reservation, attempt, hashed_key, reserve
from limits.commands import AttemptLimit, Command
from users.login.clients import Client
from users.login.codes import GUESSES_LEFT, LoginCode
from users.login.exceptions import CodeExpired, CodeIncorrect, GuessesUsedUp
from users.phones import PhoneNumber

logger = logging.getLogger(__name__)

PER_CODE = "guesses_per_code"
PER_MONTH = "guesses_per_phone_month"


def compare(
    code: LoginCode,
    digits: str,
    *,
    phone_number: PhoneNumber,
    client: Client,
    is_known_device: bool,
) -> None:
    """Return if the digits are right.

    Raises CodeIncorrect; and, before the code is compared, GuessesUsedUp, LimitReached,
    and CodeExpired for a code that was spent or is too short by now.
    """
    try:
        guess = _reserve(code, phone_number.pseudonym, client, is_known_device)
        left = _guesses_left(code, guess)
        if left < 0:
            guess.refund()
            raise CodeExpired
        if not code.matches(digits):
            _watch_for_attack()
            raise CodeIncorrect(attempts_left=left)
        guess.refund()
    except CodeIncorrect as refusal:
        left = refusal.attempts_left
        audit.record("code.wrong", phone=phone_number.masked, attempts_left=left)
        raise
    except LimitReached as refusal:
        audit.record("guess.refused", phone=phone_number.masked, limit=refusal.limit)
        raise


def _reserve(
    code: LoginCode, number: str, client: Client, is_known_device: bool
) -> Reservation:
    strangers = [
        attempt("guesses_per_address", client.address),
        attempt("guesses_per_address_day", client.address),
        attempt("guesses_per_phone_day", number),
        attempt(PER_MONTH, number),
    ]
    if not is_known_device:
        return _reserve_at(code, client.address, *strangers)
    try:
        own = attempt("guesses_per_device", number)
        return _reserve_at(code, "device", own)
    except GuessesUsedUp:
        raise
    except LimitReached:  # from now on the device counts as a stranger
        return _reserve_at(code, "device", *strangers)


def _reserve_at(
    code: LoginCode, guesser: str, *limits: AttemptLimit | None
) -> Reservation:
    """The limits, this guesser's guesses at this code, and those of everybody at it."""
    per_code = AttemptLimit(
        name=PER_CODE,
        key=hashed_key(f"{PER_CODE} {code.nonce} {guesser}"),
        limit=settings.LOGIN_CODE_MAX_ATTEMPTS,
        seconds=code.expires_at - time.time(),
    )
    commands: list[Command | None] = [per_code, *limits, code.guess]
    try:
        return reserve(*commands)
    except LimitReached as refusal:
        if refusal.limit == PER_CODE:
            raise GuessesUsedUp(wait=code.seconds_left) from None
        if refusal.limit == GUESSES_LEFT:
            raise CodeExpired from None
        raise


def _guesses_left(code: LoginCode, guess: Reservation) -> int:
    """Guesses after this one. Below 0 the code is too short for this one already."""
    left: int = settings.LOGIN_CODE_MAX_ATTEMPTS - guess.results[PER_CODE]
    wrong_in_month = guess.results.get(PER_MONTH)
    if wrong_in_month is None:  # a device with its own limit, or the limit is off
        return left
    return min(left, _bearable(code.length) - wrong_in_month)


def _bearable(length: int) -> int:
    """Wrong guesses in a month up to which a code of this length is compared."""
    outgrown_at = [at for at, digits in settings.LOGIN_CODE_GROWTH if digits > length]
    return min(outgrown_at, default=10**9)


def length_of_next_code(wrong_in_month: int) -> int:
    """Digits of a number's next code after so many wrong guesses in a month."""
    grown = [
        digits for at, digits in settings.LOGIN_CODE_GROWTH if wrong_in_month >= at
    ]
    return max([settings.LOGIN_CODE_LENGTH, *grown])


def _watch_for_attack() -> None:
    """Log one error in a window in which wrong guesses pass the alarm's limit."""
    alarm = attempt("guesses_alarm", "all")
    try:
        reserve(alarm)
    except LimitReached as reached:
        if cache.add("guesses-alarm", 1, reached.retry_after):
            limit = settings.LIMITS["guesses_alarm"]
            logger.error("wrong guesses have passed %s: an attack?", limit)
