"""What an SMS costs: the limits that keep codes from becoming a nuisance or a bill."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.core.cache import cache
from redis.exceptions import RedisError

from config.monitoring import audit
from config.refusals import LimitReached
from limits.budgets import Claim, Reservation
from limits.budgets import reserve as reserve_claims
from limits.counters import Counter
from users.login import codes
from users.login.clients import Client
from users.login.exceptions import ResendTooSoon
from users.login.guess_limits import code_length_after, wrong_in_month
from users.phones import mask_phone_number
from users.sms.exceptions import SmsUnavailable, SmsUnsure
from users.statistics import daily_counts as daily

# The kill switch: a count that only stop() and start() change.
_STOPPED = Counter("sending_stopped", "sms-sending-stopped", 1, 0, step=0)


@dataclass(frozen=True, slots=True)
class Send:
    """One that was granted."""

    next_at: float  # seconds since the epoch, from when another may be asked for
    code_length: int  # digits, if it takes a new code
    number_today: int  # the so many-th of all


@contextmanager
def reserve(phone_number: str, client: Client) -> Iterator[Send]:
    """One send, given back if the block fails; of SmsUnsure, all but the limits.

    Raises ResendTooSoon, LimitReached, and SmsUnavailable while sending is stopped.
    """
    known = client.knows(phone_number)
    reservation = _reserve(phone_number, client, known)
    counts = reservation.counts
    wait = codes.wait_after(counts["last_sends"])
    next_at = time.time() + wait
    try:
        yield Send(
            next_at=next_at,
            code_length=code_length_after(counts.get("guesses_per_phone_month", 0)),
            number_today=counts["codes_sent"],
        )
    except SmsUnsure as unsure:
        # The bill may have it, so it counts, once; the number's wait does not.
        its_wait = (ResendTooSoon.limit_name, "last_sends", "codes_sent")
        reservation.give_back(*(its_wait if unsure.is_new else ()))
        raise
    except Exception:
        reservation.give_back()
        raise
    if not codes.is_long_enough(wait):
        with suppress(RedisError):  # the SMS is on its way: no 503 for this
            codes.set_wait(phone_number, by_known_device=known, until=next_at)


def _reserve(phone_number: str, client: Client, known: bool) -> Reservation:
    """In one step, with all that is to be known beforehand."""
    try:
        return reserve_claims(
            _STOPPED,
            codes.send_counter(phone_number, by_known_device=known),
            codes.sends_counter(phone_number, by_known_device=known),
            *_claims(phone_number, client, known),
            wrong_in_month(phone_number),
            daily.counter("codes_sent"),
        )
    except LimitReached as refusal:
        if refusal.limit == _STOPPED.name:
            raise SmsUnavailable from None
        phone = mask_phone_number(phone_number)
        audit.record("code.refused", phone=phone, limit=refusal.limit)
        if refusal.limit == ResendTooSoon.limit_name:
            wait = codes.resend_in(phone_number, by_known_device=known)
            raise ResendTooSoon(wait=wait) from None
        raise


def stop() -> None:
    """The kill switch: no SMS to anyone until `start`."""
    cache.set(_STOPPED.key, 1, None)


def start() -> None:
    cache.delete(_STOPPED.key)


def is_stopped() -> bool:
    return bool(cache.get(_STOPPED.key))


def _claims(phone_number: str, client: Client, known: bool) -> list[Claim]:
    everybody = Claim("sends", "all")
    if known:
        return [Claim("sends_per_device", phone_number), everybody]
    address = client.address
    return [
        Claim("sends_per_phone_and_address", f"{phone_number} {address}"),
        Claim("sends_per_address", address),
        Claim("phones_per_address", address, item=phone_number),
        Claim("sends_per_phone_hour", phone_number),
        Claim("sends_per_phone_day", phone_number),
        everybody,
    ]
