"""The limits on sending codes: an SMS costs money, and too many annoy people."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from config.monitoring import audit
from config.refusals import LimitReached
from limits import commands
from limits.budgets import attempt, read, reserve
from users.login.clients import Client
from users.login.exceptions import ResendTooSoon
from users.login.guess_limits import PER_MONTH, length_of_next_code
from users.phones import PhoneNumber
from users.sms.exceptions import SmsUnavailable, SmsUnsure
from users.statistics import daily_counts

RECENT_SENDS = "recent_sends"
# For how long a number's earlier sends make the wait for its next one longer.
RECENT_SECONDS = 3600

# The kill switch for all sending. Key: one for the service. Value: 1. TTL: none.
_STOPPED = commands.Switch(name="sending_stopped", key="sms-sending-stopped")


@dataclass(frozen=True, slots=True)
class Send:
    """Permission for one SMS."""

    next_at: float  # when the number may ask again, in seconds since the epoch
    code_length: int  # digits, if a new code is made
    sent_today: int  # codes of the whole service today, this one included


@contextmanager
def reserve_send(
    phone_number: PhoneNumber, client: Client, *, is_known_device: bool
) -> Iterator[Send]:
    """Permission for one SMS, refunded if the block raises.

    After SmsUnsure the limits stay charged, because the provider may bill the SMS; only
    the wait for the next one is refunded. Raises ResendTooSoon, LimitReached, and
    SmsUnavailable while sending is stopped.
    """
    number = phone_number.pseudonym
    lock = _send_lock(number, is_known_device)
    if is_known_device:
        limits = [attempt("sends_per_device", number)]
    else:
        limits = [
            attempt("sends_per_phone_and_address", f"{number} {client.address}"),
            attempt("sends_per_address", client.address),
            attempt("phones_per_address", client.address, item=number),
            attempt("sends_per_phone_hour", number),
            attempt("sends_per_phone_day", number),
        ]
    try:
        reservation = reserve(
            _STOPPED,
            lock,
            _recent_sends(lock),
            *limits,
            attempt("sends", "all"),
            # In the same round trip: what decides the code's length, and today's count.
            read(PER_MONTH, number),
            daily_counts.codes_sent(),
        )
    except LimitReached as refusal:
        if refusal.limit == _STOPPED.name:
            raise SmsUnavailable from None
        audit.record("code.refused", phone=phone_number.masked, limit=refusal.limit)
        if refusal.limit == lock.name:
            raise ResendTooSoon(wait=_seconds_until_free(lock)) from None
        raise
    results = reservation.results
    wait = _wait_after(results[RECENT_SENDS])
    next_at = time.time() + wait
    try:
        yield Send(
            next_at=next_at,
            code_length=length_of_next_code(results.get(PER_MONTH, 0)),
            sent_today=results[daily_counts.CODES_SENT],
        )
    except SmsUnsure as unsure:
        if unsure.is_new:
            reservation.refund(lock.name, RECENT_SENDS, daily_counts.CODES_SENT)
        else:
            reservation.refund()
        raise
    except Exception:
        reservation.refund()
        raise
    if not wait == _wait_after(1) == lock.seconds:  # else the lock ends just then
        with suppress(RedisError):  # the SMS is on its way: do not answer 503
            cache.set(lock.key, int(next_at * 1000), max(next_at - time.time(), 0))


def seconds_until_resend(phone_number: PhoneNumber, *, is_known_device: bool) -> int:
    return _seconds_until_free(_send_lock(phone_number.pseudonym, is_known_device))


def clear_waits(phone_number: PhoneNumber) -> None:
    """Let the number ask at once, and begin again with the shortest wait."""
    for is_known_device in (True, False):
        lock = _send_lock(phone_number.pseudonym, is_known_device)
        commands.end(lock.key)
        commands.end(_recent_sends(lock).key)


def stop() -> None:
    """The kill switch: no SMS to anybody until `start`."""
    cache.set(_STOPPED.key, 1, None)


def start() -> None:
    cache.delete(_STOPPED.key)


def is_stopped() -> bool:
    return bool(cache.get(_STOPPED.key))


def _send_lock(number: str, is_known_device: bool) -> commands.Lock:
    """One SMS to a number at a time. Known devices wait only for one another.

    Before the SMS it is held for longer than the SMS takes, so that no other goes out
    at the same time; after it, until the number may ask again.
    """
    asking = "own" if is_known_device else "any"
    shortest = _wait_after(1)
    return commands.Lock(
        name=ResendTooSoon.limit_name,
        key=f"login-code-wait:{asking}:{number}",
        free_at=time.time() + shortest,
        seconds=max(shortest, settings.SMS_TIMEOUT_SECONDS + 5),
    )


def _recent_sends(lock: commands.Lock) -> commands.Tally:
    """Key: the lock's. Value: SMS sent since its first. TTL: RECENT_SECONDS."""
    key = f"{lock.key}:sends"
    return commands.Tally(name=RECENT_SENDS, key=key, seconds=RECENT_SECONDS)


def _seconds_until_free(lock: commands.Lock) -> int:
    free_at: int = cache.get(lock.key, 0)
    return max(math.ceil(free_at / 1000 - time.time()), 0)


def _wait_after(sends: int) -> int:
    """Seconds to wait after the number's recent sends, this one included."""
    waits: list[int] = settings.LOGIN_CODE_RESEND_SECONDS
    return waits[min(sends, len(waits)) - 1]
