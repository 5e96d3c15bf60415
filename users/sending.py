"""What an SMS costs: the limits that keep codes from becoming a nuisance or a bill."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache

from limits.budgets import Claim
from limits.budgets import reserve as reserve_claims
from users import codes
from users.clients import Client
from users.exceptions import SmsUnavailable

_STOPPED = "sms-sending-stopped"


@contextmanager
def reserve(phone_number: str, client: Client) -> Iterator[None]:
    """One send, given back if the block fails.

    Raises ResendTooSoon, LimitReached, and SmsUnavailable while sending is stopped.
    """
    if cache.get(_STOPPED):
        raise SmsUnavailable
    known = client.knows(phone_number)
    codes.reserve_send(phone_number, by_known_device=known)
    try:
        reservation = reserve_claims(*_claims(phone_number, client, known))
        try:
            yield
        except Exception:
            reservation.give_back()
            raise
    except Exception:
        codes.release_send(phone_number, by_known_device=known)
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
