"""What an SMS costs: the limits that keep codes from becoming a nuisance or a bill."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache

from config import audit
from config.exceptions import LimitReached
from limits.budgets import Claim
from limits.budgets import reserve as reserve_claims
from users import codes
from users.clients import Client
from users.exceptions import SmsUnavailable, SmsUnsure
from users.phones import mask_phone_number

_STOPPED = "sms-sending-stopped"


@contextmanager
def reserve(phone_number: str, client: Client) -> Iterator[float]:
    """One send, given back if the block fails; of SmsUnsure only the wait is.

    Gives the moment, in seconds since the epoch, from which another may be asked for.
    Raises ResendTooSoon, LimitReached, and SmsUnavailable while sending is stopped.
    """
    if cache.get(_STOPPED):
        raise SmsUnavailable
    known = client.knows(phone_number)
    with _audited(phone_number):
        codes.reserve_send(phone_number, by_known_device=known)
    try:
        with _audited(phone_number):
            reservation = reserve_claims(
                codes.sends_counter(phone_number, by_known_device=known),
                *_claims(phone_number, client, known),
            )
        try:
            wait = codes.set_wait(
                phone_number,
                by_known_device=known,
                sends=reservation.counts["last_sends"],
            )
            yield time.time() + wait
        except SmsUnsure as unsure:
            # The bill may have it, so it counts, once; the number's wait does not.
            reservation.give_back(*(["last_sends"] if unsure.is_new else []))
            raise
        except Exception:
            reservation.give_back()
            raise
    except Exception:
        codes.release_send(phone_number, by_known_device=known)
        raise


@contextmanager
def _audited(phone_number: str) -> Iterator[None]:
    try:
        yield
    except LimitReached as refusal:
        phone = mask_phone_number(phone_number)
        audit.record("code.refused", phone=phone, limit=refusal.limit)
        raise


def stop() -> None:
    """The kill switch: no SMS to anyone until `start`."""
    cache.set(_STOPPED, 1, None)


def start() -> None:
    cache.delete(_STOPPED)


def is_stopped() -> bool:
    return bool(cache.get(_STOPPED))


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
